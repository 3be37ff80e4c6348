# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the end-to-end cases share. A case sources this file, calls
# setup_topology, and says what must hold; see topology.md for the drawing and
# tests/README.md for how to run one case.
#
# Nothing here sleeps for a fixed time and hopes: wait_for a condition.

set -euo pipefail

E2E=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$E2E/../.." && pwd)
PYTHON=/usr/bin/python3
LBADM=${NFLB_LBADM:-$TOP/userspace/build/lbadm}
OFFLOAD=${NFLB_OFFLOAD:-default}
WORK=${NFLB_WORK:-$(mktemp -d)}
# The kernel under test is slow when emulated; conditions get this many seconds
PATIENCE=${NFLB_PATIENCE:-60}

# --- addresses (topology.md) -------------------------------------------------

CL4=10.0.0.2			CL6=2001:db8:0::2
LB_CL4=10.0.0.1			LB_CL6=2001:db8:0::1
VIP4=192.0.2.10			VIP6=2001:db8:f::10
RS4=(unused 10.0.11.2 10.0.12.2 10.0.13.2)
RS6=(unused 2001:db8:11::2 2001:db8:12::2 2001:db8:13::2)
export PYTHON CL4 CL6 LB_CL4 LB_CL6 VIP4 VIP6

# --- saying ------------------------------------------------------------------

note() { echo "# $*" >&2; }

# Print a command in a form that can be pasted, then run it.
show() {
	echo "\$ ${*@Q}" >&2
	"$@"
}

# End the case; what the balancer knew at that moment belongs to the report.
fail() {
	trap - ERR
	echo "FAILED: $* (${BASH_SOURCE[1]##*/}:${BASH_LINENO[0]})" >&2
	dump_state >&2 || true
	exit 1
}

# brief: only whether this kernel does it at all? On stock kernels, which are emulated, in
# `make test`: the same case runs there on User Mode Linux, too, as a whole.
brief() { [ "${NFLB_TIER:-}" = test ] && [[ ${NFLB_KERNEL:-} != uml* ]]; }

skip() {
	echo "SKIPPED: $*" >&2
	exit 77
}

dump_state() {
	local file
	echo "--- services"
	lb -s service show 2>&1 | head -n 40
	for file in connections stats; do
		echo "--- /proc/net/nflb/$file"
		ns lb cat "/proc/net/nflb/$file" 2>&1 | head -n 40
	done
}

_on_error() {
	local code=$? line=${BASH_LINENO[0]}
	trap - ERR
	echo "FAILED: exit status $code of: $BASH_COMMAND (${BASH_SOURCE[1]##*/}:$line)" >&2
	dump_state >&2 || true
	exit 1
}
set -E
trap _on_error ERR

# --- running things in namespaces ----------------------------------------------

# ns NAME COMMAND...: run there. Not `ip netns exec`: a mount namespace with a
# fresh sysfs for every command is slow in an emulated kernel.
ns() {
	local name=$1
	shift
	nsenter "--net=/run/netns/$name" -- "$@"
}

# ns_bg NAME LOG COMMAND...: in the background, until the case ends. $! is the
# process itself.
ns_bg() {
	local name=$1 log=$2
	shift 2
	nsenter "--net=/run/netns/$name" -- "$@" >"$WORK/$log.log" 2>&1 </dev/null &
	_pids+=($!)
}

# lb ARGUMENTS...: lbadm in the balancer's namespace. lbadm itself, unlike
# `ns lb lbadm`, so that its -n is used all the time.
lb() { "$LBADM" -n lb "$@"; }

# page PAGE SECTION [FIRST-LAST] [HOST]: type the commands of a page of the documentation
# (tools/page.py)
page() {
	PATH=$(dirname "$LBADM"):$PATH "$PYTHON" "$E2E/tools/page.py" "$@" >&2 || fail "$1, $2"
}

# --- waiting -----------------------------------------------------------------

# wait_for COMMAND...: until it succeeds, at most $PATIENCE seconds.
wait_for() {
	local end=$((SECONDS + PATIENCE))
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || fail "still not so after $PATIENCE s: $*"
		sleep 0.05
	done
}

_listens() { # NS tcp|udp PORT
	[ -n "$(ns "$1" ss -Hln "--$2" "sport = :$3")" ]
}

# wait_listen NS tcp|udp PORT
wait_listen() { wait_for _listens "$@"; }

# --- the topology ------------------------------------------------------------

_pids=()
_namespaces=()

_add_ns() {
	local name
	for name; do
		ip netns add "$name"
		_namespaces+=("$name")
		# Addresses are unique here: no need to wait a second for each
		ns "$name" sysctl -qw net.ipv6.conf.all.accept_dad=0 \
			net.ipv6.conf.default.accept_dad=0 \
			net.ipv6.conf.default.accept_ra=0
		ip -n "$name" link set lo up
	done
}

# _link NS1 DEV1 NS2 DEV2
_link() {
	ip -n "$1" link add "$2" type veth peer name "$4" netns "$3"
	set_offload "$1" "$2"
	set_offload "$3" "$4"
	ip -n "$1" link set "$2" up
	ip -n "$3" link set "$4" up
}

_addr() { # NS DEV ADDR...
	local name=$1 dev=$2 addr
	shift 2
	for addr; do
		case $addr in
		*:*) ip -n "$name" addr add "$addr" dev "$dev" nodad ;;
		*) ip -n "$name" addr add "$addr" dev "$dev" ;;
		esac
	done
}

_default() { # NS GATEWAY...
	local name=$1 gateway
	shift
	for gateway; do
		ip -n "$name" route add default via "$gateway"
	done
}

# set_offload NS DEV [default|off|gro]: as the whole run is told, unless said.
#   default  what the kernel does by itself: big packets, checksums left out
#   off      every packet as on a wire, no bigger than the MTU, all summed
#   gro      as off, but the balancer's devices merge what they receive
#   fast     as default, and the fast path is attached to the balancer's devices
#   xdp      that with XDP; the others sum their packets up, and receive frames by NAPI
set_offload() {
	local name=$1 dev=$2 how=${3:-$OFFLOAD} gro=off
	case $how,$name in
	default,* | fast,[!l]* | fast,l[!b]*) return 0 ;;
	fast,*)
		"$LBADM" -n "$name" device add "$dev"
		return 0
		;;
	xdp,lb)
		"$LBADM" -n "$name" device add "$dev" xdp
		return 0
		;;
	gro,lb | xdp,*) gro=on ;;
	esac
	ns "$name" ethtool -K "$dev" tx off tso off gso off gro $gro >/dev/null
}

# setup_topology [router] [no-vip]
#   router   a router between client and balancer (its own MTU, NAT, captures)
#   no-vip   the VIP is routed to the balancer, but no address of it
setup_topology() {
	local option router='' vip=1 i
	for option; do
		case $option in
		router) router=1 ;;
		no-vip) vip='' ;;
		*) fail "setup_topology: no option $option" ;;
		esac
	done

	trap cleanup EXIT
	_add_ns cl lb rs1 rs2 rs3
	if [ -n "$router" ]; then
		_add_ns rt
		_link cl to-lb rt to-cl
		_link rt to-lb lb to-cl
		_addr rt to-cl $LB_CL4/24 $LB_CL6/64
		_addr rt to-lb 10.0.1.2/24 2001:db8:1::2/64
		_addr lb to-cl 10.0.1.1/24 2001:db8:1::1/64
		_default lb 10.0.1.2 2001:db8:1::2
		_default rt 10.0.1.1 2001:db8:1::1
		ns rt sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	else
		_link cl to-lb lb to-cl
		_addr lb to-cl $LB_CL4/24 $LB_CL6/64
	fi
	_addr cl to-lb $CL4/24 $CL6/64
	_default cl $LB_CL4 $LB_CL6
	[ -z "$vip" ] || _addr lb lo $VIP4/32 $VIP6/128

	for i in 1 2 3; do
		_link "rs$i" to-lb lb "to-rs$i"
		_addr "rs$i" to-lb "${RS4[$i]}/24" "${RS6[$i]}/64"
		_addr lb "to-rs$i" "10.0.1$i.1/24" "2001:db8:1$i::1/64"
		_default "rs$i" "10.0.1$i.1" "2001:db8:1$i::1"
	done
}

# setup_dsr: as `setup_topology router`, and each backend has a way of its own to
# the clients, through the router: rsN is 10.0.2N.2 and 2001:db8:2N::2 there.
setup_dsr() {
	local i
	setup_topology router
	for i in 1 2 3; do
		_link "rs$i" to-rt rt "to-rs$i"
		_addr "rs$i" to-rt "10.0.2$i.2/24" "2001:db8:2$i::2/64"
		_addr rt "to-rs$i" "10.0.2$i.1/24" "2001:db8:2$i::1/64"
		ip -n "rs$i" route replace default via "10.0.2$i.1"
		ip -n "rs$i" -6 route replace default via "2001:db8:2$i::1"
	done
}

# dsr_backend ENCAP 4|6 N: the address by which the balancer reaches rsN: on the
# link, or in a tunnel through the router
dsr_backend() {
	local net=2
	[ "$1" != none ] || net=1
	case $2 in
	4) echo "10.0.$net$3.2" ;;
	6) echo "2001:db8:$net$3::2" ;;
	esac
}

# dsr_setup apply|undo ENCAP VIP-FAMILY OUTER-FAMILY [N...]: on the backends
dsr_setup() {
	local what=$1 encap=$2 vip=$3 outer=$4 n
	shift 4
	[ $# -gt 0 ] || set -- 1 2
	for n; do
		"$LBADM" -n "rs$n" backend-setup "$what" "$(vip_of "$vip")" \
			"$(dsr_backend "$encap" "$outer" "$n")" encap "$encap"
	done
}

# setup_local_addresses [COUNT]: what mode fullnat uses, on the balancer's lo.
LA4=10.0.99 LA6=2001:db8:99:
setup_local_addresses() {
	local i count=${1:-1}
	_addr lb lo $LA4.1/32 $LA6:1/128
	for ((i = 2; i <= count; i++)); do
		_addr lb lo $LA4.$i/32 $LA6:$i/128
	done
	show lb laddr add "$LA4.1-$LA4.$count"
	show lb laddr add "$LA6:1-$LA6:$count"
	only_local_addresses
}

# only_local_addresses: the backends know the way to those of setup_local_addresses and no
# other, so that nothing else works.
only_local_addresses() {
	local i
	for i in 1 2 3; do
		ip -n "rs$i" route del default
		ip -n "rs$i" -6 route del default
		ip -n "rs$i" route add $LA4.0/24 via "10.0.1$i.1"
		ip -n "rs$i" route add $LA6:/64 via "2001:db8:1$i::1"
	done
}

cleanup() {
	local code=$? pid name
	trap - EXIT ERR
	set +e
	for pid in "${_pids[@]}"; do
		kill "$pid" 2>/dev/null
	done
	for pid in "${_pids[@]}"; do
		wait "$pid" 2>/dev/null
	done
	for name in "${_namespaces[@]}"; do
		# What daemonized itself (nginx) is found by where it lives
		ip netns pids "$name" 2>/dev/null | xargs -r kill -9 2>/dev/null
		ip netns del "$name"
	done
	exit $code
}

# --- servers -----------------------------------------------------------------

# start_nginx [RS...]: an HTTP server on ports 80 and 8080 of each backend.
#   /        the backend's name
#   /files/  what lies in $WORK/files
start_nginx() {
	local rs dir
	[ $# -gt 0 ] || set -- rs1 rs2 rs3
	mkdir -p "$WORK/files"
	for rs; do
		dir=$WORK/nginx-$rs
		mkdir -p "$dir"
		cat >"$dir/nginx.conf" <<-CONF
			user root;
			worker_processes 1;
			daemon off;
			pid $dir/pid;
			error_log $dir/error.log;
			events { worker_connections 4096; }
			http {
				access_log off;
				# Cases hold downloads up, for longer on a busy machine
				send_timeout 600;
				client_body_temp_path $dir/body;
				proxy_temp_path $dir/proxy;
				fastcgi_temp_path $dir/fastcgi;
				uwsgi_temp_path $dir/uwsgi;
				scgi_temp_path $dir/scgi;
				types { }
				default_type text/plain;
				server {
					listen 80 backlog=1024;
					listen [::]:80 ipv6only=on backlog=1024;
					listen 8080 backlog=1024;
					listen [::]:8080 ipv6only=on backlog=1024;
					location / { return 200 "$rs\n"; }
					location /client { return 200 "$rs \$remote_addr \$remote_port\n"; }
					location /files/ { alias $WORK/files/; }
				}
			}
		CONF
		ns_bg "$rs" "nginx-$rs" /usr/sbin/nginx -c "$dir/nginx.conf" -e "$dir/error.log"
	done
	for rs; do
		wait_listen "$rs" tcp 80
	done
}

# start_udp_echo PORT [RS...]: answers each datagram with "NAME DATAGRAM".
start_udp_echo() {
	local port=$1 rs
	shift
	[ $# -gt 0 ] || set -- rs1 rs2 rs3
	for rs; do
		ns_bg "$rs" "udp-echo-$rs-$port" "$PYTHON" "$E2E/tools/udp_echo.py" "$rs" "$port"
	done
	for rs; do
		wait_listen "$rs" udp "$port"
	done
}

# start_checksums RS PORT: the SHA-256 of each upload becomes a line of $WORK/sums.
start_checksums() {
	ns_bg "$1" "checksums-$1-$2" "$PYTHON" "$E2E/tools/checksums.py" "$2" "$WORK/sums"
	wait_listen "$1" tcp "$2"
}

# start_iperf PORT [RS...]
start_iperf() {
	local port=$1 rs
	shift
	[ $# -gt 0 ] || set -- rs1 rs2 rs3
	for rs; do
		ns_bg "$rs" "iperf-$rs-$port" iperf3 -s -p "$port"
	done
	for rs; do
		wait_listen "$rs" tcp "$port"
	done
}

# --- configuring ---------------------------------------------------------------

# add_service PROTO 4|6 PORT [SERVICE WORDS...]: the VIP's service, e.g.
#	add_service tcp 6 80 scheduler wrr
# and add_backend PROTO 4|6 PORT N [BACKEND WORDS...]: rsN on the same port.
vip() {
	case $1 in
	4) echo "$VIP4:$2" ;;
	6) echo "[$VIP6]:$2" ;;
	esac
}

# vip_of 4|6: the bare address
vip_of() {
	case $1 in
	4) echo "$VIP4" ;;
	6) echo "$VIP6" ;;
	esac
}

backend() { # 4|6 N [PORT]
	case $1 in
	4) echo "${RS4[$2]}${3:+:$3}" ;;
	6) [ -z "${3:-}" ] && echo "${RS6[$2]}" || echo "[${RS6[$2]}]:$3" ;;
	esac
}

add_service() {
	local proto=$1 family=$2 port=$3
	shift 3
	show lb service add "$proto" "$(vip "$family" "$port")" "$@"
}

add_backend() {
	local proto=$1 family=$2 port=$3 n=$4
	shift 4
	show lb backend add "$proto" "$(vip "$family" "$port")" "$(backend "$family" "$n")" "$@"
}

# --- captures ----------------------------------------------------------------

declare -A _captures=()

# capture_start NAME NS DEV [FILTER...]: into $WORK/NAME.pcap
capture_start() {
	local name=$1 where=$2 dev=$3
	shift 3
	ns_bg "$where" "capture-$name" tcpdump -i "$dev" -s 0 -U --immediate-mode \
		-B 65536 -Z root -w "$WORK/$name.pcap" "$@"
	_captures[$name]=$!
	wait_for grep -q 'listening on' "$WORK/capture-$name.log"
}

# capture_stop NAME: what was sent before is in the file afterwards.
capture_stop() {
	kill -INT "${_captures[$1]}"
	wait "${_captures[$1]}" || true
	unset "_captures[$1]"
	if ! grep -q '^0 packets dropped by kernel' "$WORK/capture-$1.log"; then
		note "capture $1 is not complete: $(grep dropped "$WORK/capture-$1.log")"
	fi
}

# pcap NAME [FILTER...]: print a capture.
pcap() {
	local name=$1
	shift
	tcpdump -nn -vv -t -r "$WORK/$name.pcap" "$@" 2>/dev/null
}

# pcap_count NAME [FILTER...]
pcap_count() {
	local name=$1
	shift
	tcpdump -nn -t -r "$WORK/$name.pcap" "$@" 2>/dev/null | wc -l
}

# --- asserting: each prints what was seen ----------------------------------------

# assert_eq WHAT SEEN EXPECTED
assert_eq() {
	[ "$2" = "$3" ] || fail "$1: seen '$2', expected '$3'"
	note "$1: $2"
}

# assert_between WHAT SEEN LOW HIGH
assert_between() {
	if [ "$2" -lt "$3" ] || [ "$2" -gt "$4" ]; then
		fail "$1: seen $2, expected $3..$4"
	fi
	note "$1: $2 (within $3..$4)"
}

# assert_shares WHAT SEEN EXPECTED: "rs1 50 rs2 50 failed 0", as http_client.py
# says. A SYN that a busy machine sends twice is another connection's turn: so
# two in a hundred, and one at least, may be a neighbour's. Failures may not.
assert_shares() {
	awk -v seen="$2" -v expected="$3" 'BEGIN {
		n = split(seen, s); m = split(expected, e)
		if (n != m)
			exit 1
		for (i = 1; i < n; i += 2) {
			slack = s[i] ~ /^rs/ ? 1 + int(e[i + 1] / 50) : 0
			if (s[i] != e[i] || s[i + 1] > e[i + 1] + slack ||
			    s[i + 1] < e[i + 1] - slack)
				exit 1
			sum += s[i + 1] - e[i + 1]
		}
		exit sum != 0
	}' || fail "$1: seen '$2', expected '$3'"
	note "$1: $2"
}

# assert_match WHAT SEEN REGEX
assert_match() {
	[[ $2 =~ $3 ]] || fail "$1: seen '$2', expected to match '$3'"
	note "$1: $2"
}

# assert_fails WHAT COMMAND...: it must not succeed; its output is shown.
assert_fails() {
	local what=$1 output
	shift
	if output=$("$@" 2>&1); then
		fail "$what: succeeded with '$output'"
	fi
	note "$what: refused: $output"
}

# stat_of NAME: one counter of `lbadm stats show`, wherever the JSON has it;
# 0 when it is not there. Drop reasons are counters under their own names.
stat_of() {
	lb -j stats show | jq --arg name "$1" \
		'[.. | objects | to_entries[] | select(.key == $name and (.value | type) == "number") | .value] | add // 0'
}

# drops: all drop reasons with a count above zero, "NAME COUNT" a line.
drops() {
	lb -j stats show | jq -r '[.. | objects | .drops? // empty] | .[] |
		if type == "object" then to_entries[] | select(.value > 0) | "\(.key) \(.value)"
		else .[] | select((.packets // .count // 0) > 0) | "\(.reason // .name) \(.packets // .count)" end'
}

# assert_no_drops: nothing was dropped, for any reason.
assert_no_drops() {
	local seen
	seen=$(drops)
	[ -z "$seen" ] || fail "dropped: $seen"
	note "nothing dropped"
}

# http_get 4|6 PORT [CURL OPTIONS...]: one request to the VIP
http_get() {
	local family=$1 port=$2
	shift 2
	ns cl curl -sS --fail --max-time "$PATIENCE" "$@" "http://$(vip "$family" "$port")/"
}
