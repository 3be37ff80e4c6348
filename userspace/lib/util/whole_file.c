// SPDX-License-Identifier: GPL-2.0
/*
 * Files that are there whole, or as they were.
 */
#include "util/whole_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/report.h"

int whole_file(const char *name, bool (*put)(FILE *file, const void *data),
	       const void *data)
{
	char temporary[4096];
	FILE *file = NULL;
	int fd, err = 0;

	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", name) >=
	    sizeof(temporary))
		return usage_error("%s: the name is too long", name);
	fd = mkstemp(temporary);
	if (fd >= 0)
		file = fdopen(fd, "w");
	if (!file)
		return usage_error("%s: %s", name, strerror(errno));
	if (!put(file, data) || fflush(file) || fsync(fd))
		err = errno;
	if (fclose(file) && !err)
		err = errno;
	if (!err && rename(temporary, name))
		err = errno;
	if (!err)
		return LBADM_OK;
	unlink(temporary);
	return usage_error("%s: %s", name, strerror(err));
}
