#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
#
# The most common mistake with mode dsr: the backends' route to the clients leads
# through the balancer. Nothing arrives, and the balancer says why. Where the host
# is a router and the VIP is not its own address, it works nevertheless.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

setup_topology
start_nginx rs1
counted() { [ "$(stat_of dsr-reply-here)" -gt "$1" ]; }

for family in 4 6; do
	dsr_setup apply none $family $family 1
	add_service tcp $family 80 mode dsr
	lb backend add tcp "$(vip $family 80)" "$(dsr_backend none $family 1)"
	before=$(stat_of dsr-reply-here)
	assert_fails "HTTP" ns cl curl -sS -m 3 "http://$(vip $family 80)/"
	wait_for counted "$before"
	client=$(lb -j connection show service tcp "$(vip $family 80)" |
		"$PYTHON" -c 'import json, sys
c = json.load(sys.stdin)[0]
print(("[%s]:%d" if ":" in c["client-address"] else "%s:%d") % (
	c["client-address"], c["client-port"]))')
	note "$(lb stats show)"
	note "$(lb explain tcp "$(vip $family 80)" "$client" device to-rs1)"
	assert_match "explain" "$(lb explain tcp "$(vip $family 80)" "$client" device to-rs1)" \
		"must not lead through the balancer"
	note "$(ns lb nstat -az IpInAddrErrors IpForwDatagrams Ip6InAddrErrors Ip6OutForwDatagrams)"
done

# The VIP is only routed to the balancer, which is a router
ip -n lb addr del "$VIP4/32" dev lo
ip -n lb addr del "$VIP6/128" dev lo
ip -n lb route add "$VIP4/32" dev lo
ip -n lb -6 route add "$VIP6/128" dev lo
ns lb sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
	net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.to-rs1.rp_filter=0
for family in 4 6; do
	before=$(stat_of dsr-reply-here)
	note "IPv$family, by a router: $(ns cl curl -sS -m 5 "http://$(vip $family 80)/" 2>&1)"
	counted "$before" || fail "not counted"
done
