// SPDX-License-Identifier: GPL-2.0
/*
 * Who gets new connections: the configured state, the state set by hand, and the
 * verdict of a checker together; and what holds when no backend is healthy.
 */
#include "control/health.h"
#include "control/lifecycle.h"
#include "util.h"

#define BACKENDS 4

struct health_fixture {
	struct nflb_service	*svc;
	struct nflb_backend	*b[BACKENDS];
};

static void fixture_init(struct kunit *test, struct health_fixture *fx)
{
	int i;

	fx->svc = ku_service_add(test, AF_INET, 7, "wrr");
	for (i = 0; i < BACKENDS; i++)
		fx->b[i] = ku_backend_add(test, fx->svc, i + 1, 10);
}

static void fixture_exit(struct health_fixture *fx)
{
	ku_service_del(fx->svc);
	nflb_config_drain();
}

/* A letter for each backend: of enum nflb_health, or z, healthy with a weight of 0. */
static int judge(struct health_fixture *fx, const char *verdicts)
{
	static const char letters[] = "?chue";
	struct nflb_health_verdict list[BACKENDS] = { };
	struct netlink_ext_ack extack = { };
	u32 i;
	int err;

	for (i = 0; verdicts[i]; i++) {
		list[i].backend = fx->b[i];
		list[i].weight = verdicts[i] == 'z' ? 0 : 100;
		list[i].health = verdicts[i] == 'z' ? NFLB_HEALTH_HEALTHY :
				 strchr(letters, verdicts[i]) - letters;
	}
	mutex_lock(&fx->svc->nn->mutex);
	err = nflb_health_set(fx->svc, list, i, &extack);
	mutex_unlock(&fx->svc->nn->mutex);
	return err;
}

static void service_settings(struct kunit *test, struct health_fixture *fx,
			     u8 when_none, u8 panic, u8 on_unhealthy)
{
	struct netlink_ext_ack extack = { };
	struct nflb_service_request req = {
		.set = NFLB_SET_WHEN_NONE | NFLB_SET_PANIC |
		       NFLB_SET_ON_UNHEALTHY,
		.settings = {
			.when_none = when_none, .panic = panic,
			.on_unhealthy = on_unhealthy,
		},
	};

	mutex_lock(&fx->svc->nn->mutex);
	KUNIT_EXPECT_EQ(test, nflb_service_set(fx->svc->nn, fx->svc, &req,
					       &extack), 0);
	mutex_unlock(&fx->svc->nn->mutex);
}

/* The candidates of a service as "0123" with '-' for the others */
static void candidates(struct health_fixture *fx, char *text)
{
	const struct nflb_snapshot *snapshot;
	u32 i, j;

	memset(text, '-', BACKENDS);
	text[BACKENDS] = '\0';
	rcu_read_lock();
	snapshot = rcu_dereference(fx->svc->snapshot);
	for (i = 0; i < snapshot->count; i++)
		for (j = 0; j < BACKENDS; j++)
			if (snapshot->candidates[i].backend == fx->b[j])
				text[j] = '0' + j;
	rcu_read_unlock();
}

/* The weight that packets see of a backend; 0 if it gets nothing */
static u32 weight_now(struct health_fixture *fx, int n)
{
	const struct nflb_snapshot *snapshot;
	u32 i, weight = 0;

	rcu_read_lock();
	snapshot = rcu_dereference(fx->svc->snapshot);
	for (i = 0; i < snapshot->count; i++)
		if (snapshot->candidates[i].backend == fx->b[n])
			weight = snapshot->candidates[i].weight;
	rcu_read_unlock();
	return weight;
}

static const struct {
	const char	*verdicts;
	u8		when_none;
	u8		panic;
	const char	*taken;
} fail_open[] = {
	{ "????", NFLB_WHEN_NONE_ALL, 0, "0123" },
	{ "hhhh", NFLB_WHEN_NONE_ALL, 0, "0123" },
	{ "hu?e", NFLB_WHEN_NONE_ALL, 0, "0-2-" },
	{ "uuuh", NFLB_WHEN_NONE_ALL, 0, "---3" },
	/* Nobody is left: all, but who is told to refuse; or is still checked. */
	{ "uuuu", NFLB_WHEN_NONE_ALL, 0, "0123" },
	{ "ueue", NFLB_WHEN_NONE_ALL, 0, "0123" },
	{ "uuuu", NFLB_WHEN_NONE_REFUSE, 0, "----" },
	{ "cccc", NFLB_WHEN_NONE_ALL, 0, "----" },
	{ "uucu", NFLB_WHEN_NONE_ALL, 0, "----" },
	{ "ccch", NFLB_WHEN_NONE_ALL, 0, "---3" },
	/* Half of them are enough for 50 percent, and a quarter is not. */
	{ "hhuu", NFLB_WHEN_NONE_ALL, 50, "01--" },
	{ "huuu", NFLB_WHEN_NONE_ALL, 50, "0123" },
	{ "huuu", NFLB_WHEN_NONE_REFUSE, 50, "0123" },
	{ "uuuu", NFLB_WHEN_NONE_REFUSE, 50, "----" },
	/* Who is being checked does not count, and gets nothing. */
	{ "hucc", NFLB_WHEN_NONE_ALL, 50, "0---" },
	{ "huuc", NFLB_WHEN_NONE_ALL, 50, "012-" },
	/* A weight of 0 percent is no help, and is ignored with the rest. */
	{ "zhuu", NFLB_WHEN_NONE_ALL, 0, "-1--" },
	{ "zzzz", NFLB_WHEN_NONE_ALL, 0, "0123" },
	{ "zzzz", NFLB_WHEN_NONE_REFUSE, 0, "----" },
	{ "zuue", NFLB_WHEN_NONE_ALL, 0, "0123" },
	{ "zuuc", NFLB_WHEN_NONE_ALL, 0, "----" },
	{ "hhzz", NFLB_WHEN_NONE_ALL, 50, "01--" },
	{ "hzuu", NFLB_WHEN_NONE_ALL, 50, "0123" },
};

static void health_fail_open(struct kunit *test)
{
	struct health_fixture fx;
	char taken[BACKENDS + 1];
	size_t i;

	fixture_init(test, &fx);
	for (i = 0; i < ARRAY_SIZE(fail_open); i++) {
		service_settings(test, &fx, fail_open[i].when_none,
				 fail_open[i].panic, 0);
		KUNIT_EXPECT_EQ(test, judge(&fx, fail_open[i].verdicts), 0);
		candidates(&fx, taken);
		KUNIT_EXPECT_STREQ_MSG(test, taken, fail_open[i].taken,
				       "row %zu: %s", i, fail_open[i].verdicts);
	}
	fixture_exit(&fx);
}

static int set_state(struct nflb_backend *b, u8 state)
{
	struct netlink_ext_ack extack = { };
	struct nflb_backend_request req = {
		.set = NFLB_SET_STATE, .state = state,
	};
	int err;

	mutex_lock(&b->service->nn->mutex);
	err = nflb_backend_set(b, &req, &extack);
	mutex_unlock(&b->service->nn->mutex);
	return err;
}

/* Lists have a backend that cannot be published. */
static bool break_list;

/* Replace the list of backends: all in @state, as a file would have it. */
static int apply(struct health_fixture *fx, u8 state, u32 flags)
{
	struct netlink_ext_ack extack = { };
	struct nflb_service_request req = {
		.set = NFLB_SET_BACKENDS | flags, .backend_count = BACKENDS,
	};
	int i, err;

	req.backends = kcalloc(BACKENDS, sizeof(*req.backends), GFP_KERNEL);
	for (i = 0; i < BACKENDS; i++) {
		ku_backend_request(&req.backends[i], AF_INET, i + 1, 10);
		req.backends[i].set |= NFLB_SET_STATE;
		req.backends[i].state = state;
	}
	if (break_list) {
		req.backends[0].set |= NFLB_SET_BACKEND_ENCAP;
		req.backends[0].encap = NFLB_ENCAP_NONE;
		req.backends[0].encap_port = htons(1);
	}
	mutex_lock(&fx->svc->nn->mutex);
	err = nflb_service_set(fx->svc->nn, fx->svc, &req, &extack);
	mutex_unlock(&fx->svc->nn->mutex);
	kfree(req.backends);
	return err;
}

/* The stricter of both holds; a list changes its own part, and force the other. */
static void health_state_by_hand(struct kunit *test)
{
	struct health_fixture fx;
	u8 listed, hand;

	fixture_init(test, &fx);
	for (hand = 0; hand <= NFLB_BACKEND_STATE_MAX; hand++) {
		for (listed = 0; listed <= NFLB_BACKEND_STATE_MAX; listed++) {
			KUNIT_EXPECT_EQ(test, set_state(fx.b[0], hand), 0);
			KUNIT_EXPECT_EQ(test, apply(&fx, listed, 0), 0);
			KUNIT_EXPECT_EQ(test, fx.b[0]->state,
					max(listed, hand));
			KUNIT_EXPECT_EQ(test, fx.b[0]->by_hand, hand);
			KUNIT_EXPECT_EQ(test, fx.b[1]->state, listed);
			KUNIT_EXPECT_EQ(test, fx.b[0]->gone == NFLB_GONE_ALL,
					max(listed, hand) == NFLB_BACKEND_DOWN);
		}
		KUNIT_EXPECT_EQ(test, apply(&fx, NFLB_BACKEND_UP,
					    NFLB_SET_FORCE), 0);
		KUNIT_EXPECT_EQ(test, fx.b[0]->state, NFLB_BACKEND_UP);
		KUNIT_EXPECT_EQ(test, fx.b[0]->by_hand, NFLB_BACKEND_UP);
	}
	/* `up` takes back what the list says, too. */
	KUNIT_EXPECT_EQ(test, apply(&fx, NFLB_BACKEND_DRAIN, 0), 0);
	KUNIT_EXPECT_EQ(test, set_state(fx.b[0], NFLB_BACKEND_UP), 0);
	KUNIT_EXPECT_EQ(test, fx.b[0]->state, NFLB_BACKEND_UP);
	KUNIT_EXPECT_EQ(test, fx.b[1]->state, NFLB_BACKEND_DRAIN);
	fixture_exit(&fx);
}

static const char *condition(struct nflb_backend *b)
{
	const char *text;

	mutex_lock(&b->service->nn->mutex);
	text = nflb_lifecycle_condition(b);
	mutex_unlock(&b->service->nn->mutex);
	return text;
}

/* State and weight come before health; health is not the configuration. */
static void health_beside_the_configuration(struct kunit *test)
{
	struct health_fixture fx;
	char taken[BACKENDS + 1];
	unsigned int generation;

	fixture_init(test, &fx);
	KUNIT_EXPECT_EQ(test, set_state(fx.b[3], NFLB_BACKEND_DOWN), 0);
	generation = atomic_read(&fx.svc->nn->generation);
	KUNIT_EXPECT_EQ(test, judge(&fx, "hcuu"), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx.svc->nn->generation), generation);
	KUNIT_EXPECT_STREQ(test, condition(fx.b[0]), "ready");
	KUNIT_EXPECT_STREQ(test, condition(fx.b[1]), "checking");
	KUNIT_EXPECT_STREQ(test, condition(fx.b[2]), "unhealthy");
	KUNIT_EXPECT_STREQ(test, condition(fx.b[3]), "down");
	KUNIT_EXPECT_EQ(test, fx.b[2]->gone, NFLB_GONE_STATELESS);
	KUNIT_EXPECT_TRUE(test, nflb_backend_leaves(fx.b[1]));
	KUNIT_EXPECT_TRUE(test, nflb_backend_leaves(fx.b[2]));
	/* An apply leaves verdicts as they are. */
	KUNIT_EXPECT_EQ(test, apply(&fx, NFLB_BACKEND_UP, 0), 0);
	candidates(&fx, taken);
	KUNIT_EXPECT_STREQ(test, taken, "0---");
	service_settings(test, &fx, NFLB_WHEN_NONE_ALL, 0,
			 NFLB_ON_UNHEALTHY_RESET);
	KUNIT_EXPECT_EQ(test, fx.b[2]->gone, NFLB_GONE_ALL);
	KUNIT_EXPECT_EQ(test, judge(&fx, "uuu"), 0);
	KUNIT_EXPECT_STREQ(test, condition(fx.b[2]), "panic");
	KUNIT_EXPECT_EQ(test, fx.b[2]->gone, NFLB_GONE_NOT);
	KUNIT_EXPECT_FALSE(test, nflb_backend_leaves(fx.b[2]));
	/* The only one that the administrator wants besides is down. */
	KUNIT_EXPECT_EQ(test, set_state(fx.b[0], NFLB_BACKEND_DRAIN), 0);
	KUNIT_EXPECT_EQ(test, judge(&fx, "hhh"), 0);
	candidates(&fx, taken);
	KUNIT_EXPECT_STREQ(test, taken, "-12-");
	fixture_exit(&fx);
}

static void health_weight(struct kunit *test)
{
	struct netlink_ext_ack extack = { };
	const struct nflb_snapshot *snapshot;
	struct health_fixture fx;
	struct nflb_health_verdict v[2] = { };

	fixture_init(test, &fx);
	v[0].backend = fx.b[0];
	v[0].weight = 50;
	v[1].backend = fx.b[1];
	mutex_lock(&fx.svc->nn->mutex);
	KUNIT_EXPECT_EQ(test, nflb_health_set(fx.svc, v, 2, &extack), 0);
	mutex_unlock(&fx.svc->nn->mutex);
	rcu_read_lock();
	snapshot = rcu_dereference(fx.svc->snapshot);
	KUNIT_EXPECT_EQ(test, snapshot->count, 3U);
	KUNIT_EXPECT_PTR_EQ(test, snapshot->candidates[0].backend, fx.b[0]);
	KUNIT_EXPECT_EQ(test, 2 * snapshot->candidates[0].weight,
			snapshot->candidates[1].weight);
	rcu_read_unlock();
	KUNIT_EXPECT_STREQ(test, condition(fx.b[1]), "weight-0");
	KUNIT_EXPECT_EQ(test, fx.b[0]->weight, 10U);
	/* All that are up have their configured weights in a panic. */
	KUNIT_EXPECT_EQ(test, judge(&fx, "zuuu"), 0);
	KUNIT_EXPECT_STREQ(test, condition(fx.b[0]), "panic");
	KUNIT_EXPECT_EQ(test, weight_now(&fx, 0), weight_now(&fx, 1));
	KUNIT_EXPECT_EQ(test, judge(&fx, "zuhu"), 0);
	KUNIT_EXPECT_STREQ(test, condition(fx.b[0]), "weight-0");
	KUNIT_EXPECT_EQ(test, weight_now(&fx, 0), 0U);
	fixture_exit(&fx);
}

static void slow_start(struct kunit *test, struct health_fixture *fx,
		       u32 seconds)
{
	struct netlink_ext_ack extack = { };
	struct nflb_service_request req = {
		.set = NFLB_SET_SLOW_START, .settings.slow_start = seconds,
	};

	mutex_lock(&fx->svc->nn->mutex);
	KUNIT_EXPECT_EQ(test, nflb_service_set(fx->svc->nn, fx->svc, &req,
					       &extack), 0);
	mutex_unlock(&fx->svc->nn->mutex);
}

/* With a port but no encap nothing can be published. */
static void break_publish(struct health_fixture *fx, bool broken)
{
	mutex_lock(&fx->svc->nn->mutex);
	fx->b[BACKENDS - 1]->encap_port = broken ? htons(1) : 0;
	mutex_unlock(&fx->svc->nn->mutex);
}

/* What is due happens now. */
static void second(struct health_fixture *fx)
{
	nflb_lifecycle_kick(fx->svc->nn);
	flush_delayed_work(&fx->svc->nn->lifecycle_work);
}

static void age(struct health_fixture *fx, int i, unsigned long ramp,
		unsigned long deadline)
{
	mutex_lock(&fx->svc->nn->mutex);
	fx->b[i]->ramp_start -= ramp;
	if (fx->b[i]->deadline)
		fx->b[i]->deadline -= deadline;
	mutex_unlock(&fx->svc->nn->mutex);
}

/* A step that cannot be published is made later; also the last one. */
static void health_slow_start_without_memory(struct kunit *test)
{
	struct health_fixture fx;
	u32 half;

	fixture_init(test, &fx);
	slow_start(test, &fx, 100);
	KUNIT_EXPECT_EQ(test, set_state(fx.b[0], NFLB_BACKEND_DOWN), 0);
	KUNIT_EXPECT_EQ(test, set_state(fx.b[0], NFLB_BACKEND_UP), 0);
	age(&fx, 0, 50 * HZ, 0);
	second(&fx);
	half = weight_now(&fx, 0);
	KUNIT_EXPECT_LT(test, half, weight_now(&fx, 1));
	age(&fx, 0, 25 * HZ, 0);
	break_publish(&fx, true);
	second(&fx);
	KUNIT_EXPECT_EQ(test, weight_now(&fx, 0), half);
	age(&fx, 0, 50 * HZ, 0);
	second(&fx);
	KUNIT_EXPECT_EQ(test, weight_now(&fx, 0), half);
	KUNIT_EXPECT_FALSE(test, fx.b[0]->ramping);
	KUNIT_EXPECT_TRUE(test, fx.svc->behind);
	break_publish(&fx, false);
	flush_delayed_work(&fx.svc->nn->lifecycle_work);
	KUNIT_EXPECT_EQ(test, weight_now(&fx, 0), weight_now(&fx, 1));
	KUNIT_EXPECT_FALSE(test, fx.svc->behind);
	fixture_exit(&fx);
}

/* A request that fails leaves no slow start behind. */
static void health_no_slow_start_of_a_failure(struct kunit *test)
{
	struct health_fixture fx;

	fixture_init(test, &fx);
	slow_start(test, &fx, 100);
	KUNIT_EXPECT_EQ(test, apply(&fx, NFLB_BACKEND_DRAIN, 0), 0);
	KUNIT_EXPECT_EQ(test, set_state(fx.b[1], NFLB_BACKEND_UP), 0);
	break_list = true;
	KUNIT_EXPECT_NE(test, apply(&fx, NFLB_BACKEND_UP, 0), 0);
	break_list = false;
	KUNIT_EXPECT_EQ(test, fx.b[0]->state, NFLB_BACKEND_DRAIN);
	KUNIT_EXPECT_FALSE(test, fx.b[0]->ramping);
	fixture_exit(&fx);
}

static int drain(struct nflb_backend *b, u32 seconds)
{
	struct netlink_ext_ack extack = { };
	struct nflb_backend_request req = {
		.set = NFLB_SET_STATE | NFLB_SET_DEADLINE,
		.state = NFLB_BACKEND_DRAIN, .deadline = seconds,
	};
	int err;

	mutex_lock(&b->service->nn->mutex);
	err = nflb_backend_set(b, &req, &extack);
	mutex_unlock(&b->service->nn->mutex);
	return err;
}

/* Neither an apply nor a request that fails moves or clears a deadline. */
static void health_deadline(struct kunit *test)
{
	struct health_fixture fx;
	unsigned long deadline;
	u8 listed;

	fixture_init(test, &fx);
	KUNIT_EXPECT_EQ(test, drain(fx.b[0], 100), 0);
	deadline = fx.b[0]->deadline;
	for (listed = 0; listed <= NFLB_BACKEND_STATE_MAX; listed++) {
		KUNIT_EXPECT_EQ(test, apply(&fx, listed, 0), 0);
		KUNIT_EXPECT_EQ(test, fx.b[0]->deadline, deadline);
	}
	KUNIT_EXPECT_EQ(test, apply(&fx, NFLB_BACKEND_UP, 0), 0);
	break_list = true;
	KUNIT_EXPECT_NE(test, apply(&fx, NFLB_BACKEND_UP, NFLB_SET_FORCE), 0);
	break_list = false;
	break_publish(&fx, true);
	KUNIT_EXPECT_NE(test, drain(fx.b[0], 1), 0);
	KUNIT_EXPECT_NE(test, set_state(fx.b[0], NFLB_BACKEND_UP), 0);
	KUNIT_EXPECT_EQ(test, fx.b[0]->by_hand, NFLB_BACKEND_DRAIN);
	KUNIT_EXPECT_EQ(test, fx.b[0]->deadline, deadline);
	/* It passes all the same, and takes its connections with it. */
	atomic_inc(&fx.b[0]->conns);
	second(&fx);
	KUNIT_EXPECT_STREQ(test, condition(fx.b[0]), "draining");
	age(&fx, 0, 0, 101 * HZ);
	second(&fx);
	KUNIT_EXPECT_STREQ(test, condition(fx.b[0]), "drained");
	KUNIT_EXPECT_EQ(test, fx.b[0]->gone, NFLB_GONE_ALL);
	break_publish(&fx, false);
	KUNIT_EXPECT_EQ(test, apply(&fx, NFLB_BACKEND_DOWN, 0), 0);
	KUNIT_EXPECT_EQ(test, apply(&fx, NFLB_BACKEND_UP, 0), 0);
	KUNIT_EXPECT_STREQ(test, condition(fx.b[0]), "drained");
	KUNIT_EXPECT_EQ(test, fx.b[0]->gone, NFLB_GONE_ALL);
	atomic_dec(&fx.b[0]->conns);
	/* Force takes it back. */
	KUNIT_EXPECT_EQ(test, drain(fx.b[0], 100), 0);
	KUNIT_EXPECT_EQ(test, apply(&fx, NFLB_BACKEND_UP, NFLB_SET_FORCE), 0);
	KUNIT_EXPECT_EQ(test, fx.b[0]->deadline, 0UL);
	fixture_exit(&fx);
}

static struct kunit_case health_cases[] = {
	KUNIT_CASE(health_fail_open),
	KUNIT_CASE(health_state_by_hand),
	KUNIT_CASE(health_beside_the_configuration),
	KUNIT_CASE(health_weight),
	KUNIT_CASE(health_slow_start_without_memory),
	KUNIT_CASE(health_no_slow_start_of_a_failure),
	KUNIT_CASE(health_deadline),
	{ }
};

static struct kunit_suite health_suite = {
	.name = "nflb_health",
	.test_cases = health_cases,
};
kunit_test_suite(health_suite);
