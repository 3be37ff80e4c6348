# SPDX-License-Identifier: GPL-2.0
# Completion of lbadm for bash. lbadm itself lists the possible next words.

_lbadm()
{
	local line=${COMP_LINE:0:COMP_POINT} words cur done="" candidate _about

	# By blanks alone: COMP_WORDS is also split at the colons of addresses.
	read -r -a words <<<"$line"
	case $line in
	*[[:space:]]) words+=("") ;;
	esac
	cur=${words[${#words[@]}-1]}
	# The part that readline keeps: all up to the last colon or equals sign
	case $COMP_WORDBREAKS,$cur in
	*:*,*:* | *=*,*=*) done=${cur%"${cur##*[:=]}"} ;;
	esac
	COMPREPLY=()
	while IFS=$'\t' read -r candidate _about; do
		if [ "$candidate" = :files ]; then
			compopt -o filenames 2>/dev/null
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur")
		else
			COMPREPLY+=("${candidate#"$done"}")
		fi
	done < <(PATH=$PATH:/usr/sbin:/sbin
		"${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
}
complete -F _lbadm lbadm
