#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Bulk transfer over TCP in both directions and both families. iperf3 compares
# what was sent with what arrived; a file whose hash is known goes each way,
# too, since iperf3 does not look at the bytes.
#
# NFLB_BULK_MIB: how much each way (default 256; 1024 where time allows).

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

bulk=${NFLB_BULK_MIB:-256}
bytes=$((bulk << 20))
file_mib=$((bulk < 32 ? bulk : 32))

setup_topology
start_iperf 5201 rs1
start_nginx rs1

mkdir -p "$WORK/files"
head -c $((file_mib << 20)) /dev/urandom >"$WORK/files/random"
hash=$(sha256sum <"$WORK/files/random")

# transfer FAMILY DIRECTION [IPERF OPTIONS]
transfer() {
	local family=$1 direction=$2 sent received address
	shift 2
	address=$(vip "$family" 5201)
	address=${address%:*}
	ns cl iperf3 -J -c "${address//[\[\]]/}" -p 5201 -n "$bytes" "$@" >"$WORK/iperf.json" ||
		fail "iperf3: $(jq -r .error "$WORK/iperf.json")"
	sent=$(jq .end.sum_sent.bytes "$WORK/iperf.json")
	received=$(jq .end.sum_received.bytes "$WORK/iperf.json")
	assert_eq "IPv$family $direction: bytes received" "$received" "$sent"
	[ "$sent" -ge "$bytes" ] || fail "only $sent bytes of $bytes were sent"
	note "$(jq -r '"\(.end.sum_received.bits_per_second / 1e6 | floor) Mbit/s, " +
		"\(.end.sum_sent.retransmits // 0) retransmits"' "$WORK/iperf.json")"
}

for family in 4 6; do
	add_service tcp $family 5201 scheduler rr
	add_backend tcp $family 5201 1
	transfer $family up
	transfer $family down -R

	add_service tcp $family 80 scheduler rr
	add_backend tcp $family 80 1
	seen=$(ns cl curl -sS --fail "http://$(vip $family 80)/files/random" | sha256sum)
	assert_eq "IPv$family download" "$seen" "$hash"

	add_service tcp $family 7000 scheduler rr
	add_backend tcp $family 7000 1
	# shellcheck disable=SC2016 # for the other shell
	ns_bg rs1 "receiver-$family" bash -c \
		'socat -u "TCP$0-LISTEN:7000,reuseaddr" STDOUT | sha256sum >"$1.part"; mv "$1.part" "$1"' \
		"$family" "$WORK/received-$family"
	wait_listen rs1 tcp 7000
	ns cl socat -u "FILE:$WORK/files/random" "TCP$family:$(vip $family 7000)"
	wait_for test -e "$WORK/received-$family"
	assert_eq "IPv$family upload" "$(cat "$WORK/received-$family")" "$hash"
done

assert_no_drops
