// SPDX-License-Identifier: GPL-2.0
/*
 * Packets and objects for tests.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/random.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/net_namespace.h>

#include "util.h"

#define KIND(f, p, s, c) { #f " " #p " " #s " " #c, \
	AF_##f, IPPROTO_##p, KU_##s, CHECKSUM_##c }
#define KINDS(f, p) \
	KIND(f, p, LINEAR, NONE), KIND(f, p, FRAGS, NONE), \
	KIND(f, p, CLONED, NONE), KIND(f, p, LINEAR, PARTIAL), \
	KIND(f, p, FRAGS, PARTIAL), KIND(f, p, LINEAR, COMPLETE), \
	KIND(f, p, FRAGS, COMPLETE), KIND(f, p, LINEAR, UNNECESSARY)

const struct ku_param ku_params[] = {
	KINDS(INET, TCP), KINDS(INET, UDP), KINDS(INET6, TCP),
	KINDS(INET6, UDP),
};

const size_t ku_param_count = ARRAY_SIZE(ku_params);

static const void *next_param(const void *prev, char *desc, unsigned int step)
{
	const struct ku_param *p = prev;

	p = p ? p + step : ku_params;
	if (p >= ku_params + ARRAY_SIZE(ku_params))
		return NULL;
	strscpy(desc, p->name, KUNIT_PARAM_DESC_SIZE);
	return p;
}

const void *ku_gen_params(const void *prev, char *desc)
{
	return next_param(prev, desc, 1);
}

const void *ku_gen_flows(const void *prev, char *desc)
{
	return next_param(prev, desc, ARRAY_SIZE(ku_params) / 4);
}

u16 ku_sum(const u8 *data, unsigned int len, u32 sum)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		sum += i % 2 ? data[i] : data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

u32 ku_pseudo(const struct ku_bytes *b, u8 family, u8 proto)
{
	unsigned int len = b->len - b->l4;

	if (family == AF_INET)
		return ku_sum(b->data + 12, 8, proto + len);
	return ku_sum(b->data + 8, 32, proto + len);
}

static void put16(u8 *at, u16 value)
{
	at[0] = value >> 8;
	at[1] = value;
}

void ku_fix(struct ku_bytes *b, u8 family, u8 proto, u8 summed)
{
	u8 *check = b->data + b->l4 + (proto == IPPROTO_TCP ? 16 : 6);
	u32 pseudo = ku_pseudo(b, family, proto);
	u16 sum;

	if (family == AF_INET) {
		put16(b->data + 10, 0);
		put16(b->data + 10, ~ku_sum(b->data, 20, 0));
	}
	put16(check, 0);
	if (summed == CHECKSUM_PARTIAL) {
		put16(check, pseudo);
		return;
	}
	sum = ~ku_sum(b->data + b->l4, b->len - b->l4, pseudo);
	put16(check, sum || proto == IPPROTO_TCP ? sum : 0xffff);
}

void ku_make(struct ku_bytes *b, const struct ku_param *p,
	     const u8 *options, unsigned int options_len,
	     unsigned int payload)
{
	unsigned int head = p->proto == IPPROTO_TCP ? 20 + options_len : 8;

	b->l4 = p->family == AF_INET ? 20 : 40;
	b->len = b->l4 + head + payload;
	get_random_bytes(b->data, b->len);
	if (p->family == AF_INET) {
		b->data[0] = 0x45;
		put16(b->data + 2, b->len);
		put16(b->data + 6, 0x4000);
		b->data[8] = 64;
		b->data[9] = p->proto;
	} else {
		b->data[0] = 0x60;
		put16(b->data + 4, b->len - 40);
		b->data[6] = p->proto;
		b->data[7] = 64;
	}
	if (p->proto == IPPROTO_TCP) {
		b->data[b->l4 + 12] = (20 + options_len) << 2;
		b->data[b->l4 + 13] = 0x18;
		if (options_len)
			memcpy(b->data + b->l4 + 20, options, options_len);
	} else {
		put16(b->data + b->l4 + 4, b->len - b->l4);
	}
	ku_fix(b, p->family, p->proto, p->summed);
}

static struct sk_buff *skb_frags(const struct ku_bytes *b)
{
	/* So little in the linear part that every header must be pulled. */
	unsigned int linear = b->l4 + 4;
	struct sk_buff *skb = alloc_skb(256, GFP_KERNEL);
	struct page *page = alloc_page(GFP_KERNEL);

	if (!skb || !page) {
		kfree_skb(skb);
		if (page)
			__free_page(page);
		return NULL;
	}
	skb_reserve(skb, 64);
	skb_put_data(skb, b->data, linear);
	memcpy(page_address(page), b->data + linear, b->len - linear);
	skb_add_rx_frag(skb, 0, page, 0, b->len - linear, PAGE_SIZE);
	return skb;
}

struct sk_buff *ku_skb(struct kunit *test, const struct ku_bytes *b,
		       const struct ku_param *p)
{
	struct sk_buff *skb;

	if (p->shape == KU_FRAGS) {
		skb = skb_frags(b);
	} else {
		skb = alloc_skb(b->len + 128, GFP_KERNEL);
		if (skb) {
			skb_reserve(skb, 64);
			skb_put_data(skb, b->data, b->len);
		}
	}
	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, b->l4);
	skb->protocol = htons(p->family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
	skb->ip_summed = p->summed;
	if (p->summed == CHECKSUM_PARTIAL) {
		skb->csum_start = skb_transport_header(skb) - skb->head;
		skb->csum_offset = p->proto == IPPROTO_TCP ? 16 : 6;
	} else if (p->summed == CHECKSUM_COMPLETE) {
		skb->csum = (__force __wsum)htons(ku_sum(b->data, b->len, 0));
	}
	return skb;
}

void ku_read(struct ku_bytes *b, const struct sk_buff *skb)
{
	b->len = skb->len;
	skb_copy_bits(skb, 0, b->data, skb->len);
}

void ku_pkt(struct nflb_pkt *pkt, struct nf_hook_state *state,
	    struct sk_buff *skb, u8 family)
{
	memset(state, 0, sizeof(*state));
	state->hook = NF_INET_PRE_ROUTING;
	state->pf = family;
	state->net = &init_net;
	*pkt = (struct nflb_pkt){
		.skb = skb, .nn = ku_nn(), .state = state,
	};
}

void ku_random_addr(union nflb_addr *addr, u8 family)
{
	memset(addr, 0, sizeof(*addr));
	get_random_bytes(addr, family == AF_INET ? 4 : 16);
}

struct nflb_net *ku_nn(void)
{
	return nflb_net(&init_net);
}

static void set_addr(union nflb_addr *addr, u8 family, u8 net, u16 host)
{
	memset(addr, 0, sizeof(*addr));
	if (family == AF_INET) {
		addr->ip = htonl(10 << 24 | net << 16 | host);
	} else {
		addr->in6.s6_addr32[0] = htonl(0x20010db8);
		addr->in6.s6_addr32[3] = htonl(net << 16 | host);
	}
}

void ku_service_request(struct nflb_service_request *req, u8 family,
			u8 last, u16 port)
{
	memset(req, 0, sizeof(*req));
	set_addr(&req->id.key.addr, family, 1, last);
	req->id.key.family = family;
	req->id.key.proto = IPPROTO_TCP;
	req->id.key.port = htons(port);
	req->id.port_last = htons(port);
}

void ku_backend_request(struct nflb_backend_request *req, u8 family,
			u16 number, u32 weight)
{
	memset(req, 0, sizeof(*req));
	set_addr(&req->addr, family, 2, number);
	req->family = family;
	req->port = htons(8080);
	req->weight = weight;
	req->set = NFLB_SET_WEIGHT;
}

struct nflb_service *ku_service_add(struct kunit *test, u8 family, u8 last,
				    const char *scheduler)
{
	struct nflb_service_request req;
	struct netlink_ext_ack extack = { };
	struct nflb_net *nn = ku_nn();
	struct nflb_service *svc;
	int err;

	ku_service_request(&req, family, last, 80);
	strscpy(req.settings.scheduler, scheduler,
		sizeof(req.settings.scheduler));
	req.set = NFLB_SET_SCHEDULER;
	mutex_lock(&nn->mutex);
	err = nflb_service_add(nn, &req, &extack);
	svc = nflb_service_find(nn, &req.id);
	mutex_unlock(&nn->mutex);
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_ASSERT_NOT_NULL(test, svc);
	return svc;
}

struct nflb_backend *ku_backend_add(struct kunit *test,
				    struct nflb_service *svc, u16 number,
				    u32 weight)
{
	struct netlink_ext_ack extack = { };
	struct nflb_backend_request req;
	struct nflb_backend *b;
	int err;

	ku_backend_request(&req, svc->key.family, number, weight);
	mutex_lock(&svc->nn->mutex);
	err = nflb_backend_add(svc, &req, &extack);
	b = nflb_backend_find(svc, &req);
	mutex_unlock(&svc->nn->mutex);
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_ASSERT_NOT_NULL(test, b);
	return b;
}

void ku_service_del(struct nflb_service *svc)
{
	struct nflb_net *nn = svc->nn;

	mutex_lock(&nn->mutex);
	nflb_service_del(nn, svc);
	mutex_unlock(&nn->mutex);
	/* Or ended connections would be there for ten seconds. */
	if (list_empty(&nn->service_list))
		nflb_conn_table_flush(nn);
}
