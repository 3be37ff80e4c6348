# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What a packet costs that never has an skb: frames of XDP, made in rt for lb, or in rs
# where they are replies. All devices between have programs in driver mode. "net" is
# what a frame costs more than XDP_DROP at the balancer.
# shellcheck disable=SC2154,SC2034,SC2100

# Frames that count each time; a whole number of what the kernel makes in one go
xdp_frames=20480
xdp_pins=/sys/fs/bpf

# way NS DEV PROGRAM [TO]: what XDP does there from now on
way() { ns "$1" "$top/tests/out/xdp-frames" attach "$2" "$xdp_pins/$1-$2" "${@:3}"; }

# Programs that pass everything: whatever the stack is needed for can be done.
xdp_open() {
	way lb to-rt pass
	way lb to-rs pass
	way rt to-lb pass
	way rs to-lb pass
}

# xdp_closed PROGRAM [TO]: what the balancer does; whatever leaves it is dropped there
xdp_closed() {
	way rt to-lb drop
	way rs to-lb drop
	if [ "$direction" = reply ]; then
		way lb to-rt pass
		way lb to-rs "$@"
	else
		way lb to-rs pass
		way lb to-rt "$@"
	fi
}

xdp_begin() {
	[ -e /sys/kernel/btf/nflb ] || fail "XDP: the module has no BTF"
	grep -q " $xdp_pins bpf" /proc/mounts || mount -t bpf bpf $xdp_pins
	xdp_open
	settle
}

# It is released a little later.
xdp_end() {
	rm $xdp_pins/*-to-*
	settle
}

xdp_count() { lb -j stats show | jq '.counters.xdp'; }

# frames FAMILY KIND: instructions a frame. How many were sent is added to a file.
frames() {
	local ns=rt dev=to-lb mac from to said
	mac=$(mac_of lb to-rt)
	from=$(client_of "$1") to=$(vip_of "$1")
	[ "$clients" = 1 ] || from=10.8.0.1
	if [ "$2" = reply ]; then
		ns=rs
		mac=$(mac_of lb to-rs)
		from=$(backend_of "$1") to=$(client_of "$1")
	fi
	said=$(ns $ns "$top/tests/out/xdp-frames" "$2" $dev "$mac" "$from" "$to" \
		"$port" "$flows" "$clients" "$xdp_frames")
	echo "${said#* }" >>"$NFLB_OUT/sent"
	echo "${said% *}"
}

# xdp_costs FAMILY KIND: the cost, and how many frames there were for it
xdp_costs() {
	local seen
	: >"$NFLB_OUT/sent"
	seen=$(figure frames "$@")
	echo "$seen $(awk '{ n += $1 } END { print n }' "$NFLB_OUT/sent")"
}

# Where they arrive; back where they came from, if the balancer sends them there
xdp_arrived() {
	if [ "$direction" = reply ] || [ -n "${sent_back:-}" ]; then
		received rt to-lb
	else
		received rs to-lb
	fi
}

# xdp_dropped FAMILY KIND: what all others are net of
xdp_dropped() {
	local direction=request seen
	[ "$2" != reply ] || direction=reply
	xdp_closed drop
	seen=$(xdp_costs "$1" "$2")
	xdp_open
	lowest "$1 xdp $2" "${seen% *}"
}

# measure_frames FAMILY NAME KIND PROGRAM [TO]: each frame has to arrive, and to be
# taken by XDP if that is the program of nflb
measure_frames() {
	local family=$1 name=$2 kind=$3 before taken seen sent
	shift 3
	xdp_closed "$@"
	# What is found out about a flow only once
	frames "$family" "$kind" >/dev/null
	before=$(xdp_arrived)
	taken=$(xdp_count)
	seen=$(xdp_costs "$family" "$kind")
	sent=${seen#* }
	taken=$(($(xdp_count) - taken))
	before=$(($(xdp_arrived) - before))
	xdp_open
	if [ "$1" = nflb ] && [ "$taken" != "$sent" ]; then
		lb stats show >&2
		fail "$name: XDP took $taken of $sent frames"
	fi
	[ "$before" -ge "$sent" ] || fail "$name: only $before of $sent frames arrived"
	keep "$family" "$name" "${seen% *}" "$family xdp $kind"
}

# made FAMILY KIND COMMAND...: COMMAND made flows by ordinary packets, so that XDP takes
# all frames of them. The clock jumps where the machine waits for a busy host: they may
# have timed out before they were used.
made() {
	local family=$1 kind=$2 taken try
	shift 2
	for ((try = 0; try < 5; try++)); do
		direction=request "$@"
		xdp_closed nflb
		: >"$NFLB_OUT/sent"
		taken=$(xdp_count)
		frames "$family" "$kind" >/dev/null
		taken=$(($(xdp_count) - taken))
		xdp_open
		[ "$taken" != "$(cat "$NFLB_OUT/sent")" ] || return 0
		echo "$*: XDP took $taken of $(cat "$NFLB_OUT/sent") frames, once more" >&2
	done
	lb stats show >&2
	fail "$*: XDP took $taken of $(cat "$NFLB_OUT/sent") frames"
}

# What the kernel has: XDP's own redirect, and sending back
xdp_floor() { # FAMILY
	local sent_back=''
	xdp_dropped "$1" udp
	measure_frames "$1" "redirect, xdp" udp redirect to-rs
	asked "$1" "send back, xdp" || return 0
	sent_back=1
	measure_frames "$1" "send back, xdp" udp back
}

# xdp_udp FAMILY MODE [ENCAP]: by another device; of mode dnat replies, too
xdp_udp() {
	local name="nflb $2${3:+ $3}, xdp" direction=request
	any_asked "$1" "$name" "$name, reply" || return 0
	nflb_add "$1" "$2" ${3:+encap "$3"} timeout-udp 86400
	made "$1" udp establish "$1"
	if asked "$1" "$name"; then
		measure_frames "$1" "$name" udp nflb
	fi
	if [ "$2" = dnat ] && asked "$1" "$name, reply"; then
		xdp_dropped "$1" reply
		# Flows that nobody has answered yet end early.
		direction=reply made "$1" reply establish "$1"
		direction=reply measure_frames "$1" "$name, reply" reply nflb
	fi
	nflb_del "$1"
	port=$((port + flows + 1))
}

# The backend is where the clients come from.
xdp_back() { # FAMILY
	local name="nflb dsr ipip, xdp, sent back" sent_back=1
	local backend=10.0.1.3
	asked "$1" "$name" || return 0
	[ "$1" = 4 ] || backend=2001:db8:1::3
	neighbour lb to-rt $backend rt to-lb
	lb service add udp "$(bracket "$1" "$(vip_of "$1")"):53" mode dsr encap ipip \
		timeout-udp 86400
	lb backend add udp "$(bracket "$1" "$(vip_of "$1")"):53" "$(bracket "$1" $backend):53"
	made "$1" udp establish "$1"
	measure_frames "$1" "$name" udp nflb
	nflb_del "$1"
	port=$((port + flows + 1))
}

xdp_tcp() { # FAMILY
	local l4=tcp name="nflb dnat, xdp" kind
	any_asked "$1" "$name, tcp" "$name, tcp with time stamps" || return 0
	nflb_add "$1" dnat timeout-established 86400
	made "$1" tcp begin_connections "$1" talk
	xdp_dropped "$1" tcp
	xdp_dropped "$1" stamps
	if asked "$1" "$name, tcp"; then
		measure_frames "$1" "$name, tcp" tcp nflb
	fi
	if asked "$1" "$name, tcp with time stamps"; then
		measure_frames "$1" "$name, tcp with time stamps" stamps nflb
	fi
	nflb_del "$1"
	port=$((port + flows))
}

xdp() { # FAMILY
	local encap
	xdp_floor "$1"
	xdp_udp "$1" dnat
	xdp_udp "$1" fullnat
	for encap in none ipip gre gue; do
		xdp_udp "$1" dsr $encap
	done
	xdp_back "$1"
	xdp_tcp "$1"
}

# As many connections as million.sh makes, of clients that are more than one
xdp_million() {
	local clients=17 flows=62500 port=1024 name="nflb dnat, xdp, 1,000,000 connections"
	asked 4 "$name" || return 0
	ns lb sysctl -qw net.nflb.max_connections=2000000
	nflb_add 4 dnat timeout-udp 86400
	made 4 udp fill lb connection count
	measure_frames 4 "$name" udp nflb
	nflb_del 4
}

# Between two marks, as profile() does it
xdp_profile() { # FAMILY
	xdp_begin
	made "$1" udp establish "$1"
	xdp_closed nflb
	: >"$NFLB_OUT/sent"
	"$NFLB_OUT/mark"
	frames "$1" udp >/dev/null
	"$NFLB_OUT/mark"
	cat "$NFLB_OUT/sent" >"$NFLB_OUT/packets"
}
