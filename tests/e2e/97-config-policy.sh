#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
#
# Policies of a configuration: applied, saved, made again after `nft flush ruleset`.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

setup_topology
start_nginx rs1

asks() { # 4|6 PORT: does an HTTP server answer?
	ns cl curl -sf --max-time 3 "http://$(vip "$1" "$2")/" >/dev/null
}
policies() { lb -j policy show | jq -c 'map([.port, (.config // false)]) | sort'; }
ruleset() { ns lb nft list ruleset; }
file() { # FAMILY POLICY-OF-80 [POLICY-OF-8080]
	cat >"$WORK/nflb.json" <<-JSON
		{ "services": [
		    { "protocol": "tcp", "address": "$(vip_of "$1")", "port": 80, $2
		      "backends": [ { "address": "$(backend_of "$1" 1)" } ] },
		    { "protocol": "tcp", "address": "$(vip_of "$1")", "port": 8080, ${3-}
		      "backends": [ { "address": "$(backend_of "$1" 1)" } ] } ] }
	JSON
}
backend_of() { [ "$1" = 4 ] && echo "${RS4[$2]}" || echo "${RS6[$2]}"; }
# What is kept of clients' rates
state() { ns lb nft list set inet nflb "tcp-$(vip_of "$1" | tr : _)-80.rate" | grep -c "limit rate"; }

for family in 4 6; do
	[ $family = 4 ] && me=$CL4 other=198.51.100.0/24 || me=$CL6 other=2001:db8:77::/48
	deny='"policy": { "deny": [ "'$other'", "'$me'" ] },'
	file $family "$deny"
	show lb config apply "$WORK/nflb.json"
	! asks $family 80 || fail "denied, and there was an answer"
	asks $family 8080 || fail "no answer of the other service"
	assert_eq "policies" "$(policies)" '[[80,true]]'

	# --- what is saved is what was applied
	saved=$(lb config save)
	jq -e '.services[0].policy.deny | length == 2' <<<"$saved" >/dev/null || fail "$saved"
	lb config flush
	assert_eq "after flush" "$(ruleset)" ""
	lb config apply - <<<"$saved"
	assert_eq "saved again" "$(lb config save)" "$saved"
	! asks $family 80 || fail "denied, and there was an answer"

	# --- after the ruleset was flushed
	for how in "config apply" "policy apply"; do
		ns lb nft flush ruleset
		asks $family 80 || fail "no policy, and no answer"
		# shellcheck disable=SC2086 # two words
		show lb $how "$WORK/nflb.json"
		! asks $family 80 || fail "$how: denied, and there was an answer"
	done

	# --- what stays the same keeps its rate, what comes and goes beside it or not
	rate='"policy": { "rate": "1/day", "burst": 2 },'
	file $family "$rate"
	lb config apply "$WORK/nflb.json"
	asks $family 80 || fail "no answer within the burst"
	assert_eq "clients" "$(state $family)" 1
	file $family "$rate" "$deny"
	lb config apply "$WORK/nflb.json"
	assert_eq "policies" "$(policies)" '[[80,true],[8080,true]]'
	! asks $family 8080 || fail "denied, and there was an answer"
	lb policy apply "$WORK/nflb.json"
	file $family "$rate"
	lb config apply "$WORK/nflb.json"
	assert_eq "policies" "$(policies)" '[[80,true]]'
	assert_eq "clients" "$(state $family)" 1
	asks $family 80 || fail "no answer within the burst"
	! asks $family 80 || fail "the rate began anew"

	# --- those by hand stay, unless the file says that there is none
	lb policy add tcp "$(vip $family 8080)" deny "$me"
	file $family ""
	lb config apply "$WORK/nflb.json"
	assert_eq "policies" "$(policies)" '[[8080,false]]'
	asks $family 80 || fail "no answer without a policy"
	! asks $family 8080 || fail "what was denied by hand is answered"
	file $family "" '"policy": {},'
	lb config apply "$WORK/nflb.json"
	asks $family 8080 || fail "no answer without a policy"
	assert_eq "ruleset" "$(ruleset)" ""

	# --- a policy is undone with the rest
	lb policy add tcp "$(vip $family 8080)" deny "$other"
	before=$(ruleset)
	file $family "$deny" '"scheduler": "no-such",'
	assert_fails "an unknown scheduler" lb config apply "$WORK/nflb.json"
	assert_eq "policies after that" "$(policies)" '[[8080,false]]'
	assert_eq "ruleset after that" "$(ruleset | sed '/^$/d' | sort)" "$(sed '/^$/d' <<<"$before" | sort)"
	lb config flush
	lb policy flush
done
