# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A million connections, of IPVS and of nflb. What a packet costs then is mostly
# waiting for memory, and that varies from one minute to the next on a machine that
# others use too. So both have their connections at the same time, and are measured
# by turns.
# shellcheck disable=SC2154,SC2034,SC2100

# Clients and ports have no factor in common, so that each pair of both comes once.
million=$((17 * 62500))

# IPVS gets a balancer of its own beside lb: there nflb would see its packets first.
peer_topology() {
	ip netns add peer
	ns peer sysctl -qw net.ipv4.ip_forward=1
	ip -n peer link set lo up
	link rt to-peer peer to-rt
	link peer to-rs rs to-peer
	ip -n rt addr add 10.0.4.1/24 dev to-peer
	ip -n peer addr add 10.0.4.2/24 dev to-rt
	ip -n peer addr add 10.0.2.1/24 dev to-rs
	ip -n peer route add default via 10.0.4.1
	ip -n rt route add 192.0.2.11 via 10.0.4.2
	neighbour rt to-peer 10.0.4.2 peer to-rt
	neighbour peer to-rt 10.0.4.1 rt to-peer
	neighbour peer to-rs 10.0.2.2 rs to-peer
	drop rs to-peer
	settle
}

# fill COMMAND...: until each flow has a connection, of which COMMAND tells how
# many there are. Connections are made slower than packets, so a full backlog loses
# some of the first.
fill() {
	local pass
	for ((pass = 0; pass < 10; pass++)); do
		packets=$million generate 4 "$port" "$flows" >/dev/null
		settle
		[ "$("$@")" != "$million" ] || return 0
	done
	lb stats show >&2
	fail "only $("$@") of $million connections"
}

ipvs_connections() {
	ns peer ipvsadm -Ln | awk '$1 == "->" && $5 ~ /^[0-9]/ { n += $5 + $6 } END { print n }'
}

# by_turns [SUFFIX]: of the scenarios' names
by_turns() {
	local at="1,000,000 connections${1:-}" i kind="million${1:-}" sent fast
	local base='' ipvs='' hook='' short='' lb_before peer_before
	fast=$(fast_path)
	lb_before=$(arrived)
	peer_before=$(balancer=peer arrived)
	for ((i = 0; i < runs; i++)); do
		drop lb to-rt
		base+=$(generate 4 "$port" "$flows")$'\n'
		undrop lb to-rt
		ipvs+=$(balancer=peer generate 4 "$port" "$flows")$'\n'
		hook+=$(generate 4 "$port" "$flows")$'\n'
		lb device add to-rt
		short+=$(generate 4 "$port" "$flows")$'\n'
		lb device del to-rt
	done
	sent=$((runs * packets))
	lowest "4 $kind" "$(the_one <<<"${base%?}")"
	packets=$sent balancer=peer \
		record 4 "ipvs NAT, $at" "$(the_one <<<"${ipvs%?}")" "$peer_before" "$kind"
	# Packets by the hook arrived there, too
	packets=$((2 * sent)) \
		record 4 "nflb dnat, $at" "$(the_one <<<"${hook%?}")" "$lb_before" "$kind"
	packets=$((2 * sent)) \
		record 4 "nflb dnat, fast path, $at" "$(the_one <<<"${short%?}")" "$lb_before" "$kind"
	packets=$sent name=$at assert_way fast "$fast"
}

million() {
	local clients=17 flows=62500 port=1024 some=$packets
	peer_topology
	balancer=peer ipvs_add 4 -m
	balancer=peer fill ipvs_connections
	slab ip_vs_conn "IPv4 ipvs, a connection"
	ns lb sysctl -qw net.nflb.max_connections=2000000
	nflb_add 4 dnat
	fill lb connection count
	slab nflb_conn "IPv4 nflb, a connection"
	if [ "$what" = native ]; then
		# As many packets as flows, or only some of them would be in a cache
		packets=$million
		by_turns
		shuffled=1 by_turns " at random"
		packets=$some
	else
		by_turns
	fi
	nflb_del 4
	balancer=peer ipvs_del 4
}
