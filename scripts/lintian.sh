#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What Debian's lintian says of the packages that scripts/deb.sh made, in its strictest
# form, and whether the pages in them refer to pages that are there.
#
#   scripts/lintian.sh [DIRECTORY]      default: tests/out/deb
#
# Nothing is said: nothing is wrong. What cannot be mended here is left out, with its
# reason.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=${1:-$top/tests/out/deb}
left_out=(
	# Whoever uploads it opens that bug.
	initial-upload-closes-no-bugs
	# Releases are not signed.
	debian-watch-does-not-check-openpgp-signature
	# Finds its words in machine code ("wtH" is a comparison and a jump).
	spelling-error-in-binary
)
# Known when the place of the repository is: NFLB_URL of scripts/deb.sh.
[ -n "${NFLB_URL:-}" ] || left_out+=(no-homepage-field debian-watch-file-is-missing
	upstream-metadata-file-is-missing)

changes=("$out"/*.changes)
[ -e "${changes[0]}" ] || { echo "lintian.sh: no packages in $out: make deb" >&2; exit 1; }
failed=0
user=()
[ "$(id -u)" != 0 ] || user=(--allow-root)
lintian "${user[@]}" -EviI --pedantic --fail-on error,warning,info,pedantic \
	--suppress-tags "$(IFS=,; echo "${left_out[*]}")" "${changes[@]}" >"$out/lintian" 2>&1 || failed=1
grep -vE '^(N:|$)' "$out/lintian" || true

# links DIRECTORY: each Markdown link to a file leads to one
links() {
	local page link bad=0
	while IFS=: read -r page link; do
		link=${link#](}
		link=${link%%#*}
		[ -z "$link" ] || [ -e "${page%/*}/$link" ] || {
			echo "${page#"$1"}: there is no $link"
			bad=1
		}
	done < <(grep -roE --include='*.md*' '\]\([^) ]+' "$1" | grep -vE ':\]\((https?|mailto):')
	return $bad
}
pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT
for package in "$out"/lbadm_*.deb "$out"/nflb-dev_*.deb; do
	rm -rf "${pages:?}"/*
	dpkg-deb --fsys-tarfile "$package" | tar -C "$pages" -x --wildcards './usr/share/doc/*'
	links "$pages" || failed=1
done
exit $failed
