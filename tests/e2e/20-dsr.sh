#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/fast 6.12/fast
#
# Mode dsr with real clients and servers: on the link, and in each tunnel over
# both families. Backends are made ready by `lbadm backend-setup`; what takes
# packets out of tunnels is the stock kernel. Replies never cross the balancer.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

setup_dsr
start_nginx rs1 rs2
# A firewall that drops what conntrack calls invalid, and would translate the rest
ns lb nft -f - <<'NFT'
table inet host {
	chain input { type filter hook input priority 0; ct state invalid drop; }
	chain forward { type filter hook forward priority 0; policy drop; }
	chain output { type filter hook output priority 0; ct state invalid drop; }
	chain post { type nat hook postrouting priority 100; masquerade; }
}
NFT
start_udp_echo 5353 rs1 rs2
head -c 1000000 /dev/urandom >"$WORK/upload"
sum=$(sha256sum <"$WORK/upload")
for n in 1 2; do
	start_checksums rs$n 7000
done
# But for what the balancer itself tells clients: resets, and questions for their sequence
# numbers, which have no window
capture_start replies lb to-cl "(ip and src host $VIP4 and
	not (tcp[13] & 4 != 0 or (tcp[13] = 16 and tcp[14:2] = 0))) or
	(src host $VIP6 and
	not (ip6[6] = 6 and (ip6[53] & 4 != 0 or (ip6[53] = 16 and ip6[54:2] = 0))))"

# closed NS: nothing more comes from there. What comes when its service was deleted is
# answered with a reset, and counted.
closed() {
	[ "$(ns "$1" ss -Htan | grep -vc -e TIME-WAIT -e LISTEN)" = 0 ]
}

try() { # ENCAP VIP-FAMILY OUTER-FAMILY
	local encap=$1 vip=$2 outer=$3 what="$1, IPv$2 over IPv$3" seen n port
	[ "$encap" != none ] || what="on the link, IPv$2"
	show dsr_setup apply "$encap" "$vip" "$outer"
	for port in 80 7000; do
		add_service tcp "$vip" $port mode dsr encap "$encap" scheduler rr
	done
	add_service udp "$vip" 5353 mode dsr encap "$encap" scheduler rr
	for n in 1 2; do
		for port in 80 7000; do
			lb backend add tcp "$(vip "$vip" $port)" "$(dsr_backend "$encap" "$outer" $n)"
		done
		lb backend add udp "$(vip "$vip" 5353)" "$(dsr_backend "$encap" "$outer" $n)"
	done
	# The first packet has to wait for the backend's link-layer address
	ip -n lb neigh flush all
	seen=$(ns cl "$PYTHON" "$E2E/tools/http_client.py" "$(vip_of "$vip")" 80 20 2>&1) ||
		fail "$what: $seen"
	assert_shares "$what, HTTP" "$(echo "$seen" | paste -sd' ')" "rs1 10 rs2 10 failed 0"
	seen=$(ns cl curl -sS "http://$(vip "$vip" 80)/client")
	case $vip in
	4) assert_match "who the backend sees" "$seen" "^rs[12] $CL4 " ;;
	6) assert_match "who the backend sees" "$seen" "^rs[12] ${CL6/:0:/:} " ;;
	esac
	seen=$(ns cl "$PYTHON" "$E2E/tools/udp_client.py" "$(vip_of "$vip")" 5353 10 3)
	assert_eq "$what, UDP" "$(echo "$seen" | paste -sd' ')" "rs1 5 rs2 5 lost 0 moved 0"
	: >"$WORK/sums"
	for n in 1 2; do
		ns cl socat -u "OPEN:$WORK/upload" "TCP$vip:$(vip "$vip" 7000)"
	done
	sums() { [ "$(wc -l <"$WORK/sums")" = 2 ]; }
	wait_for sums
	assert_eq "$what, uploads that were right" "$(grep -cxF "$sum" "$WORK/sums")" 2
	wait_for closed cl
	for port in "tcp 80" "tcp 7000" "udp 5353"; do
		lb service del "${port% *}" "$(vip "$vip" "${port#* }")"
	done
	dsr_setup undo "$encap" "$vip" "$outer"
	for n in 1 2; do
		assert_eq "what is left on rs$n" "$(ns rs$n ip -o addr show | grep -cF "$(vip_of "$vip")/" || true
			)$(ns rs$n ip -o link show | grep -c nflb || true)$(ns rs$n nft list ruleset | wc -l)" 000
	done
}

try none 4 4
if brief; then
	try ipip 4 6
	try gre 6 4
	try gue 6 6
elif [ "${NFLB_TIER:-}" = test ]; then
	# Each family in each of both, and each encapsulation
	try none 6 6
	try ipip 4 6
	try gre 6 4
	try gue 4 4
	try gue 6 6
else
	try none 6 6
	for encap in ipip gre gue; do
		for vip in 4 6; do
			for outer in 4 6; do
				try $encap $vip $outer
			done
		done
	done
fi
capture_stop replies
assert_eq "replies that crossed the balancer" "$(pcap_count replies)" 0
for n in 1 2; do
	assert_eq "wrong checksums at rs$n" "$(ns rs$n nstat -asz TcpInCsumErrors UdpInCsumErrors |
		awk 'NR > 1 { n += $2 } END { print n }')" 0
done
assert_no_drops
! brief || exit 0

# --- clients on the balancer: with the VIP as source nobody would answer them; where
# that is no address of the balancer, they are served like others

for encap in none gue; do
	dsr_setup apply $encap 4 4 1
	for port in 80 7000; do
		add_service tcp 4 $port mode dsr encap $encap
		lb backend add tcp "$VIP4:$port" "$(dsr_backend $encap 4 1)"
	done
	before=$(stat_of hairpin)
	ns lb curl -sS --max-time 2 "http://$VIP4/" && fail "the balancer was served"
	[ "$(stat_of hairpin)" -gt "$before" ] || fail "that was not counted"
	ip -n lb addr del "$VIP4/32" dev lo
	assert_eq "$encap, a client on the balancer" "$(ns lb curl -sS --max-time 20 "http://$VIP4/")" rs1
	: >"$WORK/sums"
	ns lb socat -u "OPEN:$WORK/upload" "TCP4:$VIP4:7000"
	wait_for test -s "$WORK/sums"
	assert_eq "$encap, its upload" "$(cat "$WORK/sums")" "$sum"
	ip -n lb addr add "$VIP4/32" dev lo
	wait_for closed lb
	lb service del tcp "$VIP4:80"
	lb service del tcp "$VIP4:7000"
	dsr_setup undo $encap 4 4 1
done
lb stats zero

# --- the server resets, and its client comes again from the same port: a thousand
# times, the first SYN is answered each time

times=${NFLB_RECONNECTS:-200}
for encap in none gue; do
	dsr_setup apply $encap 4 4 1
	ns_bg rs1 "resetting-$encap" "$PYTHON" "$E2E/tools/reconnect.py" serve 9000
	server=$!
	wait_listen rs1 tcp 9000
	add_service tcp 4 9000 mode dsr encap $encap
	lb backend add tcp "$VIP4:9000" "$(dsr_backend $encap 4 1)"
	ns cl nstat -n
	assert_eq "$encap, served from one port" \
		"$(ns cl "$PYTHON" "$E2E/tools/reconnect.py" "$VIP4" 9000 20000 "$times")" "$times"
	# One or another may be, by a busy machine; an entry in the way would have all
	again=$(ns cl nstat -sz TcpExtTCPSynRetrans | awk 'NR > 1 { print $2 }')
	note "$encap, SYNs that were sent again: $again"
	[ "$again" -le $((times / 50)) ] || fail "$encap: $again SYNs were sent again"
	assert_eq "$encap, connections in the table" "$(lb connection count)" 1
	kill $server
	wait_for closed cl
	lb service del tcp "$VIP4:9000"
	dsr_setup undo $encap 4 4 1
done
# The balancer asks both sides of a connection that ended with its service where they are;
# what they answer belongs to none.
assert_eq "dropped" "$(drops | grep -v '^no-connection [1-4]$' || true)" ""
