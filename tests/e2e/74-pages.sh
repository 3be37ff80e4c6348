#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
#
# What the pages of the documentation say can be typed as it stands there, and
# prints what they show.
#
# Parts are called by their names, which shellcheck does not see:
# shellcheck disable=SC2317

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# shellcheck source=tests/e2e/lib/topologies.sh
. "$E2E/lib/topologies.sh"

# Pages name files of the working directory, and those of /etc.
cd "$WORK"
mkdir -p /etc/nflb/netns /var/lib/nflb

again() {
	lb config flush
	ip -n lb addr flush dev lo scope global
}

nat() {
	setup_topology no-vip
	start_nginx
	page tutorial-dnat.md ''
	again
	page tutorial-fullnat.md 'Two arms'
	for i in 1 2 3 4; do
		assert_match "answer $i in mode fullnat" "$(http_get 4 80)" '^rs[12]$'
	done
	page tutorial-fullnat.md 'IPv6 in front, IPv4 behind'
	page policy.md ''
}

firewall() {
	setup_topology no-vip
	start_nginx
	add_service tcp 4 80
	add_backend tcp 4 80 1
	_addr cl to-lb 198.51.100.7/32
	ip -n lb route add 198.51.100.7 dev to-cl
	assert_eq "before the rules" "$(http_get 4 80 --interface 198.51.100.7)" rs1
	page nftables.md 'Deny clients'
	assert_fails "a client that is denied" http_get 4 80 --interface 198.51.100.7 --max-time 2
	page nftables.md 'A host firewall that drops by default'
	page nftables.md 'NAT for connections of the backends'
	assert_eq "a client" "$(http_get 4 80)" rs1
	assert_eq "the balancer itself" "$(ns lb curl -sS --max-time 5 "http://${RS4[1]}/")" rs1
}

dsr() {
	setup_dsr
	start_nginx rs1 rs2
	again
	page tutorial-dsr.md 'The balancer'
	page tutorial-dsr.md 'The backends'
	dsr_setup apply gue 4 4
	for i in 1 2 3 4; do
		assert_match "answer $i in mode dsr" "$(http_get 4 80)" '^rs[12]$'
	done
}

one_arm() {
	topology_one-arm
	page tutorial-fullnat.md 'One arm' 1-1
	for i in 1 2 3 4 5 6 7 8 9 10; do
		assert_match "answer $i in one arm" "$(ns cl curl -sS http://10.5.0.10/)" '^rs[12]$'
	done
	page tutorial-fullnat.md 'One arm' 2-2 lb
	lb config flush
	page tutorial-fullnat.md 'How many connections' 2-2 lb
}

replies_came() { [ "$(stat_of dsr-reply-here)" -gt 0 ]; }
drained() { lb -j backend show | jq -e 'any(.condition == "drained")'; }
established() { [ "$(lb connection count state established)" = 1 ]; }
dsr_by_the_balancer() {
	setup_topology
	start_nginx rs1
	lb service add tcp "$(vip 4 80)" mode dsr
	lb backend add tcp "$(vip 4 80)" "${RS4[1]}"
	dsr_setup apply none 4 4 1
	assert_fails "HTTP" ns cl curl -sS -m 3 --local-port 49086 "http://$VIP4/"
	wait_for replies_came
	page tutorial-dsr.md "The backends' route to clients" lb
}

readme() {
	setup_topology no-vip
	# A way back to the client
	ip -n lb route add 198.51.100.7 dev to-cl
	page README.md 'Run it' lb
}

running() {
	setup_topology no-vip
	start_nginx rs1 rs2
	add_service tcp 4 80 scheduler wrr
	add_backend tcp 4 80 1 weight 2
	add_backend tcp 4 80 2 max-connections 100
	page lifecycle.md 'Health' lb
	page lifecycle.md 'Slow start' lb
	lb service set tcp "$(vip 4 80)" slow-start 0
	http_get 4 80
	page lifecycle.md 'Draining' 1-1 lb
	add_service tcp 4 443
	lb backend add tcp "$(vip 4 443)" "${RS4[1]}"
	lb backend add tcp "$(vip 4 443)" "${RS4[1]}:8443"
	page lifecycle.md 'Draining' 2-2 lb
	again
	page lifecycle.md 'Persistence' 1-1 lb
	add_backend tcp 4 80 1
	http_get 4 80
	page lifecycle.md 'Persistence' 2-2 lb
	page schedulers.md 'One packet at a time' lb
	page schedulers.md 'Agreement' lb
}

reading() {
	setup_topology no-vip
	add_service tcp 4 80 scheduler wlc persist 300/24/64
	lb backend add tcp "$(vip 4 80)" "${RS4[1]}:80"
	lb backend add tcp "$(vip 4 80)" "${RS4[2]}:80" weight 2
	page output.md 'Tables' 1-1 lb
	page output.md 'Colours' lb
	page output.md 'Watching' lb
	page proc.md '/proc/net/nflb/services' lb
	ip -n lb link add eth0 type dummy
	page performance.md 'The fast path' lb
	lb config flush
	add_service tcp 4 80
	lb backend add tcp "$(vip 4 80)" "${RS4[1]}"
	page output.md 'Tables' 2-3 lb
}

explaining() {
	setup_topology no-vip
	start_nginx
	add_service tcp 4 80 scheduler wlc persist 300
	for i in 1 2 3; do
		lb backend add tcp "$(vip 4 80)" "${RS4[$i]}:8080"
	done
	lb backend set tcp "$(vip 4 80)" "${RS4[3]}:8080" state drain
	page explain.md '' 1-1 lb
	http_get 4 80
	page explain.md '' 2-2 lb
	ns_bg cl established "$PYTHON" -c "import socket, time
s = socket.create_connection(('$VIP4', 80), source_address=('$CL4', 40003))
time.sleep(600)"
	wait_for established
	page explain.md '' 3-3 lb
	lb config flush
	add_service tcp 4 80 scheduler wlc
	lb backend add tcp "$(vip 4 80)" "${RS4[1]}:8080" weight 2 state down
	lb backend add tcp "$(vip 4 80)" "${RS4[2]}:8080" weight 0
	lb backend add tcp "$(vip 4 80)" "${RS4[3]}:8080" state drain
	wait_for drained
	page explain.md '' 4-4 lb
	add_service udp 4 53 mode dsr encap gue scheduler wrr
	add_backend udp 4 53 2
	page explain.md '' 5-6 lb
}

# service PORT [KEYS [BACKEND...]]: as a configuration has it
service() {
	printf '{"protocol": "tcp", "address": "%s", "port": %s%s, "backends": [%s]}\n' "$VIP4" \
		"$1" "${2:+, $2}" "$(IFS=,; echo "${*:3}")"
}
services() { (IFS=,; echo "{\"services\": [$*]}"); }
server() { echo "{\"address\": \"$1\"${2:+, $2}}"; }

configuration() {
	local dns
	setup_topology no-vip
	add_service tcp 4 80 scheduler wrr
	add_backend tcp 4 80 1 weight 2
	add_backend tcp 4 80 2
	lb config save | sed 's/"weight": 2/"wieght": 2/' >typo.json
	services "$(service 80 '"encap": "ipip"')" \
		'{"protocol": "tcp", "address": "10.0.0.9", "port": 80}' \
		"{\"protocol\": \"tcp\", \"address\": \"192.0.2.11\", \"port\": 80,
			\"backends\": [$(server 10.0.0.9)]}" >rules.json
	page configuration.md '' lb

	lb backend set tcp "$(vip 4 80)" "${RS4[1]}" weight 1
	lb backend del tcp "$(vip 4 80)" "${RS4[2]}"
	add_backend tcp 4 80 3 weight 3
	lb backend add tcp "$(vip 4 80)" 10.0.14.2
	lb backend drain tcp "$(vip 4 80)" 10.0.14.2
	dns="{\"protocol\": \"udp\", \"address\": \"$VIP4\", \"port\": 53, \"scheduler\": \"maglev\",
		\"backends\": [$(server "${RS4[2]}")]}"
	services "$dns" "$(service 80 '"scheduler": "wrr"' "$(server "${RS4[1]}" '"weight": 2')" \
		"$(server 10.0.14.2)")" | tee nflb.json >/etc/nflb/nflb.json
	page configuration.md 'Compare before you apply' 1-1 lb
	lb config apply nflb.json
	page configuration.md 'Compare before you apply' 2-2 lb
	lb backend set tcp "$(vip 4 80)" "${RS4[1]}" weight 1
	page configuration.md 'Summary of an apply' 2-2 lb

	lb config flush
	add_service tcp 4 80 scheduler rr
	for i in 1 2 3; do
		add_backend tcp 4 80 "$i"
	done
	services "$(service 80 '"scheduler": "wlc"' "$(server "${RS4[1]}")")" "$(service 81)" \
		"$(service 82)" "$(service 83)" >/etc/nflb/nflb.json
	page configuration.md 'Summary of an apply' 1-1 lb

	ip -n lb link add eth0 type dummy
	echo '{"devices": ["eth0", "ens5f0"]}' >/etc/nflb/nflb.json
	page configuration.md 'Applying a file' lb
	page configuration.md 'At boot' lb
	_add_ns blue
	page configuration.md 'Other network namespaces' lb
}

migrating() {
	setup_topology no-vip
	cat >ipvs.save <<-TEXT
		-A -t 192.0.2.10:80 -s wlc
		-a -t 192.0.2.10:80 -r 10.0.11.2:80 -m -w 1
	TEXT
	page from-ipvsadm.md '' 1-1 lb
	assert_eq "services" "$(lb -j service show | jq length)" 1
	cat >ipvs.save <<-TEXT
		-A -t 192.0.2.10:80 -s wlc
		-a -t 192.0.2.10:80 -r 10.0.11.2:80 -m -w 1
		-a -t 192.0.2.10:80 -r 10.0.12.2:80 -m -w 1
		-A -t 192.0.2.10:81 -s dh
		-a -t 192.0.2.10:81 -r 10.0.11.2:81 -m -w 1
		-a -t 192.0.2.10:81 -r 10.0.12.2:81 -m -w 1
		-A -u 192.0.2.10:53 -s rr
		-a -u 192.0.2.10:53 -r 10.0.11.2:53 -m -w 1
		-A -f 3 -s rr
		-a -f 3 -r 10.0.11.2:0 -m -w 1
		-A -t 192.0.2.10:82 -s rr
		-a -t 192.0.2.10:82 -r 10.0.11.2:82 -m -w 1
		-A -t 192.0.2.10:83 -s rr
		-a -t 192.0.2.10:83 -r 10.0.11.2:83 -m -w 1
	TEXT
	page from-ipvsadm.md '' 2-2 lb
	cat >ipvs.save <<-TEXT
		-A -f 1 -s rr
		-a -f 1 -r 10.0.11.2:0 -m -w 1
	TEXT
	page from-ipvsadm.md 'Firewall marks' lb
}

# Each has a topology of its own, and is a case of its own.
trap - ERR
failed=0
for part in nat firewall dsr one_arm dsr_by_the_balancer readme running reading explaining \
	configuration migrating; do
	set +e
	(
		set -eE
		trap _on_error ERR
		"$part"
	)
	code=$?
	set -e
	if [ $code = 0 ]; then
		echo "ok pages-$part"
	else
		echo "not ok pages-$part: status $code"
		failed=1
	fi
done
exit $failed
