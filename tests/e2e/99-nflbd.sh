#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
#
# nflbd and the module: a server that dies gets no connections, and gets them again when
# it is back. Verdicts outlive the checker, an apply, and a restart. A verdict that
# is set by hand holds. Changes of services are followed.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

NFLBD=$(dirname "$LBADM")/nflbd
[ -x "$NFLBD" ] || skip "nflbd is not built"

setup_topology
start_nginx rs1 rs2

# health FAMILY N: the verdict on a backend and its reason
health() {
	lb -j health show tcp "$(vip "$1" 80)" "$(backend "$1" "$2")" |
		jq -r '.[0] | "\(.health) \(."health-reason" // "")"'
}

is() { [ "$(health "$1" "$2")" = "$3" ]; }
becomes() { wait_for is "$@"; }

# Which servers answer N requests, "rs1 rs2"
answers() {
	ns cl curl -sS --fail -H 'Connection: close' "http://$(vip "$1" 80)/[1-$2]" |
		sort -u | paste -sd' '
}

# The file, with CHECK as the health check of each service
write_config() {
	lb config save | jq --argjson check "$1" \
		'.services[]."health-check" = $check' >"$WORK/nflb.json"
}

start_nflbd() {
	ns_bg lb nflbd "$NFLBD" --settings "$WORK/nflbd.json"
	nflbd=$!
}

stop_server() {
	kill "$(cat "$WORK/nginx-$1/pid")"
	wait_for eval "! _listens $1 tcp 80"
}

# Does the monitor print events?
listens() {
	lb laddr add 10.99.0.1
	lb laddr del 10.99.0.1
	[ -s "$WORK/monitor.log" ]
}

export NFLBD_SOCKET=$WORK/nflbd.sock
jq -n --arg socket "$NFLBD_SOCKET" '{"max-in-flight": 64, socket: $socket}' >"$WORK/nflbd.json"
for family in 4 6; do
	add_service tcp $family 80 scheduler rr
	add_backend tcp $family 80 1
	add_backend tcp $family 80 2
done
check='{"protocol": "http", "expect-status": "200",
	"criteria": {"interval": 0.3, "timeout": 2, "fast-interval": 0.1}}'
write_config "$check"
lb config apply "$WORK/nflb.json"
for family in 4 6; do
	assert_eq "before checks" "$(health $family 1)" "unknown "
done

# --- verdicts come, and act

start_nflbd
for family in 4 6; do
	becomes $family 1 "healthy "
	becomes $family 2 "healthy "
	assert_eq "both serve" "$(answers $family 8)" "rs1 rs2"
done
stop_server rs1
for family in 4 6; do
	becomes $family 1 "unhealthy connect-refused"
	assert_eq "rs2 serves alone" "$(answers $family 20)" rs2
	assert_eq "rs2 is not judged by rs1" "$(health $family 2)" "healthy "
done
start_nginx rs1
for family in 4 6; do
	becomes $family 1 "healthy "
	assert_eq "both serve again" "$(answers $family 8)" "rs1 rs2"
done
grep -qF "tcp $(vip 4 80) -> 10.0.11.2: unhealthy: connect-refused (healthy for" \
	"$WORK/nflbd.log" || fail "the log does not say so: $(cat "$WORK/nflbd.log")"

# --- the socket

for family in 4 6; do
	lb health check tcp "$(vip $family 80)" "$(backend $family 1)" >"$WORK/check.log"
	tail -n 1 "$WORK/check.log" | grep -q "^success: http 200 in " ||
		fail "a check now: $(cat "$WORK/check.log")"
	lb -j health show tcp "$(vip $family 80)" "$(backend $family 1)" |
		jq -e '.[0].check | .detail == "200" and .via == "direct"' ||
		fail "health show has no result"
done
ns_bg lb watch "$LBADM" health watch tcp "$(vip 4 80)"
# It has no sign of its own that it watches.
sleep 1

# --- they outlive the checker, an apply and a restart

stop_server rs1
for family in 4 6; do becomes $family 1 "unhealthy connect-refused"; done
wait_for grep -qF "10.0.11.2: unhealthy: connect-refused" "$WORK/watch.log"
ns_bg lb monitor "$LBADM" -j monitor config
wait_for listens
kill -9 "$nflbd"
wait_for eval "! kill -0 $nflbd 2>/dev/null"
lb config apply "$WORK/nflb.json"
for family in 4 6; do
	assert_eq "without a checker" "$(health $family 1)" "unhealthy connect-refused"
done
start_nflbd
stop_server rs2
for family in 4 6; do becomes $family 2 "unhealthy connect-refused"; done
assert_eq "only the new verdicts are events" \
	"$(jq -r 'select(.event == "health-set") | .health' "$WORK/monitor.log" | sort | uniq -c |
		xargs)" "2 unhealthy"
start_nginx rs1 rs2
for family in 4 6; do
	becomes $family 1 "healthy "
	becomes $family 2 "healthy "
done

# --- a hand is stronger, until it lets go

for family in 4 6; do
	lb health force tcp "$(vip $family 80)" "$(backend $family 1)" down
done
stop_server rs2
for family in 4 6; do
	becomes $family 2 "unhealthy connect-refused"
	assert_eq "set by hand" "$(health $family 1)" "unhealthy forced"
	lb health force tcp "$(vip $family 80)" "$(backend $family 1)" clear
	becomes $family 1 "healthy "
done
start_nginx rs2

# --- changes are followed

for family in 4 6; do
	becomes $family 2 "healthy "
	add_backend tcp $family 80 3
	becomes $family 3 "unhealthy connect-refused"
	lb backend set tcp "$(vip $family 80)" "$(backend $family 3)" state down
done
start_nginx rs3
for family in 4 6; do
	# It is not checked while it is down.
	becomes $family 3 "unknown "
	lb backend set tcp "$(vip $family 80)" "$(backend $family 3)" state up
	becomes $family 3 "healthy "
done
stop_server rs3
for family in 4 6; do becomes $family 3 "unhealthy connect-refused"; done
write_config '{"protocol": "none"}'
lb config apply "$WORK/nflb.json"
for family in 4 6; do becomes $family 3 "unknown "; done
write_config "$check"
lb config apply "$WORK/nflb.json"
for family in 4 6; do becomes $family 3 "unhealthy connect-refused"; done
lb config save | jq 'del(.services[]."health-check")' >"$WORK/nflb.json"
lb config apply "$WORK/nflb.json"
for family in 4 6; do becomes $family 3 "unknown "; done

# --- a dry run changes nothing

write_config "$(jq '. + {"dry-run": true}' <<<"$check")"
lb config apply "$WORK/nflb.json"
wait_for grep -q "unhealthy: connect-refused (unknown for .*, dry run" "$WORK/nflbd.log"
for family in 4 6; do assert_eq "of a dry run" "$(health $family 3)" "unknown "; done

# --- and it ends well

write_config "$check"
lb config apply "$WORK/nflb.json"
for family in 4 6; do becomes $family 3 "unhealthy connect-refused"; done
kill "$nflbd"
wait_for eval "! kill -0 $nflbd 2>/dev/null"
[ ! -e "$NFLBD_SOCKET" ] || fail "the socket is still there"
if lb health check tcp "$(vip 4 80)" "$(backend 4 1)" 2>"$WORK/check.log"; then
	fail "a check without nflbd"
else
	assert_eq "without nflbd" $? 3
fi
for family in 4 6; do
	assert_eq "after the end" "$(health $family 3)" "unhealthy connect-refused"
done
