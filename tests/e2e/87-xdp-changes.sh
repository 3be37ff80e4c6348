#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: none
# offload: xdp
#
# iperf3, nginx and steady datagrams by XDP in each mode, while routes, neighbours,
# addresses, MTUs and devices change under it. Changes that the slow path survives
# without a loss cost nothing by XDP either: the same is done by the hook alone, and
# compared. What takes a link down or XDP off costs packets, but no connection. All
# receivers sum packets up themselves.
#
# XDP that comes and goes patches the kernel's code under traffic, which QEMU only gets right
# with one processor: `make soak`.
#
# NFLB_SOAK_SECONDS: of each mode and family by XDP (default: 30).

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ "$OFFLOAD" = xdp ] || skip "only with XDP"
[ "$(nproc)" = 1 ] || skip "several processors: what QEMU emulates breaks (tests/README.md); --smp 1"
seconds=${NFLB_SOAK_SECONDS:-30}
# Bad checksums and headers at client and backend, both families. Not TcpInErrs: it counts a
# SYN-ACK that a slow backend sends again, too.
BAD='TcpInCsumErrors|UdpInCsumErrors|Udp6InCsumErrors|IpInHdrErrors|Ip6InHdrErrors'

setup_dsr
# Tunnels go back to where packets came from, and veth does that for peers with a program.
# This one passes everything on: nothing is balanced there.
"$LBADM" -n rt device add to-lb xdp
start_nginx rs1
start_iperf 5201 rs1
start_udp_echo 5353 rs1
# IPv6 addresses outlive a link that is down, and the backends' answers a route that is.
ns lb sysctl -qw net.ipv6.conf.all.keep_addr_on_down=1 net.ipv6.conf.default.keep_addr_on_down=1 \
	net.ipv6.conf.to-rs1.keep_addr_on_down=1 net.ipv6.conf.to-cl.keep_addr_on_down=1

bad() {
	local name
	for name in cl rs1; do
		ns $name nstat -asz | awk -v bad="^($BAD)\$" -v name=$name '$1 ~ bad { print name, $1, $2 }'
	done
}

total() { lb -j stats show | jq '."packets-in" + ."packets-out"'; }
by_xdp() { lb -j stats show | jq .counters.xdp; }

# --- changes, one after the other until it is enough

enough() { [ -e "$WORK/enough" ]; }

goal=0
went_by() { enough || [ "$(total)" -ge "$goal" ]; }

# let_pass PACKETS: so many have to go by before the next change
let_pass() {
	goal=$(($(total) + $1))
	wait_for went_by
}

# Nothing is lost by these.
quiet_changes() {
	local n=0
	until enough; do
		case $((n++ % 8)) in
		0) ip -n lb neigh flush dev to-rs1 ;;
		1) ip -n lb neigh flush dev to-cl ;;
		2)
			ip -n lb route add "${RS4[1]}" dev to-rs1
			ip -n lb route add "${RS6[1]}" dev to-rs1
			;;
		3)
			ip -n lb route del "${RS4[1]}" dev to-rs1
			ip -n lb route del "${RS6[1]}" dev to-rs1
			;;
		4)
			ip -n lb addr add 198.51.100.1/24 dev to-rs1
			ip -n lb addr del 198.51.100.1/24 dev to-rs1
			;;
		5)
			ip -n lb link add d0 up type dummy
			ip -n lb link del d0
			;;
		6)
			ip -n lb link set to-rs1 mtu 1450
			ip -n lb link set to-rs1 mtu 1500
			;;
		7)
			ip -n lb route add 203.0.113.0/24 dev to-rs1
			ip -n lb -6 route add 2001:db8:ffff::/64 dev to-rs1
			ip -n lb route del 203.0.113.0/24
			ip -n lb -6 route del 2001:db8:ffff::/64
			;;
		esac
		let_pass 20
	done
}

# Whatever of it was not undone yet
undo_changes() {
	ip -n lb link set to-rs1 mtu 1500
	ip -n lb link del d0
	ip -n lb addr del 198.51.100.1/24 dev to-rs1
	ip -n lb route del "${RS4[1]}"
	ip -n lb route del "${RS6[1]}"
	ip -n lb route del 203.0.113.0/24
	ip -n lb -6 route del 2001:db8:ffff::/64
} >/dev/null 2>&1

# A link that is down for a moment, with its routes
flap() { # DEV
	ip -n lb -4 route save dev "$1" >"$WORK/routes-4"
	ip -n lb -6 route save dev "$1" >"$WORK/routes-6"
	ip -n lb link set "$1" down
	ip -n lb link set "$1" up
	ip -n lb -4 route restore <"$WORK/routes-4" 2>/dev/null || true
	ip -n lb -6 route restore <"$WORK/routes-6" 2>/dev/null || true
}

rough_changes() {
	local n=0
	until enough; do
		case $((n++ % 4)) in
		0) flap to-rs1 ;;
		1) flap to-cl ;;
		2) lb device del to-rs1 xdp && lb device add to-rs1 xdp ;;
		3) lb device del to-cl xdp && lb device add to-cl xdp ;;
		esac
		let_pass 200
	done
}

# --- traffic

# traffic WHAT FAMILY SECONDS CHANGES: sets sent, lost
traffic() {
	local what=$1 family=$2 duration=$3 change client http wrong said before
	before=$(bad)
	"$4" >"$WORK/changes.log" 2>&1 &
	change=$!
	_pids+=("$change")
	ns_bg cl http "$PYTHON" "$E2E/tools/http_client.py" "$(vip_of "$family")" 80 0
	http=$!
	ns_bg cl udp "$PYTHON" "$E2E/tools/udp_steady.py" "$(vip_of "$family")" 5353 "$duration"
	client=$!
	ns cl iperf3 -J -c "$(vip_of "$family")" -p 5201 -t "$duration" >"$WORK/iperf.json" ||
		fail "$what: iperf3: $(jq -r .error "$WORK/iperf.json"); changes: $(cat "$WORK/changes.log")"
	jq -e '.end.sum_received.bytes > 0' "$WORK/iperf.json" >/dev/null ||
		fail "$what: iperf3: $(jq -c '[.error, .end, [.intervals[].sum.bytes]]' "$WORK/iperf.json")"
	wait $client || fail "$what: UDP: $(cat "$WORK/udp.log")"
	kill -TERM $http
	wait $http || fail "$what: HTTP: $(cat "$WORK/http.log")"
	kill -0 $change 2>/dev/null || fail "$what: the changes ended: $(cat "$WORK/changes.log")"
	touch "$WORK/enough"
	wait $change || fail "$what: changes: $(cat "$WORK/changes.log")"
	rm "$WORK/enough"
	undo_changes || true
	said=$(cat "$WORK/udp.log")
	read -r sent lost wrong <<<"$said"
	note "$what: HTTP $(paste -sd' ' "$WORK/http.log"); $lost of $sent datagrams lost; iperf3 $(jq -r '
		"\(.end.sum_received.bytes / 1e6 | floor) MB, " +
		"\(.end.sum_sent.retransmits // 0) retransmits"' "$WORK/iperf.json")"
	assert_eq "$what: wrong answers" "$wrong" 0
	assert_eq "$what: bad checksums and headers" "$(diff <(echo "$before") <(bad) || true)" ""
	[ ! -s "$WORK/changes.log" ] || note "$what: changes said: $(sort "$WORK/changes.log" | uniq -c | paste -sd';')"
}

soak() { # WHAT FAMILY
	local what="$1, IPv$2" taken all share
	taken=$(by_xdp) all=$(total)
	traffic "$what, by XDP" "$2" "$seconds" quiet_changes
	taken=$(($(by_xdp) - taken)) all=$(($(total) - all))
	note "$what: XDP took $taken of $all packets"
	[ $((taken * 2)) -gt $all ] || fail "$what: XDP took only $taken of $all packets"
	share=$((lost * 1000 / sent))
	traffic "$what, by XDP, with links that go down" "$2" $((seconds / 3 + 8)) rough_changes
	lb device del to-cl xdp
	lb device del to-rs1 xdp
	traffic "$what, by the hook" "$2" $((seconds / 3 + 2)) quiet_changes
	lb device add to-cl xdp
	lb device add to-rs1 xdp
	[ $share -le $((lost * 1000 / sent + 2)) ] ||
		fail "$what: by XDP $share in 1,000 datagrams were lost, by the hook $((lost * 1000 / sent))"
}

services() { # FAMILY BACKEND WORD...
	local family=$1 to=$2 port
	shift 2
	for port in 80 5201; do
		add_service tcp "$family" $port "$@"
		lb backend add tcp "$(vip "$family" $port)" "$to"
	done
	add_service udp "$family" 5353 "$@"
	lb backend add udp "$(vip "$family" 5353)" "$to"
}

no_services() { # FAMILY
	local port
	for port in "tcp 80" "tcp 5201" "udp 5353"; do
		lb service del "${port% *}" "$(vip "$1" "${port#* }")"
	done
}

for encap in none ipip gre gue; do
	for family in 4 6; do
		dsr_setup apply $encap $family $family 1
		services $family "$(dsr_backend $encap $family 1)" mode dsr encap $encap
		soak "dsr $encap" $family
		no_services $family
		dsr_setup undo $encap $family $family 1
	done
done

# Answers come back by the balancer.
ip -n rs1 route replace default via 10.0.11.1
ip -n rs1 -6 route replace default via 2001:db8:11::1
for family in 4 6; do
	services $family "$(backend $family 1)" mode dnat
	soak dnat $family
	no_services $family
done
setup_local_addresses 1
for family in 4 6; do
	services $family "$(backend $family 1)" mode fullnat
	soak fullnat $family
done
