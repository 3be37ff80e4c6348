#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/fast
# offload: default off fast
#
# Clients and backends on the balancer itself, VIPs that are and that are not
# its addresses, and backends that are clients.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# A server of the host that is no service, on the VIP itself
host_server() {
	ns_bg lb host-server "$PYTHON" -m http.server --bind "$VIP4" 2222
	wait_listen lb tcp 2222
}

clients() { # NS FAMILY: six requests, two for each backend
	local i name=$1 family=$2
	for ((i = 0; i < 6; i++)); do
		ns "$name" curl -sS --max-time 20 "http://$(vip "$family" 80)/"
	done | sort | uniq -c | awk '{ print $2, $1 }' | paste -sd' '
}

setup_topology
start_nginx
for family in 4 6; do
	add_service tcp $family 80 scheduler rr
	for n in 1 2 3; do
		add_backend tcp $family 80 $n
	done
	assert_eq "IPv$family, client on the balancer, local VIP" \
		"$(clients lb $family)" "rs1 2 rs2 2 rs3 2"
done
host_server
assert_match "a server of the host on the VIP's other port" \
	"$(ns cl curl -sS "http://$VIP4:2222/")" "Directory listing"

# A backend asks its own VIP: it itself cannot answer, so another is picked
for family in 4 6; do
	ok=0
	for ((i = 0; i < 3; i++)); do
		! ns rs1 curl -sS --max-time 20 "http://$(vip "$family" 80)/" >/dev/null 2>&1 || ok=$((ok + 1))
	done
	assert_eq "IPv$family requests of rs1 that others answered" "$ok" 3
done
assert_eq "packets dropped for that" "$(stat_of hairpin)" 0
add_service tcp 4 81
show lb backend add tcp "$(vip 4 81)" "$(backend 4 1):80"
assert_fails "a backend that is alone asks itself" \
	ns rs1 curl -sS --max-time 3 "http://$(vip 4 81)/"
[ "$(stat_of hairpin)" -gt 0 ] || fail "no hairpin was counted"
lb service del tcp "$(vip 4 81)"

# The VIP is not the balancer's any more, only routed to it
ip -n lb addr del "$VIP4/32" dev lo
ip -n lb addr del "$VIP6/128" dev lo
ip -n lb route add "$VIP4/32" dev to-rs1
ip -n lb route add "$VIP6/128" dev to-rs1
for family in 4 6; do
	assert_eq "IPv$family, client on the balancer, VIP of nobody" \
		"$(clients lb $family)" "rs1 2 rs2 2 rs3 2"
	assert_eq "IPv$family, client outside" \
		"$(clients cl $family)" "rs1 2 rs2 2 rs3 2"
done

# A backend on the balancer itself
both_listen() { [ "$(ns lb ss -Hltn "sport = :8088" | wc -l)" = 2 ]; }
for host in $LB_CL4 $LB_CL6; do
	ns_bg lb "local-server-$host" "$PYTHON" -m http.server 8088 --bind "$host"
done
wait_for both_listen
for family in 4 6; do
	case $family in
	4) host=$LB_CL4:8088 ;;
	6) host=[$LB_CL6]:8088 ;;
	esac
	add_service tcp $family 81
	show lb backend add tcp "$(vip "$family" 81)" "$host"
	for client in cl lb rs1; do
		assert_match "IPv$family, backend on the balancer, client $client" \
			"$(ns $client curl -sS --max-time 20 "http://$(vip "$family" 81)/")" "Directory listing"
	done
done
