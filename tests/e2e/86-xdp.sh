#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: 6.12/default
# offload: default
#
# lbadm device add|del|show DEV xdp: attached, kept, found again, detached; what is
# refused, and with which words; what it means for rmmod, and who lets go of it.
#
# It takes a kernel whose JIT lets BPF call functions of modules, and a module with
# BTF: Debian's 6.12, and 6.1 where the build of the module makes its BTF.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ -e /sys/kernel/btf/vmlinux ] ||
	skip "this kernel has no BTF, and no JIT that could call the module from XDP"
[ -e /sys/kernel/btf/nflb ] || skip "this module has no BTF"

PINS=/sys/fs/bpf/nflb

# The program's number, when it is attached in driver mode
program() { # DEV
	ip -n lb -j link show "$1" | jq '.[0].xdp | select(.mode == 1) | .prog.id'
}

pins() { find $PINS -type f | wc -l; }
table() { lb -H device show "$@" | tr -s " "; }
devices() { lb -j device show | jq -c "sort_by(.device)"; }

# refused WHAT STATUS REGEX WORDS...: lbadm says that, and changes nothing
refused() {
	local what=$1 status=$2 regex=$3 before code=0 said
	shift 3
	before="$(devices) $(pins)"
	said=$(lb "$@" 2>&1) || code=$?
	assert_match "$what" "$said" "$regex"
	assert_eq "$what: exit status" "$code" "$status"
	assert_eq "$what: attached" "$(devices) $(pins)" "$before"
}

answers() { assert_eq "answer" "$(http_get 4 80)" rs1; }

setup_topology
start_nginx rs1
add_service tcp 4 80
add_backend tcp 4 80 1
answers

# --- add, show, del

# From where ip has put another /sys, and with no BPF file system mounted yet
umount ${PINS%/*} 2>/dev/null || true
show ip netns exec lb "$LBADM" device add to-cl xdp
assert_eq "show" "$(table)" "to-cl on on"
assert_eq "as JSON" "$(devices)" '[{"device":"to-cl","xdp":true}]'
assert_match "program, in driver mode" "$(program to-cl)" '^[0-9]+$'
assert_eq "pins" "$(pins)" 1
answers

# On top of the hook
show lb device add to-rs1
assert_eq "hook alone" "$(table to-rs1)" "to-rs1 on off"
ip netns exec lb "$LBADM" device add to-rs1 xdp
assert_eq "pins" "$(pins)" 2
both='[{"device":"to-cl","xdp":true},{"device":"to-rs1","xdp":true}]'
assert_eq "both" "$(devices)" "$both"
assert_eq "both, from there" \
	"$(ip netns exec lb "$LBADM" -j device show | jq -c "sort_by(.device)")" "$both"
assert_eq "the host's own" "$("$LBADM" -j device show)" "[]"
answers

# Where is a packet taken? A veth device hands frames to peers with GRO.
ns rs1 ethtool -K to-lb gro on
taken() { lb explain tcp "$CL4:$1" "$VIP4:80" "${@:2}" | sed -n 's/^taken  *//p'; }
coproc HELD { ns cl bash -c "exec 3<>/dev/tcp/$VIP4/80; echo open; read -r _"; }
read -r _ <&"${HELD[0]}"
held=$(ns cl ss -Htn state established dst $VIP4 | awk '{ sub(".*:", "", $3); print $3 }')
assert_eq "a new connection" "$(taken 9)" "by the netfilter hook PREROUTING"
assert_eq "a known one" "$(taken "$held")" "by xdp on to-cl"
assert_eq "from another device" "$(taken "$held" device to-rs2)" "by the netfilter hook PREROUTING"
assert_eq "as JSON" "$(lb -j explain tcp "$CL4:$held" $VIP4:80 | jq -r .door)" xdp
show lb device del to-cl xdp
assert_eq "by the hook alone" "$(taken "$held")" "by the ingress hook on to-cl"
lb device add to-cl xdp
echo >&"${HELD[1]}"
wait "$HELD_PID"

ip -n lb link set to-cl down
ip -n lb link set to-cl name other
assert_eq "renamed" "$(table other)" "other on on"
ip -n lb link set other name to-cl
ip -n lb link set to-cl up
_addr lb to-cl $LB_CL6/64

refused "twice" 2 "XDP is attached to to-cl already" device add to-cl xdp
refused "hook twice" 2 "already" device add to-cl
assert_fails "rmmod" rmmod nflb

show lb device del to-rs1 xdp
assert_eq "hook alone again" "$(table to-rs1)" "to-rs1 on off"
assert_eq "program" "$(program to-rs1)" ""
refused "not there" 2 "XDP is not attached to to-rs1" device del to-rs1 xdp
show ip netns exec lb "$LBADM" device del to-cl
show lb device del to-rs1
assert_eq "all gone" "$(devices) $(pins) $(program to-cl)" "[] 0 "
answers

# As the page says, whose devices have other names
for dev in eth0 eth1; do
	ip -n lb link add $dev type veth peer name p-$dev
done
page xdp.md 'Attach, show, detach' lb
lb device del eth0
for dev in eth0 eth1; do
	ip -n lb link del $dev
done

# --- configuration

save() { lb config save | jq -c .devices; }

cat >"$WORK/nflb.json" <<-'JSON'
	{ "devices": [ { "device": "to-cl", "xdp": true }, "to-rs1" ] }
JSON
show lb config check "$WORK/nflb.json"
show lb config apply "$WORK/nflb.json"
first=$(program to-cl)
assert_eq "saved" "$(save)" '[{"device":"to-cl","xdp":true},"to-rs1"]'
show lb config apply "$WORK/nflb.json"
assert_eq "the same program, after the same again" "$(program to-cl)" "$first"
echo '{ "devices": [ "to-cl", { "device": "to-rs1", "xdp": true } ] }' >"$WORK/nflb.json"
show lb config apply "$WORK/nflb.json"
assert_eq "saved" "$(save)" '["to-cl",{"device":"to-rs1","xdp":true}]'
# What fails last undoes what came before.
ip -n lb link add d0 type dummy
echo '{ "devices": [ { "device": "to-cl", "xdp": true }, { "device": "d0", "xdp": true } ] }' >"$WORK/nflb.json"
refused "a part" 2 "device d0: the driver of d0 \(dummy\) has no XDP" config apply "$WORK/nflb.json"
show lb config flush
assert_eq "flushed" "$(devices) $(pins)" "[] 0"

# --- refusals

refused "no driver" 2 'the driver of d0 \(dummy\) has no XDP; use "device add d0"' \
	device add d0 xdp
refused "no device" 2 "no such device" device add d9 xdp
refused "loopback" 2 "loopback" device add lo xdp

ip -n lb link add v0 numrxqueues 2 numtxqueues 2 type veth peer name v1 numrxqueues 2 numtxqueues 2
ns lb ethtool -L v1 tx 2
ns lb ethtool -L v0 rx 1
refused "the driver's own reason" 2 "cannot be attached to v0 \(driver veth\): .*queues" \
	device add v0 xdp

ip -n lb link add link to-rs2 name to-rs2.7 type vlan id 7
refused "VLAN" 2 "to-rs2 has VLANs, .*: ethtool -K to-rs2 rxvlan off" device add to-rs2 xdp
ns lb ethtool -K to-rs2 rxvlan off
show lb device add to-rs2 xdp
show lb device del to-rs2

# Somebody else's program; it calls the balancer, as docs/xdp.md shows.
awk '/^    \/\/ SPDX/ { take = 1 } take && /^[^ ]/ { exit } take { print substr($0, 5) }' \
	"$TOP/docs/xdp.md" >"$WORK/mine.bpf.c"
clang -O2 -g -target bpf -I"/usr/include/$(gcc -print-multiarch)" -c -o "$WORK/mine.bpf.o" "$WORK/mine.bpf.c"
show ip -n lb link set to-rs1 xdpdrv obj "$WORK/mine.bpf.o" section xdp
mine=$(program to-rs1)
refused "another program" 2 "to-rs1 has an XDP program already \(number $mine\)" device add to-rs1 xdp
show lb device add to-rs1
assert_eq "another program" "$(table to-rs1)" \
	"to-rs1 on other $mine another XDP program"
assert_eq "as JSON" "$(devices)" \
	"[{\"device\":\"to-rs1\",\"xdp\":false,\"xdp-program\":$mine}]"
refused "not ours" 2 "number $mine\) is not lbadm's" device del to-rs1 xdp
add_service tcp 4 80
add_backend tcp 4 80 1
answers
show lb device del to-rs1
assert_eq "it stays" "$(program to-rs1)" "$mine"
ip -n lb link set to-rs1 xdp off

# Root of a user namespace has the hook, but no BPF.
code=0
said=$(unshare -rn bash -c "
	ip link add u0 type veth peer name u1
	$LBADM device add u0 xdp
	code=\$?
	$LBADM -j device show
	exit \$code" 2>&1) || code=$?
assert_match "root of a user namespace" "$said" "permission denied: XDP needs"
assert_eq "exit status" "$code" 3
assert_eq "nothing is attached" "$(tail -n 1 <<<"$said")" "[]"

# --- who lets go

ip -n lb link del v0
ip -n lb link add v0 type veth peer name v1

# A pin of a device that is gone holds the module, until lbadm looks.
gone() { [ "$(lb -j device show)" = "[]" ] && [ "$(pins)" = 0 ]; }
ip netns add x
ip -n x link add x0 type veth peer name x1
"$LBADM" -n x device add x0 xdp
lb device add v1 xdp
# With the same number of a device: that of another namespace is not ours
assert_eq "of this namespace" "$(devices)" '[{"device":"v1","xdp":true}]'
assert_eq "pins" "$(pins)" 2
ip netns del x
ip -n lb link del v1
assert_fails "rmmod, while there are pins" rmmod nflb
wait_for gone

# One that came from another namespace brings XDP with it, but not the hook.
ip -n lb link add v0 type veth peer name v1
lb device add v0 xdp
ip -n lb link set v0 netns cl
assert_eq "moved" "$(devices)" "[]"
assert_eq "moved here" "$("$LBADM" -H -n cl device show | tr -s " ")" "v0 off on"
"$LBADM" -n cl device del v0
assert_eq "moved here" "$("$LBADM" -n cl device show) $(pins)" " 0"

# What is no pin of lbadm's stays as it is.
lb device add to-rs1 xdp
mv $PINS/xdp-* $PINS/xdp-1
assert_eq "under another name" "$(lb -j device show | jq -c '.[].xdp')" false
rm $PINS/xdp-1
assert_eq "removed by hand" "$(program to-rs1)" ""
lb device del to-rs1

# --- a module without BTF does all else

# The kernel frees programs a little later.
wait_for rmmod nflb
objcopy -R .BTF "$NFLB_MODULE" "$WORK/plain.ko"
insmod "$WORK/plain.ko"
refused "no BTF" 2 "the module nflb has no BTF, .*; rebuild the module" device add to-rs1 xdp
show lb device add to-rs1
rmmod nflb
code=0
said=$(lb device add to-rs1 xdp 2>&1) || code=$?
assert_match "no module" "$code $said" "^3 .*the module nflb is not loaded"
insmod "$NFLB_MODULE"
