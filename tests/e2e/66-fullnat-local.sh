#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/off
# offload: default off fast
#
# Mode fullnat, with clients and backends on the balancer itself, backends that
# are their own clients, and local addresses that are not the host's.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ask() { # NS FAMILY PORT
	ns "$1" curl -sS --max-time 20 "http://$(vip "$2" "$3")/"
}

setup_topology
setup_local_addresses 1
start_nginx
# What asks a VIP must know the way to it; the backends answer only to what is
# local to the balancer
for i in 1 2 3; do
	ip -n "rs$i" route add $VIP4/32 via "10.0.1$i.1"
	ip -n "rs$i" route add $VIP6/128 via "2001:db8:1$i::1"
done

port=80
for pair in 4:4 6:6 6:4 4:6; do
	client=${pair%:*} server=${pair#*:}
	add_service tcp "$client" $port mode fullnat toa on
	show lb backend add tcp "$(vip "$client" $port)" "$(backend "$server" 1 80)"
	for ((i = 0; i < 5; i++)); do
		assert_eq "IPv$client to IPv$server, a client on the balancer" "$(ask lb "$client" $port)" rs1
		assert_eq "IPv$client to IPv$server, the backend itself" "$(ask rs1 "$client" $port)" rs1
		assert_eq "IPv$client to IPv$server, another backend" "$(ask rs2 "$client" $port)" rs1
	done
	port=$((port + 1))
done

# A backend on the balancer itself
both_listen() { [ "$(ns lb ss -Hltn "sport = :8088" | wc -l)" = 2 ]; }
for host in $LB_CL4 $LB_CL6; do
	ns_bg lb "local-server-$host" "$PYTHON" -m http.server 8088 --bind "$host"
done
wait_for both_listen
for pair in 4:4 6:6 6:4 4:6; do
	client=${pair%:*} server=${pair#*:}
	host=$LB_CL4:8088
	[ "$server" = 4 ] || host=[$LB_CL6]:8088
	add_service tcp "$client" $port mode fullnat toa on
	show lb backend add tcp "$(vip "$client" $port)" "$host"
	for where in cl lb rs1; do
		assert_match "IPv$client to IPv$server, backend on the balancer, client $where" \
			"$(ask $where "$client" $port)" "Directory listing"
	done
	port=$((port + 1))
done

# Local addresses that the host does not have, but gets packets for
lb laddr del $LA4.1
warning=$(lb laddr add $LA4.77 2>&1)
assert_match "what lbadm says" "$warning" "warning: .*not all of these belong to this host"
assert_match "what it shows" "$(lb laddr show)" "$LA4.77 +1024-65535 +1 not of this host"
assert_eq "a client" "$(ask cl 4 80)" rs1
assert_eq "a client on the balancer" "$(ask lb 4 80)" rs1
assert_no_drops
