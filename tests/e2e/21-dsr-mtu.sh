#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/gro
# offload: default gro fast
#
# Mode dsr where tunnels do not fit: links of 1,500 bytes everywhere, and backends
# that announce it. The client is told in the beginning, by ICMP, and its upload completes.
# With what `lbadm backend-setup` does on backends nobody needs to be told.
#
# NFLB_BULK_MIB: how much is uploaded each time (default: 10, in make test 1).

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

setup_dsr
mib=10
[ "${NFLB_TIER:-}" != test ] || mib=1
head -c "$((${NFLB_BULK_MIB:-$mib} << 20))" /dev/zero >"$WORK/upload"
sum=$(sha256sum <"$WORK/upload")
start_checksums rs1 7000

upload() { # WHAT VIP-FAMILY
	: >"$WORK/sums"
	ns cl ip route flush cache
	ns cl ip -6 route flush cache
	ns cl socat -u "OPEN:$WORK/upload" "TCP$2:$(vip "$2" 7000)"
	wait_for test -s "$WORK/sums"
	assert_eq "$1" "$(cat "$WORK/sums")" "$sum"
}

for encap in ipip gre gue; do
	for pair in 4:4 6:6 4:6 6:4; do
		vip=${pair%:*} outer=${pair#*:}
		what="$encap, IPv$vip over IPv$outer"
		dsr_setup apply $encap "$vip" "$outer" 1
		add_service tcp "$vip" 7000 mode dsr encap $encap
		lb backend add tcp "$(vip "$vip" 7000)" "$(dsr_backend $encap "$outer" 1)"

		capture_start told cl to-lb '(icmp[0] == 3 and icmp[1] == 4) or ip6[40] == 2'
		upload "$what, segments limited" "$vip"
		capture_stop told
		assert_eq "$what, clients told" "$(pcap_count told)" 0

		table=$(ns rs1 nft list tables | awk '$2 != "arp" { print $2, $3 }')
		# shellcheck disable=SC2086 # two words
		ns rs1 nft delete table $table
		capture_start told cl to-lb '(icmp[0] == 3 and icmp[1] == 4) or ip6[40] == 2'
		upload "$what, segments of 1,500 bytes" "$vip"
		capture_stop told
		# At most for all that was under way when the first answer came
		assert_between "$what, clients told" "$(pcap_count told)" 1 20
		overhead=20
		[ "$outer" = 4 ] || overhead=40
		case $encap in
		gre) overhead=$((overhead + 4)) ;;
		gue) overhead=$((overhead + 8)) ;;
		esac
		assert_match "$what, of what" "$(pcap told | tr -d '\n')" "mtu $((1500 - overhead))"
		lb service del tcp "$(vip "$vip" 7000)"
		"$LBADM" -n rs1 backend-setup undo "$(vip_of "$vip")" "$(dsr_backend $encap "$outer" 1)" encap $encap
	done
done
assert_eq "wrong checksums" "$(ns rs1 nstat -asz TcpInCsumErrors | awk 'NR > 1 { print $2 }')" 0
