#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build the RPM packages of rpm/nflb.spec. Prints where they are.
#
#   scripts/rpm.sh [DIRECTORY]      default: tests/out/rpm
#
# On Debian, rpm knows of no installed packages: what the spec needs is not asked for.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=${1:-$top/tests/out/rpm}
options=()
[ ! -e /etc/debian_version ] || options+=(--nodeps)

rm -rf "$out"
mkdir -p "$out/SOURCES"
"$top/scripts/source.sh" "$out/SOURCES"
rpmbuild -ba "${options[@]}" --define "_topdir $(realpath "$out")" "$top/rpm/nflb.spec" \
	>"$out/log" 2>&1 || {
	tail -n 40 "$out/log" >&2
	echo "rpm.sh: failed (log: $out/log)" >&2
	exit 1
}
rm -rf "$out/BUILD" "$out/BUILDROOT" "$out"/SOURCES/*/
find "$out" -name '*.rpm' | sort
