#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
#
# One arm: client, balancer and backends in one subnet, on one switch, and the
# balancer has a single device. Mode fullnat needs nothing else of anybody: no
# route, no address on the backends. No ICMP redirect is sent, though packets
# leave by the device that they came from.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# shellcheck source=tests/e2e/lib/topologies.sh
. "$E2E/lib/topologies.sh"

topology_one-arm
_addr lb eth0 10.5.0.10/32 2001:db8:5::10/128
# As a host that forwards would be: then it would send redirects
ns lb sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
capture_start redirects cl eth0 '(icmp and icmp[0] == 5) or (icmp6 and ip6[40] == 137)'

show lb laddr add 10.5.0.1 ports 1024-32767
show lb laddr add 2001:db8:5::1 ports 1024-32767
for vip in 10.5.0.10:80 "[2001:db8:5::10]:80"; do
	show lb service add tcp "$vip" mode fullnat toa on scheduler rr
	for n in 1 2; do
		backend=10.5.0.1$n
		[[ $vip != \[* ]] || backend=2001:db8:5::1$n
		show lb backend add tcp "$vip" "$backend"
	done
	seen=$(for ((i = 0; i < 10; i++)); do
		ns cl curl -sS --max-time 20 "http://$vip/"
	done | sort | uniq -c | awk '{ print $2, $1 }' | paste -sd' ')
	assert_shares "$vip" "$seen" "rs1 5 rs2 5"
done
show lb laddr show >&2
show lb service show >&2
show lb connection show >&2
show lb stats show >&2
capture_stop redirects
assert_eq "redirects" "$(pcap_count redirects)" 0
assert_no_drops
