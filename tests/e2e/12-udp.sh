#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: 6.1/gro
#
# UDP flows: every datagram is answered, every flow stays with one backend, and
# round robin gives each backend its third.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

setup_topology
start_udp_echo 5353

for family in 4 6; do
	add_service udp $family 5353 scheduler rr
	for n in 1 2 3; do
		add_backend udp $family 5353 $n
	done
	seen=$(ns cl "$PYTHON" "$E2E/tools/udp_client.py" "$(vip_of $family)" 5353 150 4) ||
		fail "IPv$family: $seen"
	assert_eq "IPv$family flows" "$(echo "$seen" | paste -sd' ')" \
		"rs1 50 rs2 50 rs3 50 lost 0 moved 0"

	# One datagram of more than the MTU goes in fragments, both ways
	seen=$(ns cl "$PYTHON" "$E2E/tools/udp_client.py" "$(vip_of $family)" 5353 3 1 4000) ||
		fail "IPv$family, 4000 bytes: $seen"
	assert_match "IPv$family datagrams of 4000 bytes" "$(echo "$seen" | paste -sd" ")" "lost 0"
done

assert_no_drops
