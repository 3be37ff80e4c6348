# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What packet-cost measures, a function each. $what it was asked for says how much.
# shellcheck disable=SC2154,SC2034,SC2100

# Of the services
l4=udp

# --- what the kernel has

redirect() {
	ns lb tc qdisc add dev to-rt clsact
	ns lb tc filter add dev to-rt ingress matchall action mirred egress redirect dev to-rs
	measure "$1" redirect
	undrop lb to-rt
}

forward() {
	ip -n lb route add "$(vip_of "$1")" via "$(backend_of "$1")" dev to-rs
	measure "$1" forward
	ip -n lb route del "$(vip_of "$1")"
}

nft_dnat() { # FAMILY [flowtable]
	local ip=ip table='' flow=''
	[ "$1" = 4 ] || ip=ip6
	if [ -n "${2:-}" ]; then
		table="flowtable f { hook ingress priority 0; devices = { to-rt, to-rs }; }"
		flow="meta l4proto udp flow add @f"
	fi
	ns lb nft -f - <<-NFT
		table $ip bench {
			$table
			chain pre {
				type nat hook prerouting priority -100
				$ip daddr $(vip_of "$1") dnat to $(backend_of "$1")
			}
			chain through {
				type filter hook forward priority 0
				$flow
			}
		}
	NFT
	measure "$1" "nft dnat${2:+, $2}"
	ns lb nft delete table $ip bench
	ns lb conntrack -F >/dev/null 2>&1 || true
}

ipvs_add() { # FAMILY ipvsadm's WORD for the mode
	local vip backend len=32
	[ "$1" = 4 ] || len=128
	vip=$(bracket "$1" "$(vip_of "$1")"):53 backend=$(bracket "$1" "$(backend_of "$1")"):53
	ip -n "$balancer" addr add "$(vip_of "$1")/$len" dev lo
	ns "$balancer" ipvsadm -A "--$l4-service" "$vip" -s rr
	ns "$balancer" ipvsadm -a "--$l4-service" "$vip" -r "$backend" "$2"
	ns "$balancer" sysctl -eqw net.ipv4.vs.run_estimation=0 net.ipv4.vs.conntrack=0
}

ipvs_del() { # FAMILY
	local len=32
	[ "$1" = 4 ] || len=128
	ns "$balancer" ipvsadm -C
	ip -n "$balancer" addr del "$(vip_of "$1")/$len" dev lo
}

peers() { # FAMILY
	local first
	forward "$1"
	ipvs_add "$1" -m
	first=$port
	measure "$1" "ipvs NAT"
	measure_reply "$1" "ipvs NAT" "$first"
	measure_new "$1" "ipvs NAT"
	ipvs_del "$1"
	ipvs_add "$1" -g
	measure "$1" "ipvs DR"
	ipvs_del "$1"
	ipvs_add "$1" -i
	measure "$1" "ipvs TUN"
	ipvs_del "$1"
}

# --- nflb

nflb_add() { # FAMILY MODE [WORD...]: more of the service
	local vip
	vip=$(bracket "$1" "$(vip_of "$1")"):53
	lb service add "$l4" "$vip" mode "${@:2}"
	lb backend add "$l4" "$vip" "$(bracket "$1" "$(backend_of "$1")"):53"
}

nflb_del() { # FAMILY
	lb service del "$l4" "$(bracket "$1" "$(vip_of "$1")"):53"
	lb connection flush >/dev/null
	settle
}

nflb() { # FAMILY MODE [ENCAP]
	local name="nflb $2${3:+ $3}" first=$port
	any_asked "$1" "$name" "$name, fast path" "$name, new" || return 0
	nflb_add "$1" "$2" ${3:+encap "$3"}
	measure "$1" "$name" "$2"
	if [ "$2" = dnat ] && [ "$what" = all ]; then
		measure_reply "$1" "$name" "$first"
		lb device add to-rs
		measure_reply "$1" "$name, fast path" "$first" fast
		lb device del to-rs
	fi
	lb device add to-rt
	measure "$1" "$name, fast path" "$2" fast
	lb device del to-rt
	if [ "${3:-none}" = none ]; then
		lb connection flush >/dev/null
		measure_new "$1" "$name"
	fi
	nflb_del "$1"
}

own() { # FAMILY
	local encap
	dropped "$1"
	if [ "$what" = check ]; then
		redirect "$1"
	fi
	nflb "$1" dnat
	nflb "$1" fullnat
	for encap in none ipip gre gue; do
		nflb "$1" dsr $encap
	done
	dropped "$1"
}

# by_both_ways FAMILY NAME KIND MODE STATE
by_both_ways() {
	measure_socket "$@"
	lb device add to-rt
	measure_socket "$1" "$2, fast path" "${@:3}" fast
	lb device del to-rt
}

# tcp_mode FAMILY MODE KIND [TOA]: of connections that are new each time
tcp_mode() {
	local l4=tcp name="nflb ${2/dsr/dsr none}"
	any_asked "$1" "$name, $3" "$name, fast path, $3" "$name, TOA, tcp" || return 0
	nflb_add "$1" "$2" ${4:+toa "$4"}
	if [ "$3" = first ]; then
		begin_connections "$1"
		measure_socket "$1" "$name, TOA" first "$2" established
	else
		begin_connections "$1" talk
		by_both_ways "$1" "$name" tcp "$2" established
	fi
	nflb_del "$1"
	port=$((port + flows))
}

# Established connections. The address of the client is in each segment as long as
# it may be the first that the backend gets; and then in none.
tcp() { # FAMILY
	drop lb to-rt
	lowest "$1 socket tcp" "$(socket_costs "$1" tcp)"
	lowest "$1 socket udp" "$(socket_costs "$1" udp)"
	undrop lb to-rt
	if [ "$what" != check ]; then
		l4=tcp ipvs_add "$1" -m
		begin_connections "$1"
		measure_socket "$1" "ipvs NAT" tcp
		ipvs_del "$1"
		port=$((port + flows))
	fi
	if any_asked "$1" "nflb dnat, udp" "nflb dnat, fast path, udp"; then
		nflb_add "$1" dnat
		by_both_ways "$1" "nflb dnat" udp dnat udp
		nflb_del "$1"
		port=$((port + flows))
	fi
	tcp_mode "$1" dnat tcp
	tcp_mode "$1" fullnat first on
	[ "$what" != check ] || return 0
	tcp_mode "$1" fullnat tcp on
	tcp_mode "$1" dsr tcp
}

# What the stack, or a sender on a virtual machine, merged
gso() { # FAMILY
	ip -n gen addr replace "$(client_of "$1")/$([ "$1" = 4 ] && echo 24 || echo 64)" dev to-rt
	ip -n gen "-$1" route replace default via "$([ "$1" = 4 ] && echo 10.0.0.1 || echo 2001:db8::1)"
	drop lb to-rt
	lowest "$1 gso" "$(gso_costs "$1")"
	undrop lb to-rt
	ipvs_add "$1" -m
	measure_gso "$1" "ipvs NAT"
	ipvs_del "$1"
	nflb_add "$1" dnat
	measure_gso "$1" "nflb dnat"
	lb device add to-rt
	measure_gso "$1" "nflb dnat, fast path"
	lb device del to-rt
	nflb_del "$1"
}

# Many services, many connections: nothing depends on how many
crowd() { # FAMILY
	local i
	for ((i = 0; i < 10000; i++)); do
		echo "service add tcp 203.0.113.$((i % 250 + 1)):$((1000 + i / 250))"
	done | lb -b -
	nflb_add "$1" dnat
	lb device add to-rt
	measure "$1" "nflb dnat, fast path, 10,000 services" dnat fast
	lb device del to-rt
	nflb_del "$1"
	for ((i = 0; i < 10000; i++)); do
		echo "service del tcp 203.0.113.$((i % 250 + 1)):$((1000 + i / 250))"
	done | lb -b -
}

# slab CACHE NAME: what an object of it takes, the slabs' share in it
slab() {
	local bytes
	bytes=$(awk -v name="$1" '$1 == name { printf "%d", $15 * $6 * 4096 / $2 }' /proc/slabinfo)
	# Where caches of one size are merged it has no line of its own.
	[ -z "$bytes" ] || others+=("$(printf '%-48s %8d %s' "$2" "$bytes" bytes)")
}

# elapsed COMMAND...: nanoseconds, or instructions
elapsed() {
	local start
	start=$(date +%s%N)
	"$@" >/dev/null
	echo $(($(date +%s%N) - start))
}

# A thousand backends come, by either tool
change() { # FAMILY
	local vip i
	vip=$(vip_of 4):53
	for ((i = 0; i < 1000; i++)); do
		echo "10.4.$((i / 250)).$((i % 250 + 1)):53"
	done >"$NFLB_OUT/backends"
	ns lb ipvsadm -A -u "$vip" -s wlc
	sed "s/.*/-a -u $vip -r & -m -w 1/" "$NFLB_OUT/backends" >"$NFLB_OUT/ipvs"
	others+=("$(printf '%-48s %8d %s' "1,000 backends for IPVS, each" \
		$(($(elapsed ns lb ipvsadm -R <"$NFLB_OUT/ipvs") / 1000)) instructions)")
	ns lb ipvsadm -C
	lb service add udp "$vip" scheduler wlc
	sed "s/.*/backend add udp $vip &/" "$NFLB_OUT/backends" >"$NFLB_OUT/nflb"
	others+=("$(printf '%-48s %8d %s' "1,000 backends for nflb, each" \
		$(($(elapsed lb -b "$NFLB_OUT/nflb") / 1000)) instructions)")
	lb service del udp "$vip"
	# All at once
	for i in $(seq 1000); do
		printf '{"protocol": "tcp", "address": "192.0.2.%d", "port": %d, "backends": [' \
			$((i % 250 + 1)) $((1000 + i / 250))
		printf '{"address": "10.4.0.%d"}, ' 1 2 3 4 5 6 7 8 9
		printf '{"address": "10.4.0.10"}]}\n'
	done | jq -s '{services: .}' >"$NFLB_OUT/config"
	others+=("$(printf '%-48s %8d %s' "config apply, 10,000 backends, each" \
		$(($(elapsed lb config apply "$NFLB_OUT/config") / 10000)) instructions)")
	others+=("$(printf '%-48s %8d %s' "config apply, 10,000 backends again, each" \
		$(($(elapsed lb config apply "$NFLB_OUT/config") / 10000)) instructions)")
	lb config flush
}

# One scenario, between two marks; tests/bench/profile asked for it
profile() {
	local family mode encap way vip
	read -r family mode encap way <<<"$NFLB_PROFILE"
	vip=$(bracket "$family" "$(vip_of "$family")"):53
	lb service add udp "$vip" mode "$mode" encap "$encap" timeout-udp 86400
	lb backend add udp "$vip" "$(bracket "$family" "$(backend_of "$family")"):53"
	if [ "$way" = xdp ]; then
		xdp_profile "$family"
		cat /proc/kallsyms >"$NFLB_OUT/kallsyms"
		return
	fi
	[ "$way" != fast ] || lb device add to-rt
	generate "$family" "$port" "$flows" >/dev/null
	if [ "$way" = new ]; then
		port=40000 packets=$new_packets flows=$new_packets
		generate "$family" "$port" "$flows" >/dev/null
		lb connection flush >/dev/null
		settle
	fi
	mark=$NFLB_OUT/mark generate "$family" "$port" "$flows" >/dev/null
	echo "$packets" >"$NFLB_OUT/packets"
	cat /proc/kallsyms >"$NFLB_OUT/kallsyms"
}
