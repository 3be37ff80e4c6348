#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# offload: default
#
# BIG TCP: a client whose packets are longer than 64 KiB, through tunnels and to
# another family. All of them arrive, none is lost on the balancer.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

setup_dsr
# All devices on the way take packets of 150,000 bytes.
for ns in cl rt lb; do
	ns "$ns" "$PYTHON" "$E2E/tools/big_tcp.py" 150000
done
families=6
# IPv4 has it since Linux 6.3
if printf '6.3\n%s\n' "$(uname -r)" | sort -CV; then
	families="4 6"
fi
head -c 8M /dev/urandom >"$WORK/upload"
sum=$(sha256sum <"$WORK/upload")
start_checksums rs1 7000

upload() { # WHAT FAMILY
	: >"$WORK/sums"
	capture_start big lb to-cl 'greater 66000'
	ns cl socat -u -b 1000000 "OPEN:$WORK/upload" "TCP$2:$(vip "$2" 7000)"
	wait_for test -s "$WORK/sums"
	capture_stop big
	assert_eq "$1" "$(cat "$WORK/sums")" "$sum"
	assert_between "$1, packets beyond 64 KiB" "$(pcap_count big)" 1 100000
}

for vip in $families; do
	for outer in 4 6; do
		for encap in ipip gue; do
			dsr_setup apply $encap "$vip" "$outer" 1
			add_service tcp "$vip" 7000 mode dsr encap $encap
			lb backend add tcp "$(vip "$vip" 7000)" "$(dsr_backend $encap "$outer" 1)"
			upload "$encap, IPv$vip over IPv$outer" "$vip"
			lb service del tcp "$(vip "$vip" 7000)"
			"$LBADM" -n rs1 backend-setup undo "$(vip_of "$vip")" \
				"$(dsr_backend $encap "$outer" 1)" encap $encap
		done
	done
done
assert_no_drops
