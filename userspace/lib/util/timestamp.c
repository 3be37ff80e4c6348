// SPDX-License-Identifier: GPL-2.0
/*
 * The time, for output.
 */
#include "util/timestamp.h"

#include <time.h>

json_t *timestamp(void)
{
	char day[32], zone[8];
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	return json_sprintf("%s.%06ld%.3s:%s", day, now.tv_nsec / 1000, zone,
			    zone + 3);
}
