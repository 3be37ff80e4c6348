#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: 6.1/default
# offload: default
#
# An unmodified nginx behind fullnat sees its clients' addresses and ports, with
# either receiver: IPv4, IPv6, and IPv6 clients of an IPv4 network, from 250
# addresses. With PROXY protocol it does so without a receiver. A client that
# sends an option with another address is not believed (50-rewrite, 58-toa).
#
# NFLB_CLIENT_REQUESTS: requests of each kind (default: 250).

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

requests=${NFLB_CLIENT_REQUESTS:-250}
toa=$TOP/userspace/build/nflb-toa
module=$(dirname "$NFLB_MODULE")/nflb_toa.ko
allow=10.0.99.0/24,2001:db8:99::/64

setup_topology
setup_local_addresses 2
start_nginx rs1
# IPv6 sockets for IPv4 too: what an IPv6 client of an IPv4 backend can be told to
sed -i 's/listen \[::\]:8080 ipv6only=on/listen [::]:8080 ipv6only=off/; /listen 8080/d' "$WORK/nginx-rs1/nginx.conf"
sed -i 's/listen 80 backlog=1024;/&\n listen 81 proxy_protocol; listen [::]:81 proxy_protocol ipv6only=on;/' "$WORK/nginx-rs1/nginx.conf"
sed -i 's/location \/client .*/&\nset_real_ip_from 10.0.99.0\/24; set_real_ip_from 2001:db8:99::\/64; real_ip_header proxy_protocol;/' "$WORK/nginx-rs1/nginx.conf"
ip netns pids rs1 | xargs kill -9
ns_bg rs1 nginx-again /usr/sbin/nginx -c "$WORK/nginx-rs1/nginx.conf" -e "$WORK/nginx-rs1/error.log"
wait_listen rs1 tcp 80
wait_listen rs1 tcp 81

for i in $(seq 250); do
	echo "addr add 198.51.100.$i/32 dev to-lb"
	echo "addr add 2001:db8:77::$i/128 dev to-lb nodad"
done | ip -n cl -batch -
ip -n lb route add 198.51.100.0/24 via $CL4
ip -n lb route add 2001:db8:77::/64 via $CL6

add_service tcp 4 80 mode fullnat toa on
show lb backend add tcp "$(vip 4 80)" "$(backend 4 1):80"
add_service tcp 6 80 mode fullnat toa on
show lb backend add tcp "$(vip 6 80)" "[$(backend 6 1)]:80"
# IPv6 to IPv4
add_service tcp 6 8080 mode fullnat toa on
show lb backend add tcp "$(vip 6 8080)" "$(backend 4 1):8080"
# No receiver needed
add_service tcp 4 81 mode fullnat proxy-protocol on
show lb backend add tcp "$(vip 4 81)" "$(backend 4 1):81"
add_service tcp 6 81 mode fullnat proxy-protocol on
show lb backend add tcp "$(vip 6 81)" "$(backend 4 1):81"

ask() { # FAMILY PORT REQUESTS
	local prefix=198.51.100.
	[ "$1" = 4 ] || prefix=2001:db8:77::
	ns cl "$PYTHON" "$E2E/tools/client_addresses.py" "$(vip_of "$1")" "$2" \
		$prefix 250 "$3" 2>&1 || true
}

ask_all() { # WHO
	assert_eq "$1, IPv4" "$(ask 4 80 "$requests" | tail -n 1)" "right $requests"
	assert_eq "$1, IPv6" "$(ask 6 80 "$requests" | tail -n 1)" "right $requests"
	assert_eq "$1, IPv6 to IPv4" "$(ask 6 8080 "$requests" | tail -n 1)" "right $requests"
}

assert_eq "PROXY protocol, IPv4" "$(ask 4 81 50 | tail -n 1)" "right 50"
assert_eq "PROXY protocol, IPv6 to IPv4" "$(ask 6 81 50 | tail -n 1)" "right 50"
assert_match "without a receiver" "$(ask 4 80 1)" "the server saw 10\\.0\\.99\\.[12] "

tried=0
if insmod "$module" "allow=$allow" 2>"$WORK/insmod"; then
	tried=$((tried + 1))
	ask_all module
	rmmod nflb_toa
else
	note "no module here: $(cat "$WORK/insmod")"
fi
lb connection flush >/dev/null
mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup2 /sys/fs/cgroup || true
if "$toa" attach --allow "$allow" 2>"$WORK/attach"; then
	tried=$((tried + 1))
	ask_all BPF
	note "$("$toa" stats | paste -sd' ')"
	"$toa" detach
else
	note "no BPF here: $(cat "$WORK/attach")"
fi
[ "${NFLB_VM:-}" = uml ] || assert_eq "receivers tried" "$tried" 2
assert_match "without a receiver again" "$(ask 4 80 1)" "the server saw 10\\.0\\.99\\.[12] "
assert_no_drops
