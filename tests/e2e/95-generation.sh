#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
#
# Two who apply different files at once: in the end there is one of them, whole.
# Downloads by a service that both have go on.
#
# NFLB_ROUNDS: how often (default: 15).

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

setup_topology
ns lb "$PYTHON" "$E2E/tools/generation.py"

start_nginx
head -c 2000000 /dev/urandom >"$WORK/files/big"
sum=$(sha256sum <"$WORK/files/big")

file() { # NAME NUMBER-OF-ANOTHER-BACKEND SCHEDULER
	jq -n --arg vip $VIP4 --arg one "${RS4[1]}" --arg other "${RS4[$2]}" \
		--arg scheduler "$3" --argjson n "$2" '
		{ services: ([{ protocol: "tcp", address: $vip, port: 80,
		                backends: [{ address: $one }, { address: $other, weight: 0 }] }] +
		             [range(12) | { protocol: "udp", address: $vip, port: (1000 * $n + . * $n),
		                            scheduler: $scheduler, backends: [{ address: $other }] },
		                          { protocol: "tcp", address: $vip, port: (5000 + .),
		                            scheduler: $scheduler, backends: [{ address: $other }] }]),
		  "local-addresses": [ "10.0.\($n).1", "10.0.\($n).2" ],
		  devices: [ "missing\($n)" ] }' >"$WORK/$1.json"
}
file a 2 rr
file b 3 wlc
jq '{ services: .services[:1] }' "$WORK/a.json" >"$WORK/neither.json"
saved() { lb config save | jq -cS '.services |= sort_by(.protocol, .port)'; }
for name in a b; do
	lb config apply "$WORK/$name.json" 2>/dev/null
	saved >"$WORK/$name.saved"
done
! cmp -s "$WORK/a.saved" "$WORK/b.saved" || fail "the files are the same"

# One after the other, each of which takes some seconds
# shellcheck disable=SC2016 # for that shell
ns_bg cl downloads bash -c 'until [ -e "$1" ]; do
	curl -sS --fail --limit-rate 500k "$2" | sha256sum
done' - "$WORK/stop" "http://$VIP4/files/big"
downloads=$!

declare -A won=([a]=0 [b]=0) pids
refused=0
for ((round = 1; round <= ${NFLB_ROUNDS:-15}; round++)); do
	# Neither, so that both have something to do
	lb config apply "$WORK/neither.json"
	for name in a b; do
		"$LBADM" -n lb config apply "$WORK/$name.json" >"$WORK/$name.said" 2>&1 &
		pids[$name]=$!
	done
	ok=0
	for name in a b; do
		if wait "${pids[$name]}"; then
			ok=$((ok + 1))
		else
			refused=$((refused + 1))
			grep -q "the configuration keeps changing" "$WORK/$name.said" ||
				fail "round $round: $(cat "$WORK/$name.said")"
		fi
	done
	[ $ok -gt 0 ] || fail "round $round: nobody was done"
	saved >"$WORK/now.saved"
	for name in a b ''; do
		[ -n "$name" ] || fail "round $round: a mixture: $(cat "$WORK/now.saved")"
		cmp -s "$WORK/$name.saved" "$WORK/now.saved" || continue
		won[$name]=$((won[$name] + 1))
		break
	done
done
note "a ${won[a]} times, b ${won[b]} times, $refused refused"

# --- a shell that changes something now and then: an apply is done all the same
apply() { said=$(lb config apply "$WORK/$1.json" 2>&1) || fail "$said"; }
apply b
for name in a b a b a; do
	apply $name &
	applier=$!
	# Fewer changes than an apply starts over
	for weight in 1 2 1 2; do
		lb backend set tcp $VIP4:80 "${RS4[1]}" weight $weight
	done
	wait $applier || fail "the apply of $name gave up"
done
apply a
saved | cmp -s - "$WORK/a.saved" || fail "not the file"

touch "$WORK/stop"
wait $downloads
assert_eq "downloads" "$(sort -u "$WORK/downloads.log")" "$sum"
note "$(wc -l <"$WORK/downloads.log") downloads were not disturbed"
