/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets and objects for tests. Checksums here are summed up byte by byte, on
 * purpose: nothing that is tested may compute what is expected.
 */
#ifndef NFLB_KUNIT_UTIL_H
#define NFLB_KUNIT_UTIL_H

#include <kunit/test.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>

#include "control/config.h"
#include "packet/packet.h"
#include "conn/conn.h"
#include "netns.h"

/* How an skb holds its bytes. */
enum ku_shape { KU_LINEAR, KU_FRAGS, KU_CLONED };

/**
 * struct ku_param - a kind of packet
 * @name: of the kind
 * @family: AF_INET or AF_INET6
 * @proto: IPPROTO_TCP or IPPROTO_UDP
 * @shape: enum ku_shape
 * @summed: ip_summed
 */
struct ku_param {
	const char	*name;
	u8		family;
	u8		proto;
	u8		shape;
	u8		summed;
};

extern const struct ku_param ku_params[];
extern const size_t ku_param_count;

/* For KUnit's parameterized cases: every kind of packet. */
const void *ku_gen_params(const void *prev, char *desc);
/* IPv4 and IPv6, TCP and UDP, linear and with complete checksums. */
const void *ku_gen_flows(const void *prev, char *desc);

/* Bytes of a packet while it is made, or after it was read from an skb. */
struct ku_bytes {
	u8		data[2048];
	unsigned int	len;
	unsigned int	l4;
};

u16 ku_sum(const u8 *data, unsigned int len, u32 sum);
/* The sum of the pseudo header. */
u32 ku_pseudo(const struct ku_bytes *b, u8 family, u8 proto);
/* Set all checksums, as @summed has it. */
void ku_fix(struct ku_bytes *b, u8 family, u8 proto, u8 summed);
/* A packet with random addresses, ports, payload; @options for TCP. */
void ku_make(struct ku_bytes *b, const struct ku_param *p,
	     const u8 *options, unsigned int options_len,
	     unsigned int payload);
/* An skb of that shape; freed by ku_free(). */
struct sk_buff *ku_skb(struct kunit *test, const struct ku_bytes *b,
		       const struct ku_param *p);
void ku_read(struct ku_bytes *b, const struct sk_buff *skb);
/* A packet on its way, not parsed yet. */
void ku_pkt(struct nflb_pkt *pkt, struct nf_hook_state *state,
	    struct sk_buff *skb, u8 family);
void ku_random_addr(union nflb_addr *addr, u8 family);

struct nflb_net *ku_nn(void);
/* A service of tcp at 192.0.2.@last, or its IPv6 twin. */
void ku_service_request(struct nflb_service_request *req, u8 family,
			u8 last, u16 port);
void ku_backend_request(struct nflb_backend_request *req, u8 family,
			u16 number, u32 weight);
struct nflb_service *ku_service_add(struct kunit *test, u8 family, u8 last,
				    const char *scheduler);
struct nflb_backend *ku_backend_add(struct kunit *test,
				    struct nflb_service *svc, u16 number,
				    u32 weight);
void ku_service_del(struct nflb_service *svc);

#endif /* NFLB_KUNIT_UTIL_H */
