#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
#
# The shell of `make shell`, in each of its topologies: nothing is configured, the page's
# commands work as typed, and so does `configure`. A wrong name lists the right ones.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# typed TOPOLOGY: the output of a shell that reads the commands from standard input
typed() { timeout 900 "$E2E/tools/shell" "$1" 2>"$WORK/shell.log" || fail "$(cat "$WORK/shell.log")"; }

# tries TOPOLOGY VIP: what all of them have in common
tries() {
	local topology=$1 vip=$2 out
	out=$(typed "$topology" <<-TEXT
		echo "services: \$(lbadm service show | wc -l)"
		modprobe nflb && echo "loaded: yes"
		configure
		for i in 1 2 3 4; do ns cl curl -sS --max-time 20 http://$vip/; done | sort -u | paste -sd' '
		false
		echo "still here: \$?"
		echo "client: \$(ns cl ip -o link show type veth | wc -l)"
		lb -j service show | jq -r '"mode: " + .[0].mode'
	TEXT
	)
	note "$out"
	assert_match "$topology: at first" "$out" 'services: 0'
	assert_match "$topology: module" "$out" 'loaded: yes'
	assert_match "$topology: answers" "$out" $'\nrs1 rs2\n'
	assert_match "$topology: after an error" "$out" 'still here: 1'
	assert_match "$topology: another host" "$out" 'client: 1'
	assert_eq "$topology: namespaces left" "$(ip netns list)" ""
	mode=$(sed -n 's/^mode: //p' <<<"$out")
}

for name in dnat router fullnat one-arm dsr; do
	vip=$VIP4
	[ $name != one-arm ] || vip=10.5.0.10
	tries $name $vip
	case $name in
	dnat | router) assert_eq "$name: mode" "$mode" dnat ;;
	dsr) assert_eq "$name: mode" "$mode" dsr ;;
	*) assert_eq "$name: mode" "$mode" fullnat ;;
	esac
done

# Without `configure`: tutorial-dnat.md
out=$(typed dnat <<TEXT
ip addr add 192.0.2.10/32 dev lo          # or let your router send it here
lbadm service add tcp 192.0.2.10:80 scheduler wrr
lbadm backend add tcp 192.0.2.10:80 10.0.11.2 weight 2
ns cl curl -sS http://192.0.2.10/
TEXT
)
assert_match "by hand" "$out" $'\nrs1$'

for command in "$E2E/tools/shell nonsense" "$E2E/run --kernel uml --shell nonsense" \
	"$E2E/run --kernel uml --shell" "make -s -C $TOP -o bootstrap shell TOPOLOGY=nonsense"; do
	code=0
	# shellcheck disable=SC2086
	out=$($command 2>&1) || code=$?
	[ $code != 0 ] || fail "$command: succeeded"
	assert_match "$command" "$out" 'there is no topology "(nonsense)?"; there are:'
	assert_match "$command" "$out" $'\n  one-arm  '
	assert_eq "$command: lines" "$(grep -c '^  [a-z]' <<<"$out")" 5
done
