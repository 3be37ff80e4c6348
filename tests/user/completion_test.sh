#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What completion of bash offers, of words and of what there is. Speaks TAP.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LBADM=${LBADM:-$here/../../userspace/build/lbadm}

# A balancer with two services; help is lbadm's own.
lbadm() {
	local netns=""
	if [ "$1" = -n ]; then
		netns=$2
		shift 2
	fi
	case "$netns $*" in
	*help*) "$LBADM" "$@" ;;
	" service show" | "x service show")
		printf '%s\n' "tcp 192.0.2.10:80 mode dnat" "  -> 10.0.0.1:80 weight 1" \
			"udp [2001:db8::1]:53 mode dsr"
		;;
	" service show tcp 192.0.2.10:80")
		printf '%s\n' "tcp 192.0.2.10:80 mode dnat" "  -> 10.0.0.1:80 weight 1" \
			"  -> 10.0.0.2:80 weight 1"
		;;
	" backend show") printf '%s\n' "tcp 192.0.2.10:80" "  -> 10.0.0.1:80 weight 1" ;;
	" device show") echo "eth7 xdp" ;;
	*) return 1 ;;
	esac
}

# shellcheck source=userspace/completion/lbadm.bash
. "$here/../../userspace/completion/lbadm.bash"

number=0 failed=0
offers() { # "WORDS", the last one to be completed; WHAT
	local expected=$2
	read -r -a COMP_WORDS <<<"lbadm $1"
	[ "${1: -1}" != " " ] || COMP_WORDS+=("")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	COMPREPLY=()
	_lbadm
	number=$((number + 1))
	if [ "${COMPREPLY[*]}" = "$expected" ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1: ${COMPREPLY[*]}, not $expected"
		failed=1
	fi
}

offers "ser" "service"
offers "service " "help add set replace del show"
offers "config " "help save apply check flush"
offers "service add " "tcp udp"
offers "service add tcp " ""
offers "service set tcp " "192.0.2.10:80"
offers "service show udp " "[2001:db8::1]:53"
offers "policy " "help add del show apply flush"
offers "config apply --k" "--keep-going"
offers "policy add tcp " "192.0.2.10:80"
offers "policy add tcp 192.0.2.10:80 " "allow deny rate"
offers "-n x service show udp " "[2001:db8::1]:53"
offers "-n y service show udp " ""
offers "service set tcp 192.0.2.10:80 timeout-f" "timeout-fin"
offers "backend del tcp 192.0.2.10:80 " "10.0.0.1:80 10.0.0.2:80"
offers "backend add tcp 192.0.2.10:80 " ""
offers "backend set tcp 192.0.2.10:80 10.0.0.1:80 w" "weight"
offers "connection show " "service backend client state"
offers "connection flush " "all service backend client state"
offers "connection flush service tcp " "192.0.2.10:80"
offers "connection show backend " "10.0.0.1:80"
offers "connection show service tcp " "192.0.2.10:80"
offers "connection show client 10.0.0.1 state es" "established"
offers "device del " "eth7"
offers "device del eth7 " "xdp"
offers "health " "help show force"
offers "health force tcp 192.0.2.10:80 10.0.0.1:80 " "up down clear"
offers "config apply --f" "--force"
offers "monitor config " "config connections"
echo "1..$number"
exit $failed
