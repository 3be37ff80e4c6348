#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
#
# Traffic in all modes, and at the same time everything that an administrator can do,
# at random (tests/chaos/chaos.py), and packets that are almost right. Afterwards
# clients are served as before, and without connections, services and local addresses
# everything is zero.
#
# NFLB_CHAOS_SECONDS: how long (default: 40), NFLB_CHAOS_SEED: which (default: the time).

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

seconds=${NFLB_CHAOS_SECONDS:-40}
seed=${NFLB_CHAOS_SEED:-$(date +%s)}
echo "# seed $seed, $seconds s"

cc -O2 -o "$WORK/packets" "$TOP/tests/fuzz/packets.c" "$TOP/tests/fuzz/packet.c"
setup_dsr
start_nginx
start_udp_echo 5353

# Replies of backends come back through the balancer in the modes that translate
for i in 1 2 3; do
	ip -n rs$i route replace 10.0.0.0/24 via 10.0.1$i.1
	ip -n rs$i route replace 2001:db8:0::/64 via 2001:db8:1$i::1
	ip -n rs$i route add 10.0.99.0/24 via 10.0.1$i.1
	ip -n rs$i route add 2001:db8:99::/64 via 2001:db8:1$i::1
done
_addr lb lo 10.0.99.1/32 10.0.99.2/32 2001:db8:99::1/128
lb laddr add 10.0.99.1-10.0.99.2
lb laddr add 2001:db8:99::1
modes=("mode dnat" "mode fullnat toa on" "mode dsr" "mode dsr encap ipip" "mode dsr encap gre"
	"mode dsr encap gue")
targets=()
for family in 4 6; do
	for i in "${!modes[@]}"; do
		read -r -a words <<<"${modes[i]}"
		lb service add tcp "$(vip $family $((80 + i)))" "${words[@]}" timeout-fin 5
		for n in 1 2 3; do
			port=:80
			[ "$i" -lt 2 ] || port=
			address=$(backend $family $n)
			[ $family = 4 ] || [ -z "$port" ] || address="[$address]"
			lb backend add tcp "$(vip $family $((80 + i)))" "$address$port"
		done
		targets+=("tcp:$(vip $family $((80 + i)))")
	done
	lb service add udp "$(vip $family 5353)" mode fullnat timeout-udp 5
	for n in 1 2 3; do
		lb backend add udp "$(vip $family 5353)" "$(backend $family $n)"
	done
	targets+=("udp:$(vip $family 5353)")
done
# dsr on the link is the mode of which backends know nothing here: their answers to
# SYNs for the VIP are not wanted, only that packets go there
served=("tcp:$(vip 4 80)" "tcp:$(vip 4 81)" "tcp:$(vip 6 80)" "tcp:$(vip 6 81)"
	"udp:$(vip 4 5353)" "udp:$(vip 6 5353)")
lb config save >"$WORK/saved"

mac_of() { ip -n "$1" -j link show dev "$2" | jq -r '.[0].address'; }

ns cl "$PYTHON" "$TOP/tests/floods/client.py" --count 12 "$WORK/before" "${served[@]}"
ns_bg cl traffic "$PYTHON" "$TOP/tests/floods/client.py" --interval 0.1 "$WORK/during" "${targets[@]}"
traffic=$!
ns_bg cl flood nice -n 19 "$PYTHON" "$E2E/tools/flood.py" 5353 "$VIP4" "$VIP6"
flood=$!
# Almost right packets now and then, not all the time: the others want the CPU, too
(
	trap 'exit 0' TERM
	for ((i = 0; ; i++)); do
		nice -n 10 "$WORK/packets" $((seed + i)) 200 cl to-lb "$(mac_of rt to-cl)" rs3 to-lb \
			"$(mac_of lb to-rs3)" lb >/dev/null 2>&1 || true
		sleep 0.2
	done
) &
_pids+=($!)
fuzz=$!
# First of all: it is to change much
nice -n -15 "$PYTHON" "$TOP/tests/chaos/chaos.py" "$seconds" "$seed" "$WORK/saved" >"$WORK/chaos" 2>&1 ||
	{ cat "$WORK/chaos"; fail "chaos"; }
cat "$WORK/chaos"
kill "$fuzz" "$flood" "$traffic"
wait "$traffic" || true
tail -n 20 "$WORK/traffic.log" >&2

calm() { ns cl "$PYTHON" "$TOP/tests/floods/client.py" --count 12 "$WORK/after" "${served[@]}"; }
# Everybody twice in a row, within a minute
deadline=$((SECONDS + 60))
until calm && calm; do
	[ $SECONDS -lt $deadline ] || fail "not everybody is served again after a minute"
	sleep 1
done
echo "ok chaos/served-again: $(head -n 1 "$WORK/traffic.log") meanwhile; everything afterwards"

lb config flush
lb connection flush
# shellcheck disable=SC2016 # for awk
zero() {
	[ "$(lb connection count)" = 0 ] && [ "$(lb -j service show)" = "[]" ] &&
		[ "$(lb -j laddr show)" = "[]" ] && [ "$(lb -j device show)" = "[]" ] &&
		ns lb awk '$1 == "active" || $1 == "persistent" { n += $2 } END { exit n }' /proc/net/nflb/stats
}
wait_for zero
echo "ok chaos/all-zero: seed $seed, $seconds s, $(tail -n 1 "$WORK/chaos")"
