// SPDX-License-Identifier: GPL-2.0
/*
 * Records: a connection leaves and enters, the same in every mode; and what is refused.
 */
#include "conn/conn_record.h"
#include "conn/conn_state.h"
#include "service/laddr.h"
#include "util.h"

struct record_fixture {
	struct nflb_service	*svc;
	struct nflb_backend	*backend;
	struct nflb_laddr	laddr;
	u8			mode;
	struct nflb_tuple	in;
};

static void set_mode(struct kunit *test, struct record_fixture *fx, u8 mode)
{
	struct nflb_service_request req = {
		.set = NFLB_SET_MODE, .settings.mode = mode,
	};
	struct netlink_ext_ack extack = { };

	fx->mode = mode;
	mutex_lock(&ku_nn()->mutex);
	KUNIT_EXPECT_EQ(test, nflb_service_set(ku_nn(), fx->svc, &req, &extack),
			0);
	mutex_unlock(&ku_nn()->mutex);
}

/* It keeps the port, as mode dsr needs it. */
static void backend_add(struct kunit *test, struct record_fixture *fx)
{
	struct netlink_ext_ack extack = { };
	struct nflb_backend_request req;

	ku_backend_request(&req, fx->svc->key.family, 1, 1);
	req.port = 0;
	mutex_lock(&ku_nn()->mutex);
	KUNIT_EXPECT_EQ(test, nflb_backend_add(fx->svc, &req, &extack), 0);
	fx->backend = nflb_backend_find(fx->svc, &req);
	mutex_unlock(&ku_nn()->mutex);
	KUNIT_ASSERT_NOT_NULL(test, fx->backend);
}

static void fixture_init(struct kunit *test, struct record_fixture *fx, u8 mode)
{
	const struct ku_param *p = test->param_value;
	struct netlink_ext_ack extack = { };

	memset(fx, 0, sizeof(*fx));
	fx->svc = ku_service_add(test, p->family, 9, "rr");
	backend_add(test, fx);
	set_mode(test, fx, mode);
	fx->laddr.addr_count = 2;
	fx->laddr.family = p->family;
	fx->laddr.ports = (struct nflb_port_range){ 2000, 2099 };
	fx->laddr.excluded_count = 1;
	fx->laddr.excluded[0] = (struct nflb_port_range){ 2050, 2050 };
	fx->laddr.port_count = 99;
	fx->laddr.first = fx->svc->key.addr;
	fx->laddr.first.all[p->family == AF_INET ? 0 : 3] ^= htonl(0x110000);
	mutex_lock(&ku_nn()->mutex);
	KUNIT_EXPECT_EQ(test, nflb_laddr_add(ku_nn(), &fx->laddr, &extack), 0);
	mutex_unlock(&ku_nn()->mutex);
	fx->in.src = fx->svc->key.addr;
	fx->in.src.all[p->family == AF_INET ? 0 : 3] ^= htonl(0x7700);
	fx->in.dst = fx->svc->key.addr;
	fx->in.sport = htons(40000);
	fx->in.dport = htons(80);
	fx->in.proto = p->proto;
	fx->in.family = p->family;
}

static void fixture_exit(struct kunit *test, struct record_fixture *fx)
{
	struct netlink_ext_ack extack = { };

	nflb_conn_table_flush(ku_nn());
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->backend->ports), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->backend->conns), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->backend->active), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->backend->over), 0);
	mutex_lock(&ku_nn()->mutex);
	KUNIT_EXPECT_EQ(test, nflb_laddr_del(ku_nn(), &fx->laddr, true, &extack),
			0);
	mutex_unlock(&ku_nn()->mutex);
	ku_service_del(fx->svc);
	nflb_config_drain();
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->conn_count), 0);
}

/* As records of the mode have it, in @state */
static void make(const struct record_fixture *fx, struct nflb_conn_record *r,
		 u8 state)
{
	bool fullnat = fx->mode == NFLB_MODE_FULLNAT;
	bool tcp = fx->in.proto == IPPROTO_TCP;

	memset(r, 0, sizeof(*r));
	r->size = sizeof(*r);
	r->protocol = fx->in.proto;
	r->state = tcp ? state : NFLB_CONN_UDP;
	r->family = fx->in.family;
	r->backend_family = fx->backend->family;
	r->mode = fx->mode;
	r->client_port = fx->in.sport;
	r->port = fx->in.dport;
	r->backend_port = fx->backend->port;
	memcpy(r->client, &fx->in.src, 16);
	memcpy(r->address, &fx->in.dst, 16);
	memcpy(r->backend, &fx->backend->addr, 16);
	/* No timeout of its state is shorter, and it was not silent for long. */
	r->left = !tcp ? 298000 : state == NFLB_CONN_CLOSE ? 8000 : 20000;
	r->age = 50000;
	r->flags = NFLB_RECORD_ASSURED;
	if (fullnat) {
		memcpy(r->local, &fx->laddr.first, 16);
		r->local_port = htons(2007);
	}
	if (tcp) {
		r->at_in = 0x12340000;
		r->at_out = 0xfedc0000;
		r->flags |= NFLB_RECORD_HEARD_IN;
	}
	if (fullnat && tcp) {
		r->delta = 0x1111;
		r->isn = 0x12330000;
		r->first_ack = 0xfedb0001;
		r->flags |= NFLB_RECORD_SEQ | NFLB_RECORD_PROXY |
			    NFLB_RECORD_PROXY_ACKED | NFLB_RECORD_ACCEPTED;
	}
}

static int restore(const struct record_fixture *fx,
		   const struct nflb_conn_record *r)
{
	enum nflb_record_result result = nflb_record_check(r);

	if (result != NFLB_RECORD_RESTORED)
		return result;
	local_bh_disable();
	rcu_read_lock();
	result = nflb_record_restore(ku_nn(), fx->backend, r);
	rcu_read_unlock();
	local_bh_enable();
	return result;
}

static void expect_round(struct kunit *test, struct record_fixture *fx, u8 state)
{
	struct nflb_conn_record r, back;
	enum nflb_dir dir = NFLB_DIR_OUT;
	struct nflb_conn *conn;
	u32 now = nflb_now();

	make(fx, &r, state);
	KUNIT_ASSERT_EQ(test, restore(fx, &r), NFLB_RECORD_RESTORED);
	KUNIT_EXPECT_EQ(test, restore(fx, &r), NFLB_RECORD_EXISTS);
	rcu_read_lock();
	conn = nflb_conn_lookup(ku_nn(), &fx->in, &dir);
	if (conn && nflb_record_fill(conn, &back)) {
		KUNIT_EXPECT_EQ(test, (int)dir, NFLB_DIR_IN);
		KUNIT_EXPECT_TRUE(test, nflb_conn_alive(conn, now));
		KUNIT_EXPECT_TRUE(test, back.left <= r.left &&
				  back.left + 5000 > r.left);
		KUNIT_EXPECT_TRUE(test, back.age + 5000 > r.age &&
				  back.age < r.age + 10000);
		back.left = r.left;
		back.age = r.age;
		KUNIT_EXPECT_EQ(test, memcmp(&r, &back, sizeof(r)), 0);
	} else {
		KUNIT_FAIL(test, "no record of state %u", r.state);
	}
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->backend->conns), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->backend->active),
			nflb_conn_state_active(r.state) ? 1 : 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->backend->over),
			nflb_conn_state_is_over(r.state) ? 1 : 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx->backend->ports),
			fx->mode == NFLB_MODE_FULLNAT ? 1 : 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->conn_count), 1);
	nflb_conn_table_flush(ku_nn());
}

static void record_goes_round(struct kunit *test)
{
	static const u8 states[] = { NFLB_CONN_ESTABLISHED, NFLB_CONN_FIN_WAIT,
				     NFLB_CONN_CLOSE };
	struct record_fixture fx;
	unsigned int i;
	u8 mode;

	for (mode = 0; mode <= NFLB_MODE_MAX; mode++) {
		fixture_init(test, &fx, mode);
		for (i = 0; i < ARRAY_SIZE(states); i++)
			expect_round(test, &fx, states[i]);
		fixture_exit(test, &fx);
	}
}

#define BAD(m, f, v) { #f " " #v, m, offsetof(struct nflb_conn_record, f), \
		       sizeof_field(struct nflb_conn_record, f), v }

/* One field of a good record, and nothing else, is out of range. */
static const struct {
	const char	*name;
	int		mode;		/* or -1 for all */
	size_t		at;
	size_t		size;
	u32		value;
} bad[] = {
	BAD(-1, protocol, IPPROTO_SCTP), BAD(-1, protocol, 0),
	BAD(-1, state, NFLB_CONN_NONE), BAD(-1, state, NFLB_CONN_ENDED),
	BAD(-1, state, 0xff), BAD(NFLB_MODE_DSR, state, NFLB_CONN_TIME_WAIT),
	BAD(NFLB_MODE_DSR, state, NFLB_CONN_SYN_RECV),
	BAD(-1, family, 0), BAD(-1, family, AF_UNIX),
	BAD(-1, backend_family, 0), BAD(-1, backend_family, 0xff),
	BAD(-1, mode, 0xff), BAD(-1, encap, 0xff),
	BAD(NFLB_MODE_DNAT, encap, NFLB_ENCAP_GUE),
	BAD(NFLB_MODE_FULLNAT, encap, NFLB_ENCAP_IPIP),
	BAD(-1, port, 0), BAD(NFLB_MODE_FULLNAT, local_port, 0),
	BAD(NFLB_MODE_DNAT, local_port, 1), BAD(NFLB_MODE_DSR, local_port, 1),
	BAD(-1, flags, ~0U), BAD(-1, flags, NFLB_RECORD_FLAGS + 1),
	BAD(NFLB_MODE_DNAT, flags, NFLB_RECORD_SEQ),
	BAD(NFLB_MODE_DSR, flags, NFLB_RECORD_PROXY),
	BAD(NFLB_MODE_DNAT, flags, NFLB_RECORD_TOA),
	BAD(-1, flags, NFLB_RECORD_PROXY_ACKED),
	BAD(-1, flags, NFLB_RECORD_PROXY | NFLB_RECORD_TOA),
	BAD(-1, device, 1), BAD(NFLB_MODE_DNAT, delta, 1),
	BAD(NFLB_MODE_DSR, isn, 1), BAD(NFLB_MODE_DNAT, first_ack, 1),
	BAD(NFLB_MODE_DSR, end, 1),
};

static void record_is_checked(struct kunit *test)
{
	struct nflb_conn_record r;
	struct record_fixture fx;
	unsigned int i;
	u8 mode;

	for (mode = 0; mode <= NFLB_MODE_MAX; mode++) {
		fixture_init(test, &fx, mode);
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			if (bad[i].mode >= 0 && bad[i].mode != mode)
				continue;
			make(&fx, &r, NFLB_CONN_ESTABLISHED);
			memcpy((u8 *)&r + bad[i].at, &bad[i].value,
			       bad[i].size);
			KUNIT_EXPECT_EQ_MSG(test, restore(&fx, &r),
					    NFLB_RECORD_INVALID, "mode %u: %s",
					    mode, bad[i].name);
		}
		make(&fx, &r, NFLB_CONN_ESTABLISHED);
		memset(r.client, 0, sizeof(r.client));
		KUNIT_EXPECT_EQ(test, restore(&fx, &r), NFLB_RECORD_INVALID);
		memset(r.client, 0xff, sizeof(r.client));
		KUNIT_EXPECT_EQ(test, restore(&fx, &r), NFLB_RECORD_INVALID);
		KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->conn_count), 0);
		fixture_exit(test, &fx);
	}
}

/* Good ones that do not fit the configuration */
static void record_fits(struct kunit *test)
{
	struct nflb_conn_record r;
	struct record_fixture fx;
	u32 max;

	fixture_init(test, &fx, NFLB_MODE_FULLNAT);
	make(&fx, &r, NFLB_CONN_ESTABLISHED);
	r.left = 0;
	KUNIT_EXPECT_EQ(test, restore(&fx, &r), NFLB_RECORD_EXPIRED);
	make(&fx, &r, NFLB_CONN_ESTABLISHED);
	r.local_port = htons(2050);
	KUNIT_EXPECT_EQ(test, restore(&fx, &r), NFLB_RECORD_NO_LOCAL_ADDRESS);
	r.local_port = htons(2100);
	KUNIT_EXPECT_EQ(test, restore(&fx, &r), NFLB_RECORD_NO_LOCAL_ADDRESS);
	/* Another client has the local port. */
	make(&fx, &r, NFLB_CONN_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, restore(&fx, &r), NFLB_RECORD_RESTORED);
	r.client_port = htons(40001);
	KUNIT_EXPECT_EQ(test, restore(&fx, &r), NFLB_RECORD_EXISTS);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx.backend->ports), 1);
	/* The client is there, the local port is not. */
	make(&fx, &r, NFLB_CONN_ESTABLISHED);
	r.local_port = htons(2008);
	KUNIT_EXPECT_EQ(test, restore(&fx, &r), NFLB_RECORD_EXISTS);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx.backend->ports), 1);
	r.client_port = htons(40002);
	WRITE_ONCE(fx.backend->max_connections, 1);
	KUNIT_EXPECT_EQ(test, restore(&fx, &r), NFLB_RECORD_BACKEND_FULL);
	WRITE_ONCE(fx.backend->max_connections, 0);
	max = ku_nn()->max_connections;
	WRITE_ONCE(ku_nn()->max_connections, 1);
	KUNIT_EXPECT_EQ(test, restore(&fx, &r), NFLB_RECORD_TABLE_FULL);
	WRITE_ONCE(ku_nn()->max_connections, max);
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->conn_count), 1);
	set_mode(test, &fx, NFLB_MODE_DNAT);
	KUNIT_EXPECT_EQ(test, restore(&fx, &r), NFLB_RECORD_OTHER_MODE);
	fixture_exit(test, &fx);
}

static struct kunit_case record_cases[] = {
	KUNIT_CASE_PARAM(record_goes_round, ku_gen_flows),
	KUNIT_CASE_PARAM(record_is_checked, ku_gen_flows),
	KUNIT_CASE_PARAM(record_fits, ku_gen_flows),
	{ }
};

static struct kunit_suite record_suite = {
	.name = "nflb_record",
	.test_cases = record_cases,
};
kunit_test_suite(record_suite);
