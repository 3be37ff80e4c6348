#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default uml/gro uml/fast
#
# The counters of a service, a backend and the totals are the packets and bytes that the
# client sent and received, however they were merged on the way. In each mode.
# And what is dropped is counted for its service, and for its backend if it has one.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PORT=7100 BYTES=600000 BURSTS=3 big=
# Of bulk.py: COUNT, and all of a burst's data
COUNT=20 DATA=$((19 * 1200 + 100))

setup_dsr
# Datagrams that are not for a socket here are merged by request only.
if [ "$OFFLOAD" = gro ]; then
	for dev in to-cl to-rs1; do
		ns lb ethtool -K "$dev" rx-udp-gro-forwarding on
	done
fi

# counted service|backend PROTO FAMILY: packets-in bytes-in packets-out bytes-out
counted() {
	local stats
	case $1 in
	service) stats='.[0].stats' ;;
	backend) stats='.[0].backends[0].stats' ;;
	esac
	lb -j -s service show "$2" "$(vip "$3" $PORT)" | jq -r "$stats |
		\"\(.[\"packets-in\"]) \(.[\"bytes-in\"]) \(.[\"packets-out\"]) \(.[\"bytes-out\"])\""
}

totals() {
	lb -j stats show | jq -r '"\(."packets-in") \(."bytes-in") \(."packets-out") \(."bytes-out")"'
}

# watch_wire NS: count what passes its device to the balancer
watch_wire() {
	# Not ns: the process itself is to get the signal
	nsenter "--net=/run/netns/$1" -- "$PYTHON" "$E2E/tools/wire_count.py" to-lb $PORT \
		>"$WORK/wire-$1" 2>"$WORK/wire-$1.log" </dev/null &
	_pids+=($!)
	_wire[$1]=$!
	wait_for grep -q ready "$WORK/wire-$1.log"
}
declare -A _wire=()

# wire NS: the counts are in $WORK/wire-NS from then on
wire() {
	kill "${_wire[$1]}"
	wait "${_wire[$1]}" || fail "wire_count.py on $1: $(cat "$WORK/wire-$1.log")"
}

closed() {
	[ "$(ns "$1" ss -Htan "sport = :$PORT or dport = :$PORT" | grep -vc -e TIME-WAIT -e LISTEN)" = 0 ]
}

# check WHAT PROTO FAMILY EXPECTED: at all three places
check() {
	local place
	for place in service backend; do
		assert_eq "$1, $place" "$(counted $place "$2" "$3")" "$4"
	done
	assert_eq "$1, totals" "$(totals)" "$4"
}

# try MODE FAMILY BACKEND [SERVICE WORDS...]
# about WHAT FAMILY EXPECTED: some packets beyond 64 KiB are lost, for Linux 6.1 compares
# them with the MTU together with their jumbo payload option; the ends do not agree.
about() {
	local n got want
	read -ra got <<<"$(counted service tcp "$2")"
	read -ra want <<<"$3"
	for n in 0 1 2 3; do
		assert_between "$1, TCP, service, figure $n" "${got[n]}" \
			$((want[n] * 98 / 100)) $((want[n] * 102 / 100))
	done
	for n in tcp udp; do
		lb service del "$n" "$(vip "$2" $PORT)"
	done
}

try() {
	local mode=$1 family=$2 backend=$3 seen header there what
	shift 3
	what="$mode${2:+ $2}, IPv$family"
	for proto in tcp udp; do
		add_service "$proto" "$family" $PORT mode "$mode" "$@"
		lb backend add "$proto" "$(vip "$family" $PORT)" "$backend"
	done

	lb stats zero
	watch_wire cl
	[ "$mode" = dsr ] || watch_wire rs1
	ns cl "$PYTHON" "$E2E/tools/bulk.py" tcp "$(vip_of "$family")" $PORT $BYTES
	wait_for closed cl
	wait_for closed rs1
	wire cl
	seen=$(cat "$WORK/wire-cl")
	case $mode in
	dsr) seen="${seen% * *} 0 0" ;;
	*)
		wire rs1
		if [ -n "$big" ]; then
			about "$what" "$family" "$(cat "$WORK/wire-rs1")"
			return
		fi
		assert_eq "$what, TCP, both ends saw" "$(cat "$WORK/wire-rs1")" "$seen"
		;;
	esac
	assert_between "$what, packets with data" "${seen%% *}" $((BYTES / 1460)) $((BYTES / 150))
	check "$what, TCP" tcp "$family" "$seen"

	lb stats zero
	ns cl "$PYTHON" "$E2E/tools/bulk.py" udp "$(vip_of "$family")" $PORT $BURSTS
	header=28
	[ "$family" = 4 ] || header=48
	there="$((BURSTS * COUNT)) $((BURSTS * (DATA + COUNT * header)))"
	seen="$there $there"
	[ "$mode" != dsr ] || seen="$there 0 0"
	check "$what, UDP" udp "$family" "$seen"
	assert_no_drops
	for proto in tcp udp; do
		lb service del "$proto" "$(vip "$family" $PORT)"
	done
}

# serve NS ADDRESS
serve() {
	ns_bg "$1" "bulk-$2" "$PYTHON" "$E2E/tools/bulk.py" serve "$2" $PORT
	_server=$!
	wait_listen "$1" tcp $PORT
	wait_listen "$1" udp $PORT
}

for family in 4 6; do
	for encap in none gue; do
		dsr_setup apply $encap $family $family 1
		serve rs1 "$(vip_of $family)"
		try dsr $family "$(dsr_backend $encap $family 1)" encap $encap
		kill $_server
		dsr_setup undo $encap $family $family 1
	done
done

ip -n rs1 route replace default via 10.0.11.1
ip -n rs1 -6 route replace default via 2001:db8:11::1
serve rs1 ::
for family in 4 6; do
	try dnat $family "$(backend $family 1 $PORT)"
done

# Packets of more than 64 KiB
if [ "$OFFLOAD" = default ]; then
	for ns in cl rt lb rs1; do
		ns "$ns" "$PYTHON" "$E2E/tools/big_tcp.py" 150000
	done
	BYTES=8000000 big=1
	try dnat 6 "$(backend 6 1 $PORT)"
	assert_between "the longest packet" "$(sed -n 's/^longest //p' "$WORK/wire-cl.log")" \
		66000 150000
	for ns in cl rt lb rs1; do
		ns "$ns" "$PYTHON" "$E2E/tools/big_tcp.py" 65536
	done
	BYTES=600000 big=
fi

# --- dropped: with no backend yet, and by a backend's connection that has no hops left

VIP_DROPS=$VIP4:7200

drops_of() { # service|backend
	local what='.[0]'
	[ "$1" = service ] || what='.[0].backends[0]'
	lb -j -s service show udp $VIP_DROPS | jq "$what.stats.drops"
}

# A refusal may reach its sender at once.
datagram() { # TTL
	echo x | ns cl socat -u - "UDP4-SENDTO:$VIP_DROPS,bind=:20000,reuseaddr,ttl=$1" || true
}

dropped() { [ "$(drops_of "$1")" = "$2" ]; }
connected() {
	[ "$(lb -j -s service show udp $VIP_DROPS | jq '.[0].stats.connections')" = 1 ]
}

lb service add udp $VIP_DROPS mode dnat
datagram 64
datagram 64
wait_for dropped service 2
lb backend add udp $VIP_DROPS "$(backend 4 1 7200)"
datagram 64
wait_for connected
datagram 2
wait_for dropped backend 1
assert_eq "dropped by the service" "$(drops_of service)" 3
assert_eq "dropped by reason" "$(drops | sort | paste -sd' ')" "no-backend 2 ttl-exceeded 1"
assert_eq "the table's column" "$(lb -s backend show udp $VIP_DROPS --output DROPS \
	--noheadings | tail -n 1 | tr -d ' ')" 1
assert_match "/proc" "$(ns lb cat /proc/net/nflb/services)" " drops 3"
lb backend del udp $VIP_DROPS "$(backend 4 1 7200)"
assert_eq "dropped, without the backend" "$(drops_of service)" 3
lb stats zero
assert_eq "dropped, after zero" "$(drops_of service)" 0
lb service del udp $VIP_DROPS

# --- the last one, for the backends know no other way afterwards

setup_local_addresses 1
for family in 4 6; do
	try fullnat $family "$(backend $family 1 $PORT)"
done
