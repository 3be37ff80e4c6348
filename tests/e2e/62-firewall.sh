#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/fast
# offload: default gro fast
#
# A host firewall on the balancer that drops what conntrack calls invalid, and
# masquerades what leaves: balanced packets are neither seen by conntrack nor
# translated a second time.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

setup_topology
start_nginx
start_udp_echo 5353
ns lb nft -f - <<'NFT'
table inet host {
	chain input { type filter hook input priority 0; ct state invalid drop; }
	chain forward { type filter hook forward priority 0; policy drop; ct state invalid drop; }
	chain output { type filter hook output priority 0; ct state invalid drop; }
	chain post { type nat hook postrouting priority 100; masquerade; }
}
NFT

for family in 4 6; do
	add_service tcp $family 80
	add_service udp $family 5353
	add_backend tcp $family 80 1
	add_backend udp $family 5353 1
	for ((i = 0; i < 20; i++)); do
		http_get $family 80 >/dev/null
	done
	seen=$(ns cl curl -sS "http://$(vip "$family" 80)/client")
	case $family in
	4) assert_match "the backend sees the client" "$seen" "^rs1 $CL4 " ;;
	6) assert_match "the backend sees the client" "$seen" "^rs1 2001:db8::2 " ;;
	esac
	seen=$(ns cl "$PYTHON" "$E2E/tools/udp_client.py" "$(vip_of $family)" 5353 10 2)
	assert_match "UDP" "$(echo "$seen" | paste -sd' ')" "lost 0 moved 0"
	# Clients on the balancer itself, through the same rules
	assert_eq "a local client" "$(ns lb curl -sS "http://$(vip "$family" 80)/")" rs1
done
# The same in mode fullnat, with masquerading that would change the source
show lb laddr add 10.0.11.1
show lb laddr add 2001:db8:11::1
for family in 4 6; do
	show lb service set tcp "$(vip $family 80)" mode fullnat toa on
	show lb service set udp "$(vip $family 5353)" mode fullnat
	for ((i = 0; i < 20; i++)); do
		http_get $family 80 >/dev/null
	done
	seen=$(ns cl "$PYTHON" "$E2E/tools/udp_client.py" "$(vip_of $family)" 5353 10 2)
	assert_match "UDP, fullnat" "$(echo "$seen" | paste -sd' ')" "lost 0 moved 0"
	assert_eq "a local client, fullnat" "$(ns lb curl -sS "http://$(vip "$family" 80)/")" rs1
done
assert_eq "conntrack entries of balanced flows" \
	"$(ns lb cat /proc/net/nf_conntrack 2>/dev/null | grep -cE "$VIP4|$CL4")" 0
assert_no_drops
