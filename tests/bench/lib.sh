# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What measurements of packets share: namespaces in a row, and pktgen.
#
#   gen -- rt -- lb -- rs -- far
#
# Requests are made in gen and go through rt; replies are made in far and go
# through rs: routers that un-share pktgen's packet, which is sent again and
# again. Of the program: $lbadm; $packets, how many are sent each time; $flows; and
# $new_packets, where each is a flow of its own.
# shellcheck disable=SC2154,SC2034,SC2100

ns() { nsenter "--net=/run/netns/$1" -- "${@:2}"; }
lb() { "$lbadm" -n lb "$@"; }

link() { # NS1 DEV1 NS2 DEV2
	ip -n "$1" link add "$2" type veth peer name "$4" netns "$3"
	ip -n "$1" link set "$2" up
	ip -n "$3" link set "$4" up
}

mac_of() { ip -n "$1" -j link show dev "$2" | jq -r ".[0].address"; }

neighbour() { # NS DEV ADDRESS OF_NS OF_DEV
	ip -n "$1" neigh replace "$3" lladdr "$(mac_of "$4" "$5")" dev "$2" nud permanent
}

topology() {
	local name
	for name in gen rt lb rs far; do
		ip netns add $name
		ns $name sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
			net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
		ip -n $name link set lo up
	done
	link gen to-rt rt to-gen
	link rt to-lb lb to-rt
	link lb to-rs rs to-lb
	link rs to-far far to-rs
	ip -n rt addr add 10.0.0.1/24 dev to-gen
	ip -n rt addr add 10.0.1.1/24 dev to-lb
	ip -n lb addr add 10.0.1.2/24 dev to-rt
	ip -n lb addr add 10.0.2.1/24 dev to-rs
	ip -n rs addr add 10.0.2.254/24 dev to-lb
	ip -n rs addr add 10.0.3.1/24 dev to-far
	ip -n rt addr add 2001:db8::1/64 dev to-gen nodad
	ip -n rt addr add 2001:db8:1::1/64 dev to-lb nodad
	ip -n lb addr add 2001:db8:1::2/64 dev to-rt nodad
	ip -n lb addr add 2001:db8:2::1/64 dev to-rs nodad
	ip -n rs addr add 2001:db8:2::fe/64 dev to-lb nodad
	ip -n rs addr add 2001:db8:3::1/64 dev to-far nodad
	ip -n lb route add default via 10.0.1.1
	ip -n lb -6 route add default via 2001:db8:1::1
	ip -n rs route add default via 10.0.2.1
	ip -n rs -6 route add default via 2001:db8:2::1
	ip -n rt route add 192.0.2.0/24 via 10.0.1.2
	ip -n rt -6 route add 2001:db8:f::/64 via 2001:db8:1::2
	neighbour rt to-lb 10.0.1.2 lb to-rt
	neighbour rt to-lb 2001:db8:1::2 lb to-rt
	neighbour lb to-rt 10.0.1.1 rt to-lb
	neighbour lb to-rt 2001:db8:1::1 rt to-lb
	neighbour lb to-rs 10.0.2.2 rs to-lb
	neighbour lb to-rs 2001:db8:2::2 rs to-lb
	neighbour rs to-lb 10.0.2.1 lb to-rs
	neighbour rs to-lb 2001:db8:2::1 lb to-rs
	no_backlog
	settle
}

# Packets that softirqs leave to their thread are forwarded at once, before the
# generator makes more. Else it may be done, and its time taken, before they are.
no_backlog() {
	local thread
	for thread in $(pgrep '^ksoftirqd/'); do
		chrt -f -p 1 "$thread"
	done
}

# What was begun before ends before it is measured: autoconfiguration of new
# devices, connections that are freed. Where nothing else happens, a second of
# a clock that counts instructions is over at once.
settle() { sleep 10; }

# What packets are for: lb, or of million.sh the one beside it
balancer=lb

vip_of() {
	local host=10
	[ "$balancer" = lb ] || host=11
	[ "$1" = 4 ] && echo 192.0.2.$host || echo 2001:db8:f::$host
}
backend_of() { [ "$1" = 4 ] && echo 10.0.2.2 || echo 2001:db8:2::2; }
client_of() { [ "$1" = 4 ] && echo 10.0.0.2 || echo 2001:db8::2; }
bracket() { [ "$1" = 4 ] && echo "$2" || echo "[$2]"; }

drop() { # NS DEV: everything it receives
	ns "$1" tc qdisc add dev "$2" clsact
	ns "$1" tc filter add dev "$2" ingress matchall action drop
}

undrop() { ns "$1" tc qdisc del dev "$2" clsact; }

received() { # NS DEV
	ip -n "$1" -s -j link show dev "$2" | jq '.[0].stats64.rx.packets'
}

# Requests, or with "reply" replies of the backend, for which a mode has to
# leave clients' ports as they are.
direction=request
# With more flows than one address has ports, so many addresses
clients=1
# Flows one after the other; or any
shuffled=''

# generate 4|6 FIRST-PORT FLOWS: nanoseconds a packet. Where the clock counts
# instructions (tests/vm/vm --icount), that is what they are.
generate() {
	local ns=gen dev=to-rt mac from to ports=src other=dst family=''
	mac=$(mac_of rt to-gen)
	from=$(client_of "$1") to=$(vip_of "$1")
	if [ "$direction" = reply ]; then
		ns=far dev=to-rs ports=dst other=src
		mac=$(mac_of rs to-far)
		from=$(backend_of "$1") to=$(client_of "$1")
	fi
	{
		printf '%s\n' "count $packets" "delay 0" "flag UDPCSUM" "dst_mac $mac" \
			"pkt_size $([ "$1" = 4 ] && echo 60 || echo 80)" \
			"udp_${other}_min 53" "udp_${other}_max 53" \
			"udp_${ports}_min $2" "udp_${ports}_max $(($2 + $3))"
		if [ "$1" = 6 ]; then
			printf '%s\n' "src6 $from" "dst6 $to"
		elif [ "$clients" -gt 1 ]; then
			printf '%s\n' "src_min 10.8.0.1" "src_max 10.8.0.$clients" "dst $to"
			[ -z "$shuffled" ] || printf '%s\n' "flag UDPSRC_RND" "flag IPSRC_RND"
		else
			printf '%s\n' "src_min $from" "src_max $from" "dst $to"
		fi
	} >"$NFLB_OUT/pktgen"
	# shellcheck disable=SC2016 # for the inner shell
	ns $ns sh -c 'cd /proc/net/pktgen
		echo rem_device_all >kpktgend_0
		echo "add_device $1" >kpktgend_0
		while read -r line; do echo "$line" >"$1"; done <"$2"' sh $dev "$NFLB_OUT/pktgen"
	[ -z "${mark:-}" ] || "$mark"
	ns $ns sh -c 'echo start >/proc/net/pktgen/pgctrl'
	[ -z "${mark:-}" ] || "$mark"
	ns $ns sed -n "s/^Result: OK: \([0-9]*\)(.*/\1/p" /proc/net/pktgen/$dev |
		awk -v n="$packets" '{ printf "%d\n", $1 * 1000 / n }'
}

# Which of several figures counts. Of real time the least, for whatever else
# happens takes some, too. Else the median, since sometimes the kernel has
# something else to do.
runs=3
[ "$what" != native ] || runs=5
the_one() { sort -n | if [ "$what" = native ]; then sed -n 1p; else sed -n "$(((runs + 1) / 2))p"; fi; }

# figure COMMAND...: which of those counts that it prints when it is repeated.
# Instructions are counted until three counts differ by less than one in two
# hundred.
figure() {
	local i seen=() agreed
	for ((i = 0; i < runs; i++)); do
		seen+=("$("$@")")
	done
	while [ "$what" != native ]; do
		agreed=$(printf '%s\n' "${seen[@]}" | sort -n | awk '
			NR > 2 && $1 - before <= before / 200 { print last; exit }
			{ before = last; last = $1 }')
		[ -z "$agreed" ] || { echo "$agreed"; return; }
		[ ${#seen[@]} -lt 9 ] || { echo "$*: no three agree: ${seen[*]}" >&2; break; }
		seen+=("$("$@")")
	done
	printf '%s\n' "${seen[@]}" | runs=${#seen[@]} the_one
}

# costs 4|6 FIRST-PORT FLOWS
costs() { figure generate "$@"; }

# Where what is measured arrives
arrived() {
	if [ "$direction" = reply ]; then
		received rt to-lb
	else
		received rs "to-$balancer"
	fi
}

declare -A cost=() low=() kind_of=()
order=()
# Lines that are no costs of packets
# shellcheck disable=SC2034
others=()
port=10000
fail() { echo "packet-cost: $*" >&2; exit 1; }

# dropped FAMILY: what it costs to bring a packet to the balancer, which drops it.
# That varies: freeing at once what was allocated just before costs 280 more in
# some states of the allocator. So it is measured now and then, and the lowest
# counts.
dropped() {
	local dev=to-rt seen
	[ "$direction" = request ] || dev=to-rs
	drop lb $dev
	generate "$1" "$port" "$flows" >/dev/null
	seen=$(costs "$1" "$port" "$flows")
	undrop lb $dev
	lowest "$1 $direction" "$seen"
}

lowest() { # KIND COST
	echo "IPv$1, dropped at the balancer: $2" >&2
	[ "${low[$1]:-$2}" -lt "$2" ] || low[$1]=$2
}

# record FAMILY NAME COST BEFORE [KIND]: @BEFORE had arrived when it began
record() {
	local after kind="$1 ${5:-$direction}"
	after=$(arrived)
	[ $((after - $4)) -ge "$packets" ] ||
		fail "$2: only $((after - $4)) of $packets packets arrived"
	keep "$1" "$2" "$3" "$kind"
}

keep() { # FAMILY NAME COST KIND
	cost[$1 $2]=$3
	kind_of[$1 $2]=$4
	echo "IPv$1 $2: $(($3 - low[$4]))" >&2
	order+=("$1 $2")
}

# What a scenario costs more than a packet that is dropped
net_of() { echo $((cost[$1] - low[${kind_of[$1]}])); }

fast_path() { lb -j stats show | jq '.counters["fast-path"]'; }

# Did as many packets take the fast path as @1 says, "fast" or nothing? @2 had
# before.
assert_way() {
	local fast
	fast=$(($(fast_path) - $2))
	case $1 in
	fast) [ $fast -ge "$packets" ] ;;
	*) [ $fast = 0 ] ;;
	esac || fail "$name: $fast packets took the fast path"
}

# connections MODE: how many there are; a million are not worth being looked at
connections() {
	if [ "$clients" -gt 1 ]; then
		lb connection count
	else
		lb -j connection show | grep -c "\"mode\":\"$1\""
	fi
}

# asked FAMILY NAME: is it to be measured? Without redirect nothing can be compared.
asked() {
	[ -z "${NFLB_ONLY:-}" ] || [ "$2" = redirect ] || [[ ";$NFLB_ONLY;" == *";$1 $2;"* ]]
}

# any_asked FAMILY NAME...: is one of them to be measured?
any_asked() {
	local name
	for name in "${@:2}"; do
		asked "$1" "$name" && return
	done
	return 1
}

# A backend that answers. While it listens, each frame costs more.
start_answerer() {
	# Not by ns: this is to be its process
	nsenter --net=/run/netns/rs -- "$top/tests/out/segments" answer to-lb &
	answerer=$!
}
stop_answerer() {
	kill "$answerer"
	wait "$answerer" 2>/dev/null || true
}

# establish FAMILY: flows that go on after they were answered, and over some time
establish() {
	local packets=$flows answerer
	start_answerer
	generate "$1" "$port" "$flows" >/dev/null
	settle
	generate "$1" "$port" "$flows" >/dev/null
	stop_answerer
}

# measure FAMILY NAME [MODE [PATH]]: warm, then measured; net of the baseline
measure() {
	local family=$1 name=$2 mode=${3:-} before seen fast
	asked "$1" "$2" || return 0
	[ -z "$mode" ] || establish "$family"
	generate "$family" "$port" "$flows" >/dev/null
	before=$(arrived)
	fast=$(fast_path)
	seen=$(costs "$family" "$port" "$flows")
	[ -z "$mode" ] || [ "$(connections "$mode")" -ge "$flows" ] ||
		fail "$name: the connections are not of that mode"
	[ "$direction" = reply ] || [ "$clients" -gt 1 ] || port=$((port + flows + 1))
	assert_way "${4:-}" "$fast"
	record "$family" "$name" "$seen" "$before"
}

# measure_new FAMILY NAME: every packet is a new flow
measure_new() {
	local before seen i
	asked "$1" "$2, new" || return 0
	# The table grows before, to what it is on a balancer in use
	for i in 40000 46000 52000; do
		packets=$new_packets generate "$1" $i "$new_packets" >/dev/null
	done
	lb connection flush >/dev/null
	settle
	before=$(arrived)
	seen=$(for i in 16000 22000 28000; do
		packets=$new_packets generate "$1" $i "$new_packets"
	done | sort -n | sed -n 2p)
	packets=$new_packets record "$1" "$2, new" "$seen" "$before"
}

# measure_reply FAMILY NAME FIRST-PORT [PATH]: what a backend answers to flows
# that were made before
measure_reply() {
	local direction=reply port=$3
	dropped "$1"
	measure "$1" "$2, reply" '' "${4:-}"
}

# gso_costs FAMILY: nanoseconds for 45 segments in one
gso_costs() {
	figure ns gen "$top/tests/out/gso-send" "$(vip_of "$1")" 53 1000
}

# segments FAMILY WORD [COUNT]: segments.c from the first of the present ports
segments() {
	ns gen "$top/tests/out/segments" "$2" to-rt "$(mac_of rt to-gen)" \
		"$(client_of "$1")" "$(vip_of "$1")" "$port" "$flows" ${3:+"$3"}
}

# socket_costs FAMILY KIND: nanoseconds for a frame
socket_costs() { figure segments "$1" "$2" "$packets"; }

# begin_connections FAMILY [talk]: as many as flows; both sides said something
begin_connections() {
	local answerer
	start_answerer
	segments "$1" "${2:-begin}"
	settle
	stop_answerer
}

# measure_socket FAMILY NAME KIND [MODE STATE [PATH]]
measure_socket() {
	local name="$2, $3" before seen fast
	asked "$1" "${name/first/tcp}" || return 0
	before=$(arrived)
	fast=$(fast_path)
	segments "$1" "$3" "$packets" >/dev/null
	seen=$(socket_costs "$1" "$3")
	[ -z "${4:-}" ] || [ "$(lb -j connection show | grep -c "\"mode\":\"$4\".*$5")" -ge "$flows" ] ||
		fail "$name: no $5 connections of that mode"
	assert_way "${6:-}" "$fast"
	record "$1" "${name/first/tcp}" "$seen" "$before" "socket ${3/first/tcp}"
}

measure_gso() { # FAMILY NAME
	local before seen
	before=$(arrived)
	seen=$(gso_costs "$1")
	packets=3000 record "$1" "$2, gso" "$seen" "$before" gso
}
