#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
#
# The tool against a real kernel: what is refused and how, batches, JSON, events,
# tracepoints, counters from zero.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# refused STATUS TEXT ARGUMENTS...: exit status, what is said, nothing changed
refused() {
	local status=$1 text=$2 before after output code=0
	shift 2
	before=$(lb -j service show)
	output=$(lb "$@" 2>&1) || code=$?
	after=$(lb -j service show)
	[ $code = "$status" ] || fail "lbadm $*: exit status $code, expected $status: $output"
	[[ $output == *"$text"* ]] || fail "lbadm $*: '$output' does not say '$text'"
	[ "$before" = "$after" ] || fail "lbadm $*: something was changed"
	note "lbadm $*: $output"
}

setup_topology
start_nginx rs1
V=$VIP4:80

# --- refusals of the kernel name what is wrong
lb service add tcp $V
refused 2 "exists already" service add tcp $V
refused 2 "no such service" service set tcp $VIP4:81 scheduler rr
refused 2 "no such service" service del udp $V
refused 2 "no such service" backend add tcp $VIP4:81 10.0.11.2
refused 2 "scheduler" service set tcp $V scheduler nosuch
refused 2 "encapsulation needs mode dsr" service add tcp $VIP4:82 encap ipip
refused 1 "encap" service add tcp $VIP4:82 mode dsr encap vxlan
refused 2 "encapsulation needs mode dsr" service set tcp $V encap gre
refused 1 "persist" service set tcp $V persist 300/33
refused 2 "fullnat" service set tcp $V toa on
refused 2 "fullnat" service set tcp $V proxy-protocol on
refused 2 "address family" backend add tcp $V "[$VIP6]:80"
refused 2 "no such backend" backend set tcp $V 10.0.11.2:80 weight 3
refused 2 "unicast" service add tcp 224.0.0.1:80
refused 2 "unicast" backend add tcp $V 0.0.0.0:80
refused 2 "link-local" service add tcp "[fe80::1]:80"
refused 1 "weight" backend add tcp $V 10.0.11.2:80 weight 65536
refused 1 "unknown command" service remove tcp $V
refused 1 "is missing" backend-setup show $VIP4
refused 1 "one family" backend-setup show $VIP4 2001:db8::1
refused 1 "encap" backend-setup show $VIP4 10.0.11.2 encap vxlan
refused 1 "not an address of this host" backend-setup apply $VIP4 10.0.11.99
refused 1 "not an address of this host" backend-setup apply $VIP6 2001:db8:11::99 encap gue
refused 1 "from 576 to 65535" backend-setup apply $VIP4 10.0.11.2 mtu 100
refused 1 "encap-source" service set tcp $V encap-source 10.0.0.0/33
code=0
output=$("$LBADM" -n lb -b - 2>&1 <<-BATCH) || code=$?
	# comments and empty lines are nothing

	service add udp $VIP4:53 scheduler rr
	backend add udp $VIP4:53 10.0.11.2 weight 7
	service add udp $VIP4:53
	service add udp $VIP4:54
BATCH
assert_eq "the batch's exit status" $code 2
assert_match "the batch's message" "$output" '^lbadm: -:5: service udp .*:53: kernel: .*exists already'
assert_eq "services after the batch stopped" \
	"$(lb -j service show | jq -r '[.[] | "\(.protocol) \(.port)"] | join(", ")')" "tcp 80, udp 53"

# --- without the right to change, one can look
code=0
output=$(ns lb setpriv --bounding-set -net_admin,-sys_admin --inh-caps -net_admin,-sys_admin \
	"$LBADM" service del tcp $V 2>&1) || code=$?
assert_eq "exit status without CAP_NET_ADMIN" $code 3
assert_match "and what is said" "$output" "CAP_NET_ADMIN"

# --- set changes only what is named; replace adds or sets
lb service set tcp $V timeout-established 60 scheduler rr
lb service set tcp $V timeout-fin 30
assert_eq "settings" "$(lb -j service show tcp $V | jq -c '.[0] | [.scheduler, .["timeout-established"], .["timeout-fin"], .["timeout-syn"]]')" \
	'["rr",60,30,60]'
lb service replace tcp $V scheduler wrr
lb service replace tcp $VIP4:8000-8010
lb service add tcp "$VIP4:*"
assert_eq "ports" "$(lb -j service show | jq -c '[.[].port]')" '[80,53,"8000-8010","*"]'
lb backend add tcp $V 10.0.11.2 weight 3 max-connections 9
lb backend set tcp $V 10.0.11.2 state drain
assert_eq "a backend" "$(lb -j backend show tcp $V 10.0.11.2 | jq -c '.[0] | [.address, .weight, .state, .["max-connections"]]')" \
	'["10.0.11.2",3,"drain",9]'
lb backend enable tcp $V 10.0.11.2
lb service set tcp $V persist 300/24 slow-start 9
assert_eq "persistence" "$(lb -j service show tcp $V | jq -c '.[0] | [.persist, .["persist-prefix4"], .["persist-prefix6"], .["slow-start"]]')" \
	'[300,24,64,9]'
assert_match "and as text" "$(lb service show tcp $V)" ' persist 300/24/64 slow-start 9'
lb service set tcp $V persist 0 slow-start 0
assert_eq "off again" "$(lb -j service show tcp $V | jq -c '.[0] | [.persist, .["slow-start"]]')" '[null,null]'

# --- /proc has the same
assert_match "/proc/net/nflb/services" "$(ns lb cat /proc/net/nflb/services)" \
	"service tcp $V mode dnat scheduler wrr backends 1 .*backend tcp $V 10.0.11.2:0 weight 3 state up max-connections 9 active 0"

# --- events, in text and JSON, and tracepoints
mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing
echo 1 >/sys/kernel/tracing/events/nflb/enable
ns_bg lb monitor-text "$LBADM" monitor
text=$!
ns_bg lb monitor-json "$LBADM" -j monitor
json=$!
listening() { [ "$(ns lb cat /proc/net/netlink | awk '$2 == 16 && $4 != "00000000"' | wc -l)" -ge 2 ]; }
wait_for listening
lb service add udp $VIP4:5353
lb backend add udp $VIP4:5353 10.0.11.2:53 weight 4
lb backend set udp $VIP4:5353 10.0.11.2:53 weight 5
lb backend set udp $VIP4:5353 10.0.11.2:53 weight 5
lb service del udp $VIP4:5353
http_get 4 80 >/dev/null
lb connection flush >/dev/null
ended() { grep -q connection-end "$WORK/monitor-json.log" && grep -q connection-end "$WORK/monitor-text.log"; }
wait_for ended
kill $text $json
assert_eq "events" "$(jq -r .event "$WORK/monitor-json.log" | paste -sd' ')" \
	"service-add backend-add backend-set service-del connection-new connection-end"
assert_eq "the same as text" "$(cut -d' ' -f1 "$WORK/monitor-text.log" | paste -sd' ')" \
	"service-add backend-add backend-set service-del connection-new connection-end"
assert_match "an event as text" "$(cat "$WORK/monitor-text.log")" \
	"backend-set udp $VIP4:5353 10.0.11.2:53 weight 5 state up"
ns cl curl -s --max-time 2 "http://$VIP4:9/" >/dev/null || true
wait_for grep -q 'conn_end' /sys/kernel/tracing/trace
assert_match "tracepoints" "$(cat /sys/kernel/tracing/trace)" \
	"conn_new: .*client=$CL4:[0-9]* vip=$V backend=10.0.11.2:80.*conn_end: .*drop: .*reason=no-backend"
echo 0 >/sys/kernel/tracing/events/nflb/enable

# --- filters and counters
http_get 4 80 >/dev/null
assert_eq "counted by service" "$(lb connection count service tcp $V)" 1
assert_eq "counted by backend" "$(lb connection count backend 10.0.11.2:80)" 1
assert_eq "counted by client" "$(lb connection count client 10.0.0.0/24)" 1
assert_eq "of another client" "$(lb connection count client 10.0.1.0/24)" 0
assert_eq "of another state" "$(lb connection count state syn-sent)" 0
[ "$(stat_of packets-in)" -gt 0 ] || fail "nothing was counted"
lb stats zero
assert_eq "packets after zero" "$(stat_of packets-in) $(stat_of packets-out) $(drops)" "0 0 "
assert_eq "of the service" "$(lb -s -j service show tcp $V | jq '.[0].stats["packets-in"] + .[0].backends[0].stats["bytes-out"]')" 0
assert_eq "rates are there" "$(lb -s -s -j service show tcp $V | jq '.[0].rates | length')" 6

# --- as many VIPs of one network as one likes
vips() { # COMMAND
	local i
	for i in {1..600}; do
		printf 'service %s udp [2001:db8:77::%x]:53\n' "$1" "$i"
		printf 'service %s udp [2001:db8:77:%x::1]:53\n' "$1" "$i"
	done
}
vips add | lb -b -
assert_eq "VIPs" "$(lb -j service show | jq '[.[] | select(.address | startswith("2001:db8:77:"))] | length')" 1200
vips del | lb -b -
