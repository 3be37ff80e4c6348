#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/fast
#
# Path-MTU discovery through the balancer, both ways, and traceroute.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

setup_topology router no-vip
start_nginx rs1
head -c 3000000 /dev/urandom >"$WORK/files/big"
sum=$(sha256sum <"$WORK/files/big")

for family in 4 6; do
	add_service tcp $family 80
	add_backend tcp $family 80 1
	add_service udp $family 33434-33534
	show lb backend add udp "$(vip "$family" 33434-33534)" "$(backend $family 1)"
done

# From the backend to a client behind a small MTU: the router's complaint goes
# to the VIP, the backend has to learn of it.
ip -n rt link set to-cl mtu 1300
ip -n cl link set to-lb mtu 1300
for family in 4 6; do
	# The client would announce its own small MSS, and hide the problem
	ns cl ip route replace "$([ $family = 4 ] && echo "$VIP4" || echo "$VIP6")" \
		via "$([ $family = 4 ] && echo $LB_CL4 || echo $LB_CL6)" advmss 1440
	assert_eq "IPv$family download through MTU 1300" \
		"$(ns cl curl -sS --max-time 60 "http://$(vip "$family" 80)/files/big" | sha256sum)" "$sum"
	client=$([ $family = 4 ] && echo $CL4 || echo $CL6)
	assert_match "what rs1 learnt" "$(ns rs1 ip route get "$client")" "mtu 1300"
done

# Names of hops: the router in front, the balancer, the backend as the VIP
for family in 4 6; do
	route=$(ns cl traceroute -$family -n -q 1 -w 3 -m 6 "$(vip_of $family)" | awk 'NR > 1 { print $2 }' | paste -sd' ')
	case $family in
	4) expected="$LB_CL4 10.0.1.1 $VIP4" ;;
	6) expected="2001:db8::1 2001:db8:1::1 2001:db8:f::10" ;;
	esac
	assert_eq "IPv$family traceroute" "$route" "$expected"
done
