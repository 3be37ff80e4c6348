# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The topologies of `make shell`. Each has a name, a line of text, topology_NAME, which
# creates it, and configure_NAME, which types what its page of the documentation types.
# Functions of lib.sh do the work; the names alone need nothing.

declare -A TOPOLOGIES=(
	[dnat]="client, balancer, three backends (docs/tutorial-dnat.md)"
	[router]="the same with a router between client and balancer"
	[fullnat]="two arms: backends without a route to the client (docs/tutorial-fullnat.md)"
	[one-arm]="all hosts in one subnet (docs/tutorial-fullnat.md)"
	[dsr]="backends that reach the client through a router (docs/tutorial-dsr.md)"
)

# topology_list: "NAME  what it is", a line each
topology_list() {
	local name
	for name in dnat router fullnat one-arm dsr; do
		printf '  %-8s %s\n' "$name" "${TOPOLOGIES[$name]}"
	done
}

# topology_check NAME: is there one of that name? If not, say which there are.
topology_check() {
	[ -z "$1" ] || [ -z "${TOPOLOGIES[$1]:-}" ] || return 0
	{
		echo "there is no topology \"$1\"; there are:"
		topology_list
	} >&2
	return 1
}

# --- creating them: no VIP is configured -----------------------------------------

topology_dnat() {
	setup_topology no-vip
	start_nginx
}

topology_router() {
	setup_topology router no-vip
	start_nginx
}

topology_fullnat() {
	setup_topology no-vip
	only_local_addresses
	start_nginx
}

topology_dsr() {
	setup_dsr
	ip -n lb addr flush dev lo scope global
	start_nginx
}

# client, balancer and two backends with one device each, eth0, on a switch
topology_one-arm() {
	local host
	trap cleanup EXIT
	_add_ns sw cl lb rs1 rs2
	ip -n sw link add bridge type bridge
	ip -n sw link set bridge up
	for host in cl lb rs1 rs2; do
		_link "$host" eth0 sw "to-$host"
		ip -n sw link set "to-$host" master bridge
	done
	_addr cl eth0 10.5.0.2/24 2001:db8:5::2/64
	_addr lb eth0 10.5.0.1/24 2001:db8:5::1/64
	_addr rs1 eth0 10.5.0.11/24 2001:db8:5::11/64
	_addr rs2 eth0 10.5.0.12/24 2001:db8:5::12/64
	start_nginx rs1 rs2
}

# --- configuring the balancer, as the pages do -------------------------------------

# type_on HOST COMMAND...: show it, run it
type_on() {
	local host=$1
	shift
	echo "$host# $*"
	ns "$host" "$@"
}

configure_dnat() {
	type_on lb ip addr add "$VIP4/32" dev lo
	type_on lb lbadm service add tcp "$VIP4:80" scheduler wrr
	type_on lb lbadm backend add tcp "$VIP4:80" "${RS4[1]}" weight 2
	type_on lb lbadm backend add tcp "$VIP4:80" "${RS4[2]}"
}

configure_router() { configure_dnat; }

configure_fullnat() {
	type_on lb ip addr add "$VIP4/32" dev lo
	type_on lb ip addr add "$LA4.1/32" dev lo
	type_on lb ip addr add "$LA4.2/32" dev lo
	type_on lb lbadm laddr add "$LA4.1-$LA4.2"
	type_on lb lbadm service add tcp "$VIP4:80" mode fullnat toa on
	type_on lb lbadm backend add tcp "$VIP4:80" "${RS4[1]}"
	type_on lb lbadm backend add tcp "$VIP4:80" "${RS4[2]}"
}

configure_one-arm() {
	type_on lb ip addr add 10.5.0.10/32 dev eth0
	type_on lb lbadm laddr add 10.5.0.1 ports 1024-32767
	type_on lb lbadm service add tcp 10.5.0.10:80 mode fullnat toa on scheduler rr
	type_on lb lbadm backend add tcp 10.5.0.10:80 10.5.0.11
	type_on lb lbadm backend add tcp 10.5.0.10:80 10.5.0.12
}

configure_dsr() {
	local n
	type_on lb ip addr add "$VIP4/32" dev lo
	type_on lb lbadm service add tcp "$VIP4:80" mode dsr encap gue
	for n in 1 2; do
		type_on lb lbadm backend add tcp "$VIP4:80" "10.0.2$n.2"
		type_on "rs$n" lbadm backend-setup apply "$VIP4" "10.0.2$n.2" encap gue
	done
}
