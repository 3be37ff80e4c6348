// SPDX-License-Identifier: GPL-2.0
/*
 * Backends: add, set, delete, replace all.
 */
#include <linux/list_sort.h>
#include <linux/slab.h>

#include "control/config.h"
#include "control/genl_notify.h"
#include "control/health.h"
#include "control/labels.h"
#include "control/lifecycle.h"
#include "control/objects.h"
#include "service/direct.h"
#include "service/endpoint.h"
#include "conn/conn.h"
#include "conn/persist.h"
#include "netns.h"

/**
 * nflb_backend_find() - a configured backend by its identity
 * @svc: its service; nn->mutex or nn->view is held
 * @req: address and port count
 *
 * Return: the backend or NULL.
 */
struct nflb_backend *nflb_backend_find(struct nflb_service *svc,
				       const struct nflb_backend_request *req)
{
	struct nflb_backend *b;

	lockdep_assert(nflb_config_held(svc->nn));
	list_for_each_entry(b, &svc->backends, list)
		if (b->port == req->port && b->family == req->family &&
		    nflb_addr_equal(&b->addr, &req->addr))
			return b;
	return NULL;
}
NFLB_EXPORT_KUNIT(nflb_backend_find);

/*
 * What one can set of a backend, apart from the object. @configured is the state of
 * its service's list. An apply of that does not undo what was set @by_hand.
 */
struct backend_settings {
	u32 weight;
	u32 max_connections;
	u8 configured;
	u8 by_hand;
	u8 mode;
	u8 encap;
	__be16 encap_port;
};

/* Dumps go by ascending ids. */
static int by_id(void *priv, const struct list_head *a,
		 const struct list_head *b)
{
	return list_entry(a, struct nflb_backend, list)->id >
	       list_entry(b, struct nflb_backend, list)->id;
}

static struct backend_settings settings_of(const struct nflb_backend *b)
{
	return (struct backend_settings){
		.weight = b->weight,
		.max_connections = b->max_connections,
		.configured = b->configured,
		.by_hand = b->by_hand,
		.mode = b->mode,
		.encap = b->encap,
		.encap_port = b->encap_port,
	};
}

/* The state that holds. States are in the order of how strict they are. */
static u8 state_of(const struct backend_settings *s)
{
	return max(s->configured, s->by_hand);
}

/* A state for one backend alone; `up` takes back all that keeps it from that. */
static void set_by_hand(struct backend_settings *s, u8 state)
{
	s->by_hand = state;
	if (state == NFLB_BACKEND_UP)
		s->configured = NFLB_BACKEND_UP;
}

static void settings_merge(struct backend_settings *s,
			   const struct nflb_backend_request *req, bool listed)
{
	if (req->set & NFLB_SET_WEIGHT)
		s->weight = req->weight;
	if (req->set & NFLB_SET_STATE && listed)
		s->configured = req->state;
	else if (req->set & NFLB_SET_STATE)
		set_by_hand(s, req->state);
	if (req->set & NFLB_SET_MAX_CONNS)
		s->max_connections = req->max_connections;
	if (req->set & NFLB_SET_BACKEND_MODE)
		s->mode = req->mode;
	if (req->set & NFLB_SET_BACKEND_ENCAP) {
		s->encap = req->encap;
		s->encap_port = req->encap_port;
	}
}

static void settings_store(struct nflb_backend *b,
			   const struct backend_settings *s)
{
	WRITE_ONCE(b->weight, s->weight);
	WRITE_ONCE(b->state, state_of(s));
	b->configured = s->configured;
	b->by_hand = s->by_hand;
	WRITE_ONCE(b->max_connections, s->max_connections);
	b->mode = s->mode;
	b->encap = s->encap;
	WRITE_ONCE(b->encap_port, s->encap_port);
}

/* The same, of one that readers can find. */
static void settings_change(struct nflb_backend *b,
			    const struct backend_settings *s)
{
	down_write(&b->service->nn->view);
	settings_store(b, s);
	up_write(&b->service->nn->view);
}

/* A stricter state set by hand hides the configured one. */
static bool settings_equal(const struct backend_settings *a,
			   const struct backend_settings *b)
{
	return a->weight == b->weight && state_of(a) == state_of(b) &&
	       a->by_hand == b->by_hand &&
	       a->max_connections == b->max_connections &&
	       a->mode == b->mode && a->encap == b->encap &&
	       a->encap_port == b->encap_port;
}

/* Whom readers and the next snapshot find. */
static void backend_list(struct nflb_backend *b)
{
	struct nflb_service *svc = b->service;

	lockdep_assert_held(&svc->nn->view);
	svc->backend_count++;
	list_add_tail(&b->list, &svc->backends);
}

static void backend_unlist(struct nflb_backend *b)
{
	lockdep_assert_held(&b->service->nn->view);
	b->service->backend_count--;
	list_del(&b->list);
}

/* What packets look up besides snapshots. */
static int backend_attach(struct nflb_backend *b)
{
	struct nflb_service *svc = b->service;
	struct nflb_host *host;
	int err;

	err = nflb_direct_alloc(svc->nn);
	if (err)
		return err;
	err = nflb_endpoint_attach(b);
	if (err)
		return err;
	host = nflb_host_get(svc->nn, &b->addr, b->family);
	if (!host) {
		nflb_endpoint_detach(b);
		return -ENOMEM;
	}
	WRITE_ONCE(host->backends, host->backends + 1);
	return 0;
}

static void backend_detach(struct nflb_backend *b)
{
	struct nflb_service *svc = b->service;
	struct nflb_host *host;

	rcu_read_lock();
	host = nflb_host_lookup(svc->nn, &b->addr, b->family);
	rcu_read_unlock();
	WRITE_ONCE(host->backends, host->backends - 1);
	nflb_host_put(svc->nn, host);
	nflb_endpoint_detach(b);
}

/**
 * nflb_backend_discard() - take a backend from the configuration
 * @backend: the backend; nn->mutex is held; no snapshot that packets can see
 *	has it, or its service is not found by packets any more
 * @gone: what its connections are told
 */
void nflb_backend_discard(struct nflb_backend *backend, enum nflb_gone gone)
{
	if (backend->gone != NFLB_GONE_ALL)
		WRITE_ONCE(backend->gone, gone);
	WRITE_ONCE(backend->deleted, true);
	down_write(&backend->service->nn->view);
	backend_unlist(backend);
	up_write(&backend->service->nn->view);
	backend_detach(backend);
	nflb_backend_put(backend);
}

/* One that is not listed yet, or ERR_PTR. */
static struct nflb_backend *
backend_make(struct nflb_service *svc, const struct nflb_backend_request *req,
	     const struct nflb_service_settings *s, bool listed,
	     struct netlink_ext_ack *extack)
{
	struct backend_settings settings;
	struct nflb_labels_change labels;
	struct nflb_backend *b;
	int err;

	err = nflb_loopback_check(svc->nn, &req->addr, req->family, extack);
	if (err)
		return ERR_PTR(err);
	b = nflb_backend_alloc(svc, &req->addr, req->family, req->port, extack);
	if (IS_ERR(b))
		return b;
	err = nflb_labels_prepare(&labels, b->labels, req->labels, false);
	if (!err) {
		nflb_labels_swap(&labels, b->labels);
		err = backend_attach(b);
	}
	if (err) {
		nflb_backend_put(b);
		return ERR_PTR(err);
	}
	settings = settings_of(b);
	settings_merge(&settings, req, listed);
	settings_store(b, &settings);
	nflb_health_init(b, s);
	if (b->state == NFLB_BACKEND_UP)
		nflb_lifecycle_came(b);
	return b;
}

/**
 * nflb_backend_add() - add a backend
 * @svc: its service; nn->mutex is held, there is no such backend
 * @req: the backend
 * @extack: for a message
 *
 * Return: 0; or a negative errno, and nothing has changed.
 */
int nflb_backend_add(struct nflb_service *svc,
		     const struct nflb_backend_request *req,
		     struct netlink_ext_ack *extack)
{
	struct nflb_backend *b;
	int err;

	if (req->set & NFLB_SET_DEADLINE && !(req->set & NFLB_SET_STATE &&
					      req->state == NFLB_BACKEND_DRAIN)) {
		NL_SET_ERR_MSG(extack, "a deadline needs state drain");
		return -EINVAL;
	}
	if (svc->backend_count >= NFLB_BACKENDS_MAX) {
		NL_SET_ERR_MSG(extack, "the service has 4096 backends, the maximum");
		return -ENOSPC;
	}
	b = backend_make(svc, req, &svc->settings, false, extack);
	if (IS_ERR(b))
		return PTR_ERR(b);
	down_write(&svc->nn->view);
	backend_list(b);
	up_write(&svc->nn->view);
	err = nflb_service_publish(svc, &svc->settings, extack);
	if (err) {
		nflb_backend_discard(b, NFLB_GONE_ALL);
		return err;
	}
	nflb_lifecycle_state(b, req->set & NFLB_SET_DEADLINE, req->deadline);
	nflb_notify_backend(b, NFLB_CMD_BACKEND_ADD);
	nflb_backend_warn(b, extack);
	return 0;
}
NFLB_EXPORT_KUNIT(nflb_backend_add);

/* Change what packets see of a backend; or nothing, with a negative errno. */
static int settings_set(struct nflb_backend *backend,
			const struct nflb_backend_request *req,
			const struct backend_settings *old,
			const struct backend_settings *new,
			struct netlink_ext_ack *extack)
{
	bool came = state_of(new) == NFLB_BACKEND_UP &&
		    state_of(old) != NFLB_BACKEND_UP;
	int err;

	settings_change(backend, new);
	if (came)
		nflb_lifecycle_came(backend);
	err = nflb_service_publish(backend->service,
				   &backend->service->settings, extack);
	if (err) {
		settings_change(backend, old);
		if (came)
			backend->ramping = false;
		return err;
	}
	if (state_of(new) != state_of(old) || new->by_hand != old->by_hand ||
	    req->set & NFLB_SET_DEADLINE)
		nflb_lifecycle_state(backend, req->set & NFLB_SET_DEADLINE,
				     req->deadline);
	return 0;
}

/* Dumps that are under way tell their readers. */
static void labels_change(struct nflb_backend *b,
			  struct nflb_labels_change *labels)
{
	down_write(&b->service->nn->view);
	nflb_labels_swap(labels, b->labels);
	nflb_changed(b->service->nn);
	up_write(&b->service->nn->view);
}

/**
 * nflb_backend_set() - change a backend
 * @backend: the backend; nn->mutex is held
 * @req: what is to change
 * @extack: for a message
 *
 * Return: 0; or a negative errno, and nothing has changed.
 */
int nflb_backend_set(struct nflb_backend *backend,
		     const struct nflb_backend_request *req,
		     struct netlink_ext_ack *extack)
{
	struct backend_settings old = settings_of(backend), new = old;
	struct nflb_labels_change labels;
	bool differs;
	int err;

	settings_merge(&new, req, false);
	if (req->set & NFLB_SET_DEADLINE && new.by_hand != NFLB_BACKEND_DRAIN) {
		NL_SET_ERR_MSG(extack, "a deadline needs state drain");
		return -EINVAL;
	}
	err = nflb_labels_prepare(&labels, backend->labels, req->labels, false);
	if (err)
		return err;
	differs = !settings_equal(&new, &old) || req->set & NFLB_SET_DEADLINE;
	if (differs)
		err = settings_set(backend, req, &old, &new, extack);
	if (!err && nflb_labels_differ(&labels)) {
		labels_change(backend, &labels);
		differs = true;
	}
	nflb_labels_free(labels.text);
	if (err || !differs)
		return err;
	nflb_notify_backend(backend, NFLB_CMD_BACKEND_SET);
	if (req->set & (NFLB_SET_BACKEND_MODE | NFLB_SET_BACKEND_ENCAP))
		nflb_backend_warn(backend, extack);
	return 0;
}
NFLB_EXPORT_KUNIT(nflb_backend_set);

/**
 * nflb_backend_del() - delete a backend
 * @backend: the backend; nn->mutex is held
 * @now: end its TCP connections too, not only let them run out
 * @extack: for a message
 *
 * Return: 0; or a negative errno, and nothing has changed.
 */
int nflb_backend_del(struct nflb_backend *backend, bool now,
		     struct netlink_ext_ack *extack)
{
	struct nflb_service *svc = backend->service;
	LIST_HEAD(parked);
	int err;

	down_write(&svc->nn->view);
	list_move(&backend->list, &parked);
	up_write(&svc->nn->view);
	err = nflb_service_publish(svc, &svc->settings, extack);
	if (err) {
		down_write(&svc->nn->view);
		list_move_tail(&backend->list, &svc->backends);
		list_sort(NULL, &svc->backends, by_id);
		up_write(&svc->nn->view);
		return err;
	}
	nflb_notify_backend(backend, NFLB_CMD_BACKEND_DEL);
	nflb_backend_discard(backend, now ? NFLB_GONE_ALL :
					    NFLB_GONE_STATELESS);
	nflb_conn_gc_kick(svc->nn);
	nflb_persist_kick(svc->nn);
	return 0;
}

/* One step of a replacement, to be undone or made known. */
struct replaced {
	struct nflb_backend	*backend;
	struct backend_settings	old;
	struct backend_settings	new;
	struct nflb_labels_change labels;
	bool			added;
	bool			came;
};

/* A replacement: @count steps, and the backends that the list does not have. */
struct replacement {
	struct nflb_service	*svc;
	struct replaced		*done;
	u32			count;
	struct list_head	parked;
};

/* What is not named of a backend in a list has its default. */
static const struct backend_settings backend_defaults = {
	.weight = 1,
	.configured = NFLB_BACKEND_UP,
	.mode = NFLB_MODE_INHERIT,
	.encap = NFLB_ENCAP_INHERIT,
};

/* Make what is new; nothing can be seen of it yet. */
static int replace_make(struct replacement *r,
			const struct nflb_service_request *req,
			const struct nflb_service_settings *settings,
			struct netlink_ext_ack *extack)
{
	for (r->count = 0; r->count < req->backend_count; r->count++) {
		const struct nflb_backend_request *one =
			&req->backends[r->count];
		struct replaced *d = &r->done[r->count];
		int err;

		cond_resched();
		d->backend = nflb_backend_find(r->svc, one);
		d->added = !d->backend;
		if (d->added)
			d->backend = backend_make(r->svc, one, settings, true,
						  extack);
		if (IS_ERR(d->backend))
			return PTR_ERR(d->backend);
		d->old = settings_of(d->backend);
		d->new = backend_defaults;
		if (!(req->set & NFLB_SET_FORCE))
			d->new.by_hand = d->old.by_hand;
		settings_merge(&d->new, one, true);
		err = d->added ? 0 :
		      nflb_labels_prepare(&d->labels, d->backend->labels,
					  one->labels, true);
		if (err)
			return err;
	}
	return 0;
}

/* Does it change something that packets see? */
static bool replace_differs(const struct replacement *r,
			    const struct nflb_service_settings *settings)
{
	const struct nflb_service *svc = r->svc;
	u32 i;

	if (!rcu_access_pointer(svc->snapshot) ||
	    r->count != svc->backend_count ||
	    memcmp(settings, &svc->settings, sizeof(*settings)))
		return true;
	for (i = 0; i < r->count; i++)
		if (r->done[i].added ||
		    !settings_equal(&r->done[i].old, &r->done[i].new))
			return true;
	return false;
}

static void replace_unmake(struct replacement *r)
{
	u32 i;

	for (i = 0; i < r->count; i++)
		if (r->done[i].added) {
			backend_detach(r->done[i].backend);
			nflb_backend_put(r->done[i].backend);
		}
}

/* List and change what the list has, and put the others aside: in one step. */
static void replace_apply(struct replacement *r)
{
	struct nflb_service *svc = r->svc;
	LIST_HEAD(before);
	u32 i;

	down_write(&svc->nn->view);
	list_splice_init(&svc->backends, &before);
	for (i = 0; i < r->count; i++) {
		struct replaced *d = &r->done[i];
		struct nflb_backend *b = d->backend;

		if (d->added) {
			backend_list(b);
			continue;
		}
		list_move_tail(&b->list, &svc->backends);
		settings_store(b, &d->new);
		if (nflb_labels_differ(&d->labels)) {
			nflb_labels_swap(&d->labels, b->labels);
			nflb_changed(svc->nn);
		}
		d->came = b->state == NFLB_BACKEND_UP &&
			  state_of(&d->old) != NFLB_BACKEND_UP;
		if (d->came)
			nflb_lifecycle_came(b);
	}
	/* Dumps go by ascending ids. */
	list_sort(NULL, &svc->backends, by_id);
	list_splice(&before, &r->parked);
	up_write(&svc->nn->view);
}

static void replace_undo(struct replacement *r)
{
	struct nflb_service *svc = r->svc;
	u32 i;

	down_write(&svc->nn->view);
	for (i = 0; i < r->count; i++) {
		struct replaced *d = &r->done[i];

		if (d->added) {
			backend_unlist(d->backend);
			continue;
		}
		settings_store(d->backend, &d->old);
		nflb_labels_swap(&d->labels, d->backend->labels);
		if (d->came)
			d->backend->ramping = false;
	}
	list_splice_init(&r->parked, &svc->backends);
	list_sort(NULL, &svc->backends, by_id);
	up_write(&svc->nn->view);
}

/* @known: events are wanted; a new service's come with the service itself */
static void replace_finish(struct replacement *r, bool known)
{
	struct backend_settings now;
	struct nflb_backend *b, *tmp;
	u32 i;

	list_for_each_entry_safe(b, tmp, &r->parked, list) {
		nflb_notify_backend(b, NFLB_CMD_BACKEND_DEL);
		nflb_backend_discard(b, NFLB_GONE_STATELESS);
	}
	for (i = 0; i < r->count; i++) {
		struct replaced *d = &r->done[i];

		b = d->backend;
		if (d->added || b->state != state_of(&d->old) ||
		    b->by_hand != d->old.by_hand)
			nflb_lifecycle_state(b, false, 0);
		if (!known)
			continue;
		now = settings_of(b);
		if (d->added)
			nflb_notify_backend(b, NFLB_CMD_BACKEND_ADD);
		else if (!settings_equal(&now, &d->old) ||
			 nflb_labels_differ(&d->labels))
			nflb_notify_backend(b, NFLB_CMD_BACKEND_SET);
	}
}

static void replace_free(struct replacement *r)
{
	u32 i;

	for (i = 0; i < r->count; i++)
		nflb_labels_free(r->done[i].labels.text);
	kvfree(r->done);
}

/**
 * nflb_backends_replace() - make a service's list of backends a given one
 * @svc: the service; nn->mutex is held
 * @req: the list; no backend stands in it twice
 * @settings: the service's new settings, published in the same step
 * @extack: for a message
 *
 * Backends that are in both lists keep their connections and counters. If only labels
 * change, packets see nothing of it.
 *
 * Return: 0; or a negative errno, and nothing has changed.
 */
int nflb_backends_replace(struct nflb_service *svc,
			  const struct nflb_service_request *req,
			  const struct nflb_service_settings *settings,
			  struct netlink_ext_ack *extack)
{
	bool known = rcu_access_pointer(svc->snapshot);
	struct replacement r = {
		.svc = svc,
		.parked = LIST_HEAD_INIT(r.parked),
	};
	bool some_leave, differs;
	int err;

	r.done = kvcalloc(max(req->backend_count, 1U), sizeof(*r.done),
			  GFP_KERNEL_ACCOUNT);
	if (!r.done)
		return -ENOMEM;
	err = replace_make(&r, req, settings, extack);
	if (err)
		goto err_unmake;
	differs = replace_differs(&r, settings);
	replace_apply(&r);
	some_leave = !list_empty(&r.parked);
	if (differs)
		err = nflb_service_publish(svc, settings, extack);
	if (err)
		goto err_undo;
	replace_finish(&r, known);
	if (some_leave) {
		nflb_conn_gc_kick(svc->nn);
		nflb_persist_kick(svc->nn);
	}
	replace_free(&r);
	return 0;

err_undo:
	replace_undo(&r);
err_unmake:
	replace_unmake(&r);
	replace_free(&r);
	return err;
}
