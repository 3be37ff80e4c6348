#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Show a balancer at work: a stock Debian kernel in a virtual machine, the
# module of this checkout, a client, three web servers. On a terminal it leaves
# you in a shell in there; without one, its exit status says whether all went
# well.
#
#   scripts/demo.sh [--kernel 6.1|6.12|uml]

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [ "${1:-}" != --inside ]; then
	kernel=6.1
	if [ "${1:-}" = --kernel ]; then
		kernel=$2
	fi
	mkdir -p "$top/tests/out"
	echo "Building the module for $kernel, and lbadm ..."
	build=$("$top/scripts/build-module.sh" "$kernel" -s -j"$(nproc)" 2>"$top/tests/out/demo.log") ||
		{ cat "$top/tests/out/demo.log" >&2; exit 1; }
	make -s -C "$top/userspace" all >/dev/null
	echo "Starting a virtual machine with Debian's kernel $kernel ..."
	how=(run --timeout 600)
	if [ -t 0 ] && [ -t 1 ]; then
		how=(shell)
	fi
	exec "$top/tests/vm/vm" "${how[@]}" --kernel "$kernel" -- \
		"$top/scripts/demo.sh" --inside "$build/nflb.ko" "${how[0]}"
fi

# --- inside -------------------------------------------------------------------

module=$2 verb=$3
export NFLB_WORK=/tmp/nflb-demo
mkdir -p $NFLB_WORK
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

title() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || title() { printf '\n== %s\n' "$*"; }
# Each command as a user would type it (the balancer is a namespace here)
lbadm() {
	echo "lb# lbadm $*"
	lb "$@"
}

title "Linux $(uname -r): loading nflb.ko"
for name in $(modinfo -F depends "$module" | tr ',' ' '); do
	modprobe -q "$name" || true
done
insmod "$module"
modinfo "$module" | grep -E '^(description|version):' || true

title "Three namespaces with a web server each, a balancer, a client"
setup_topology
start_nginx
echo "client $CL4 -- balancer (VIP $VIP4, $VIP6) -- rs1 ${RS4[1]}, rs2 ${RS4[2]}, rs3 ${RS4[3]}"

title "Two services with weighted round robin, 3:2:1"
for family in 4 6; do
	service=$(vip $family 80)
	lbadm service add tcp "$service" scheduler wrr
	for n in 1 2 3; do
		lbadm backend add tcp "$service" "$(backend $family $n)" weight $((4 - n))
	done
done

requests=60
for family in 4 6; do
	url=http://$(vip $family 80)/
	title "$requests requests over IPv$family"
	echo "cl# curl $url"
	for ((i = 0; i < requests; i++)); do
		ns cl curl -sS --fail --max-time 30 "$url"
	done | sort | uniq -c | tee "$WORK/distribution"
	seen=$(awk '{ printf "%s%s %d", s, $2, $1; s = ", " }' "$WORK/distribution")
	[ "$seen" = "rs1 $((requests / 2)), rs2 $((requests / 3)), rs3 $((requests / 6))" ] ||
		fail "the shares are not 3:2:1"
done

title "Counters of the balancer"
lbadm -s service show

title "Its connections"
echo "lb# head /proc/net/nflb/connections"
ns lb head /proc/net/nflb/connections

if [ "$verb" = run ]; then
	title "The end. On a terminal, a shell follows."
	exit 0
fi
title "A shell: lb WORDS is lbadm on the balancer, ns cl COMMAND is the client; ^D ends"
cat >"$WORK/rc" <<RC
set --
. "$E2E/lib.sh"
trap - ERR EXIT
set +euE +o pipefail
PS1='nflb# '
RC
bash --rcfile "$WORK/rc" -i || true
exit 0
