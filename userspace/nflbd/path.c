// SPDX-License-Identifier: GPL-2.0
/*
 * Checks through the module. The module has no request yet that pins a connection to a
 * backend, so that "via": "path" is an error, and "auto" is "direct".
 */
#include "path.h"

bool path_is_supported(void)
{
	return false;
}
