#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
#
# A hundred thousand malformed netlink messages, in a namespace of their own:
# nothing but errors.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ns=fuzz-$$

trap 'ip netns del "$ns"' EXIT
ip netns add "$ns"
ip netns exec "$ns" /usr/bin/python3 "$here/../fuzz/netlink_fuzz.py" \
	"${NFLB_FUZZ_COUNT:-100000}" "${NFLB_FUZZ_SEED:-1}"
