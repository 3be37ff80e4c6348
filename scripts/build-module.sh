#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build the module for one kernel in a directory of its own and print where.
#
#   scripts/build-module.sh [--kunit] [--with DIR] [--check] KERNEL [MAKE ARGUMENTS...]
#
# With --check it is built in another directory, with all warnings, and sparse looks at each
# file that is compiled: what it says is in sparse.log there. This module is not for use.
# With --kunit the module has entry points for tests, and the tests are built
# beside it: those in tests/kunit, or in DIR.
# KERNEL is 6.1 or 6.12 (the newest headers of that series), debug or uml (our
# own kernels), or a directory with headers. Kbuild writes its objects beside
# the sources, so that building one checkout for two kernels mixes them; the
# sources are copied to tests/out/build/RELEASE/ instead. Only what changed is
# copied: building again is quick.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
kunit='' check='' tests=tests/kunit extra=()

die() { echo "build-module: $*" >&2; exit 1; }

while [ $# -gt 0 ]; do
	case $1 in
	--kunit) kunit=1 ;;
	--with) tests=$2; shift ;;
	--check) check=1 ;;
	-*) die "unknown option $1" ;;
	*) break ;;
	esac
	shift
done
[ $# -ge 1 ] || die "usage: build-module.sh [--kunit] [--with DIR] [--check] KERNEL [MAKE ARGUMENTS...]"
kernel=$1
shift

case $kernel in
6.1 | 6.12)
	kdir=$(printf '%s\n' /usr/src/linux-headers-"$kernel".*-amd64 |
		grep -v -- -cloud- | sort -V | tail -n 1)
	[ -d "$kdir" ] || die "no headers for $kernel: run scripts/bootstrap"
	;;
debug) kdir=$("$top/scripts/build-kernel.sh" kunit-qemu) ;;
uml | uml-bench | uml-gcov)
	kdir=$("$top/scripts/build-kernel.sh" "${kernel/%uml/uml-debug}")
	extra+=(ARCH=um)
	[ "$kernel" != uml-gcov ] || extra+=(GCOV_PROFILE=y)
	;;
/*) kdir=$kernel ;;
*) die "no kernel called $kernel" ;;
esac
[ -e "$kdir/Makefile" ] || die "$kdir is no kernel build directory"

# Not include/config/kernel.release: Debian's says 6.1.192 for 6.1.0-56-amd64
release=$(awk -F'"' '/UTS_RELEASE/ { print $2 }' "$kdir/include/generated/utsrelease.h")
case $kernel in
debug | uml | uml-*) release=$kernel-$release ;;
esac
# A module with entry points for the unit tests must never be taken for the
# other one, nor one of a check.
out=$top/tests/out/build/$release${kunit:+-kunit}${check:+-check}
# kbuild takes the redirection as it takes a command
[ -z "$check" ] || extra+=(W=1 C=1 CF=-D__CHECK_ENDIAN__ "CHECK=2>>$out/sparse.log sparse")

mkdir -p "$out"
exec 9>"$out/.lock"
flock 9
for dir in kmod include dkms ${kunit:+"$tests"}; do
	mkdir -p "$out/$dir"
	rsync -a --checksum --delete --exclude='*.o' --exclude='*.gcno' --exclude='*.ko' --exclude='*.mod' \
		--exclude='*.mod.c' --exclude='.*.cmd' --exclude='*.d' \
		--exclude='modules.order' --exclude='Module.symvers' \
		"$top/$dir/" "$out/$dir/"
done

mapfile -t flags < <("$top/dkms/module-btf" flags "$kdir")
build() { # DIRECTORY ARGUMENTS...
	local dir=$1
	shift
	make -C "$kdir" M="$dir" ${kunit:+NFLB_KUNIT=1} "${extra[@]}" "${flags[@]}" "$@" modules >&2
}

build "$out/kmod" "$@"
if [ -n "$check" ]; then
	echo "$out"
	exit
fi
# XDP needs BTF. Our own kernels have none.
case $kernel in
debug | uml | uml-*) ;;
*) sh "$out/dkms/module-btf" add "$kdir" "$out/kmod/nflb.ko" ;;
esac
ln -f "$out/kmod/nflb.ko" "$out/nflb.ko"
[ ! -e "$out/kmod/toa/nflb_toa.ko" ] || ln -f "$out/kmod/toa/nflb_toa.ko" "$out/nflb_toa.ko"
if [ -n "$kunit" ]; then
	build "$out/$tests" KBUILD_EXTRA_SYMBOLS="$out/kmod/Module.symvers" "$@"
fi
echo "$out"
