#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/off 6.12/off
#
# Mode fullnat with real clients and servers. The backends have no route to the
# clients: only the balancer's local addresses are known to them. All four
# combinations of the families of VIP and backend; TCP with small requests, with
# bulk both ways over a link that loses and reorders, and UDP.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

requests=60
[ "$OFFLOAD" != default ] || requests=300

setup_topology
setup_local_addresses 2
start_nginx
start_udp_echo 5353

# Like a host that is careful, and writes down what it finds strange
ns lb sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1 \
	net.ipv4.conf.all.log_martians=1

pairs="4:4 6:6 6:4 4:6"
! brief || pairs="4:4 6:4"
for pair in $pairs; do
	client=${pair%:*} server=${pair#*:}
	add_service tcp "$client" 80 mode fullnat scheduler rr toa on
	add_service udp "$client" 5353 mode fullnat scheduler rr
	for n in 1 2 3; do
		show lb backend add tcp "$(vip "$client" 80)" "$(backend "$server" $n 80)"
		show lb backend add udp "$(vip "$client" 5353)" "$(backend "$server" $n 5353)"
	done
	seen=$(ns cl "$PYTHON" "$E2E/tools/http_client.py" "$(vip_of "$client")" 80 "$requests" 2>&1) ||
		fail "IPv$client to IPv$server: $seen"
	assert_shares "IPv$client to IPv$server, HTTP" "$(echo "$seen" | paste -sd' ')" \
		"rs1 $((requests / 3)) rs2 $((requests / 3)) rs3 $((requests / 3)) failed 0"
	seen=$(ns cl curl -sS "http://$(vip "$client" 80)/client")
	case $server in
	4) assert_match "who the backend sees" "$seen" "^rs[123] $LA4\\.[12] " ;;
	6) assert_match "who the backend sees" "$seen" "^rs[123] $LA6:[12] " ;;
	esac
	seen=$(ns cl "$PYTHON" "$E2E/tools/udp_client.py" "$(vip_of "$client")" 5353 30 3)
	assert_eq "IPv$client to IPv$server, UDP" "$(echo "$seen" | paste -sd' ')" \
		"rs1 10 rs2 10 rs3 10 lost 0 moved 0"
	seen=$(ns cl "$PYTHON" "$E2E/tools/udp_client.py" "$(vip_of "$client")" 5353 3 1 4000)
	assert_match "IPv$client to IPv$server, 4000 bytes" "$(echo "$seen" | paste -sd' ')" "lost 0"
	lb service del tcp "$(vip "$client" 80)"
	lb service del udp "$(vip "$client" 5353)"
done
[ "$(stat_of toa-inserted)" -gt "$requests" ] || fail "no address was told"
if dmesg | grep -i martian; then
	fail "the host saw martians"
fi
assert_no_drops
! brief || exit 0

# --- bulk, while sequence numbers are moved: four ports, used again and again

lb laddr del "$LA4.1-$LA4.2"
show lb laddr add "$LA4.1" ports 2000-2003
head -c 3000000 /dev/urandom >"$WORK/files/big"
sum=$(sha256sum <"$WORK/files/big")
add_service tcp 4 80 mode fullnat toa on
add_backend tcp 4 80 1
for link in "lb to-rs1" "rs1 to-lb"; do
	# shellcheck disable=SC2086 # two words
	set -- $link
	ns "$1" tc qdisc add dev "$2" root netem delay 2ms loss 3% reorder 25% ||
		skip "this kernel has no netem"
done
# Makes the ports known to the backend, which closes first
for ((i = 0; i < 8; i++)); do
	ns cl curl -sS --fail -H 'Connection: close' "http://$VIP4/" >/dev/null
done
for ((i = 0; i < 4; i++)); do
	assert_eq "download over a bad link" \
		"$(ns cl curl -sS --max-time 120 "http://$VIP4/files/big" | sha256sum)" "$sum"
done
start_checksums rs1 7000
add_service tcp 4 7000 mode fullnat toa on
add_backend tcp 4 7000 1
for ((i = 0; i < 6; i++)); do
	ns cl socat -u "OPEN:$WORK/files/big" "TCP4:$VIP4:7000"
done
sums() { [ "$(wc -l <"$WORK/sums")" = 6 ]; }
wait_for sums
assert_eq "uploads over a bad link that were right" "$(grep -cxF "$sum" "$WORK/sums")" 6
[ "$(stat_of port-reused)" -gt 0 ] || fail "no port was used again"
note "ports used again: $(stat_of port-reused)"
assert_eq "SACK blocks that meant nothing to the client" \
	"$(ns cl nstat -asz TcpExtTCPSACKDiscard | awk 'NR > 1 { print $2 }')" 0
assert_eq "wrong checksums at the backend" \
	"$(ns rs1 nstat -asz TcpInCsumErrors | awk 'NR > 1 { print $2 }')" 0
