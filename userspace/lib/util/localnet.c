// SPDX-License-Identifier: GPL-2.0
/*
 * The sysctl route_localnet.
 */
#include "util/localnet.h"

#include <glob.h>
#include <stdio.h>

static bool is_set(const char *name)
{
	FILE *file = fopen(name, "r");
	bool set = file && fgetc(file) == '1';

	if (file)
		fclose(file);
	return set;
}

bool localnet_is_routed(void)
{
	static const char pattern[] = "/proc/sys/net/ipv4/conf/*/route_localnet";
	bool routed = false;
	glob_t found;
	size_t i;

	if (glob(pattern, 0, NULL, &found))
		return false;
	for (i = 0; i < found.gl_pathc && !routed; i++)
		routed = is_set(found.gl_pathv[i]);
	globfree(&found);
	return routed;
}
