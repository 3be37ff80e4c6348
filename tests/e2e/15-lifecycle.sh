#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/fast
# offload: default fast
#
# What users see while backends come and go, over real HTTP: a download that a
# drain lets finish, a client whose backend goes down, clients that return to
# their backend, and fifty changes, half of them in each family, that nobody
# notices.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

setup_topology
start_nginx
head -c 32000000 /dev/urandom >"$WORK/files/big"
sum=$(sha256sum <"$WORK/files/big" | cut -d' ' -f1)

# download NAME FAMILY: begins one, in $download, that goes on with $WORK/NAME-go
download() {
	ns_bg cl "$1" "$PYTHON" "$E2E/tools/download.py" "http://$(vip "$2" 80)/files/big" "$WORK/$1-go"
	download=$!
	wait_for grep -q begun "$WORK/$1.log"
}

backend_of() { # FAMILY N STATE...
	local family=$1 n=$2
	shift 2
	lb backend set tcp "$(vip "$family" 80)" "$(backend "$family" "$n")" "$@"
}

# Backends that answer COUNT requests, as "rs1 rs2"
answers() { # FAMILY COUNT
	ns cl curl -sS --fail -H 'Connection: close' "http://$(vip "$1" 80)/[1-$2]" |
		sort -u | paste -sd' '
}

# --- drain: what is established goes on -------------------------------------------

for family in 4 6; do
	add_service tcp $family 80 scheduler rr
	add_backend tcp $family 80 1
	download "drains-$family" $family
	add_backend tcp $family 80 2
	lb backend drain tcp "$(vip $family 80)" "$(backend $family 1)"
	assert_eq "IPv$family, new requests while rs1 drains" "$(answers $family 20)" rs2
	touch "$WORK/drains-$family-go"
	wait $download || fail "the download failed: $(cat "$WORK/drains-$family.log")"
	assert_eq "IPv$family, the download" "$(tail -n 1 "$WORK/drains-$family.log")" "$sum"
done

# --- down: who waits is told, who tries again is served ------------------------------

for family in 4 6; do
	backend_of $family 1 state up
	backend_of $family 2 state drain
	download "waits-$family" $family
	backend_of $family 2 state up
	backend_of $family 1 state down
	ended() { [ "$(lb -j connection count state established | jq .count)" = 0 ]; }
	wait_for ended
	touch "$WORK/waits-$family-go"
	wait $download || fail "$(cat "$WORK/waits-$family.log")"
	assert_eq "IPv$family, the download" "$(tail -n 1 "$WORK/waits-$family.log")" reset
	assert_eq "IPv$family, new requests" "$(answers $family 20)" rs2

	# rs1 answers nothing any more, and the balancer does not know yet.
	ns rs1 nft 'table inet silent {
		chain input { type filter hook input priority 0; tcp dport 80 drop; }
	}'
	backend_of $family 1 state up
	backend_of $family 2 state drain
	capture_start "syn-$family" cl to-lb \
		"(tcp or ip6 proto 6) and src host $(ns cl ip -j addr show to-lb |
			jq -r --arg f "inet${family/4/}" '[.[].addr_info[] | select(.family == $f and .scope == "global")][0].local')"
	ns_bg cl "retries-$family" curl -sS --fail --max-time 60 "http://$(vip $family 80)/"
	retries=$!
	wait_for sh -c "[ \"\$('$LBADM' -n lb -j connection count state syn-sent | jq .count)\" = 1 ]"
	backend_of $family 2 state up
	backend_of $family 1 state down
	before=$(($(pcap_count "syn-$family" 'tcp[13] == 2 or ip6[53] == 2')))
	wait $retries || fail "$(cat "$WORK/retries-$family.log")"
	assert_eq "IPv$family, who answered then" "$(cat "$WORK/retries-$family.log")" rs2
	capture_stop "syn-$family"
	after=$(pcap_count "syn-$family" 'tcp[13] == 2 or ip6[53] == 2')
	assert_between "IPv$family, SYNs until it was" $((after - before)) 0 1
	ns rs1 nft delete table inet silent
	lb service del tcp "$(vip $family 80)"
done

# --- persistence: 500 requests from one /24 ------------------------------------------

for host in {20..69}; do
	ns cl ip addr add "10.0.0.$host/24" dev to-lb
done
add_service tcp 4 80 scheduler rr persist 300/24
for n in 1 2 3; do
	add_backend tcp 4 80 $n
done
for host in {20..69}; do
	ns cl curl -sS --fail -H 'Connection: close' --interface "10.0.0.$host" \
		"http://$(vip 4 80)/[1-10]"
done >"$WORK/persist"
assert_eq "requests" "$(wc -l <"$WORK/persist")" 500
assert_eq "backends that answered them" "$(sort -u "$WORK/persist" | wc -l)" 1
assert_eq "clients remembered" \
	"$(lb -j -s service show | jq '.[0].stats.persistent')" 1
lb service del tcp "$(vip 4 80)"

# --- fifty changes under load ---------------------------------------------------------

for family in 4 6; do
	add_service tcp $family 80 scheduler wrr
	for n in 1 2 3; do
		add_backend tcp $family 80 $n
	done
	ns_bg cl "load-$family" "$PYTHON" "$E2E/tools/http_client.py" "$(vip_of $family)" 80 \
		0 $((family * 5000))
	load=$!
	wait_for sh -c "[ \"\$('$LBADM' -n lb -j stats show | jq .connections)\" -gt 20 ]"
	for i in {1..25}; do
		n=$((i % 3 + 1))
		case $((i % 5)) in
		0) backend_of $family $n weight $((i % 7 + 1)) ;;
		1)
			lb backend del tcp "$(vip $family 80)" "$(backend $family $n)"
			add_backend tcp $family 80 $n weight 2
			;;
		2) backend_of $family $n state drain ;;
		3) backend_of $family $((n == 1 ? 3 : n - 1)) state up ;;
		4) lb service set tcp "$(vip $family 80)" scheduler "$([ $((i % 2)) = 0 ] && echo rr || echo wrr)" ;;
		esac
	done
	kill -TERM $load
	wait $load || fail "IPv$family, requests failed: $(cat "$WORK/load-$family.log")"
	assert_match "IPv$family, the load" "$(paste -sd' ' "$WORK/load-$family.log")" 'failed 0$'
	assert_between "IPv$family, requests meanwhile" \
		"$(awk '{ n += $2 } END { print n }' "$WORK/load-$family.log")" 50 1000000
	lb service del tcp "$(vip $family 80)"
done
