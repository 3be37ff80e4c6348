#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/fast
# offload: default off fast
#
# Ports that are used again while the backend, which closes first, still has
# them in TIME_WAIT: no SYN has to be sent twice, nothing is reset. Then a great
# many flows at the same time.
#
# NFLB_REUSE: connections through NFLB_REUSE_PORTS ports (default: 1000, 100).
# NFLB_FLOWS: flows at the same time (default: 20000).

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

connections=${NFLB_REUSE:-1000}
ports=${NFLB_REUSE_PORTS:-100}
flows=${NFLB_FLOWS:-20000}

counter_of() { # NS NAME
	ns "$1" nstat -asz "$2" | awk 'NR > 1 { print $2 }'
}

setup_topology
setup_local_addresses 4
start_nginx rs1

for family in 4 6; do
	case $family in
	4) range=$LA4.1-$LA4.4 one=$LA4.1 ;;
	6) range=$LA6:1-$LA6:4 one=$LA6:1 ;;
	esac
	lb laddr del "$range"
	show lb laddr add "$one" ports "2000-$((1999 + ports))"
	add_service tcp $family 80 mode fullnat toa on
	add_backend tcp $family 80 1
	seen=$(ns cl "$PYTHON" "$E2E/tools/http_client.py" "$(vip_of $family)" 80 "$connections" 2>&1) ||
		fail "IPv$family: $seen"
	assert_eq "IPv$family" "$(echo "$seen" | paste -sd' ')" "rs1 $connections failed 0"
	lb laddr del "$one"
	lb laddr add "$range"
done
# A busy machine may send one again for no reason, and what comes when a socket is
# gone is reset, which ends TIME_WAIT; a backend that is in the way makes every
# connection after the first $ports do so, and the client reset
for name in TcpExtTCPSynRetrans TcpRetransSegs TcpOutRsts; do
	again=$(counter_of cl $name)
	note "$name of the client: $again"
	[ "$again" -le $((connections / 50)) ] || fail "$name of the client: $again"
done
assert_between "ports used again" "$(stat_of port-reused)" \
	$((2 * (connections - ports) - connections / 50)) $((2 * (connections - ports)))
for name in TcpExtPAWSActive TcpExtPAWSPassive TcpExtTCPTimeWaitOverflow TcpOutRsts \
	TcpExtTCPACKSkippedTimeWait TcpExtTW TcpExtTCPChallengeACK; do
	note "$name of the backend: $(counter_of rs1 $name)"
done
[ "$(ns rs1 ss -Htan state time-wait | wc -l)" -ge "$ports" ] ||
	fail "the backend is not in TIME_WAIT"
assert_eq "resets by the backend" "$(counter_of rs1 TcpOutRsts)" 0
assert_no_drops

# --- many flows at once: four local addresses, two backends

lb connection flush >/dev/null
ns lb sysctl -qw net.nflb.max_connections=$((flows + 1000))
add_service udp 4 9 mode fullnat scheduler rr
add_backend udp 4 9 1
add_backend udp 4 9 2
before=$(awk '/^Slab:/ { print $2 }' /proc/meminfo)
ns cl "$PYTHON" "$E2E/tools/flows.py" "$CL4" "$VIP4" 9 "$flows"
# While the table grows, a walk may meet some of them twice
counted() { [ "$(lb connection count)" = "$flows" ]; }
wait_for counted
assert_eq "flows" "$(lb connection count)" "$flows"
assert_eq "to the first backend" "$(lb connection count backend "$(backend 4 1)")" $((flows / 2))
note "slab memory: $((($(awk '/^Slab:/ { print $2 }' /proc/meminfo) - before) * 1024 / flows)) bytes a flow"
lb -j connection show | jq -r '.[] | "\(.["backend-address"]):\(.["backend-port"]) \(.["local-address"]) \(.["local-port"])"' >"$WORK/flows"
assert_eq "local addresses in use" \
	"$(cut -d' ' -f2 "$WORK/flows" | sort -u | wc -l)" 4
assert_eq "ports that two flows to one backend share" \
	"$(sort "$WORK/flows" | uniq -d | wc -l)" 0
assert_no_drops
lb connection flush >/dev/null
assert_eq "flows after a flush" "$(lb connection count)" 0
