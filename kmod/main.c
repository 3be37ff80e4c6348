// SPDX-License-Identifier: GPL-2.0
/*
 * nflb: a layer-4 load balancer. Loading and unloading, nothing else.
 */
#include <linux/module.h>

#include "nflb.h"
#include "netns.h"
#include "version.h"
#include <linux/nflb.h>
#include <net/genetlink.h>

#include "control/device.h"
#include "control/genl.h"
#include "control/listen.h"
#include "service/laddr.h"
#include "service/source.h"
#include "sched/draw.h"
#include "conn/conn.h"
#include "path/xdp.h"

static int __init nflb_init(void)
{
	int err;

	nflb_draw_lots_init();
	nflb_laddr_init();
	err = nflb_conn_cache_init();
	if (err)
		return err;
	err = nflb_netns_init();
	if (err)
		goto err_cache;
	err = nflb_source_init();
	if (err)
		goto err_netns;
	err = nflb_device_init();
	if (err)
		goto err_source;
	err = nflb_listen_init();
	if (err)
		goto err_device;
	nflb_xdp_init();
	err = nflb_genl_init();
	if (err)
		goto err_listen;
	return 0;

err_listen:
	nflb_listen_exit();
err_device:
	nflb_device_exit();
err_source:
	nflb_source_exit();
err_netns:
	nflb_netns_exit();
err_cache:
	nflb_conn_cache_exit();
	return err;
}

static void __exit nflb_exit(void)
{
	nflb_genl_exit();
	nflb_listen_exit();
	nflb_device_exit();
	nflb_source_exit();
	nflb_netns_exit();
	nflb_conn_cache_exit();
}

module_init(nflb_init);
module_exit(nflb_exit);

MODULE_DESCRIPTION("Layer-4 load balancer");
MODULE_AUTHOR("nflb maintainers");
MODULE_LICENSE("GPL");
MODULE_VERSION(NFLB_VERSION);
MODULE_ALIAS_GENL_FAMILY(NFLB_GENL_NAME);
