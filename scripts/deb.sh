#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build the Debian packages, from what git knows of, in a directory of their own.
# Prints where they are.
#
#   scripts/deb.sh [DIRECTORY [VERSION]]      default: tests/out/deb
#
# VERSION is for trying upgrades: the same source, with another number.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=${1:-$top/tests/out/deb}
version=$("$top/scripts/dkms.sh" version)
die() { echo "deb.sh: $*" >&2; exit 1; }

[ "$(dpkg-parsechangelog -l "$top/debian/changelog" -S Version)" = "$version" ] ||
	die "debian/changelog is not of version $version, as kmod/version.h"
rm -rf "$out"
copy=$out/nflb-$version
mkdir -p "$copy"
git -C "$top" ls-files -z | grep -zvE '^tests/' |
	tar -C "$top" --null -T - -cf - | tar -C "$copy" -xf -
if [ -n "${2:-}" ]; then
	sed -i "s/$version/$2/" "$copy/kmod/version.h" "$copy/dkms/dkms.conf"
	sed -i "1s/($version)/($2)/" "$copy/debian/changelog"
fi
(cd "$copy" && dpkg-buildpackage -b -us -uc >"$out/log" 2>&1) || {
	tail -n 40 "$out/log" >&2
	die "failed (log: $out/log)"
}
rm -rf "$copy"
ls "$out"/*.deb
