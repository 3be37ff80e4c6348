#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Everything that can be said of the source without running it. Each check
# that fails is named; the exit status is the number of them (at most 100).
#
#   scripts/check.sh [CHECK...]     (default: all)
#
# The checks are called by their names, which shellcheck does not see:
# shellcheck disable=SC2317

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${NFLB_CACHE:-$HOME/.cache/nflb}
cd "$top"

kernel_sources() { find kmod include -name '*.[ch]' ! -name '*.mod.c' | LC_ALL=C sort; }

# The headers packages don't ship checkpatch: the sources do.
kernel_script() {
	local script=$cache/src/linux-source-6.1/scripts/$1
	if [ ! -e "$script" ]; then
		mkdir -p "$cache/src/scripts"
		script=$cache/src/scripts/scripts/$1
		[ -e "$script" ] || tar -C "$cache/src/scripts" --strip-components=1 \
			-xf /usr/src/linux-source-6.1.tar.xz linux-source-6.1/scripts
	fi
	echo "$script"
}

check_checkpatch() {
	local script
	script=$(kernel_script checkpatch.pl)
	# Ignored: what only concerns a tree with MAINTAINERS and Kconfig; blank
	# lines before our export macro; X macros, which have no parentheses to
	# give. trace.h is written as all the kernel's trace headers are.
	kernel_sources | grep -v /trace.h | xargs perl "$script" --no-tree --strict --terse --no-summary \
		--show-types --max-line-length=100 \
		--ignore FILE_PATH_CHANGES,CONFIG_DESCRIPTION,LINUX_VERSION_CODE \
		--ignore LINE_SPACING,COMPLEX_MACRO,MACRO_ARG_REUSE,BRACKET_SPACE -f
}

check_kernel_doc() {
	local output
	output=$(kernel_sources | xargs perl "$(kernel_script kernel-doc)" -none 2>&1) || true
	[ -z "$output" ] || { echo "$output"; return 1; }
}

# _build KERNEL: its warnings go to $dir/warnings and those of sparse to $dir/sparse. What
# was compiled without any is not compiled again as long as it stays as it is.
_build() {
	local kernel=$1 log=tests/out/warnings-$1
	dir=$(find tests/out/build -maxdepth 1 -name "$kernel.*-check" 2>/dev/null || true)
	if [ -z "$dir" ] || [ ! -e "$dir/clean" ]; then
		rm -rf tests/out/build/"$kernel".*-check
	fi
	rm -f tests/out/build/"$kernel".*-check/clean
	dir=$(scripts/build-module.sh --check "$kernel" -s -j2 2>"$log") || { cat "$log"; return 1; }
	touch "$dir/sparse.log"
	# sparse stumbles over the kernel's own headers here and there
	grep -E '/kmod/.*(warning|error):' "$dir/sparse.log" >"$dir/sparse" || true
	grep -E 'warning|error' "$log" >"$dir/warnings" || true
	[ -s "$dir/sparse" ] || [ -s "$dir/warnings" ] || touch "$dir/clean"
}

_said_nothing() { # warnings|sparse
	local kernel dir
	for kernel in 6.1 6.12; do
		_build "$kernel" || return 1
		[ ! -s "$dir/$1" ] || { cat "$dir/$1"; return 1; }
	done
}

check_warnings() { _said_nothing warnings; }
check_sparse() { _said_nothing sparse; }

check_shellcheck() {
	local file files=()
	while read -r file; do
		case $(head -n 1 "$file") in
		'#!/bin/bash'* | '#!/bin/sh'* | '#!/usr/bin/env bash'*) files+=("$file") ;;
		esac
	done < <(find scripts tests dkms debian .ci -path tests/out -prune -o -path tests/vm/init -prune -o \
		-type f -print)
	shellcheck -x -P "$top" "${files[@]}" tests/e2e/lib.sh arch/PKGBUILD
	shellcheck -s sh tests/vm/init
}

# The room of a file of kmod/, as its place in kmod/rooms; 0 for what stands in none.
room_of() {
	grep -v '^#' kmod/rooms | grep -nx "${1%%/*}" | cut -d: -f1 || echo 0
}

# Rooms include what comes before them, headers in no room include none, only control/
# knows netlink, and only compat/ knows of kernel versions.
check_layering() {
	local bad=0 file header from to
	if grep -rnE --include='*.[ch]' 'LINUX_VERSION_CODE|KERNEL_VERSION *\(' kmod | grep -v '^kmod/compat/'; then
		echo "kernel versions outside kmod/compat"
		bad=1
	fi
	while IFS=: read -r file header; do
		from=$(room_of "${file#kmod/}") to=$(room_of "$header")
		case $file in
		kmod/*/*) ;;
		*.c) continue ;;
		esac
		if [ "$to" -gt "$from" ]; then
			echo "$file includes $header, of a later room"
			bad=1
		fi
	done < <(grep -roE --include='*.[ch]' '#include "[^"]*"' kmod --exclude-dir=toa --exclude-dir=compat |
		sed 's/#include "//; s/"$//')
	if grep -rnE --include='*.[ch]' '#include <net/(genetlink|netlink)\.h>' kmod |
		grep -vE '^kmod/(control/|compat/|main\.c)'; then
		echo "netlink outside kmod/control"
		bad=1
	fi
	layering_userspace || bad=1
	return "$bad"
}

# A program includes its own headers and those of lib/; in lib/, util includes neither
# model nor nl, and model does not include nl.
layering_userspace() {
	local bad=0 file header room
	while IFS=: read -r file header; do
		room=${file#userspace/} room=${room%/*}
		case $room:$header in
		toa:*) continue ;;
		lib/util:model/* | lib/util:nl/* | lib/model:nl/*) ;;
		*) if [ -f "userspace/lib/$header" ] ||
			{ [ "${room%%/*}" != lib ] && [ -f "userspace/${room%%/*}/$header" ]; }; then
			continue
		fi ;;
		esac
		echo "$file includes $header, of another program or a later room"
		bad=1
	done < <(grep -roE --include='*.[ch]' '#include "[^"]*"' userspace --exclude-dir=build |
		sed 's/#include "//; s/"$//')
	return "$bad"
}

check_dkms() { scripts/dkms.sh check; }

# Each package has the version of kmod/version.h; their files can be read.
check_versions() {
	local version name
	version=$(scripts/dkms.sh version)
	is() { # FILE SEEN
		[ "$2" = "$version" ] || { echo "$1 is of version $2, not $version"; return 1; }
	}
	is debian/changelog "$(sed -n '1s/.*(\(.*\)-[^-]*).*/\1/p' debian/changelog)"
	is dkms/dkms.conf "$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms/dkms.conf)"
	is rpm/nflb.spec "$(sed -n 's/^Version: *//p' rpm/nflb.spec)"
	is "the changelog of rpm/nflb.spec" \
		"$(sed -n '/^%changelog/,$s/^\* .* - \(.*\)-[^-]*$/\1/p' rpm/nflb.spec | head -n 1)"
	rpmspec -q rpm/nflb.spec >/dev/null
	# shellcheck source=arch/PKGBUILD
	(
		. arch/PKGBUILD
		is arch/PKGBUILD "$pkgver"
		[ "${source[*]}" = "nflb-$version.tar.gz" ]
		for name in "${pkgname[@]}"; do
			declare -F "package_$name" >/dev/null || {
				echo "arch/PKGBUILD: there is no package_$name"
				exit 1
			}
		done
	)
}

check_spdx() {
	local file bad=0
	while read -r file; do
		head -n 3 "$file" | grep -q SPDX-License-Identifier || {
			echo "$file: no SPDX line"
			bad=1
		}
	done < <(git ls-files '*.[ch]' '*.sh' '*.py' '*Makefile' '*Kbuild' 'scripts/*')
	return "$bad"
}

check_pictures() { scripts/pictures.py --check; }

# A test types each command of the documentation, or a reason is given.
check_pages() { /usr/bin/python3 tests/e2e/lib/pages.py; }

check_workflows() {
	/usr/bin/python3 scripts/workflows.py
}

checks=(checkpatch kernel_doc warnings sparse shellcheck layering dkms versions spdx pictures pages workflows)
[ $# -eq 0 ] || checks=("$@")
mkdir -p tests/out
failed=0
for check in "${checks[@]}"; do
	# A subshell of its own: set -e is off within the condition of an if
	set +e
	(set -e; "check_$check") >"tests/out/check-$check" 2>&1
	code=$?
	set -e
	if [ $code = 0 ]; then
		echo "ok $check"
	else
		echo "not ok $check"
		head -n 60 "tests/out/check-$check" | sed 's/^/    /'
		failed=$((failed + 1))
	fi
done
echo "$((${#checks[@]} - failed)) passed, $failed failed"
exit $failed
