// SPDX-License-Identifier: GPL-2.0
/*
 * Which senders are believed: the parameter `allow`, a list of addresses and
 * prefixes, to be set at any time. An empty list believes nobody.
 */
#include <linux/inet.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "toa/toa.h"

#define ALLOW_MAX 256

/* An address of which the first @bits count. */
struct allowed {
	struct in6_addr	addr;
	u8		bits;
	u8		family;
};

struct allow_list {
	struct rcu_head	rcu;
	unsigned int	count;
	struct allowed	items[];
};

static struct allow_list __rcu *allow_list;
static DEFINE_MUTEX(allow_mutex);

static bool in_prefix(const u8 *addr, const struct allowed *a)
{
	unsigned int bytes = a->bits / 8, rest = a->bits % 8;
	const u8 *want = a->addr.s6_addr;

	return !memcmp(addr, want, bytes) &&
	       (!rest || !((addr[bytes] ^ want[bytes]) >> (8 - rest)));
}

/**
 * toa_allowed() - is the sender believed?
 * @addr: its address, 4 or 16 bytes
 * @family: AF_INET or AF_INET6
 *
 * Context: rcu_read_lock() held.
 */
bool toa_allowed(const void *addr, u8 family)
{
	const struct allow_list *list = rcu_dereference(allow_list);
	unsigned int i;

	for (i = 0; list && i < list->count; i++)
		if (list->items[i].family == family &&
		    in_prefix(addr, &list->items[i]))
			return true;
	return false;
}

/* ADDRESS or ADDRESS/LENGTH; takes @word apart */
static bool parse_word(char *word, struct allowed *a)
{
	char *slash = strchr(word, '/');
	u8 max;

	memset(a, 0, sizeof(*a));
	if (slash)
		*slash++ = '\0';
	if (in4_pton(word, -1, a->addr.s6_addr, -1, NULL))
		a->family = AF_INET;
	else if (in6_pton(word, -1, a->addr.s6_addr, -1, NULL))
		a->family = AF_INET6;
	else
		return false;
	max = a->family == AF_INET ? 32 : 128;
	a->bits = max;
	return !slash || (!kstrtou8(slash, 10, &a->bits) && a->bits <= max);
}

static int parse_list(char *text, struct allow_list *list)
{
	char *word;

	while ((word = strsep(&text, "\n, "))) {
		if (!*word)
			continue;
		if (list->count == ALLOW_MAX) {
			pr_err("allow: more than %d addresses\n", ALLOW_MAX);
			return -ENOSPC;
		}
		if (!parse_word(word, &list->items[list->count++])) {
			pr_err("allow: \"%s\" is no ADDRESS or ADDRESS/LENGTH\n",
			       word);
			return -EINVAL;
		}
	}
	return 0;
}

static void publish(struct allow_list *list)
{
	struct allow_list *old;

	mutex_lock(&allow_mutex);
	old = rcu_replace_pointer(allow_list, list,
				  lockdep_is_held(&allow_mutex));
	mutex_unlock(&allow_mutex);
	if (old)
		kvfree_rcu(old, rcu);
}

static int allow_set(const char *value, const struct kernel_param *kp)
{
	char *text = kstrdup(value, GFP_KERNEL);
	struct allow_list *list;
	int err;

	list = kvzalloc(struct_size(list, items, ALLOW_MAX), GFP_KERNEL);
	err = text && list ? parse_list(text, list) : -ENOMEM;
	kfree(text);
	if (err)
		kvfree(list);
	else
		publish(list);
	return err;
}

static int allow_get(char *buffer, const struct kernel_param *kp)
{
	const struct allow_list *list;
	unsigned int i;
	int len = 0;

	rcu_read_lock();
	list = rcu_dereference(allow_list);
	for (i = 0; list && i < list->count; i++) {
		const struct allowed *a = &list->items[i];

		len += scnprintf(buffer + len, PAGE_SIZE - len,
				 a->family == AF_INET ? "%s%pI4/%u" :
				 "%s%pI6c/%u", i ? "," : "", &a->addr, a->bits);
	}
	rcu_read_unlock();
	return len + scnprintf(buffer + len, PAGE_SIZE - len, "\n");
}

static const struct kernel_param_ops allow_ops = {
	.set = allow_set,
	.get = allow_get,
};

module_param_cb(allow, &allow_ops, NULL, 0644);
MODULE_PARM_DESC(allow, "addresses and prefixes of trusted balancers");

/**
 * toa_allow_exit() - believe nobody, free the list
 */
void toa_allow_exit(void)
{
	publish(NULL);
}
