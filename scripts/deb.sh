#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build the Debian source package and the binary packages, from what git knows of, in a
# directory of their own. Prints where they are.
#
#   scripts/deb.sh [DIRECTORY [VERSION]]      default: tests/out/deb
#
# The .orig.tar.gz is what scripts/source.sh makes. VERSION is for trying upgrades: the same source, with another number.
# NFLB_URL=https://FORGE/OWNER/nflb, the place of the repository, becomes Homepage, Vcs-*,
# debian/watch and debian/upstream/metadata: the workflows set it.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=${1:-$top/tests/out/deb}
version=$("$top/scripts/dkms.sh" version)
die() { echo "deb.sh: $*" >&2; exit 1; }

[[ $(dpkg-parsechangelog -l "$top/debian/changelog" -S Version) = "$version"-* ]] ||
	die "debian/changelog is not of version $version, as kmod/version.h"
rm -rf "$out"
wanted=${2:-$version}
copy=$out/nflb-$wanted
"$top/scripts/source.sh" "$out" "$wanted"
mv "$copy.tar.gz" "$out/nflb_$wanted.orig.tar.gz"

if [ -n "${NFLB_URL:-}" ]; then
	sed -i "/^Standards-Version:/i Homepage: $NFLB_URL\\nVcs-Browser: $NFLB_URL\\nVcs-Git: $NFLB_URL.git" \
		"$copy/debian/control"
	cat >"$copy/debian/watch" <<-END
		version=4
		$NFLB_URL/tags .*/v@ANY_VERSION@@ARCHIVE_EXT@
	END
	mkdir -p "$copy/debian/upstream"
	cat >"$copy/debian/upstream/metadata" <<-END
		Repository: $NFLB_URL.git
		Repository-Browse: $NFLB_URL
		Bug-Database: $NFLB_URL/issues
		Bug-Submit: $NFLB_URL/issues/new
	END
fi

(cd "$copy" && dpkg-buildpackage -F -us -uc >"$out/log" 2>&1) || {
	tail -n 40 "$out/log" >&2
	die "failed (log: $out/log)"
}
rm -rf "$copy"
ls "$out"/*.dsc "$out"/*.deb
