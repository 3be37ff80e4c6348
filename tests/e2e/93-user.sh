#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: none
# offload: default
#
# A user without privileges, root of namespaces of their own, tries everything at once
# (tests/chaos/rogue.py), in a cgroup of 256 MiB. Meanwhile the host sets a device up
# and down all the time: it must not wait 100 ms for that, and its memory must not go
# where the cgroup's limit does not reach. One wait of 10,000 may be longer, up to 1 s:
# a dozen processes share one CPU here in turns of 10 ms, and whoever holds RTNL may
# have to wait for a turn.
#
# NFLB_USER_SECONDS: how long (default: 30), NFLB_USER_SEED: which (default: the time),
# NFLB_USER_WITHOUT: actions to leave out. The uml kernel has no memory cgroups: there,
# only time is watched; uml-gcov and Debian's have.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
seconds=${NFLB_USER_SECONDS:-30}
seed=${NFLB_USER_SEED:-$(date +%s)}
work=${NFLB_WORK:-$(mktemp -d)}
limit=256
failed=0

say() { # VERDICT NAME WHAT
	echo "$1 user/$2: $3"
	[ "$1" = ok ] || failed=1
}

# What nobody may read, wherever this checkout is
tree=$work/tree
mkdir -p "$tree/lbadm"
(cd "$here/../.." && cp --parents tests/chaos/*.py tests/fuzz/*.py include/uapi/linux/nflb.h "$tree")
cp "$LBADM" "$tree/lbadm"
chmod -R a+rX "$work"
export NFLB_FLOOD=$work/flood LBADM=$tree/lbadm/lbadm HOME=/tmp
cc -O2 -o "$NFLB_FLOOD" "$here/../floods/flood.c"
cgroup=-
mkdir -p /sys/fs/cgroup 2>/dev/null || true
mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null || true
if [ -e /sys/fs/cgroup/cgroup.subtree_control ] && grep -q memory /sys/fs/cgroup/cgroup.controllers; then
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	cgroup=/sys/fs/cgroup/rogue
	mkdir -p $cgroup
	echo ${limit}M >$cgroup/memory.max
fi
sysctl -qw kernel.unprivileged_userns_clone=1 2>/dev/null || true
sysctl -qw kernel.sched_rt_runtime_us=-1 2>/dev/null || true

code=0
/usr/bin/python3 "$tree/tests/chaos/watch.py" $cgroup setpriv --reuid 65534 --regid 65534 --clear-groups \
	unshare -Urn /usr/bin/python3 "$tree/tests/chaos/rogue.py" "$seconds" "$seed" >"$work/said" 2>"$work/errors" ||
	code=$?
head -n 5 "$work/errors" >&2
cat "$work/said"
value() { sed -n "s/^$1=//p" "$work/said"; }
tried=$(grep -v = "$work/said" | tail -n 1)
[ $code = 0 ] || say "not ok" tried "status $code: $(tail -n 2 "$work/errors" | paste -sd' ')"
[ $code != 0 ] || say ok tried "seed $seed, $seconds s: $tried"

verdict=ok
[ "$(value over_100ms)" -le $(($(value waits) / 10000)) ] && [ "$(value worst_ms)" -lt 1000 ] ||
	verdict="not ok"
say "$verdict" rtnl "the host waited $(value worst_ms) ms at most, in $(value waits) times, $(value over_100ms) times over 100 ms"
# A lock-up would be a second and more; what is less may be the machine below
verdict=ok
[ "$(value stalled_ms)" -lt 1000 ] || verdict="not ok"
say "$verdict" cpu "the machine stood still for $(value stalled_ms) ms at most"
if [ $cgroup != - ]; then
	verdict=ok
	[ $(($(value memory_mb) - $(value charged_mb))) -lt 64 ] || verdict="not ok"
	say "$verdict" memory "$(value memory_mb) MiB went, of which $(value charged_mb) MiB are in the cgroup's $limit"
fi
verdict=ok
[ "$(value log_lines)" -lt 50 ] || verdict="not ok"
say "$verdict" log "$(value log_lines) lines of the module in the host's log"
ip link del watched
gone() { [ "$(lsns -t net -n 2>/dev/null | wc -l)" -le 1 ]; }
for ((i = 0; i < 300; i++)); do
	! gone || break
	sleep 0.1
done
exit $failed
