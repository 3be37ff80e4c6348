#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The source as packages take it: what git knows of, as nflb-VERSION/ in DIRECTORY, and
# as nflb-VERSION.tar.gz beside it. The tarball has no debian/, and is the same for the
# same tree.
#
#   scripts/source.sh DIRECTORY [VERSION]
#
# VERSION is for trying upgrades: the same source, with another number.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=${1:?usage: source.sh DIRECTORY [VERSION]}
version=$("$top/scripts/dkms.sh" version)
wanted=${2:-$version}
name=nflb-$wanted
copy=$out/$name

rm -rf "$copy"
mkdir -p "$copy"
git -C "$top" ls-files -z | while read -rd '' file; do
	# Removed, but git does not know yet
	[ ! -e "$top/$file" ] || printf '%s\0' "$file"
done | tar -C "$top" --null -T - -cf - | tar -C "$copy" -xf -
if [ "$wanted" != "$version" ]; then
	sed -i "s/$version/$wanted/" "$copy/kmod/version.h" "$copy/dkms/dkms.conf"
	sed -i "1s/($version-/($wanted-/" "$copy/debian/changelog"
fi
time=$(date -d "$(sed -n 's/^ -- .*>  //p' "$copy/debian/changelog" | head -n 1)" +%s)
tar -C "$out" --sort=name --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw,a-s \
	--mtime="@$time" --exclude="$name/debian" -cf - "$name" | gzip -9n >"$out/$name.tar.gz"
