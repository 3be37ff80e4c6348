# SPDX-License-Identifier: GPL-2.0
#
# Features of a kernel's headers, whatever its version, for compat.h.

nflb_has_header = $(if $(wildcard $(srctree)/include/$(1)),-D$(2))
nflb_has = $(shell grep -qE '$(2)' $(srctree)/include/$(1) 2>/dev/null && echo -D$(3))

ccflags-y += $(call nflb_has,net/net_namespace.h,register_net_sysctl_sz,NFLB_HAVE_NET_SYSCTL_SZ)
ccflags-y += $(call nflb_has,net/genetlink.h,genl_info_dump,NFLB_HAVE_GENL_INFO_DUMP)
ccflags-y += $(call nflb_has,net/dst.h,dst_dev_rcu.const,NFLB_HAVE_DST_DEV_RCU)
ccflags-y += $(call nflb_has,net/route.h,dscp_t dscp. struct net_device .devin,NFLB_HAVE_ROUTE_INPUT_DSCP)
ccflags-y += $(call nflb_has,net/flow.h,flowi4_dscp,NFLB_HAVE_FLOWI4_DSCP)
ccflags-y += $(call nflb_has_header,net/gso.h,NFLB_HAVE_NET_GSO_H)
ccflags-y += $(call nflb_has_header,linux/unaligned.h,NFLB_HAVE_LINUX_UNALIGNED_H)
ccflags-y += $(call nflb_has,linux/sysctl.h,typedef int proc_handler.const struct ctl_table,NFLB_HAVE_CONST_CTL_TABLE)
ccflags-y += $(call nflb_has,net/inet6_hashtables.h,struct inet_hashinfo .hashinfo,NFLB_HAVE_LOOKUP_HASHINFO)
ccflags-y += $(call nflb_has,linux/filter.h,bpf_net_ctx_get_ri,NFLB_HAVE_BPF_NET_CONTEXT)
ccflags-y += $(call nflb_has,linux/netdevice.h,xdp_features_t[[:space:]]+xdp_features,NFLB_HAVE_XDP_FEATURES)
