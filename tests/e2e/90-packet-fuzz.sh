#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
#
# Packets that are almost right, of clients, of backends and of the balancer itself,
# to services of all modes, families and protocols, by the hook and by the fast path
# (tests/fuzz/packets.c): real clients are served all the time, nothing is left, and
# the kernel does not complain.
#
# NFLB_FUZZ_PACKETS: how many (default: 30000), NFLB_FUZZ_SEED: which (default: the
# time). The line "seed ..." has both.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

count=${NFLB_FUZZ_PACKETS:-30000}
seed=${NFLB_FUZZ_SEED:-$(date +%s)}
echo "# seed $seed, $count packets"

cc -O2 -o "$WORK/packets" "$TOP/tests/fuzz/packets.c" "$TOP/tests/fuzz/packet.c"
# The same seed, the same packets
assert_eq "the packets of a seed" "$("$WORK/packets" "$seed" 1000)" "$("$WORK/packets" "$seed" 1000)"

setup_topology
setup_local_addresses 2
# For mode dnat
_default rs1 10.0.11.1 2001:db8:11::1
start_nginx rs1
start_udp_echo 5353 rs1

mac_of() { ip -n "$1" -j link show dev "$2" | jq -r '.[0].address'; }
# What only packets.c answers for
for address in 10.0.0.100 2001:db8:0::100; do
	ip -n lb neigh replace $address lladdr "$(mac_of cl to-lb)" dev to-cl nud permanent
done
for address in 10.0.13.100 2001:db8:13::100; do
	ip -n lb neigh replace $address lladdr "$(mac_of rs3 to-lb)" dev to-rs3 nud permanent
done

modes=("mode dnat" "mode fullnat toa on" "mode fullnat proxy-protocol on" "mode dsr"
	"mode dsr encap ipip" "mode dsr encap gre" "mode dsr encap gue" "mode fullnat toa on")
for family in 4 6; do
	for proto in tcp udp; do
		for i in "${!modes[@]}"; do
			read -r -a words <<<"${modes[i]}"
			[ $proto = tcp ] || words=("${words[@]:0:4}")
			case $proto,${words[2]:-} in
			udp,toa | udp,proxy-protocol) words=("${words[@]:0:2}") ;;
			esac
			outer=$family
			[ "$i" != 7 ] || outer=$((10 - family))
			service=$(vip $family $((9001 + i)))
			lb service add $proto "$service" "${words[@]}" timeout-syn 20 persist 30
			if [ $outer = 4 ]; then
				lb backend add $proto "$service" 10.0.13.100
			else
				lb backend add $proto "$service" 2001:db8:13::100
			fi
		done
	done
	lb service add tcp "$(vip $family 80)" mode dnat
	lb service add tcp "$(vip $family 8080)" mode fullnat toa on
	lb service add udp "$(vip $family 5353)" mode fullnat
	lb backend add tcp "$(vip $family 80)" "$(backend $family 1)"
	lb backend add tcp "$(vip $family 8080)" "$(backend $family 1)"
	lb backend add udp "$(vip $family 5353)" "$(backend $family 1)"
done

targets=()
for family in 4 6; do
	targets+=("tcp:$(vip $family 80)" "tcp:$(vip $family 8080)" "udp:$(vip $family 5353)")
done
client() { # LOG [OPTIONS...]
	ns cl "$PYTHON" "$TOP/tests/floods/client.py" "${@:2}" "$WORK/$1" "${targets[@]}"
}
fuzz() { # SEED COUNT
	"$WORK/packets" "$1" "$2" cl to-lb "$(mac_of lb to-cl)" rs3 to-lb "$(mac_of lb to-rs3)" lb
}

client before --count 12
ns_bg cl client "$PYTHON" "$TOP/tests/floods/client.py" --interval 0.1 "$WORK/during" "${targets[@]}"
client=$!
fuzz "$seed" $((count / 2))
lb device add to-cl
lb device add to-rs3
fuzz $((seed + 1)) $((count - count / 2))
kill "$client"
wait "$client" || true
cat "$WORK/client.log" >&2
lb -s service show >&2
drops >&2
# An error that quotes a real client's connection by chance is believed, and some of
# a random minute's requests may be lost
read -r served all < <(awk '{ all++ } $3 != "-" { served++ } END { print served + 0, all }' "$WORK/during")
assert_between "requests served meanwhile, of $all" "$served" $((all * 99 / 100)) "$all"
client after --count 24

none() { [ "$(lb connection count)" = 0 ]; }
lb device del to-cl
lb device del to-rs3
for family in 4 6; do
	for proto in tcp udp; do
		for i in "${!modes[@]}"; do
			lb service del $proto "$(vip $family $((9001 + i)))"
		done
	done
done
client last --count 6
lb connection flush
wait_for none
echo "ok packet-fuzz/served: $served of $all requests meanwhile, and all of 42 before and after"
echo "ok packet-fuzz/packets: seed $seed, $count packets; dropped: $(drops | paste -sd, )"
