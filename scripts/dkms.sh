#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What DKMS is given, and a build of it that leaves the host alone.
#
#   scripts/dkms.sh list              what should ship: goes to dkms/files.list
#   scripts/dkms.sh check             is files.list complete, the version the same?
#   scripts/dkms.sh stage DIR         copy what ships to DIR
#   scripts/dkms.sh build [6.1|6.12]...   build by DKMS in the cache; prints
#                                     each module's path, and leaves a copy in
#                                     tests/out/dkms/SERIES/
#   scripts/dkms.sh version           of kmod/version.h

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${NFLB_CACHE:-$HOME/.cache/nflb}
files=$top/dkms/files.list

die() { echo "dkms.sh: $*" >&2; exit 1; }

version() { awk -F'"' '/define NFLB_VERSION / { print $2 }' "$top/kmod/version.h"; }

list() {
	(
		cd "$top"
		find kmod include dkms -type f \( -name '*.[ch]' -o -name Kbuild -o -name Makefile \
			-o -name '*.mk' -o -name module-btf \) ! -name '*.mod.c' | LC_ALL=C sort
	)
}

check() {
	diff -u "$files" <(list) >&2 ||
		die "dkms/files.list is not what ships; run: scripts/dkms.sh list >dkms/files.list"
	grep -qxF "PACKAGE_VERSION=\"$(version)\"" "$top/dkms/dkms.conf" ||
		die "dkms/dkms.conf is not of version $(version), as kmod/version.h"
}

stage() {
	local dir=$1 file
	check
	rm -rf "$dir"
	mkdir -p "$dir"
	while read -r file; do
		install -D -m 644 "$top/$file" "$dir/$file"
	done <"$files"
	install -m 644 "$top/dkms/dkms.conf" "$dir/dkms.conf"
}

build() {
	local series kernel tree version log built module
	version=$(version)
	# One tree per checkout: two may build at the same time
	tree=$cache/dkms/$(echo "$top" | sha256sum | cut -c 1-8)
	mkdir -p "$tree"
	exec 9>"$tree/.lock"
	flock 9
	rm -rf "$tree/dkms" "$tree/src"
	mkdir -p "$tree/dkms" "$tree/src"
	stage "$tree/src/nflb-$version"
	log=$tree/log
	# Signing would make a key in the host's /var/lib/dkms
	run() {
		sign_file=/nonexistent dkms "$@" --dkmstree "$tree/dkms" --sourcetree "$tree/src" \
			-m nflb -v "$version" >"$log" 2>&1 || {
			cat "$log" "$tree/dkms/nflb/$version/build/make.log" >&2 2>/dev/null || true
			die "dkms $* failed"
		}
	}
	run add
	for series; do
		kernel=$(printf '%s\n' /lib/modules/"$series".*-amd64 | grep -v -- -cloud- |
			sort -V | tail -n 1)
		[ -d "$kernel/build" ] || die "no headers for $series: run scripts/bootstrap"
		kernel=${kernel#/lib/modules/}
		run build -k "$kernel"
		# Where the tests look for it; some kernels' are compressed
		mkdir -p "$top/tests/out/dkms/$series"
		for module in nflb nflb_toa; do
			built=$(ls "$tree/dkms/nflb/$version/$kernel/x86_64/module/$module.ko"*)
			case $built in
			*.xz) xz -dc "$built" >"$top/tests/out/dkms/$series/$module.ko" ;;
			*) cp "$built" "$top/tests/out/dkms/$series/$module.ko" ;;
			esac
			echo "$built"
		done
	done
}

case ${1:-} in
version) version ;;
list) list ;;
check) check ;;
stage) stage "${2:?usage: dkms.sh stage DIR}" ;;
build)
	shift
	[ $# -gt 0 ] || set -- 6.1 6.12
	build "$@"
	;;
*) die "usage: dkms.sh version|list|check|stage DIR|build [6.1|6.12]..." ;;
esac
