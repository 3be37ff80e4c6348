#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
#
# A host is taken out of all services under traffic, and comes back: downloads that it
# serves end well, or are reset when it goes down; those of the other host never notice.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

setup_topology
start_nginx
head -c 32000000 /dev/urandom >"$WORK/files/big"
sum=$(sha256sum <"$WORK/files/big" | cut -d' ' -f1)
ports="80 8080"

# weight FAMILY N WEIGHT: of a host's backend in both services
weight() {
	local port
	for port in $ports; do
		lb backend set tcp "$(vip "$1" "$port")" "$(backend "$1" "$2")" weight "$3"
	done
}

# begin NAME FAMILY N: a download of each service from that host
begin() {
	local port
	weight "$2" $((3 - $3)) 0
	for port in $ports; do
		ns_bg cl "$1-$port" "$PYTHON" "$E2E/tools/download.py" \
			"http://$(vip "$2" "$port")/files/big" "$WORK/$1-go"
		wait_for grep -q begun "$WORK/$1-$port.log"
	done
	weight "$2" $((3 - $3)) 1
}

# ends NAME RESULT: how its downloads do
ends() {
	local port
	touch "$WORK/$1-go"
	for port in $ports; do
		wait_for eval "[ \$(wc -l <'$WORK/$1-$port.log') = 2 ]"
		assert_eq "download $1 from port $port" "$(tail -n 1 "$WORK/$1-$port.log")" "$2"
	done
}

# The hosts that answer COUNT requests to each service, as "rs1 rs2"
answers() { # FAMILY COUNT
	local port
	for port in $ports; do
		ns cl curl -sS --fail -H 'Connection: close' "http://$(vip "$1" "$port")/[1-$2]"
	done | sort -u | paste -sd' '
}

established() { lb connection count backend "$(backend "$1" "$2")" state established; }

for family in 4 6; do
	for port in $ports; do
		add_service tcp $family "$port" scheduler wrr
		add_backend tcp $family "$port" 1
		add_backend tcp $family "$port" 2
	done
	begin "one-$family" $family 1
	begin "two-$family" $family 2
	assert_eq "IPv$family, downloads from rs1" "$(established $family 1)" 2
	lb config save >"$WORK/saved.json"

	# shellcheck disable=SC2016 # for that shell
	ns_bg cl "clients-$family" bash -c 'until [ -e "$1" ]; do
		curl -sS --fail -H "Connection: close" "$2" "$3" || echo failed
	done' - "$WORK/stop-$family" "http://$(vip $family 80)/" "http://$(vip $family 8080)/"
	clients=$!
	wait_for grep -q rs1 "$WORK/clients-$family.log"

	# --- drain: nothing new, and what is established goes on
	said=$(show lb backend drain "$(backend $family 1)")
	assert_eq "what drain says" "$said" "2 backends in 2 services: drain"
	assert_eq "IPv$family, new requests while rs1 drains" "$(answers $family 10)" rs2
	assert_eq "IPv$family, downloads from rs1" "$(established $family 1)" 2
	code=0
	said=$(lb config diff "$WORK/saved.json") || code=$?
	assert_eq "exit status of a diff" $code 0
	assert_eq "what it says of rs1" "$(grep -c ': by hand, stays: state drain$' <<<"$said")" 2
	ends "one-$family" "$sum"

	# --- back again: nobody has noticed
	said=$(show lb backend enable "$(backend $family 1)")
	assert_eq "what enable says" "$said" "2 backends in 2 services: up"
	assert_eq "IPv$family, new requests after that" "$(answers $family 10)" "rs1 rs2"
	touch "$WORK/stop-$family"
	wait $clients
	assert_eq "IPv$family, requests that failed" "$(grep -c failed "$WORK/clients-$family.log" || true)" 0
	note "$(wc -l <"$WORK/clients-$family.log") requests meanwhile"

	# --- down: its connections end, those of the other host do not
	begin "more-$family" $family 1
	said=$(show lb backend down "$(backend $family 1)")
	assert_eq "what down says" "$said" "2 backends in 2 services: down"
	ends "more-$family" reset
	assert_eq "IPv$family, new requests while rs1 is down" "$(answers $family 10)" rs2
	ends "two-$family" "$sum"

	# --- one port of it only
	lb backend enable "$(backend $family 1)"
	said=$(show lb backend drain "$(backend $family 1 8080)")
	assert_eq "what drain of a port says" "$said" "1 backend in 1 service: drain"
	assert_eq "the services with rs1 up" "$(lb -j backend show backend "$(backend $family 1)" |
		jq -c 'map(select(.state == "up") | .service.port)')" '[80]'

	lb backend enable "$(backend $family 1)"

	# --- a host that no service has
	code=0
	said=$(lb backend drain 10.9.9.9 2>&1) || code=$?
	assert_eq "exit status of a drain of nothing" $code 1
	assert_match "and the message" "$said" "no service has the backend 10.9.9.9"
done
