/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What would become of a packet: the path that packets take, with one that is
 * made up, and never leaves.
 */
#ifndef NFLB_EXPLAIN_H
#define NFLB_EXPLAIN_H

#include <linux/nflb.h>

#include "packet/dry.h"
#include "packet/packet.h"

struct nflb_backend;
struct nflb_conn;
struct nflb_service;

/* Backends that are tried for one packet, schedule.c */
#define NFLB_PICKS_MAX 3

/**
 * struct nflb_explain_pick - a backend that was tried
 * @backend: the backend
 * @reason: why not, when @refused
 * @refused: the next one was tried, if there was one
 * @remembered: it is where the client went before
 */
struct nflb_explain_pick {
	const struct nflb_backend	*backend;
	enum nflb_reason		reason;
	bool				refused;
	bool				remembered;
};

/**
 * struct nflb_explain - a packet, and its fate
 * @dry: its hook, and the omitted steps
 * @nn: the namespace
 * @arrives: its protocol, addresses and ports
 * @dev: where it comes from; NULL is for nflb_explain() to find out
 * @skb: the packet, as it would be at its end
 * @by_ingress: the ingress hook of @dev would take it
 * @by_xdp: so would nflb_xdp(), if a program on @dev calls it
 * @verdict: NFLB_ACCEPT, NFLB_DROP, or NFLB_STOLEN when it would be sent
 * @reason: why, with NFLB_DROP
 * @known: the connection it belongs to, or NULL
 * @dir: its direction
 * @service: the service it is for, or NULL
 * @strayed: it is a reply of a backend of mode dsr, which should not come here
 * @draft: the connection as it would be, or NULL
 * @picks: backends that were tried, in order, as many as @dry tells
 * @leaves: protocol, addresses and ports at its end; of the outer packet
 */
struct nflb_explain {
	struct nflb_dry			dry;
	struct nflb_net			*nn;
	struct nflb_tuple		arrives;
	struct net_device		*dev;
	struct sk_buff			*skb;
	bool				by_ingress;
	bool				by_xdp;
	enum nflb_verdict		verdict;
	enum nflb_reason		reason;
	const struct nflb_conn		*known;
	enum nflb_dir			dir;
	const struct nflb_service	*service;
	bool				strayed;
	struct nflb_conn		*draft;
	struct nflb_explain_pick	picks[NFLB_PICKS_MAX];
	struct nflb_tuple		leaves;
};

void __nflb_explain_tried(struct nflb_dry *dry,
			  const struct nflb_backend *backend, bool remembered);
void __nflb_explain_refused(struct nflb_dry *dry, enum nflb_reason reason);
void __nflb_explain_service(struct nflb_dry *dry,
			    const struct nflb_service *svc);
void __nflb_explain_strayed(struct nflb_dry *dry);

/* A packet is for @svc. */
static inline void nflb_explain_service(const struct nflb_pkt *pkt,
					const struct nflb_service *svc)
{
	if (unlikely(nflb_dry(pkt)))
		__nflb_explain_service(nflb_dry(pkt), svc);
}

/* A packet is an answer of a backend of mode dsr. */
static inline void nflb_explain_strayed(const struct nflb_pkt *pkt)
{
	if (unlikely(nflb_dry(pkt)))
		__nflb_explain_strayed(nflb_dry(pkt));
}

/* @backend was chosen for a packet; @remembered: since its client went there before. */
static inline void nflb_explain_tried(const struct nflb_pkt *pkt,
				      const struct nflb_backend *backend,
				      bool remembered)
{
	if (unlikely(nflb_dry(pkt)))
		__nflb_explain_tried(nflb_dry(pkt), backend, remembered);
}

/* The backend chosen last cannot have the connection, for @reason. */
static inline void nflb_explain_refused(const struct nflb_pkt *pkt,
					enum nflb_reason reason)
{
	if (unlikely(nflb_dry(pkt)))
		__nflb_explain_refused(nflb_dry(pkt), reason);
}

int nflb_explain(struct nflb_explain *ex);
void nflb_explain_free(struct nflb_explain *ex);

#endif /* NFLB_EXPLAIN_H */
