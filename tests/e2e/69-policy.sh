#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
#
# lbadm policy: who may begin connections, and how many, by a table of nftables.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

setup_topology
start_nginx rs1
start_udp_echo 53 rs1
ruleset() { ns lb nft list ruleset; }
asks() { # 4|6 PORT: does an HTTP server answer?
	ns cl curl -sf --max-time 3 "http://$(vip "$1" "$2")/" >/dev/null
}
dropped() { # SERVICE... WORD
	lb -j policy show "${@:1:2}" | jq ".[0].dropped.\"$3\""
}

assert_eq "policies at first" "$(lb policy show)" ""
for family in 4 6; do
	[ $family = 4 ] && me=$CL4 other=198.51.100.0/24 || me=$CL6 other=2001:db8:77::/48
	add_service tcp $family 80
	add_backend tcp $family 80 1
	asks $family 80 || fail "no answer before"
	vip=$(vip $family 80)

	# --- deny, and allow
	show lb policy add tcp "$vip" deny "$other" "$me"
	! asks $family 80 || fail "denied, and there was an answer"
	[ "$(dropped tcp "$vip" deny)" -ge 1 ] || fail "nothing was counted"
	show lb policy del tcp "$vip" deny "$me"
	asks $family 80 || fail "no answer although it is not denied any more"
	show lb policy add tcp "$vip" allow "$other"
	! asks $family 80 || fail "not allowed, and there was an answer"
	show lb policy add tcp "$vip" allow "$me"
	asks $family 80 || fail "allowed, and no answer"
	lb policy show tcp "$vip" >&2
	show lb policy del tcp "$vip"

	# --- a rate: of seven connections exactly the burst may begin
	show lb policy add tcp "$vip" rate 1/day burst 5
	got=0
	for i in 1 2 3 4 5 6 7; do
		! asks $family 80 || got=$((got + 1))
	done
	assert_eq "connections of a burst of 5 (IPv$family)" "$got" 5
	lb policy show >&2
	show lb policy del tcp "$vip" rate
	asks $family 80 || fail "no answer after the rate has gone"

	# --- of UDP: flows that are known go on
	add_service udp $family 53
	add_backend udp $family 53 1
	show lb policy add udp "$(vip $family 53)" rate 1/day burst 3
	answers=$(ns cl "$PYTHON" "$E2E/tools/udp_client.py" "$(vip_of $family)" 53 3 50)
	assert_eq "datagrams of three flows (IPv$family)" "$answers" "rs1 3
lost 0
moved 0"
	! ns cl "$PYTHON" "$E2E/tools/udp_client.py" "$(vip_of $family)" 53 1 1 >&2 ||
		fail "a fourth flow was answered"
	assert_eq "drops by rate" "$(dropped udp "$(vip $family 53)" rate)" 1

	# --- the most specific service's policy counts, as it does for services
	show lb policy add tcp "$(vip $family '*')" deny "$me"
	show lb policy add tcp "$(vip $family 79-81)" allow "$me"
	asks $family 80 || fail "the wider policy took the packet"
	show lb policy add tcp "$vip" deny "$me"
	! asks $family 80 || fail "the single port's policy did not count"
	show lb policy del tcp "$vip"
	show lb policy del tcp "$(vip $family 79-81)"
	! asks $family 80 || fail "the policy of every port did not count"
	show lb policy del tcp "$(vip $family '*')"
	asks $family 80 || fail "no answer in the end"
done

# --- nftables knows it as its own, and nothing remains
ruleset >&2
grep -q 'table inet nflb' <<<"$(ruleset)" || fail "no table"
show lb policy flush
assert_eq "ruleset" "$(ruleset)" ""
show lb policy flush
show lb policy add tcp "$(vip 4 80)" deny 198.51.100.0/24
show lb policy del tcp "$(vip 4 80)" deny 198.51.100.0/24
assert_eq "ruleset after the last policy went" "$(ruleset)" ""

# --- bad input
refused() { # EXIT-STATUS MESSAGE WORDS...
	local said code=0
	said=$(lb policy "${@:3}" 2>&1) || code=$?
	assert_eq "exit status of policy ${*:3}" $code "$1"
	grep -qF -- "$2" <<<"$said" || fail "policy ${*:3}: $said"
}
show lb policy add tcp "$(vip 4 80)" deny 198.51.100.0/24
before=$(ruleset)
refused 2 "has 198.51.100.0/24 already" add tcp "$(vip 4 80)" deny 198.51.100.9
refused 1 "VIP's address family" add tcp "$(vip 4 80)" deny 2001:db8::/32
refused 1 "ADDRESS or ADDRESS/LENGTH" add tcp "$(vip 4 80)" deny 10.0.0.0/33
refused 2 "the list has no" del tcp "$(vip 4 80)" deny 10.0.0.0/8
refused 1 "has 10.0.0.0/8 already" add tcp "$(vip 4 80)" deny 10.0.0.0/8 10.1.0.0/16
refused 1 "allow, deny or rate" add tcp "$(vip 4 80)" reject
refused 1 "allow, deny or rate" del tcp "$(vip 4 81)" reject
refused 1 "unexpected word" del tcp "$(vip 4 80)" rate 5/second
refused 1 "N/second" add tcp "$(vip 4 80)" rate 10
refused 1 "N/second" add tcp "$(vip 4 80)" rate 0/second
refused 1 "1 at least" add tcp "$(vip 4 80)" rate 1/second burst 0
refused 2 "no policy" del tcp "$(vip 4 81)"
refused 2 "no policy" show tcp "$(vip 4 81)"
assert_eq "the ruleset after what was refused" "$(ruleset)" "$before"
