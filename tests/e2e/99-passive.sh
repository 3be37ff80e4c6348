#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
#
# What clients' connections show of a backend: counters, and an event that makes nflbd
# check it. Its checks are an hour apart, so that no verdict is due to the time.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

NFLBD=$(dirname "$LBADM")/nflbd
[ -x "$NFLBD" ] || skip "nflbd is not built"

setup_topology
start_nginx rs1 rs2 rs3

# counter PROTOCOL FAMILY PORT N NAME
counter() {
	lb -j -s backend show "$1" "$(vip "$2" "$3")" |
		jq --arg address "$(backend "$2" "$4" | tr -d '[]')" \
			'.[] | select(.address == $address) | .stats."'"$5"'"'
}
has_event() { # TROUBLE FAMILY N
	jq -r 'select(.event == "backend-trouble") | "\(.trouble) \(.address)"' "$WORK/monitor.log" |
		grep -qx "$1 $(backend "$2" "$3" | tr -d '[]')"
}
health() {
	lb -j health show tcp "$(vip "$1" 80)" "$(backend "$1" "$2")" | jq -r '.[0].health'
}
is() { [ "$(health "$1" "$2")" = "$3" ]; }
try() { # FAMILY [SECONDS]: may fail
	ns cl curl -s -m "${2:-3}" -H 'Connection: close' "http://$(vip "$1" 80)/" || true
}

export NFLBD_SOCKET=$WORK/nflbd.sock
jq -n --arg socket "$NFLBD_SOCKET" '{socket: $socket}' >"$WORK/nflbd.json"
for family in 4 6; do
	add_service tcp $family 80 scheduler rr
	for n in 1 2 3; do
		add_backend tcp $family 80 $n
	done
done
ns_bg lb monitor "$LBADM" -j monitor config
listens() {
	lb laddr add 10.99.0.1
	lb laddr del 10.99.0.1
	[ -s "$WORK/monitor.log" ]
}
wait_for listens

# --- what works
for family in 4 6; do
	for _ in {1..6}; do
		assert_match "answer" "$(try $family)" rs
	done
	assert_eq "established" "$(counter tcp $family 80 1 established)" 2
	assert_eq "refused" "$(counter tcp $family 80 1 refused)" 0
done
assert_eq "no trouble" "$(grep -c trouble "$WORK/monitor.log" || true)" 0

# --- a check is a good while ahead, and the first client of a dead server brings it
lb config save | jq '(.services[] | select(.protocol == "tcp"))."health-check" = {
	"protocol": "http", "criteria": { "interval": 3600, "fast-interval": 0.2, "timeout": 1,
	"unhealth-threshold": 2 } }' >"$WORK/nflb.json"
lb config apply "$WORK/nflb.json"
ns_bg lb nflbd "$NFLBD" --settings "$WORK/nflbd.json"
for family in 4 6; do
	for n in 1 2 3; do
		wait_for is $family $n healthy
	done
done
kill "$(cat "$WORK/nginx-rs1/pid")"
wait_for eval "! _listens rs1 tcp 80"
for family in 4 6; do
	assert_eq "before any client" "$(health $family 1)" healthy
	for _ in {1..3}; do
		try $family >/dev/null
	done
	wait_for is $family 1 unhealthy
	assert_eq "others" "$(health $family 2) $(health $family 3)" "healthy healthy"
	[ "$(counter tcp $family 80 1 refused)" -ge 1 ] || fail "nothing is counted as refused"
	wait_for has_event refused $family 1
done

# --- a server that drops packets
for family in 4 6; do
	ns rs2 nft -f - <<-NFT
		table inet silent { chain in { type filter hook input priority 0; tcp dport 80 drop; }; }
	NFT
	for _ in {1..2}; do
		try $family 2 >/dev/null
	done
	wait_for is $family 2 unhealthy
	[ "$(counter tcp $family 80 2 syn-repeated)" -ge 1 ] || fail "nothing is counted as syn-repeated"
	wait_for has_event syn-repeated $family 2
	ns rs2 nft delete table inet silent
done

# --- a server without a neighbour: its link is cut on its side
ip -n rs3 link set to-lb down
for family in 4 6; do
	ip -n lb neigh flush all
	for _ in {1..3}; do
		try $family 2 >/dev/null
	done
	wait_for is $family 3 unhealthy
	[ "$(counter tcp $family 80 3 no-neighbour)" -ge 1 ] || fail "nothing is counted as no-neighbour"
	wait_for has_event no-neighbour $family 3
done

# --- an entry of a neighbour that was flushed is no failure
before=$(counter tcp 4 80 2 no-neighbour)
ip -n lb neigh flush all
assert_match "answer" "$(for _ in {1..3}; do try 4; done)" rs2
assert_eq "flushed" "$(counter tcp 4 80 2 no-neighbour)" "$before"

# --- datagrams to a port that nobody has
for family in 4 6; do
	add_service udp $family 54
	add_backend udp $family 54 1
	for _ in {1..3}; do
		ns cl bash -c "exec 3<>/dev/udp/$(vip_of $family)/54; echo 1 >&3; read -t 0.2 -u 3" || true
	done
	[ "$(counter udp $family 54 1 unreachable)" -ge 1 ] || fail "nothing is counted as unreachable"
	wait_for has_event unreachable $family 1
	assert_eq "answered" "$(counter udp $family 54 1 established)" 0
done
