#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: uml/default
# offload: default
#
# Devices of a configuration that are missing when it is applied: a warning, and
# the fast path when they appear.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

setup_topology
start_nginx

config() { # DEVICES, as JSON
	cat >"$WORK/nflb.json" <<-JSON
		{ "services": [ { "protocol": "tcp", "address": "$VIP4", "port": 80,
		                  "backends": [ { "address": "${RS4[1]}" } ] } ],
		  "devices": [ $1 ] }
	JSON
}
devices() { lb -j device show | jq -c 'map([.device, .absent // false])'; }
fast() { lb -j stats show | jq '.. | objects | select(has("fast-path"))["fast-path"]'; }
warning() { # DEVICE [AND]
	echo "lbadm: warning: device $1 is missing: the fast path is attached when it appears${2-}"
}

# --- one that is there, one that is not: all the rest is applied
config '"to-rs1", "uplink"'
said=$(lb config apply --quiet "$WORK/nflb.json" 2>&1)
assert_eq "what apply says" "$said" "$(warning uplink)"
assert_eq "devices" "$(devices)" '[["to-rs1",false],["uplink",true]]'
assert_eq "as text" "$(lb -H device show uplink | tr -s " ")" "uplink absent off attached when it appears"
assert_eq "services" "$(lb -j service show | jq length)" 1
assert_eq "saved" "$(lb config save | jq -c .devices)" '["to-rs1","uplink"]'

# Again: no change, the same warning
ns_bg lb events "$LBADM" -j monitor config
# An address that comes and goes marks where the monitor begins to listen, and how far
# it has come
marked() { # ADDR
	lb laddr add "$1"
	lb laddr del "$1"
	grep -q "laddr-del.*$1" "$WORK/events.log"
}
wait_for marked 10.99.0.1
said=$(lb config apply --quiet "$WORK/nflb.json" 2>&1)
assert_eq "what apply says again" "$said" "$(warning uplink)"
wait_for marked 10.99.0.2
assert_eq "events" "$(grep -v laddr "$WORK/events.log" || true)" ""

# --- the device appears, and packets go that way
ip -n lb link set to-cl down
ip -n lb link set to-cl name uplink
ip -n lb link set uplink up
_addr lb uplink $LB_CL6/64
assert_eq "devices" "$(devices)" '[["to-rs1",false],["uplink",false]]'
wait_for grep -q device-add "$WORK/events.log"
assert_eq "event" "$(grep -v laddr "$WORK/events.log" | jq -c .)" '{"event":"device-add","device":"uplink"}'
for family in 4 6; do
	[ $family = 4 ] || { add_service tcp 6 80 && add_backend tcp 6 80 1; }
	before=$(fast)
	wait_for http_get $family 80
	http_get $family 80 >/dev/null
	[ "$(fast)" -gt "$before" ] || fail "IPv$family: nothing took the fast path"
	lb explain tcp "$CL4:9" "$VIP4:80" | grep -q . || fail "no answer"
done
said=$(lb config apply --quiet "$WORK/nflb.json" 2>&1)
assert_eq "what apply says now" "$said" ""

# --- it goes and comes back: a device that was configured is waited for again
config '"to-rs1", "d0"'
ip -n lb link add d0 type dummy
lb config apply "$WORK/nflb.json"
assert_eq "devices" "$(devices)" '[["to-rs1",false],["d0",false]]'
ip -n lb link del d0
assert_eq "gone" "$(devices)" '[["to-rs1",false],["d0",true]]'
ip -n lb link add d0 type dummy
assert_eq "back" "$(devices)" '[["to-rs1",false],["d0",false]]'
ip -n lb link set d0 netns cl
assert_eq "in another namespace" "$(devices)" '[["to-rs1",false],["d0",true]]'
ip -n cl link set d0 netns lb
assert_eq "back from there" "$(devices)" '[["to-rs1",false],["d0",false]]'
ip -n lb link del d0
ip -n lb link add d1 type dummy
ip -n lb link property add dev d1 altname d0
ip -n lb link set d1 up
assert_eq "by another of its names" "$(devices)" '[["to-rs1",false],["d1",false]]'
ip -n lb link del d1
assert_eq "gone again" "$(devices)" '[["to-rs1",false],["d0",true]]'
lb device del d0
assert_fails "twice" lb device del d0

# --- what is added by hand has to be there, and is not waited for
assert_fails "a missing device" lb device add d0
ip -n lb link add d0 type dummy
lb device add d0
ip -n lb link del d0
assert_eq "by hand" "$(devices)" '[["to-rs1",false]]'

# --- the file goes, and so does the wait; what is refused leaves nothing
config '"to-rs1", "d0"'
lb config apply "$WORK/nflb.json" 2>/dev/null
config '"to-rs1"'
lb config apply "$WORK/nflb.json"
assert_eq "no more" "$(devices)" '[["to-rs1",false]]'
config "\"to-rs1\", $(seq -s, 1 258 | sed 's/[0-9]\+/"m&"/g')"
said=$(lb config apply "$WORK/nflb.json" 2>&1) && fail "258 missing devices are taken"
assert_match "bound" "$said" "device m256: kernel: 256 devices are awaited already, the maximum"
assert_eq "undone" "$(devices)" '[["to-rs1",false]]'

# --- as many as there may be, and as many others instead
config "$(seq -s, 1 256 | sed 's/[0-9]\+/"m&"/g')"
lb config apply "$WORK/nflb.json" 2>/dev/null
config "\"to-rs1\", $(seq -s, 302 556 | sed 's/[0-9]\+/"m&"/g')"
lb config apply "$WORK/nflb.json" 2>/dev/null
assert_eq "as many others" "$(lb -j device show | jq -c '[length, .[0].device, .[-1].device]')" '[256,"to-rs1","m556"]'

# --- so many that are there are not forgotten when they go, all at once
config "\"to-rs1\", $(seq -s, 1 200 | sed 's/[0-9]\+/"m&"/g')"
seq 1 200 | sed 's/.*/link add m& type dummy/' >"$WORK/add"
sed 's/add \(m[0-9]*\).*/del \1/' "$WORK/add" >"$WORK/del"
ip -n lb -batch "$WORK/add"
lb config apply "$WORK/nflb.json"
missing() { lb -j device show | jq 'map(select(.absent)) | length'; }
assert_eq "none is missing" "$(missing)" 0
ip -n lb -batch "$WORK/del"
assert_eq "all are missing" "$(missing)" 200
# Two change names: each entry waits for its own.
ip -n lb link add m1 type dummy
ip -n lb link set m1 name m2
assert_eq "by the name of another" "$(lb -j device show m2 | jq -c 'map([.device, .absent])')" '[["m2",null]]'
assert_eq "m1 is missing" "$(lb -j device show m1 | jq -c 'map(.absent)')" '[true]'
ip -n lb link del m2
assert_eq "all are missing again" "$(missing)" 200
config '"to-rs1"'
lb config apply "$WORK/nflb.json"
assert_eq "no more of them" "$(devices)" '[["to-rs1",false]]'
config '"lo"'
assert_fails "loopback" lb config apply "$WORK/nflb.json"

# --- one that is refused when it appears, as it is in a bridge, gets it when it leaves
config '"to-rs1", "d0"'
ip -n lb link add d1 type dummy
ip -n lb link add bridge0 type bridge
ip -n lb link set d1 master bridge0
lb config apply "$WORK/nflb.json" 2>/dev/null
ip -n lb link property add dev d1 altname d0
ip -n lb link set d1 up
assert_eq "in a bridge" "$(devices)" '[["to-rs1",false],["d0",true]]'
ip -n lb link set d1 nomaster
assert_eq "out of it" "$(devices)" '[["to-rs1",false],["d1",false]]'
ip -n lb link del d1
ip -n lb link del bridge0

# --- XDP: the hook comes with the device, XDP with the next apply
config '"to-rs1", { "device": "d9", "xdp": true }'
said=$(lb config apply --quiet "$WORK/nflb.json" 2>&1)
assert_eq "what apply says of XDP" "$said" "$(warning d9 ', XDP by the next "config apply"')"
said=$(lb config apply --verbose "$WORK/nflb.json" 2>/dev/null)
assert_eq "what apply changes while d9 is missing" "$said" "nothing changed"
assert_eq "the difference" "$(lb config diff "$WORK/nflb.json")" ""
assert_eq "devices" "$(devices)" '[["to-rs1",false],["d9",true]]'
assert_eq "saved with XDP" "$(lb config save | jq -c .devices)" '["to-rs1",{"device":"d9","xdp":true}]'
assert_match "shown" "$(lb device show d9)" 'absent +wanted +attached when it appears, XDP by the next "config apply"'
ip -n lb link add d9 type dummy
assert_eq "the hook comes" "$(lb -j device show d9 | jq -c .)" '[{"device":"d9","xdp-wanted":true}]'
assert_match "shown late" "$(lb device show d9)" 'on +wanted +XDP waits for the next "config apply"'
assert_eq "saved late" "$(lb config save | jq -c .devices)" '["to-rs1",{"device":"d9","xdp":true}]'
assert_eq "the difference" "$(lb config diff "$WORK/nflb.json" | head -1)" "~ device d9: xdp off -> on"
ip -n lb link del d9
assert_eq "wanted again" "$(lb -j device show d9 | jq -c .)" '[{"device":"d9","absent":true,"xdp-wanted":true}]'
lb device del d9 xdp
assert_eq "no wish" "$(lb config save | jq -c .devices)" '["to-rs1","d9"]'
lb config flush
assert_eq "flushed" "$(devices)" "[]"

# --- a namespace that waits can go
for i in 1 2 3; do
	ip netns add gone$i
	echo '{ "devices": [ "d0", "d1" ] }' | "$LBADM" -n gone$i config apply - 2>/dev/null
	ip netns del gone$i
done
