// SPDX-License-Identifier: GPL-2.0
/*
 * The test module. Suites register themselves.
 */
#include <linux/module.h>

MODULE_DESCRIPTION("KUnit tests of nflb");
MODULE_AUTHOR("nflb maintainers");
MODULE_LICENSE("GPL");
