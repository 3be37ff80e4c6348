#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build the Debian packages, from what git knows of, in a directory of their own.
# Prints where they are.
#
#   scripts/deb.sh [DIRECTORY]      default: tests/out/deb

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=${1:-$top/tests/out/deb}
version=$("$top/scripts/dkms.sh" version)
die() { echo "deb.sh: $*" >&2; exit 1; }

[ "$(dpkg-parsechangelog -l "$top/debian/changelog" -S Version)" = "$version" ] ||
	die "debian/changelog is not of version $version, as kmod/version.h"
rm -rf "$out"
mkdir -p "$out/nflb-$version"
git -C "$top" ls-files -z | grep -zvE '^tests/' |
	tar -C "$top" --null -T - -cf - | tar -C "$out/nflb-$version" -xf -
(cd "$out/nflb-$version" && dpkg-buildpackage -b -us -uc >"$out/log" 2>&1) || {
	tail -n 40 "$out/log" >&2
	die "failed (log: $out/log)"
}
rm -rf "$out/nflb-$version"
ls "$out"/*.deb
