# SPDX-License-Identifier: GPL-2.0
# Completion of lbadm's words, by what lbadm's own help says, and of services and
# backends that exist.

# The options before the object, as lbadm is to be asked with them.
_lbadm_ask()
{
	lbadm "${options[@]}" "$@" 2>/dev/null
}

# Words of a command, from its help
_lbadm_keys() # OBJECT COMMAND
{
	_lbadm_ask help "$1" "$2" | awk '/^  [a-z]/ { print $1 }'
}

# "tcp 192.0.2.10:80 mode dnat ...", a service a line
_lbadm_vips() # PROTOCOL
{
	_lbadm_ask service show | awk -v protocol="$1" '$1 == protocol { print $2 }'
}

# "  -> 10.0.0.11:8080 weight 1 ...", under its service
_lbadm_backends() # PROTOCOL VIP
{
	_lbadm_ask service show "$1" "$2" | awk '$1 == "->" { print $2 }'
}

# What may come as word number $1 after "OBJECT COMMAND"
_lbadm_candidates() # NUMBER OBJECT COMMAND WORDS...
{
	local number=$1 object=$2 command=$3
	shift 3
	case $object,$command,$number in
	policy,flush,*) ;;
	policy,apply,1) compgen -f -- "$cur" ;;
	policy,apply,*) ;;
	service,*,1 | backend,*,1 | health,*,1 | policy,*,1) echo tcp udp ;;
	service,add,2 | backend-setup,*) ;;
	service,*,2 | backend,*,2 | health,*,2 | policy,*,2) _lbadm_vips "$1" ;;
	backend,add,3) ;;
	backend,*,3 | health,*,3) _lbadm_backends "$1" "$2" ;;
	health,force,4) echo up down clear ;;
	service,*) _lbadm_keys service "$command" ;;
	backend,del,*) echo now ;;
	backend,drain,*) echo deadline ;;
	backend,*) _lbadm_keys backend "$command" ;;
	laddr,*) [ "$number" = 1 ] || echo ports exclude ;;
	device,add,1)
		local device
		for device in /sys/class/net/*; do
			echo "${device##*/}"
		done
		;;
	device,*,1) _lbadm_ask device show | awk '{ print $1 }' ;;
	device,add,2 | device,del,2) echo xdp ;;
	connection,flush,1) echo all service backend client state ;;
	connection,*)
		case ${!#} in
		service) echo tcp udp ;;
		tcp | udp) _lbadm_vips "${!#}" ;;
		backend) _lbadm_ask backend show | awk '$1 == "->" { print $2 }' ;;
		state)
			echo none syn-sent syn-recv established fin-wait close-wait \
				last-ack time-wait close udp
			;;
		client) ;;
		*) echo service backend client state ;;
		esac
		;;
	config,apply,*)
		[ "${!#}" = --last-good ] || echo --force --keep-going --last-good --verbose
		compgen -f -- "$cur"
		;;
	config,check,1 | config,save,1) compgen -f -- "$cur" ;;
	import,ipvsadm,1) compgen -f -- "$cur"; echo --keep-going fwmark ;;
	import,ipvsadm,*) echo --keep-going fwmark ;;
	monitor,*) echo config connections ;;
	explain,*) echo device ;;
	policy,add,3 | policy,del,3) echo allow deny rate ;;
	policy,add,*) [ "${!#}" = rate ] || echo burst ;;
	esac
}

_lbadm()
{
	local cur word object="" i words cword options=() candidates=""

	# Colons of addresses do not end words.
	if declare -F _get_comp_words_by_ref >/dev/null; then
		_get_comp_words_by_ref -n : cur words cword
	else
		words=("${COMP_WORDS[@]}") cword=$COMP_CWORD cur=${COMP_WORDS[COMP_CWORD]}
	fi
	for ((i = 1; i < cword; i++)); do
		word=${words[i]}
		case $word in
		-n | --netns) options+=("$word" "${words[++i]}") ;;
		-b | --batch | -c | --color) ((i++)) ;;
		-*) ;;
		*) object=$word; break ;;
		esac
	done
	if [ -z "$object" ]; then
		candidates="help $(_lbadm_ask help | awk '/^  [a-z]/ { print $1 }' | sort -u)"
	elif [ "$i" -eq $((cword - 1)) ]; then
		candidates="help $(_lbadm_ask "$object" help | awk -v o="$object" \
			'$1 == "lbadm" && $2 == o && $3 ~ /^[a-z]/ && !seen[$3]++ { print $3 }')"
	else
		candidates=$(_lbadm_candidates $((cword - i - 1)) "$object" \
			"${words[@]:i+1:cword-i-1}")
	fi
	mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$cur")
	! declare -F __ltrim_colon_completions >/dev/null ||
		__ltrim_colon_completions "$cur"
}
complete -F _lbadm lbadm
