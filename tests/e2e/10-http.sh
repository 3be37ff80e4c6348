#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Ten thousand HTTP requests, each a connection of its own, through weighted
# round robin 3:2:1: none fails, and the shares are exact, since the scheduler
# is deterministic. The number is the first multiple of six above 10,000.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

requests=${NFLB_HTTP_REQUESTS:-10002}

setup_topology
start_nginx

for family in 4 6; do
	add_service tcp $family 80 scheduler wrr
	add_backend tcp $family 80 1 weight 3
	add_backend tcp $family 80 2 weight 2
	add_backend tcp $family 80 3 weight 1

	# Connection: close makes curl connect anew for each
	ns cl curl -sS --fail -H 'Connection: close' --max-time 500 \
		"http://$(vip $family 80)/[1-$requests]" >"$WORK/replies"
	seen=$(sort "$WORK/replies" | uniq -c | awk '{ printf "%s%s %d", s, $2, $1; s = ", " }')
	assert_eq "IPv$family replies" "$seen" \
		"rs1 $((requests / 2)), rs2 $((requests / 3)), rs3 $((requests / 6))"
done

assert_no_drops
