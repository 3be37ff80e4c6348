// SPDX-License-Identifier: GPL-2.0
/*
 * A client cannot make a backend believe another address: every kind of segment
 * with every hostile list of options (hostile.c), in both families and across
 * them. What a receiver finds is read here by code of its own, and by the
 * receiver's.
 */
#include <linux/tcp.h>

#include "packet/mangle.h"
#include "packet/tcp_option.h"
#include "service/service.h"
#include "forward/family.h"
#include "forward/forward.h"
#include "forward/tcp_seq.h"
#include "hostile.h"
#include "toa/toa.h"
#include "util.h"

#define FIN	0x01
#define SYN	0x02
#define RST	0x04
#define PSH	0x08
#define ACK	0x10

#define FIRST_ACK	5000
#define ISN		999
#define MTU		1500

struct segment {
	const char	*name;
	u8		flags;
	unsigned int	payload;
	u32		ack;
	bool		accepted;	/* the backend has the connection */
	bool		told;		/* it has to carry our option */
	bool		refused;
};

static const struct segment segments[] = {
	{ "SYN", SYN, 0, 0, false, true },
	{ "SYN with data", SYN, 100, 0, false, true },
	{ "SYN of a live connection", SYN, 9, 0, true, true },
	{ "ACK", ACK, 0, FIRST_ACK, false, true },
	{ "first data", ACK | PSH, 101, FIRST_ACK, false, true },
	{ "first data, again", ACK | PSH, 101, FIRST_ACK, true },
	{ "FIN", ACK | FIN, 7, FIRST_ACK, false, true },
	{ "lying ACK", ACK, 0, FIRST_ACK + 7, false, true },
	{ "lying data", ACK | PSH, 50, FIRST_ACK - 7, false, true },
	{ "later data", ACK | PSH, 33, FIRST_ACK + 1, true },
	{ "late FIN", ACK | FIN, 0, FIRST_ACK + 1, true },
	{ "RST", RST | ACK, 0, FIRST_ACK },
	{ "SYN-ACK", SYN | ACK, 0, FIRST_ACK, false, false, true },
	{ "SYN-ACK with data", SYN | ACK, 1, FIRST_ACK, false, false, true },
};

struct ku_path {
	const char	*name;
	u8		client;
	u8		backend;
};

static const struct ku_path paths[] = {
	{ "IPv4", AF_INET, AF_INET },
	{ "IPv6", AF_INET6, AF_INET6 },
	{ "IPv4 to IPv6", AF_INET, AF_INET6 },
	{ "IPv6 to IPv4", AF_INET6, AF_INET },
};

/* Everything that one segment meets. */
struct world {
	struct ku_bytes		sent;
	struct ku_bytes		got;
	struct nflb_conn	conn;
	struct nflb_backend	backend;
	struct nflb_service	service;
	struct nflb_snapshot	snapshot;
	struct nf_hook_state	state;
	struct nflb_pkt		pkt;
};

static void put32(u8 *at, u32 value)
{
	at[0] = value >> 24;
	at[1] = value >> 16;
	at[2] = value >> 8;
	at[3] = value;
}

static void make_segment(struct world *w, const struct ku_param *p,
			 const struct segment *s, const struct ku_layout *l)
{
	u8 *tcp;

	ku_make(&w->sent, p, l->bytes, l->len, s->payload);
	/* A client's address and port that can be true. */
	w->sent.data[p->family == AF_INET ? 12 : 8] =
		p->family == AF_INET ? 10 : 0x20;
	tcp = w->sent.data + w->sent.l4;
	tcp[0] = 0x30;
	put32(tcp + 4, s->flags & SYN ? ISN : ISN + 1);
	put32(tcp + 8, s->ack);
	tcp[13] = s->flags;
	ku_fix(&w->sent, p->family, IPPROTO_TCP, p->summed);
}

static void make_conn(struct world *w, const struct ku_path *path,
		      const struct segment *s)
{
	struct nflb_conn *conn = &w->conn;
	struct nflb_tuple *out = &conn->out.tuple;

	memset(conn, 0, sizeof(*conn));
	conn->in.tuple = w->pkt.tuple;
	conn->how = NFLB_FORWARD_FULLNAT | NFLB_HOW_LADDR;
	if (path->client != path->backend)
		conn->how |= NFLB_HOW_FAMILY;
	conn->now = NFLB_NOW_TOA;
	conn->state = s->flags & SYN && !s->accepted ? NFLB_CONN_SYN_SENT :
						       NFLB_CONN_ESTABLISHED;
	conn->backend = &w->backend;
	conn->seq.first_ack = FIRST_ACK;
	conn->seq.isn = ISN;
	if (s->accepted)
		nflb_conn_set(conn, NFLB_CONN_ACCEPTED);
	ku_random_addr(&out->src, path->backend);
	ku_random_addr(&out->dst, path->backend);
	out->sport = htons(8080);
	out->dport = htons(2000);
	out->proto = IPPROTO_TCP;
	out->family = path->backend;
	out->aux = NFLB_AUX_DIR;
	w->backend.service = &w->service;
	w->snapshot.toa_kind = 254;
	rcu_assign_pointer(w->service.snapshot, &w->snapshot);
}

static enum nflb_verdict forward(struct world *w, const struct ku_path *path)
{
	const struct nflb_tuple *to = &w->conn.out.tuple;
	enum nflb_verdict verdict;

	nflb_tcp_scrub_address(&w->pkt);
	verdict = nflb_tcp_rewrite(&w->pkt, &w->conn, NFLB_DIR_IN, MTU);
	if (verdict != NFLB_CONTINUE)
		return verdict;
	if (path->client != path->backend)
		return nflb_family_rewrite(&w->pkt, to);
	nflb_mangle_tuple(&w->pkt, to);
	return NFLB_CONTINUE;
}

static bool holds(const u8 *at, unsigned int len, const u8 *what,
		  unsigned int what_len)
{
	for (; len >= what_len; at++, len--)
		if (!memcmp(at, what, what_len))
			return true;
	return false;
}

/* Options that a receiver may take for an address, or that speak against one. */
static const char *suspicious(const u8 *opts, unsigned int len, bool told,
			      bool syn)
{
	unsigned int i = 0;

	while (i < len && opts[i]) {
		u8 kind = opts[i], size;

		if (kind == 1) {
			i++;
			continue;
		}
		if (i + 1 >= len || opts[i + 1] < 2 || i + opts[i + 1] > len)
			return told ? "the list is malformed" : NULL;
		size = opts[i + 1];
		if (told && (kind == 254 || kind == 253 || kind == 19 ||
			     kind == 29 || (kind == 34 && syn)))
			return "an option beside ours";
		if ((kind == 254 || kind == 253) &&
		    (size == 8 || size == 16 || size == 20))
			return "an address that is not ours";
		if (kind == 200 || kind == 250 || (kind == 252 && size == 20) ||
		    (kind == 28 && size != 4) || (kind == 249 && size == 40))
			return "an address of another kind";
		i += size;
	}
	for (; told && i < len; i++)
		if (opts[i])
			return "something behind the end";
	return NULL;
}

/* Of what was sent, the first option of that kind and length, if all is well. */
static const u8 *sent_option(const struct ku_layout *l, u8 kind, u8 size)
{
	unsigned int i = 0;

	while (i < l->len && l->bytes[i]) {
		if (l->bytes[i] == 1) {
			i++;
			continue;
		}
		if (i + 1 >= l->len || l->bytes[i + 1] < 2 ||
		    i + l->bytes[i + 1] > l->len)
			return NULL;
		if (l->bytes[i] == kind && l->bytes[i + 1] == size)
			return &l->bytes[i];
		i += l->bytes[i + 1];
	}
	return NULL;
}

/* What a connection cannot do without is still there. */
static const char *missing(const struct ku_layout *l, const u8 *opts,
			   unsigned int len, bool syn, u8 family)
{
	static const u8 kept[][2] = { { 8, 10 }, { 3, 3 }, { 4, 2 } };
	const u8 *opt;
	int i;

	for (i = 0; i < (syn ? 3 : 1); i++) {
		opt = sent_option(l, kept[i][0], kept[i][1]);
		if (opt && !holds(opts, len, opt, kept[i][1]))
			return "an option is gone";
	}
	opt = syn ? sent_option(l, 2, 4) : NULL;
	if (opt && !holds(opts, len, opt, 2))
		return "the MSS is gone";
	return NULL;
}

static const char *options_wrong(const struct world *w, const struct segment *s,
				 const struct ku_layout *l)
{
	const struct nflb_tuple *c = &w->conn.in.tuple;
	unsigned int size = c->family == AF_INET ? 4 : 16;
	const u8 *tcp = w->got.data + w->got.l4, *opts = tcp + 20;
	unsigned int len = (tcp[12] >> 4) * 4 - 20;
	struct toa_client client;

	if (s->told) {
		if (len < 4 + size || opts[0] != 254 || opts[1] != 4 + size ||
		    memcmp(opts + 2, &c->sport, 2) ||
		    memcmp(opts + 4, &c->src, size))
			return "ours is not the first option";
		if (toa_option_parse(opts, len, &client) != TOA_FOUND ||
		    client.port != c->sport ||
		    memcmp(&client.addr, &c->src, size))
			return "the receiver does not find ours";
		opts += 4 + size;
		len -= 4 + size;
		if (missing(l, opts, len, s->flags & SYN, c->family))
			return missing(l, opts, len, s->flags & SYN, c->family);
		if (holds(opts, len, ku_forged4, 4) ||
		    holds(opts, len, ku_forged6, 16))
			return "the forged address is still there";
	} else if (toa_option_parse(opts, len, &client) == TOA_FOUND) {
		/* Not needed any more, but there is room for it. */
		if (opts[1] != 4 + size || client.port != c->sport ||
		    memcmp(&client.addr, &c->src, size))
			return "the receiver finds another";
		opts += 4 + size;
		len -= 4 + size;
	}
	return suspicious(opts, len, s->told, s->flags & SYN);
}

static const char *payload_wrong(const struct world *w, const struct segment *s)
{
	unsigned int len = s->flags & SYN ? 0 : s->payload;
	const u8 *tcp = w->got.data + w->got.l4;
	unsigned int head = w->got.l4 + (tcp[12] >> 4) * 4;

	if (w->got.len != head + len)
		return "the length of the payload";
	return memcmp(w->got.data + head, w->sent.data + w->sent.len - s->payload,
		      len) ? "the payload" : NULL;
}

static const char *sums_wrong(struct world *w, const struct ku_path *path)
{
	struct ku_bytes *want = &w->sent;

	*want = w->got;
	ku_fix(want, path->backend, IPPROTO_TCP, w->pkt.skb->ip_summed);
	if (path->backend == AF_INET ?
	    get_unaligned_be16(want->data + 2) != want->len :
	    get_unaligned_be16(want->data + 4) != want->len - 40)
		return "the length of the packet";
	return memcmp(want->data, w->got.data, want->len) ? "a checksum" : NULL;
}

static const char *one(struct kunit *test, struct world *w,
		       const struct ku_path *path, const struct segment *s,
		       const struct ku_layout *l, unsigned int shape)
{
	const struct ku_param *p = &ku_params[(path->client == AF_INET ? 0 :
					       ku_param_count / 2) + shape];
	enum nflb_verdict verdict;
	const char *wrong;
	struct sk_buff *skb;

	make_segment(w, p, s, l);
	skb = ku_skb(test, &w->sent, p);
	ku_pkt(&w->pkt, &w->state, skb, p->family);
	rcu_read_lock();
	verdict = nflb_packet_parse(&w->pkt);
	make_conn(w, path, s);
	if (verdict == NFLB_CONTINUE && nflb_mangle_writable(&w->pkt))
		verdict = NFLB_DROP;
	if (verdict == NFLB_CONTINUE)
		verdict = forward(w, path);
	rcu_read_unlock();
	if (verdict != NFLB_CONTINUE || s->refused) {
		wrong = verdict == NFLB_DROP && s->refused &&
			w->pkt.reason == NFLB_REASON_NO_CLIENT_ADDRESS ?
			NULL : "the verdict";
	} else {
		ku_read(&w->got, skb);
		w->got.l4 = path->backend == AF_INET ? 20 : 40;
		wrong = options_wrong(w, s, l) ?: payload_wrong(w, s) ?:
			sums_wrong(w, path);
	}
	kfree_skb(skb);
	return wrong;
}

static void forged_layouts_are_whole(struct kunit *test)
{
	size_t i;

	KUNIT_EXPECT_GE(test, ku_layout_count, (size_t)25);
	for (i = 0; i < ku_layout_count; i++)
		KUNIT_EXPECT_EQ_MSG(test, ku_layouts[i].len % 4, 0U, "%s",
				    ku_layouts[i].name);
}

static void forged_never_gets_through(struct kunit *test)
{
	unsigned int i, j, k, shape;
	struct world *w;
	const char *wrong;

	w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w);
	for (i = 0; i < ARRAY_SIZE(paths); i++)
		for (j = 0; j < ARRAY_SIZE(segments); j++)
			for (k = 0; k < ku_layout_count; k++) {
				/* All shapes of one kind, IPv4's or IPv6's */
				shape = (i + j + k) % (ku_param_count / 4);
				wrong = one(test, w, &paths[i], &segments[j],
					    &ku_layouts[k], shape);
				if (wrong)
					KUNIT_FAIL(test, "%s, %s, options \"%s\", %s: %s",
						   paths[i].name,
						   segments[j].name,
						   ku_layouts[k].name,
						   ku_params[shape].name,
						   wrong);
				cond_resched();
			}
}

/* The receiver alone, behind a balancer that puts its own in front of all. */
static void forged_is_not_believed_behind_another(struct kunit *test)
{
	static const u8 own[] = { 254, 8, 0x43, 0x21, 198, 51, 100, 7 };
	struct toa_client client;
	enum toa_found found;
	u8 opts[40];
	size_t i;

	for (i = 0; i < ku_layout_count; i++) {
		const struct ku_layout *l = &ku_layouts[i];
		unsigned int len = min_t(unsigned int, 8 + l->len, 40);

		memcpy(opts, own, 8);
		memcpy(opts + 8, l->bytes, len - 8);
		found = toa_option_parse(opts, len, &client);
		if (found == TOA_FOUND &&
		    (client.port != htons(0x4321) || client.family != AF_INET ||
		     memcmp(&client.addr, own + 4, 4)))
			KUNIT_FAIL(test, "options \"%s\"", l->name);
	}
}

static struct kunit_case forged_cases[] = {
	KUNIT_CASE(forged_layouts_are_whole),
	KUNIT_CASE(forged_never_gets_through),
	KUNIT_CASE(forged_is_not_believed_behind_another),
	{ }
};

static struct kunit_suite forged_suite = {
	.name = "nflb_forged",
	.test_cases = forged_cases,
};

kunit_test_suite(forged_suite);
