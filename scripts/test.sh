#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every test there is (`make test`). The last line is the sum of all parts:
# "N passed, N failed". Each part's full output is in tests/out/test/.
#
# Emulated machines and kernel builds share two cores with each other. Behind
# everything else, the debug kernels are built and, when one is there, its tests
# run (mostly waiting for something in the network). Meanwhile: what needs no
# machine, then the stock kernels side by side.
#
# Functions called by name are invisible to shellcheck:
# shellcheck disable=SC2317

set -euo pipefail

# In braces, so that it is read as a whole: editing this file while it runs
# (for many minutes) must not change what runs.
{

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top"
out=$top/tests/out/test
[ "${1:-}" = --debug-kernels ] || rm -rf "$out"
mkdir -p "$out"
passed=0 failed=0
background=()

stop() {
	local pid
	for pid in "${background[@]}"; do
		# Each is the leader of a session of its own
		kill -- "-$pid" 2>/dev/null || true
	done
}
trap stop EXIT

at() { printf '[%3d:%02d] ' $((SECONDS / 60)) $((SECONDS % 60)); }

# part NAME COMMAND...: run it; "N passed, N failed" at the end of what it
# printed is counted, and a part without one counts as one test.
part() {
	local name=$1 code=0 p f
	shift
	at
	echo "$name: $*"
	"$@" >"$out/$name.log" 2>&1 </dev/null || code=$?
	finish "$name" "$code"
}

finish() { # NAME STATUS
	local name=$1 code=$2 p='' f='' verdict count
	read -r p f < <(sed -nE 's/^(# )?([0-9]+) passed, ([0-9]+) failed.*$/\2 \3/p' \
		"$out/$name.log" | tail -n 1) || true
	# The C tests of user space are cmocka's
	while read -r verdict count; do
		case $verdict in
		PASSED) p=$((${p:-0} + count)) ;;
		FAILED) f=$((${f:-0} + count)) ;;
		esac
	done < <(sed -nE 's/^\[ +(PASSED|FAILED) +\] ([0-9]+) test.*/\1 \2/p' "$out/$name.log")
	f=${f:-0}
	if [ -z "$p" ]; then
		p=0
		[ "$code" = 0 ] && p=1
	fi
	# A part that failed without a failed test: a machine, a crash
	if [ "$code" != 0 ] && [ "$f" = 0 ]; then
		f=1
	fi
	passed=$((passed + p))
	failed=$((failed + f))
	grep -E '^(ok|not ok|skip) ' "$out/$name.log" | sed 's/^/    /' || true
	if [ "$code" != 0 ]; then
		echo "    --- $name failed (status $code, $out/$name.log):"
		tail -n 100 "$out/$name.log" | sed 's/^/    /'
	fi
	at
	echo "$name: $p passed, $f failed"
}

# --- behind everything else

# job NAME COMMAND...: its output and status to files, for finish.
job() {
	local name=$1 code=0
	shift
	"$@" >"$out/$name.log" 2>&1 </dev/null || code=$?
	echo "$code" >"$out/$name.status"
}

if [ "${1:-}" = --debug-kernels ]; then
	trap - EXIT
	job kernel-uml nice -n 10 scripts/build-kernel.sh uml-debug
	job e2e-uml tests/e2e/run --kernel uml --offload default --timeout 4500 &
	job kernel-debug nice -n 10 scripts/build-kernel.sh kunit-qemu
	[ ! -d tests/kunit ] || job kunit tests/vm/kunit
	job e2e-debug tests/e2e/run --kernel debug --offload default --timeout 1800 70-receiver
	wait
	exit 0
fi

setsid scripts/test.sh --debug-kernels >"$out/debug-kernels.log" 2>&1 </dev/null &
debug=$!
background+=("$debug")

# --- without a machine

no_warnings() { # KERNEL
	rm -rf "tests/out/build/$1".*
	scripts/build-module.sh "$1" W=1 -s -j2 2>&1 | tee "$out/warnings-$1"
	! grep -E 'warning:|error:' "$out/warnings-$1"
}

part build-6.1 no_warnings 6.1
part build-6.12 no_warnings 6.12
part dkms scripts/dkms.sh build
part tools make -C userspace all
part tools-check make -C userspace check
for file in tests/user/test_*.py; do
	[ -e "$file" ] || continue
	part "user-$(basename "$file" .py)" /usr/bin/python3 "$file"
done

# --- stock kernels: what users see, with the modules that DKMS built

part e2e tests/e2e/run --kernel all --module-dkms --offload spread --timeout 4500

# --- what a packet costs, against what it did

part bench tests/bench/packet-cost --check

# --- debug kernels

at
echo "waiting for what runs on the debug kernels"
wait "$debug" || true
background=()
for name in kernel-uml e2e-uml kernel-debug kunit e2e-debug; do
	[ "$name" != kunit ] || [ -d tests/kunit ] || continue
	finish "$name" "$(cat "$out/$name.status" 2>/dev/null || echo 125)"
done

at
echo "all parts done"
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
exit
}
