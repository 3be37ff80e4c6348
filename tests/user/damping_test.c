// SPDX-License-Identifier: GPL-2.0
/*
 * Penalties of backends that become unhealthy often.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "damping.h"

static const struct health_check keys = { .damping = { 60, 3, 600 } };
static const struct health_check off = { .damping = { 0, 3, 600 } };

#define S(seconds) ((seconds) * 1000ull)

static void near(double value, double expected)
{
	assert_true(value > expected - 0.01 && value < expected + 0.01);
}

static void test_decay(void **unused)
{
	struct damping d = { .penalty = 4, .at = S(100) };

	(void)unused;
	near(damping_penalty(&d, &keys, S(100)), 4);
	near(damping_penalty(&d, &keys, S(130)), 2.828);
	near(damping_penalty(&d, &keys, S(159)), 2.023);
	near(damping_penalty(&d, &keys, S(160)), 2);
	near(damping_penalty(&d, &keys, S(220)), 1);
	near(damping_penalty(&d, &keys, UINT64_MAX), 0);
	near(damping_penalty(&d, &off, S(100)), 0);
}

static void test_hold(void **unused)
{
	struct damping d = { 0 };

	(void)unused;
	damping_add(&d, &keys, S(0));
	damping_add(&d, &keys, S(1));
	assert_false(damping_holds(&d, &keys, S(1)));
	damping_add(&d, &keys, S(2));
	/* 2.97: not yet */
	assert_false(damping_holds(&d, &keys, S(2)));
	damping_add(&d, &keys, S(3));
	assert_true(damping_holds(&d, &keys, S(3)));
	assert_true(damping_holds(&d, &keys, S(115)));
	assert_false(damping_holds(&d, &keys, S(123)));
	damping_update(&d, &keys, S(123));
	damping_add(&d, &keys, S(124));
	assert_false(damping_holds(&d, &keys, S(124)));
}

static void test_longest(void **unused)
{
	struct damping d = { 0 };
	uint64_t t;

	(void)unused;
	for (t = 0; t < 600; t++)
		damping_add(&d, &keys, S(t));
	assert_true(damping_holds(&d, &keys, S(599)));
	assert_false(damping_holds(&d, &keys, S(603)));
}

static void test_off(void **unused)
{
	struct damping d = { 0 };
	int i;

	(void)unused;
	for (i = 0; i < 100; i++)
		damping_add(&d, &off, S(i));
	assert_false(damping_holds(&d, &off, S(100)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decay), cmocka_unit_test(test_hold),
		cmocka_unit_test(test_longest), cmocka_unit_test(test_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
