#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
#
# Malformed netlink messages, each in a namespace of its own: without objects,
# nothing but errors; about objects that exist, while others dump them.
#
# NFLB_FUZZ_COUNT, NFLB_FUZZ_MESSAGES: how many of either (default: 30000 and 10000),
# NFLB_FUZZ_SEED: which (default: 1, and the time)

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ns=fuzz-$$

trap 'ip netns del "$ns"' EXIT
for program in "netlink_fuzz.py ${NFLB_FUZZ_COUNT:-30000} ${NFLB_FUZZ_SEED:-1}" \
	"netlink_state.py ${NFLB_FUZZ_MESSAGES:-10000} ${NFLB_FUZZ_SEED:-}"; do
	read -r -a words <<<"$program"
	ip netns add "$ns"
	said=$(ip netns exec "$ns" /usr/bin/python3 "$here/../fuzz/${words[0]}" "${words[@]:1}") || {
		echo "not ok netlink-fuzz/${words[0]}: $said"
		exit 1
	}
	echo "ok netlink-fuzz/${words[0]}: ${said#ok netlink-state/messages: }"
	ip netns del "$ns"
done
trap - EXIT
