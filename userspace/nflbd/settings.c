// SPDX-License-Identifier: GPL-2.0
/*
 * /etc/nflb/nflbd.json: keys, ranges, defaults.
 */
#include "settings.h"

#include <stddef.h>
#include <unistd.h>

#include "util/json_reader.h"
#include "util/report.h"

static const struct {
	const char *key;
	size_t offset;
	uint32_t min, max, standard;
} table[] = {
	{ "max-checks-per-second", offsetof(struct settings, max_checks_per_second),
	  1, 1000000, 10000 },
	{ "max-in-flight", offsetof(struct settings, max_in_flight), 1, 65536, 4096 },
	{ "max-commands", offsetof(struct settings, max_commands), 1, 1024, 64 },
};

#define COUNT (sizeof(table) / sizeof(table[0]))

static uint32_t *value_of(struct settings *settings, size_t i)
{
	return (uint32_t *)((char *)settings + table[i].offset);
}

static int take(json_t *json, void *data)
{
	struct json_key keys[COUNT + 1] = { { 0 } };
	const json_t *value;
	json_int_t number;
	int status;
	size_t i;

	for (i = 0; i < COUNT; i++)
		keys[i] = (struct json_key){ table[i].key, JSON_KIND_NUMBER, NULL };
	status = json_check_keys(json, keys, "the file");
	for (i = 0; i < COUNT && !status; i++) {
		value = json_object_get(json, table[i].key);
		if (!value)
			continue;
		number = json_integer_value(value);
		json_enter_key(table[i].key);
		if (number < table[i].min || number > table[i].max)
			status = usage_error("%s: a number from %u to %u is expected",
					     table[i].key, table[i].min, table[i].max);
		json_leave();
		*value_of(data, i) = number;
	}
	json_decref(json);
	return status;
}

int settings_load(const char *name, int needed, struct settings *settings)
{
	size_t i;

	for (i = 0; i < COUNT; i++)
		*value_of(settings, i) = table[i].standard;
	if (!needed && access(name, F_OK))
		return LBADM_OK;
	return json_read(name, take, settings);
}
