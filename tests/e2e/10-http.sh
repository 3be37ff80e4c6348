#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: 6.1/gro 6.12/fast 6.12/xdp
# offload: default gro fast xdp
#
# Ten thousand HTTP requests, half of them over IPv6, each a connection of its
# own, through weighted round robin 3:2:1: none fails, and the shares are exact,
# since the scheduler is deterministic. Numbers are multiples of six; offload
# settings other than the default get fewer, as HTTP is small packets.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

requests=600
[ "$OFFLOAD" != default ] || requests=5004
requests=${NFLB_HTTP_REQUESTS:-$requests}

setup_topology
start_nginx

for family in 4 6; do
	add_service tcp $family 80 scheduler wrr
	add_backend tcp $family 80 1 weight 3
	add_backend tcp $family 80 2 weight 2
	add_backend tcp $family 80 3 weight 1

	seen=$(ns cl "$PYTHON" "$E2E/tools/http_client.py" "$(vip_of $family)" 80 "$requests" 2>&1) ||
		fail "IPv$family: $seen"
	assert_shares "IPv$family replies" "$(echo "$seen" | paste -sd' ')" \
		"rs1 $((requests / 2)) rs2 $((requests / 3)) rs3 $((requests / 6)) failed 0"

	# The everyday client, with one connection for several requests: they
	# stay where the connection is
	seen=$(ns cl curl -sS --fail "http://$(vip $family 80)/[1-12]" | sort | uniq -c | wc -l)
	assert_eq "IPv$family backends behind one kept-alive connection" "$seen" 1
done

assert_no_drops
