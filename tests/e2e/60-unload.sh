#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default 6.12/fast
# offload: default fast
#
# rmmod with a thousand open connections and traffic, right after the last service
# went, too; and the end of the balancer's namespace under traffic: nothing is left,
# nothing complains, and the module can be loaded again.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

configure() {
	local family proto n mode
	show lb laddr add 10.0.11.1
	show lb laddr add 2001:db8:11::1
	for family in 4 6; do
		for proto in tcp udp; do
			mode=(mode fullnat)
			[ $family = 4 ] || mode=()
			[ "$proto$family" != tcp4 ] || mode+=(toa on)
			[ "$proto$family" != udp4 ] || mode+=(proxy-protocol on)
			# Clients that are remembered, and what time will change
			add_service $proto $family 8080 persist 300 slow-start 300 "${mode[@]}"
			for n in 1 2 3; do
				add_backend $proto $family 8080 $n
			done
			show lb backend drain $proto "$(vip $family 8080)" \
				"$(backend $family 3)" deadline 300
		done
	done
}

# Packets that leave in tunnels; nobody has to take them out
configure_dsr() {
	local family n
	for family in 4 6; do
		add_service udp $family 8081 mode dsr encap gue scheduler random
		for n in 1 2 3; do
			lb backend add udp "$(vip $family 8081)" "$(backend $family $n)"
		done
	done
}

unloaded() { [ ! -d /sys/module/nflb ]; }
many() { [ "$(lb connection count)" -ge "$1" ]; }

setup_topology
start_nginx
start_udp_echo 8080

for round in 1 2 3; do
	configure
	configure_dsr
	ns_bg cl "hold-$round" "$PYTHON" "$E2E/tools/hold.py" 1000 "$VIP4" "$VIP6"
	holder=$!
	ns_bg cl "flood-$round" "$PYTHON" "$E2E/tools/flood.py" 8080 "$VIP4" "$VIP6"
	flooder=$!
	ns_bg cl "flood-dsr-$round" "$PYTHON" "$E2E/tools/flood.py" 8081 "$VIP4" "$VIP6"
	dsr_flooder=$!
	wait_for many 1000
	note "round $round: $(lb connection count) connections"
	ns_bg lb "cat-$round" cat /proc/net/nflb/connections
	ns_bg lb "dump-$round" "$LBADM" -j connection show
	# Ended connections keep the hooks; the module goes nevertheless
	[ "$round" != 2 ] || show lb config flush
	# While a dump is read it is in use, and refuses to go
	wait_for rmmod nflb
	unloaded || fail "still loaded"
	kill -0 $flooder || fail "there was no traffic"
	kill $holder $flooder $dsr_flooder
	insmod "$NFLB_MODULE"
	assert_eq "services after loading again" "$(lb -j service show)" "[]"
	assert_eq "hooks without a service" "$(nft list hooks 2>/dev/null | grep -c nflb)" 0
done

configure
configure_dsr
ns_bg cl flood-dsr-last "$PYTHON" "$E2E/tools/flood.py" 8081 "$VIP4" "$VIP6"
ns_bg cl flood-last "$PYTHON" "$E2E/tools/flood.py" 8080 "$VIP4" "$VIP6"
flooder=$!
wait_for many 100
ns_bg lb monitor "$LBADM" monitor
show lb config flush
ip netns del lb
# Its processes hold it until they end
kill "${_pids[-1]}"
kill -0 $flooder || fail "there was no traffic"
_namespaces=(cl rs1 rs2 rs3)
gone() { ! ip -n cl link show to-lb >/dev/null 2>&1; }
wait_for gone
note "the namespace went, and its devices with it"
