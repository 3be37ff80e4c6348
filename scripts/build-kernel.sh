#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build one of the project's own kernels from Debian's linux-source package
# and print the directory it was built in (which is also its KDIR).
#
#   scripts/build-kernel.sh kunit-qemu     x86_64, SMP, for QEMU
#   scripts/build-kernel.sh uml-debug      User Mode Linux, one CPU, native speed
#   scripts/build-kernel.sh uml-bench      the same without checkers, to measure
#   scripts/build-kernel.sh uml-gcov       without checkers, for coverage
#   scripts/build-kernel.sh --path NAME    only print where it would be
#
# Stock kernels have neither KUnit nor the checkers (KASAN, lockdep, kmemleak).
# A built kernel stays in the cache under a name that holds its version and a
# hash of its configuration and compiler: nothing is built twice, nothing stale
# is used.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${NFLB_CACHE:-$HOME/.cache/nflb}
tarball=${NFLB_KERNEL_TARBALL:-/usr/src/linux-source-6.1.tar.xz}
fragments=$top/tests/vm/kernel
jobs=${NFLB_JOBS:-$(nproc)}

say() { echo "build-kernel: $*" >&2; }
die() { say "$*"; exit 1; }

path_only=
if [ "${1:-}" = --path ]; then
	path_only=1
	shift
fi

flavour=${1:-}
patches=()
case $flavour in
kunit-qemu)
	arch=x86_64
	configs=("$fragments/debug.config" "$fragments/qemu.config")
	targets=(bzImage modules)
	;;
uml-debug)
	arch=um
	configs=("$fragments/debug.config" "$fragments/uml.config" "$fragments/uml-debug.config")
	patches=("$fragments"/uml-*.patch)
	targets=(vmlinux modules)
	;;
uml-bench | uml-gcov)
	arch=um
	# Of the debug kernel, what makes it a system and a network
	common=$(mktemp)
	trap 'rm -f "$common"' EXIT
	sed '/^# --- the checkers/,$d' "$fragments/debug.config" >"$common"
	configs=("$common" "$fragments/uml.config" "$fragments/${flavour#uml-}.config")
	patches=("$fragments/uml-xstate.patch")
	targets=(vmlinux modules)
	;;
*)
	die "usage: build-kernel.sh [--path] kunit-qemu|uml-debug|uml-bench|uml-gcov"
	;;
esac

# The source, unpacked once for each set of patches (flavours build with O=).
unpack_source() {
	local dir stamp
	dir=$cache/src/$(basename "$tarball" .tar.xz)
	[ ${#patches[@]} = 0 ] || dir=$dir-$(cat "${patches[@]}" | sha256sum | cut -c 1-12)
	[ -e "$dir/Makefile" ] && [ ! -e "$dir.unpacking" ] && stamp=1
	if [ -z "${stamp:-}" ]; then
		[ -r "$tarball" ] || die "$tarball is missing: run scripts/bootstrap"
		say "unpacking $tarball"
		mkdir -p "$cache/src"
		touch "$dir.unpacking"
		rm -rf "$dir"
		mkdir "$dir"
		tar -C "$dir" --strip-components=1 -xf "$tarball"
		for patch in "${patches[@]}"; do
			patch -s -d "$dir" -p1 <"$patch" >&2 || die "$patch does not apply"
		done
		rm "$dir.unpacking"
	fi
	echo "$dir"
}

mkdir -p "$cache"
exec 8>"$cache/.lock-source"
flock 8
src=$(unpack_source)
exec 8>&-

version=$(awk '/^(VERSION|PATCHLEVEL|SUBLEVEL) =/ { v = v s $3; s = "." }
	       END { print v }' "$src/Makefile")
hash=$({ cat "${configs[@]}" "${patches[@]}"; gcc --version | head -n 1; echo "$arch"; } |
	sha256sum | cut -c 1-12)
out=$cache/kernel/$flavour-$version-$hash

if [ -n "$path_only" ]; then
	echo "$out"
	exit 0
fi

mkdir -p "$cache/kernel"
exec 9>"$cache/.lock-$flavour"
flock 9

if [ ! -e "$out/.complete" ]; then
	log=$out.log
	start=$SECONDS
	say "building $flavour $version (log: $log)"
	rm -rf "$out"
	mkdir -p "$out"
	run() {
		nice -n "${NFLB_NICE:-0}" make -C "$src" O="$out" ARCH="$arch" \
			KBUILD_BUILD_USER=nflb KBUILD_BUILD_HOST=nflb "$@" \
			>>"$log" 2>&1 ||
			{ tail -n 30 "$log" >&2; die "make $* failed"; }
	}
	: >"$log"
	run tinyconfig
	"$src/scripts/kconfig/merge_config.sh" -m -O "$out" \
		"$out/.config" "${configs[@]}" >>"$log" 2>&1
	run olddefconfig

	# Kconfig drops what a missing dependency forbids without a word. A
	# debug kernel that lost its KASAN that way would pass everything.
	missing=
	while read -r want; do
		case $want in
		CONFIG_*=n)
			want=${want%=n}
			! grep -q "^$want=" "$out/.config" ||
				missing="$missing $want=n"
			;;
		CONFIG_*)
			grep -qxF "$want" "$out/.config" ||
				missing="$missing $want"
			;;
		esac
	done < <(cat "${configs[@]}")
	[ -z "$missing" ] || die "not in the final configuration:$missing"

	run -j "$jobs" "${targets[@]}"
	touch "$out/.complete"
	say "$flavour $version: built in $((SECONDS - start)) s"
fi

echo "$out"
