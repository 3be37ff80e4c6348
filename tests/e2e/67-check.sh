#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
#
# One set of rules: `config check` and the kernel give one verdict, of random
# configurations and of common mistakes. Each mistake is refused, or warned of.
#
# NFLB_CHECKS: how many random ones (default: 1000), NFLB_CHECK_SEED: which.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

setup_topology
V=$VIP4:80

# said STATUS TEXT ARGUMENTS...: exit status and message
said() {
	local status=$1 text=$2 output code=0
	shift 2
	output=$(lb "$@" 2>&1) || code=$?
	[ $code = "$status" ] || fail "lbadm $*: exit status $code, expected $status: $output"
	[[ $output == *"$text"* ]] || fail "lbadm $*: '$output' does not say '$text'"
	note "lbadm $*: $output"
}

# silent ARGUMENTS...: done, and nothing said
silent() {
	local output
	output=$(lb "$@" 2>&1) || fail "lbadm $*: $output"
	assert_eq "lbadm $*" "$output" ""
}

# --- what is refused names what it is about
silent service add tcp $V
said 2 "service tcp $V: kernel: the service exists already" service add tcp $V
silent backend add tcp $V 10.0.11.2
said 2 "service tcp $V: backend 10.0.11.2: kernel: the backend exists already" \
	backend add tcp $V 10.0.11.2
said 2 "local address 10.9.9.1: kernel: no such local addresses" laddr del 10.9.9.1
said 2 "device nosuch0: kernel: " device add nosuch0

# --- a VIP as a backend, in either order
said 0 "service tcp $V: backend $VIP4: warning: the address of a backend is a VIP" \
	backend add tcp $V $VIP4
said 0 "is a VIP" backend add tcp $V "$VIP4:8080"
said 0 "service tcp $VIP4:81: warning: the VIP is the address of a backend" service add tcp $VIP4:81
silent service del tcp $VIP4:81
silent backend del tcp $V $VIP4
silent backend del tcp $V "$VIP4:8080"
silent backend add tcp $V 10.0.12.2
said 0 "service udp 10.0.12.2:53: warning: the VIP is the address of a backend" \
	service add udp 10.0.12.2:53
silent service del udp 10.0.12.2:53

# --- loopback: only where packets are delivered to it
said 2 "route_localnet" backend add tcp $V 127.0.0.1
said 2 "loopback" backend add tcp "[$VIP6]:80" ::1
ns lb sysctl -qw net.ipv4.conf.to-cl.route_localnet=1
silent service add tcp $VIP4:85
said 0 "warning: a loopback address" backend add tcp $VIP4:85 127.0.0.1:8088
ns_bg lb loopback "$PYTHON" -m http.server 8088 --bind 127.0.0.1
wait_listen lb tcp 8088
assert_match "a server on 127.0.0.1" "$(ns cl curl -sS --max-time 20 "http://$VIP4:85/")" \
	"Directory listing"
ns lb sysctl -qw net.ipv4.conf.to-cl.route_localnet=0
assert_fails "without the sysctl" ns cl curl -sS --max-time 3 "http://$VIP4:85/"
silent backend set tcp $VIP4:85 127.0.0.1:8088 weight 3
silent backend del tcp $VIP4:85 127.0.0.1:8088
silent service del tcp $VIP4:85

# --- the same in files: what it is about, and where
config() { # EXPECTED-STATUS TEXT SERVICE-KEYS
	local code=0 output
	output=$(echo "{ \"services\": [ { \"protocol\": \"tcp\", \"address\": \"$VIP4\", \"port\": 80, $3 } ] }" |
		lb config check - 2>&1) || code=$?
	assert_eq "config check of $3" $code "$1"
	[[ $output == "lbadm: -:1:"*"$2"* ]] || fail "config check of $3: '$output' does not say '$2'"
	note "$output"
}
config 1 "service tcp $V: encapsulation needs mode dsr" '"encap": "ipip"'
config 1 "service tcp $V: there is no scheduler" '"scheduler": "nope"'
config 1 "service tcp $V: backend $VIP6: " "\"backends\": [ { \"address\": \"$VIP6\" } ]"
config 1 "key of its own" '"backends": [ { "address": "10.0.0.1:80" } ]'
config 0 "service tcp $V: backend $VIP4: warning: " "\"backends\": [ { \"address\": \"$VIP4\" } ]"

# --- addresses of nobody, or of many
for addr in 0.0.0.0 0.1.2.3 224.0.0.1 255.255.255.255; do
	said 2 "unicast" backend add tcp $V $addr
	said 2 "unicast" service add tcp $addr:80
done
silent service add tcp "[$VIP6]:80"
said 2 "link-local" backend add tcp "[$VIP6]:80" fe80::1
said 2 "unicast" backend add tcp "[$VIP6]:80" ff02::1
for addr in ::ffff:192.0.2.10 ::ffff:10.0.11.2; do
	said 2 "IPv4-mapped" service add tcp "[$addr]:80"
	said 2 "IPv4-mapped" backend add tcp "[$VIP6]:80" $addr
done
said 0 "broadcast" backend add tcp $V 10.0.11.255
said 0 "broadcast" service add tcp 10.0.11.255:81

# --- one place, spelled in two ways
said 0 "warning: a backend is there twice" backend add tcp $V 10.0.11.2:80
silent backend add tcp $V 10.0.11.2:81
silent service add tcp $VIP4:8000-8010
silent backend add tcp $VIP4:8000-8010 10.0.11.2
silent backend add tcp $VIP4:8000-8010 10.0.11.2:8000

# --- fullnat without a local address of the family
said 0 "mode fullnat needs local addresses" service add tcp $VIP4:82 mode fullnat
said 0 "laddr add" backend add tcp $VIP4:82 10.0.11.2
silent laddr add 10.0.11.1
silent backend add tcp $VIP4:82 10.0.12.2
said 0 "of the backend's family" backend add tcp $VIP4:82 "${RS6[1]}"
silent backend add tcp "[$VIP6]:80" "${RS6[1]}"
said 0 "of the backend's family" service set tcp "[$VIP6]:80" mode fullnat
silent service del tcp "[$VIP6]:80"

# --- dsr without a tunnel to where no link is
silent service add udp $VIP4:84 mode dsr
silent backend add udp $VIP4:84 10.0.11.2
ip -n lb route add 10.77.0.0/16 via 10.0.11.2
said 0 "reaches backends on a link" backend add udp $VIP4:84 10.77.0.1
silent backend add udp $VIP4:84 10.77.0.2 encap ipip
said 0 "reaches backends on a link" backend set udp $VIP4:84 10.77.0.2 encap none
silent backend set udp $VIP4:84 10.77.0.2 weight 3
lb config flush

# --- an apply warns, and says nothing the second time
echo "{ \"services\": [ { \"protocol\": \"tcp\", \"address\": \"$VIP4\", \"port\": 80,
	\"backends\": [ { \"address\": \"$VIP4\" } ] } ] }" >"$WORK/vip.json"
said 0 "service tcp $V: warning: the VIP is the address of a backend" config apply "$WORK/vip.json"
silent config apply --quiet "$WORK/vip.json"
lb config flush

# --- a saved configuration can be applied, also after the last backend of a mode left
silent service add tcp $V mode dnat
silent backend add tcp $V 10.0.11.2 mode dsr
silent service set tcp $V encap ipip
silent backend del tcp $V 10.0.11.2
lb config save >"$WORK/saved.json"
lb config flush
silent config check "$WORK/saved.json"
silent config apply --quiet "$WORK/saved.json"
lb config flush
code=0
output=$(ns lb setpriv --bounding-set -net_admin,-sys_admin --inh-caps -net_admin,-sys_admin \
	"$LBADM" config flush 2>&1) || code=$?
assert_eq "exit status of a flush of nothing without CAP_NET_ADMIN" $code 3
assert_match "and the message" "$output" "CAP_NET_ADMIN"

# --- random ones
ip netns add verdicts
ip -n verdicts link add any type dummy
ip -n verdicts link set any up
ip -n verdicts addr add 198.51.100.1/24 dev any
ip -n verdicts -6 addr add 2001:db8:51::1/64 dev any nodad
ip -n verdicts route add default dev any
ip -n verdicts -6 route add default dev any
read -r -a seed <<<"${NFLB_CHECK_SEED:-}"
seen=$(ip netns exec verdicts "$PYTHON" "$E2E/tools/config_verdicts.py" "$LBADM" \
	"${NFLB_CHECKS:-1000}" "${seed[@]}" 2>&1) || fail "random configurations: $seen"
note "$seen"
