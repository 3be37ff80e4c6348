# SPDX-License-Identifier: GPL-2.0
# Completion of lbadm's words, by what lbadm's own help says.

_lbadm()
{
	local cur=${COMP_WORDS[COMP_CWORD]} word object="" i

	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		-n | --netns | -b | --batch | -c | --color) ((i++)) ;;
		-*) ;;
		*) object=$word; break ;;
		esac
	done
	if [ -z "$object" ]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"help $(lbadm help 2>/dev/null | awk '$1 == "lbadm" { print $2 }' |
				sort -u)" -- "$cur")
	elif [ "$i" -eq $((COMP_CWORD - 1)) ]; then
		mapfile -t COMPREPLY < <(compgen -W "help $(lbadm "$object" help \
			2>/dev/null | awk -v o="$object" \
			'$1 == "lbadm" && $2 == o && $3 ~ /^[a-z]/ { print $3 }')" -- "$cur")
	fi
}
complete -F _lbadm lbadm
