#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
#
# Settings of a configuration: applied, saved, taken back; in namespaces and user
# namespaces. And what a boot does with a file that is refused in part, or broken.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

setup_topology
start_nginx

sysctl_of() { ns lb sysctl -n "net.nflb.$1"; }
seed=00112233445566778899aabbccddeeff
other=ffeeddccbbaa99887766554433221100
default=$(sysctl_of max_connections)
assert_eq "settings of a new namespace" "$(lb config save | jq .settings)" null
assert_eq "settings of the host" "$("$LBADM" config save | jq .settings)" null

file() { # SETTINGS [REST]
	cat >"$WORK/nflb.json" <<-JSON
		{ "settings": $1,
		  "services": [
		    { "protocol": "tcp", "address": "$VIP4", "port": 80, "scheduler": "source",
		      "backends": [ { "address": "${RS4[1]}" }, { "address": "${RS4[2]}" },
		                    { "address": "${RS4[3]}" } ] } ${2-} ] }
	JSON
}

# --- which backend a client gets depends on the seed: that of the file counts
picks() {
	local i
	for i in {1..16}; do
		lb -j explain tcp "198.51.100.$i:9" $VIP4:80 device to-cl | jq -r '.picks[-1].address'
	done
}
file "{ \"hash-seed\": \"$seed\" }"
lb config apply "$WORK/nflb.json"
assert_eq "seed" "$(sysctl_of hash_seed)" $seed
first=$(picks)
ns lb sysctl -qw net.nflb.hash_seed=$other
[ "$(picks)" != "$first" ] || fail "another seed, and the same backends"
ns lb sysctl -qw net.nflb.hash_seed=$seed
assert_eq "picks" "$(picks)" "$first"
assert_eq "answer" "$(http_get 4 80 | cut -c1-2)" rs

# --- all of them, and back
all='{"hash-seed":"'$other'","maglev-table-size":251,"max-connections":777,"reject":false,"refuse-late":false,"encap-fragment-inside":true}'
file "$all"
lb config apply "$WORK/nflb.json"
assert_eq "saved" "$(lb config save | jq -c .settings)" "$all"
lb config save "$WORK/saved.json"
assert_eq "who may read it" "$(stat -c %a "$WORK/saved.json")" 600
assert_eq "max_connections" "$(sysctl_of max_connections)" 777
echo '{}' | lb config apply -
assert_eq "without the key" "$(lb config save | jq -c .settings)" "$all"
echo '{ "settings": {} }' | lb config apply -
assert_eq "all defaults" "$(lb config save | jq .settings)" null
assert_eq "max_connections" "$(sysctl_of max_connections)" "$default"
lb config apply "$WORK/saved.json"
assert_eq "from what was saved" "$(lb config save | jq -cS .)" "$(jq -cS . "$WORK/saved.json")"

# --- two writers at once: an undo puts back the writer's own value alone
many() {
	local port
	for port in {1..600}; do
		[ "$port" != 80 ] || continue
		printf ', { "protocol": "tcp", "address": "%s", "port": %s, "scheduler": "maglev",
		  "backends": [ { "address": "%s" }, { "address": "%s" }, { "address": "%s" } ] }' \
			$VIP4 "$port" "${RS4[@]:1:3}"
	done
}
file '{ "hash-seed": "'$seed'", "maglev-table-size": 131071 }' "$(many)"
lb config apply "$WORK/nflb.json"
nsenter --net=/run/netns/lb -- sh -c "echo $other >/proc/sys/net/nflb/hash_seed" &
writer=$!
# The seed is to be seen at once, the tables are made for a while.
seed_is() { [ "$(sysctl_of hash_seed)" = "$1" ]; }
wait_for seed_is $other
nsenter --net=/run/netns/lb -- sh -c 'echo 4093 >/proc/sys/net/nflb/maglev_table_size' &
second=$!
second_is_there() {
	[ "$(sysctl_of maglev_table_size)" = 4093 ] || grep -q '^State:.D' /proc/$second/status
}
wait_for second_is_there
kill -KILL $writer
! wait $writer 2>/dev/null || fail "the first writer ended before it was killed"
wait $second
assert_eq "seed, taken back" "$(sysctl_of hash_seed)" $seed
assert_eq "size, of the other writer" "$(sysctl_of maglev_table_size)" 4093
lb config apply "$WORK/saved.json"

# --- not at all, if something is refused
file "{ \"hash-seed\": \"$seed\", \"reject\": true }" ', { "protocol": "udp", "address": "'$VIP4'", "port": 5,
	"scheduler": "no-such" }'
said=$(lb config apply "$WORK/nflb.json" 2>&1) && fail "an unknown scheduler is taken"
assert_match "refusal" "$said" "service udp $VIP4:5"
assert_eq "settings after that" "$(lb config save | jq -c .settings)" "$all"
assert_eq "services" "$(lb -j service show | jq length)" 1
file '{ "user-max-services": 5 }'
said=$(lb config apply "$WORK/nflb.json" 2>&1) && fail "a setting of the host is taken"
assert_match "refusal" "$said" "setting user-max-services: only the host's first network namespace"
assert_eq "settings after that" "$(lb config save | jq -c .settings)" "$all"

# --- the host's own
echo '{ "settings": { "user-max-services": 5 } }' | "$LBADM" config apply -
assert_eq "of the host" "$(sysctl -n net.nflb.user_max_services)" 5
assert_eq "saved" "$("$LBADM" config save | jq -c .settings)" '{"user-max-services":5}'
echo '{ "settings": {} }' | "$LBADM" config apply -
assert_eq "of the host" "$(sysctl -n net.nflb.user_max_services)" 1024

# --- in a user namespace: max-connections is the host's to say
in_user() { unshare --user --map-root-user --net -- "$@"; }
said=$(echo '{ "settings": { "reject": false } }' |
	in_user sh -c "'$LBADM' config apply - && sysctl -n net.nflb.reject" 2>&1)
assert_eq "a user's reject" "${said##*$'\n'}" 0
said=$(echo '{ "settings": { "max-connections": 99 } }' | in_user "$LBADM" config apply - 2>&1) &&
	fail "a user sets max-connections"
assert_match "refusal" "$said" "setting max-connections: kernel: Permission denied"

# --- a boot: what can be applied is applied, and the last good file is kept
lb config flush
echo '{ "settings": {} }' | lb config apply -
boot() { lb config apply --quiet --keep-going --last-good "$WORK/last-good.json" "$WORK/nflb.json"; }
file "{ \"reject\": true }"
boot
assert_eq "kept" "$(jq -cS . "$WORK/last-good.json")" "$(jq -cS . "$WORK/nflb.json")"
cp "$WORK/last-good.json" "$WORK/good"
lb config flush
file "{ \"reject\": true }" ', { "protocol": "udp", "address": "'$VIP4'", "port": 5, "scheduler": "no-such" },
	{ "protocol": "tcp", "address": "'$VIP4'", "port": 8080, "backends": [ { "address": "'"${RS4[2]}"'" } ] }'
status=0
said=$(boot 2>&1) || status=$?
assert_eq "status" $status 2
assert_match "what is said" "$said" "service udp $VIP4:5: kernel: "
assert_eq "lines" "$(wc -l <<<"$said")" 1
assert_eq "one" "$(http_get 4 80 | cut -c1-2)" rs
assert_eq "the other" "$(http_get 4 8080)" rs2
cmp "$WORK/good" "$WORK/last-good.json" || fail "what was refused in part is kept as good"
lb config flush
sed -i 's/"services"/"servics"/' "$WORK/nflb.json"
status=0
said=$(boot 2>&1) || status=$?
assert_eq "status" $status 1
assert_match "what is said" "$said" "nflb.json:2:.*unknown key"
assert_match "what is done" "$said" "last-good.json is applied instead"
assert_eq "an answer by the last good file" "$(http_get 4 80 | cut -c1-2)" rs
