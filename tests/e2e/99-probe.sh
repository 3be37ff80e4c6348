#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
#
# Probes of backends that are down, that drain and that are unhealthy: in each mode and
# encapsulation, of IPv4 and IPv6, TCP and UDP, with the VIP on the balancer and without,
# each is answered by its own backend, and no counter and no event tells of it. What is
# refused; what becomes of packets when a probe is over; the module goes with as many of
# them as there may be.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

probe() { ns lb "$PYTHON" "$E2E/tools/probe.py" "$@"; }

export LBADM
setup_dsr
start_nginx
start_udp_echo 5353
show lb laddr add 10.0.1.1
show lb laddr add 2001:db8:1::1

probe modes
probe refused
probe over

for encap in none ipip gre gue; do
	for family in 4 6; do
		dsr_setup apply $encap $family $family 1 2 3
		probe dsr $encap $family
		dsr_setup undo $encap $family $family 1 2 3
	done
done

probe flood
rmmod nflb
[ ! -d /sys/module/nflb ] || fail "still loaded"
insmod "$NFLB_MODULE"
