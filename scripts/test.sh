#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every test there is (`make test`). The last line is the sum of all parts:
# "N passed, N failed". Each part's full output is in tests/out/test/.
#
# What needs no machine comes first, and what machines need: kernels and modules.
# Then machines, two at a time: more would only make each other late on two cores.
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
rm -rf "$out"
mkdir -p "$out"
passed=0 failed=0 failures=()

declare -A running=()

stop() {
	local pid
	for pid in "${running[@]}"; do
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
		failures+=("$name")
		echo "    --- $name failed (status $code, $out/$name.log):"
		tail -n 100 "$out/$name.log" | sed 's/^/    /'
	fi
	at
	echo "$name: $p passed, $f failed"
}

# --- two at a time

# job NAME COMMAND...: begin it when fewer than two are running.
job() {
	local name=$1
	shift
	while [ ${#running[@]} -ge 2 ]; do
		reap
	done
	at
	echo "$name: $*"
	# shellcheck disable=SC2016 # for the inner shell
	setsid bash -c 'code=0; "${@:2}" >"$1.log" 2>&1 </dev/null || code=$?; echo $code >"$1.status"' \
		job "$out/$name" "$@" &
	running[$name]=$!
}

# Wait for one of them, and count it.
reap() {
	local name
	wait -n "${running[@]}" || true
	for name in "${!running[@]}"; do
		kill -0 "${running[$name]}" 2>/dev/null && continue
		unset "running[$name]"
		finish "$name" "$(cat "$out/$name.status" 2>/dev/null || echo 125)"
	done
}

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

part kernel-uml scripts/build-kernel.sh uml-debug
part kernel-debug scripts/build-kernel.sh kunit-qemu

# --- machines: the stock kernels with the modules that DKMS built, what users
# see; the debug kernels; and what a packet costs, against what it did

job e2e-6.12 tests/e2e/run --kernel 6.12 --module-dkms --offload spread --timeout 4500
job e2e-6.1 tests/e2e/run --kernel 6.1 --module-dkms --offload spread --timeout 4500
job e2e-uml tests/e2e/run --kernel uml --offload spread --timeout 4500
job kunit tests/vm/kunit
job bench tests/bench/packet-cost --check
job e2e-debug tests/e2e/run --kernel debug --offload default --timeout 1800 70-receiver
while [ ${#running[@]} -gt 0 ]; do
	reap
done

# --- what to look at

for name in "${failures[@]}"; do
	echo "    --- of $name:"
	grep -hE '^ *(not ok|FAILED|Traceback|AssertionError)' "$out/$name.log" | head -n 40 |
		cut -c1-300 | sed 's/^ */    /' || true
done
at
echo "all parts done"
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
exit
}
