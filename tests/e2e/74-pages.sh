#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
#
# What the pages of the documentation say can be typed as it stands there, and
# prints what they show.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PATH=$(dirname "$LBADM"):$PATH
page() { # PAGE SECTION
	"$PYTHON" "$E2E/tools/page.py" "$TOP/docs/$1" "$2" >&2 || fail "$1, $2"
}
again() {
	lb config flush
	ip -n lb addr flush dev lo scope global
}

nat() {
	setup_topology no-vip
	start_nginx
	page tutorial-dnat.md ''
	again
	page tutorial-fullnat.md 'Two arms'
	for i in 1 2 3 4; do
		assert_match "answer $i in mode fullnat" "$(http_get 4 80)" '^rs[12]$'
	done
	page tutorial-fullnat.md 'IPv6 in front, IPv4 behind'
	page policy.md ''
}

dsr() {
	setup_dsr
	start_nginx rs1 rs2
	again
	page tutorial-dsr.md 'The balancer'
	page tutorial-dsr.md 'The backends'
	dsr_setup apply gue 4 4
	for i in 1 2 3 4; do
		assert_match "answer $i in mode dsr" "$(http_get 4 80)" '^rs[12]$'
	done
}

# Each has a topology of its own.
(nat)
(dsr)
