#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
#
# All of the configuration from a file and to one: random ones; and with traffic
# of services that stay as they are.
#
# NFLB_CONFIGS: how many random ones (default: 25).

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

setup_topology
for i in 0 1 2; do
	ip -n lb link add any$i type dummy
done
seen=$("$PYTHON" "$E2E/tools/config_property.py" "$LBADM" lb "${NFLB_CONFIGS:-25}" 2>&1) ||
	fail "random configurations: $seen"
note "$seen"

# --- a download goes on while all around it changes

start_nginx
head -c 32000000 /dev/urandom >"$WORK/files/big"
sum=$(sha256sum <"$WORK/files/big")
config() { # WEIGHT-OF-BACKEND-2 PORT-OF-THE-OTHER
	cat >"$WORK/nflb.json" <<JSON
{
  "services": [
    { "protocol": "tcp", "address": "$VIP4", "port": 80,
      "backends": [ { "address": "${RS4[1]}" }, { "address": "${RS4[2]}", "weight": $1 } ] },
    { "protocol": "udp", "address": "$VIP4", "port": $2, "mode": "dsr",
      "backends": [ { "address": "${RS4[3]}" } ] }
  ]
}
JSON
}
config 0 5000
show lb config apply "$WORK/nflb.json"
ns_bg cl download "$PYTHON" "$E2E/tools/download.py" "http://$VIP4/files/big" "$WORK/go"
wait_for grep -q begun "$WORK/download.log"
for port in 5001 5002 5003; do
	config $((port % 2)) $port
	lb config apply "$WORK/nflb.json"
	assert_eq "connections" "$(lb connection count state established)" 1
	assert_eq "of the first backend" "$(lb connection count backend "$(backend 4 1)")" 1
done
touch "$WORK/go"
wait_for grep -q "${sum%% *}" "$WORK/download.log"
note "the download was not disturbed"
