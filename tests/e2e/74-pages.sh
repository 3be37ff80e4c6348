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

firewall() {
	setup_topology no-vip
	start_nginx
	add_service tcp 4 80
	add_backend tcp 4 80 1
	_addr cl to-lb 198.51.100.7/32
	ip -n lb route add 198.51.100.7 dev to-cl
	assert_eq "before the rules" "$(http_get 4 80 --interface 198.51.100.7)" rs1
	page nftables.md 'Deny clients'
	assert_fails "a client that is denied" http_get 4 80 --interface 198.51.100.7 --max-time 2
	page nftables.md 'A host firewall that drops by default'
	page nftables.md 'NAT for connections of the backends'
	assert_eq "a client" "$(http_get 4 80)" rs1
	assert_eq "the balancer itself" "$(ns lb curl -sS --max-time 5 "http://${RS4[1]}/")" rs1
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

running() {
	setup_topology no-vip
	add_service tcp 4 80
	lb backend add tcp "$(vip 4 80)" "${RS4[1]}"
	page lifecycle.md 'Health'
	page lifecycle.md 'Slow start'
}

# Each has a topology of its own.
(nat)
(firewall)
(dsr)
(running)
