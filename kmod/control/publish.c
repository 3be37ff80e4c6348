// SPDX-License-Identifier: GPL-2.0
/*
 * A service's snapshot: built aside, then seen by packets in one step.
 */
#include "control/config.h"
#include "control/lifecycle.h"
#include "control/objects.h"
#include "userns.h"
#include "service/endpoint.h"
#include "service/forward_ops.h"
#include "netns.h"
#include "sched/sched.h"

/*
 * Packets of connections that go in GUE go on so: they need the port. It is never
 * 0, for a packet may see the one before the other.
 */
static void set_forward(struct nflb_backend *b,
			const struct nflb_service_settings *settings)
{
	const struct nflb_forward_ops *ops = nflb_backend_forward(b, settings);

	if (ops->encap == NFLB_ENCAP_GUE || !b->gue_port)
		WRITE_ONCE(b->gue_port, b->encap_port ?: settings->encap_port ?:
					htons(NFLB_GUE_PORT));
	WRITE_ONCE(b->forward, ops);
	nflb_endpoint_forward(b, ops);
}

/*
 * To make a large table takes long. So a user who has no room for it is refused before,
 * or could have the host make what nobody pays for, again and again.
 */
static int slots_room(struct nflb_service *svc,
		      const struct nflb_service_settings *settings,
		      struct netlink_ext_ack *extack)
{
	u32 slots = svc->nn->maglev_table_size;
	int err;

	if (!nflb_sched_find(settings->scheduler)->large ||
	    !svc->backend_count || slots <= svc->slots)
		return 0;
	err = nflb_user_charge(svc->nn, NFLB_USER_SLOTS, slots - svc->slots,
			       extack);
	if (!err)
		nflb_user_uncharge(svc->nn, NFLB_USER_SLOTS,
				   slots - svc->slots);
	return err;
}

/* A user pays for the tables of schedulers. */
static int slots_charge(struct nflb_service *svc,
			const struct nflb_snapshot *snapshot,
			struct netlink_ext_ack *extack)
{
	int err = 0;

	if (snapshot->slots > svc->slots)
		err = nflb_user_charge(svc->nn, NFLB_USER_SLOTS,
				       snapshot->slots - svc->slots, extack);
	else
		nflb_user_uncharge(svc->nn, NFLB_USER_SLOTS,
				   svc->slots - snapshot->slots);
	if (!err)
		svc->slots = snapshot->slots;
	return err;
}

/* @configured: the configuration changed */
static int publish(struct nflb_service *svc,
		   const struct nflb_service_settings *settings,
		   bool configured, struct netlink_ext_ack *extack)
{
	struct nflb_snapshot *snapshot, *old;
	struct nflb_backend *b;
	int err;

	err = nflb_backends_check(svc, settings, extack) ?:
	      slots_room(svc, settings, extack);
	if (err)
		return err;
	snapshot = nflb_snapshot_build(svc, settings);
	if (IS_ERR(snapshot)) {
		NL_SET_ERR_MSG(extack, "no memory for the scheduler's table");
		return PTR_ERR(snapshot);
	}
	err = slots_charge(svc, snapshot, extack);
	if (err) {
		nflb_snapshot_free(snapshot);
		return err;
	}
	down_write(&svc->nn->view);
	svc->settings = *settings;
	svc->panic = snapshot->panic;
	svc->behind = false;
	if (configured)
		nflb_changed(svc->nn);
	/* Probes reach any listed backend (control/genl_probe.c), even without snapshot. */
	list_for_each_entry(b, &svc->backends, list)
		set_forward(b, settings);
	up_write(&svc->nn->view);
	nflb_lifecycle_gone(svc, true);
	old = rcu_replace_pointer(svc->snapshot, snapshot,
				  lockdep_is_held(&svc->nn->mutex));
	nflb_lifecycle_gone(svc, false);
	nflb_snapshot_free_rcu(old);
	return 0;
}

/**
 * nflb_service_publish() - let packets see a service's settings and backends
 * @svc: the service; nn->mutex is held
 * @settings: new ones
 * @extack: for a message
 *
 * Return: 0; or a negative errno, and nothing has changed.
 */
int nflb_service_publish(struct nflb_service *svc,
			 const struct nflb_service_settings *settings,
			 struct netlink_ext_ack *extack)
{
	return publish(svc, settings, true, extack);
}
NFLB_EXPORT_KUNIT(nflb_service_publish);

/**
 * nflb_service_republish() - let packets see changes of a service's backends
 * @svc: the service; nn->mutex is held
 * @extack: for a message
 *
 * That is no change of the configuration.
 *
 * Return: 0; or a negative errno, and nothing has changed.
 */
int nflb_service_republish(struct nflb_service *svc,
			   struct netlink_ext_ack *extack)
{
	return publish(svc, &svc->settings, false, extack);
}
