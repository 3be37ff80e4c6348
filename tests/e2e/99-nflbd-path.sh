#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
#
# Checks of nflbd through the module: in each mode and encapsulation, of IPv4 and IPv6, by
# each protocol, every backend answers its own check, also one that gets no connections.
# A dsr backend without the VIP is unhealthy, although a direct check says that it is
# healthy. A server that dies is found, and not another one in its place. A check whose
# connection is lost, or not made, has a void result.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

NFLBD=$(dirname "$LBADM")/nflbd
[ -x "$NFLBD" ] || skip "nflbd is not built"

export LBADM
setup_dsr
start_nginx
start_udp_echo 5353
show lb laddr add 10.0.1.1
show lb laddr add 2001:db8:1::1

# TLS on 443, gRPC on 8443, both on 8444; DNS on 53
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=rs \
	-keyout "$WORK/key.pem" -out "$WORK/cert.pem" 2>/dev/null
mkdir -p "$WORK/grpc/grpc.health.v1.Health"
printf '\0\0\0\0\2\10\1' >"$WORK/grpc/grpc.health.v1.Health/Check"
cat >"$WORK/more.conf" <<-CONF
	user root;
	worker_processes 1;
	daemon off;
	pid $WORK/more.pid;
	events { }
	http {
		access_log off;
		ssl_certificate $WORK/cert.pem;
		ssl_certificate_key $WORK/key.pem;
		server {
			listen 443 ssl;
			listen [::]:443 ssl;
			location / { return 200 "well\n"; }
		}
		server {
			listen 8443 http2;
			listen [::]:8443 http2;
			listen 8444 ssl http2;
			listen [::]:8444 ssl http2;
			# A proxy, because it reads the question before it answers.
			location / {
				proxy_method GET;
				proxy_set_body "";
				proxy_pass http://127.0.0.1:8445;
			}
		}
		server {
			listen 127.0.0.1:8445;
			root $WORK/grpc;
			default_type application/grpc;
		}
	}
CONF
for rs in rs1 rs2 rs3; do
	sed "s,more.pid,more-$rs.pid," "$WORK/more.conf" >"$WORK/more-$rs.conf"
	ns_bg "$rs" "more-$rs" /usr/sbin/nginx -c "$WORK/more-$rs.conf" -e "$WORK/more-$rs.err"
	ns_bg "$rs" "dns-$rs" "$PYTHON" "$E2E/tools/dns_server.py" 53
	# The connections that it got: a repeated SYN is no other one.
	ns "$rs" nft -f - <<-'NFT'
		table inet count {
			set seen {
				type inet_proto . inet_service . inet_service
				size 65535
				flags dynamic
			}
			chain input {
				type filter hook input priority 0
				iifname "lo" accept
				tcp flags & (syn | ack) == syn \
					add @seen { meta l4proto . th dport . th sport }
				udp dport { 53, 5353 } add @seen { meta l4proto . th dport . th sport }
			}
		}
	NFT
done
for rs in rs1 rs2 rs3; do
	for port in 53 443 8443 8444; do wait_listen "$rs" tcp $port; done
	wait_listen "$rs" udp 53
done

# seen N: "tcp/80:1 udp/53:1", the connections that rsN got; and forget them.
seen() {
	ns "rs$1" nft -j list set inet count seen |
		jq -r '[.nftables[].set? // empty | .elem[]? | (.elem.val? // .).concat |
			"\(.[0])/\(.[1])"] | group_by(.) | map("\(.[0]):\(length)") | join(" ")'
	ns "rs$1" nft flush set inet count seen
}

CHECKS=$(cat <<'JSON'
[ ["tcp", 53, {"protocol": "dns"}],
  ["tcp", 80, {"protocol": "http"}],
  ["tcp", 443, {"protocol": "https"}],
  ["tcp", 8080, {"protocol": "tcp", "send": "GET / HTTP/1.0\r\n\r\n", "expect": "HTTP/1.1 200"}],
  ["tcp", 8443, {"protocol": "grpc"}],
  ["tcp", 8444, {"protocol": "grpcs"}],
  ["udp", 53, {"protocol": "dns"}],
  ["udp", 5353, {"protocol": "udp", "send": "question", "expect": "rs"}] ]
JSON
)
ALL="tcp/443:1 tcp/53:1 tcp/80:1 tcp/8080:1 tcp/8443:1 tcp/8444:1 udp/53:1 udp/5353:1"

# configure MODE ENCAP FAMILY CHECKS KEYS: services with these checks. The scheduler would
# choose rs1 nearly always, and rs3 never.
configure() {
	local mode=$1 encap=$2 family=$3 n addresses=()
	for n in 1 2 3; do
		case $mode in
		dsr) addresses+=("$(dsr_backend "$encap" "$family" $n)") ;;
		*) addresses+=("$(backend "$family" $n)") ;;
		esac
	done
	lb config save | jq --argjson checks "$4" --argjson keys "$5" --arg mode "$mode" \
		--arg encap "$encap" --arg vip "$(vip_of "$family")" \
		'.services = [$checks[] | {protocol: .[0], address: $vip, port: .[1], mode: $mode,
			scheduler: "wrr", "health-check": (.[2] + $keys),
			backends: [$ARGS.positional | to_entries[] |
				{address: .value, weight: [100, 1, 0][.key]}]} +
			if $mode == "dsr" then {encap: $encap} else {} end]' \
		--args "${addresses[@]}" >"$WORK/nflb.json"
	jq '.services = []' "$WORK/nflb.json" | lb config apply - >/dev/null
	lb config apply "$WORK/nflb.json" >/dev/null
}

probes() { ns lb "$PYTHON" "$E2E/tools/probe.py" count; }

# once: run all checks, a result a line
once() { ns lb "$NFLBD" --json --once "$WORK/nflb.json" || true; }

# answers WHAT: each check is answered by its own backend.
answers() {
	local n bad
	once >"$WORK/results"
	bad=$(jq -c 'select(.result != "success" or .via != "path")' "$WORK/results")
	assert_eq "$1: not answered" "$bad" ""
	for n in 1 2 3; do assert_eq "$1: seen by rs$n" "$(seen $n)" "$ALL"; done
	assert_eq "$1: probes that are left" "$(probes)" 0
}

path='{"via": "path", "criteria": {"timeout": 20}}'
auto='{"criteria": {"timeout": 20}}'

# --- each backend answers its own check

for family in 4 6; do
	for mode in dnat fullnat; do
		configure $mode - $family "$CHECKS" "$path"
		answers "$mode, IPv$family"
	done
	for encap in none ipip gue; do
		dsr_setup apply $encap $family $family 1 2 3
		configure dsr $encap $family "$CHECKS" "$auto"
		answers "dsr $encap, IPv$family"
		dsr_setup undo $encap $family $family 1 2 3
	done
done

# The VIP need not be an address of the balancer.
dsr_setup apply none 4 4 1 2 3
ip -n lb addr del $VIP4/32 dev lo
configure dsr none 4 "$CHECKS" "$auto"
answers "dsr, VIP elsewhere"
ip -n lb addr add $VIP4/32 dev lo

# --- what is void

reasons() { once | jq -r '"\(.result) \(.reason) \(.detail // "")"' | sort -u; }

web='[["tcp", 80, {"protocol": "http"}]]'
dsr_setup undo none 4 4 1 2 3
configure dnat - 4 "$web" "$path"
lb backend del tcp "$VIP4:80" "${RS4[1]}"
assert_eq "a backend that the module does not have" "$(reasons)" \
	"success null 200
void probe-lost the service has no such backend"
lb service del tcp "$VIP4:80"
assert_eq "no service" "$(reasons)" "void probe-lost there is no such service"
hang='[["tcp", 80, {"protocol": "tcp", "expect": "greeting"}]]'
configure dnat - 4 "$hang" '{"via": "path", "criteria": {"timeout": 8}}'
reasons >"$WORK/lost" &
reader=$!
connected() { [ "$(ns lb ss -Htn state established dport = :80 | wc -l)" = 3 ]; }
wait_for connected
lb backend del tcp "$VIP4:80" "${RS4[2]}"
wait $reader
assert_eq "a connection that is lost" "$(cat "$WORK/lost")" "failure timeout 
void probe-lost "
rmmod nflb
assert_match "no module" "$(once | head -n1)" "not checked.*the module nflb is not loaded"
insmod "$NFLB_MODULE"
show lb laddr add 10.0.1.1
show lb laddr add 2001:db8:1::1

# --- verdicts

health() { # FAMILY PORT BACKEND
	lb -j health show tcp "$(vip "$1" "$2")" "$3" |
		jq -r '.[0] | "\(.health) \(."health-reason" // "")"'
}
is() { [ "$(health "$1" "$2" "$3")" = "$4" ]; }
becomes() { wait_for is "$@"; }

echo '{"max-in-flight": 64}' >"$WORK/nflbd.json"
criteria='{"interval": 0.3, "timeout": 2, "fast-interval": 0.1}'
ns_bg lb nflbd "$NFLBD" --settings "$WORK/nflbd.json"
nflbd=$!
for family in 4 6; do
	# A direct check cannot see that a backend has no VIP.
	dsr_setup apply gue $family $family 1 2 3
	configure dsr gue $family '[["tcp", 80, {"protocol": "http"}],
		["tcp", 8080, {"protocol": "http", "via": "direct"}]]' "{\"criteria\": $criteria}"
	for n in 1 2 3; do
		becomes $family 80 "$(dsr_backend gue $family $n)" "healthy "
		becomes $family 8080 "$(dsr_backend gue $family $n)" "healthy "
	done
	address=$(ip -n rs2 -o addr show to "$(vip_of $family)" | awk '{ print $4, "dev", $2; exit }')
	# shellcheck disable=SC2086 # an address and its device
	ip -n rs2 addr del $address
	becomes $family 80 "$(dsr_backend gue $family 2)" "unhealthy connect-timeout"
	assert_eq "a direct check" "$(health $family 8080 "$(dsr_backend gue $family 2)")" "healthy "
	assert_eq "another backend" "$(health $family 80 "$(dsr_backend gue $family 3)")" "healthy "
	# shellcheck disable=SC2086
	ip -n rs2 addr add $address
	becomes $family 80 "$(dsr_backend gue $family 2)" "healthy "
	dsr_setup undo gue $family $family 1 2 3

	# The others do not answer for one that is dead, nor for one that is unhealthy.
	configure dnat - $family "$web" "{\"via\": \"path\", \"criteria\": $criteria}"
	for n in 1 2 3; do becomes $family 80 "$(backend $family $n)" "healthy "; done
	kill "$(cat "$WORK/nginx-rs1/pid")"
	becomes $family 80 "$(backend $family 1)" "unhealthy connect-refused"
	for n in 2 3; do assert_eq "rs$n" "$(health $family 80 "$(backend $family $n)")" "healthy "; done
	start_nginx rs1
	becomes $family 80 "$(backend $family 1)" "healthy "
done

# A dsr backend would take the answer for its own.
configure dnat - 4 "$web" "{\"via\": \"path\", \"source\": \"$VIP4\", \"criteria\": $criteria}"
for n in 1 2 3; do becomes 4 80 "$(backend 4 $n)" "healthy "; done
lb service add tcp "$VIP4:81" mode dsr
wait_for grep -q 'no result: check-broken "source" is a VIP of mode dsr' "$WORK/nflbd.log"
for n in 1 2 3; do assert_eq "rs$n" "$(health 4 80 "$(backend 4 $n)")" "healthy "; done

kill "$nflbd"
wait_for eval "! kill -0 $nflbd 2>/dev/null"
none_left() { [ "$(probes)" = 0 ]; }
wait_for none_left
