// SPDX-License-Identifier: GPL-2.0
/*
 * Policies of a configuration. nftables marks those that were made from one: they
 * go when the file has them no longer, while those that were made by hand stay.
 */
#include "cmd/config_policy.h"

#include <stdlib.h>
#include <string.h>

#include "model/policy.h"
#include "nft/nft.h"

void policies_from_kernel(struct known_policies *known)
{
	json_t *objects;

	memset(known, 0, sizeof(*known));
	known->status = nft_try_list(&objects, known->why, sizeof(known->why));
	if (known->status)
		return;
	known->list = policies_read(objects);
	json_decref(objects);
}

static bool asks(const struct config_service *service)
{
	return service->policy && !policy_is_empty(service->policy);
}

bool policies_wanted(const struct config *wanted)
{
	size_t i;

	for (i = 0; i < wanted->service_count; i++)
		if (asks(&wanted->services[i]))
			return true;
	return false;
}

json_t *policies_put(const json_t *have, const struct config *wanted)
{
	json_t *list = json_deep_copy(have), *policy;
	const struct config_service *service;
	size_t i;

	for (i = 0; i < wanted->service_count; i++) {
		service = &wanted->services[i];
		if (!asks(service))
			continue;
		policy = json_deep_copy(service->policy);
		json_object_set_new(policy, "config", json_true());
		policy_replace(list, &service->request.id, policy);
	}
	return list;
}

json_t *policies_final(const json_t *have, const struct config *wanted)
{
	json_t *list = policies_put(have, wanted);
	const struct config_service *service;
	const json_t *policy;
	struct service_id id;
	size_t i;

	json_array_foreach(have, i, policy) {
		policy_id(&id, policy);
		service = config_find_service(wanted, &id);
		if (service && asks(service))
			continue;
		/* "policy": {} says that there is to be none. */
		if (json_object_get(policy, "config") ||
		    (service && service->policy))
			policy_remove(list, &id);
	}
	return list;
}

int policies_step(const json_t *before, const json_t *after)
{
	char *commands = policies_change(before, after);
	int status = commands ? nft_run(commands) : LBADM_OK;

	free(commands);
	return status;
}
