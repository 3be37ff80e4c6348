#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: 6.1/fast
#
# Bulk transfer over TCP in both directions and both families. Every byte is
# compared at the receiver: a random file, repeated up to the size asked for.
# iperf3 then saturates the path for some seconds; it does not look at bytes,
# and its receiver stops reading when the sender says so, so it only must work.
#
# NFLB_BULK_MIB: how much each way (default: 1024 at native speed, else 64).

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

bulk=64
[ "${NFLB_VM:-}" != uml ] || bulk=1024
bulk=${NFLB_BULK_MIB:-$bulk}
piece=32
pieces=$(((bulk + piece - 1) / piece))
total=$((piece * pieces))

setup_topology
start_iperf 5201 rs1
start_nginx rs1

mkdir -p "$WORK/files"
head -c $((piece << 20)) /dev/urandom >"$WORK/files/random"

# What should arrive
stream() {
	local i
	for ((i = 0; i < pieces; i++)); do
		cat "$WORK/files/random"
	done
}

speed() { # WHAT START
	local ms=$((($(date +%s%N) - $2) / 1000000))
	note "$1: $total MiB, every byte right, $((total * 8389 / ms)) Mbit/s"
}

# Runs in the backend; $1 is the family, $2 and $3 where the verdict goes
receive() {
	socat -b 262144 -u "TCP$1-LISTEN:7000,reuseaddr" STDOUT | cmp - <(stream) >"$2" 2>&1 || true
	mv "$2" "$3"
}
export -f stream receive
export pieces WORK

for family in 4 6; do
	for port in 5201 80 7000; do
		add_service tcp $family $port scheduler rr
		add_backend tcp $family $port 1
	done

	start=$(date +%s%N)
	ns cl curl -sS --fail "http://$(vip $family 80)/files/random?[1-$pieces]" |
		cmp - <(stream) || fail "IPv$family download: not what was sent"
	speed "IPv$family download" "$start"

	start=$(date +%s%N)
	# shellcheck disable=SC2016 # for the other shell
	ns_bg rs1 "receiver-$family" bash -c 'receive "$@"' - \
		$family "$WORK/comparing-$family" "$WORK/compared-$family"
	wait_listen rs1 tcp 7000
	stream | ns cl socat -b 262144 -u STDIN "TCP$family:$(vip $family 7000)"
	wait_for test -e "$WORK/compared-$family"
	[ ! -s "$WORK/compared-$family" ] || fail "IPv$family upload: $(cat "$WORK/compared-$family")"
	speed "IPv$family upload" "$start"

	for direction in up down; do
		options=()
		[ $direction = up ] || options=(-R)
		ns cl iperf3 -J -c "$(vip_of $family)" -p 5201 -t 2 "${options[@]}" >"$WORK/iperf.json" ||
			fail "IPv$family iperf3 $direction: $(jq -r .error "$WORK/iperf.json")"
		note "IPv$family iperf3 $direction: $(jq -r '
			"\(.end.sum_received.bits_per_second / 1e6 | floor) Mbit/s, " +
			"\(.end.sum_sent.retransmits // 0) retransmits"' "$WORK/iperf.json")"
	done
done

assert_no_drops
