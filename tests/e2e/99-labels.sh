#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
#
# Names and comments of services and backends change under a download, which does not
# notice; a configuration keeps them, and events have them. The versions of tool and
# module, and local ports in use, are shown to everybody.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

unprivileged() {
	ns lb setpriv --bounding-set -net_admin,-sys_admin --inh-caps -net_admin,-sys_admin \
		"$LBADM" "$@"
}

# label FILTER: of the first service, "" if there is none
label() { lb -j service show | jq -r ".[0]$1 // \"\""; }

setup_topology
start_nginx
head -c 16000000 /dev/urandom >"$WORK/files/big"
sum=$(sha256sum <"$WORK/files/big" | cut -d' ' -f1)
S="tcp $VIP4:80"

# --- the module says which one it is, to everybody
said=$(unprivileged -j version) || fail "version: $said"
assert_eq "versions" "$(jq -r '.fit + " " + .module' <<<"$said")" "same $(cat /sys/module/nflb/version)"

# --- the longest service is in a dump; it has the longest of them
ns lb "$PYTHON" "$E2E/tools/long_service.py"

# --- names and comments
add_service tcp 4 80 scheduler rr
add_backend tcp 4 80 1
ns_bg lb events "$LBADM" -j monitor config list
wait_for grep -q list-end "$WORK/events.log"
ns_bg cl download "$PYTHON" "$E2E/tools/download.py" "http://$(vip 4 80)/files/big" "$WORK/go"
wait_for grep -q begun "$WORK/download.log"
before=$(lb -j connection show | jq -c '[.[] | del(.expires, .age)]')
# shellcheck disable=SC2086 # SERVICE is two words
{
	lb service set $S name "Laden für alle" comment 'moves in "May"'
	lb backend set $S "$(backend 4 1)" name web1 comment 'rack 7'
}
assert_eq "name" "$(label .name)" "Laden für alle"
assert_eq "comment" "$(label .comment)" 'moves in "May"'
assert_eq "backend's name" "$(label .backends[0].name)" web1
wait_for grep -q '"event":"backend-set".*"comment":"rack 7"' "$WORK/events.log"
grep -q '"event":"service-set".*"name":"Laden für alle"' "$WORK/events.log" ||
	fail "no event of the name: $(cat "$WORK/events.log")"
assert_match "what is shown" "$(lb service show)" 'name "Laden für alle"'

# --- a file has them, and an apply of others changes nothing else
lb config save >"$WORK/saved.json"
jq '.services[0].comment = "moved" | del(.services[0].backends[0].name)' \
	"$WORK/saved.json" >"$WORK/other.json"
said=$(lb config apply "$WORK/other.json")
assert_eq "what apply says" "$said" "1 service changed, 1 backend changed"
assert_eq "comment" "$(label .comment)" moved
assert_eq "backend's name" "$(label .backends[0].name)" ""
assert_eq "backend's comment" "$(label .backends[0].comment)" "rack 7"
assert_eq "connections" "$(lb -j connection show | jq -c '[.[] | del(.expires, .age)]')" "$before"
touch "$WORK/go"
wait_for eval "[ \$(wc -l <'$WORK/download.log') = 2 ]"
assert_eq "download" "$(tail -n 1 "$WORK/download.log")" "$sum"
lb config apply --quiet "$WORK/saved.json"
lb config save | cmp - "$WORK/saved.json" || fail "the configuration is not the one that was saved"

# --- what lbadm refuses, the kernel does as well (the fuzzers say so of all texts)
# shellcheck disable=SC2086
assert_fails "an escape sequence" lb service set $S name $'\e[2J'
assert_eq "name" "$(label .name)" "Laden für alle"

# --- local ports; after this, backends have no route to clients
setup_local_addresses 2
add_service tcp 4 8080 mode fullnat
show lb backend add tcp "$(vip 4 8080)" "$(backend 4 2 8080)"
ns_bg cl hold "$PYTHON" "$E2E/tools/hold.py" 7 "$VIP4"
wait_for eval "[ \"\$(lb connection count service tcp $VIP4:8080)\" = 7 ]"
used=$(unprivileged -j -s laddr show | jq -c '.[] | select(.address | contains(":") | not) |
	.stats | [."ports-used", ."ports-busiest", .busiest.address]')
assert_eq "local ports" "$used" "[7,7,\"$(backend 4 2)\"]"
lb connection flush service tcp "$(vip 4 8080)" >"$WORK/flushed"
wait_for eval "lb -j -s laddr show | jq -e 'all((.stats.\"ports-used\" // 0) == 0)'"
