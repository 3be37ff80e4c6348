#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default fast
#
# docs/upgrade.md: the module is unloaded and loaded again, and connections go on, of each
# mode and both families. And what becomes of them without their records.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

setup_dsr
start_nginx
start_udp_echo 53 rs2
# rs1 is for mode dsr; the way back of the others leads through the balancer.
for n in 2 3; do
	ip -n rs$n route replace default via 10.0.1$n.1
	ip -n rs$n -6 route replace default via 2001:db8:1$n::1
done

COUNT=20
DESTINATIONS=()
for family in 4 6; do
	address=$(vip_of $family)
	DESTINATIONS+=("tcp,$address,80" "tcp,$address,81" "tcp,$address,8080" "udp,$address,53")
	dsr_setup apply none $family $family 1
done
FLOWS=$((COUNT * ${#DESTINATIONS[@]}))

configure() {
	local family
	show lb laddr add 10.0.13.1
	show lb laddr add 2001:db8:13::1
	for family in 4 6; do
		add_service tcp $family 80 mode dsr
		lb backend add tcp "$(vip $family 80)" "$(dsr_backend none $family 1)"
		add_service tcp $family 81 mode fullnat toa on
		lb backend add tcp "$(vip $family 81)" "$(backend $family 3 80)"
		add_service tcp $family 8080
		add_backend tcp $family 8080 2
		add_service udp $family 53 persist 300
		add_backend udp $family 53 2
	done
}

# Without the module, this host would answer clients and backends, with resets.
pause() {
	ns lb nft -f - <<-NFT
		table inet upgrade {
			chain prerouting {
				type filter hook prerouting priority -500;
				meta l4proto != { tcp, udp } accept
				ip daddr $VIP4 drop
				ip6 daddr $VIP6 drop
				ip saddr { ${RS4[2]}, ${RS4[3]} } drop
				ip6 saddr { ${RS6[2]}, ${RS6[3]} } drop
			}
		}
	NFT
}
resume() { ns lb nft delete table inet upgrade; }

# Per service: connections in the table that go on
active() { lb -j -s service show | jq -c '[.[] | [.protocol, .address, .port, .stats.active]]'; }
connections() {
	lb -j connection show | jq -cS '[.[] | del(.expires, .age)] | sort_by(tojson)'
}
open_all() { # NAME
	ns_bg cl "$1" "$PYTHON" "$E2E/tools/keep_open.py" $COUNT "$WORK/$1.go" "${DESTINATIONS[@]}"
	wait_for grep -q "open $FLOWS" "$WORK/$1.log"
}
go_on() { # NAME RESULT
	touch "$WORK/$1.go"
	wait_for grep -q "went on" "$WORK/$1.log"
	assert_eq "$1" "$(grep "went on" "$WORK/$1.log")" "$2"
}
reload() {
	lb config save "$WORK/nflb.json"
	lb config flush
	wait_for rmmod nflb
	insmod "$NFLB_MODULE"
	lb config apply "$WORK/nflb.json"
}

# --- with records
configure
open_all restored
before=$(connections)
active_before=$(active)
begin=$EPOCHREALTIME
pause
lb connection save "$WORK/connections"
assert_eq "who may read it" "$(stat -c %a "$WORK/connections")" 600
reload
assert_eq "none yet" "$(lb connection count)" 0
said=$(lb connection restore "$WORK/connections")
resume
note "paused for $(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $begin }") s"
assert_eq "restore" "$said" "$FLOWS connections restored"
assert_eq "connections" "$(connections)" "$before"
assert_eq "active" "$(active)" "$active_before"
go_on restored "went on $FLOWS, broken 0, moved 0"
assert_no_drops

# --- again, the same records take nobody's place
said=$(lb -j connection restore "$WORK/connections")
assert_eq "once more" "$(jq -c . <<<"$said")" "{\"restored\":0,\"refused\":{\"exists\":$FLOWS}}"

# --- of a service that is gone; and through a pipe
lb service del tcp "$(vip 4 8080)"
lb connection flush all
said=$(lb -j connection restore - <"$WORK/connections" 2>"$WORK/errors") && fail "all were restored"
assert_eq "without a service" "$(jq -c . <<<"$said")" \
	"{\"restored\":$((FLOWS - COUNT)),\"refused\":{\"no-service\":$COUNT}}"
assert_match "why" "$(cat "$WORK/errors")" "$COUNT connections were not restored"
lb connection flush all

# --- what does not belong in a file
head -c 1000 "$WORK/connections" >"$WORK/short"
assert_fails "cut off" lb connection restore "$WORK/short"
assert_eq "nothing of it" "$(lb connection count)" 0

# --- without records, connections of TCP break
lb config flush
configure
open_all forgotten
pause
reload
resume
touch "$WORK/forgotten.go"
wait_for grep -q "went on" "$WORK/forgotten.log"
assert_eq "without records" "$(grep -c '^tcp.*reset' "$WORK/forgotten.log")" $((COUNT * 6))
