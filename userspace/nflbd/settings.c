// SPDX-License-Identifier: GPL-2.0
/*
 * /etc/nflb/nflbd.json: keys, ranges, defaults.
 */
#include "settings.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
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

/* Absolute names, or "" */
static const struct {
	const char *key;
	size_t offset;
	const char *standard;
} names[] = {
	{ "socket", offsetof(struct settings, socket), SOCKET_FILE },
};

#define COUNT (sizeof(table) / sizeof(table[0]))
#define NAMES (sizeof(names) / sizeof(names[0]))

static uint32_t *value_of(struct settings *settings, size_t i)
{
	return (uint32_t *)((char *)settings + table[i].offset);
}

static char *name_of(struct settings *settings, size_t i)
{
	return (char *)settings + names[i].offset;
}

static int take_number(const json_t *json, size_t i, struct settings *settings)
{
	const json_t *value = json_object_get(json, table[i].key);
	json_int_t number = json_integer_value(value);

	if (!value)
		return LBADM_OK;
	if (number < table[i].min || number > table[i].max)
		return usage_error("%s: a number from %u to %u is expected",
				   table[i].key, table[i].min, table[i].max);
	*value_of(settings, i) = number;
	return LBADM_OK;
}

static int take_name(const json_t *json, size_t i, struct settings *settings)
{
	const char *text = json_string_value(json_object_get(json, names[i].key));

	if (!text)
		return LBADM_OK;
	if ((*text && *text != '/') || strlen(text) >= SETTINGS_NAME_MAX)
		return usage_error("%s: an absolute path of at most %d bytes is expected, or \"\"",
				   names[i].key, SETTINGS_NAME_MAX - 1);
	strcpy(name_of(settings, i), text);
	return LBADM_OK;
}

static int take(json_t *json, void *data)
{
	struct json_key keys[COUNT + NAMES + 1] = { { 0 } };
	int status;
	size_t i;

	for (i = 0; i < COUNT; i++)
		keys[i] = (struct json_key){ table[i].key, JSON_KIND_NUMBER, NULL };
	for (i = 0; i < NAMES; i++)
		keys[COUNT + i] = (struct json_key){ names[i].key, JSON_KIND_STRING, NULL };
	status = json_check_keys(json, keys, "the file");
	for (i = 0; i < COUNT + NAMES && !status; i++) {
		json_enter_key(keys[i].name);
		status = i < COUNT ? take_number(json, i, data) :
				     take_name(json, i - COUNT, data);
		json_leave();
	}
	json_decref(json);
	return status;
}

int settings_load(const char *name, int needed, struct settings *settings)
{
	size_t i;

	for (i = 0; i < COUNT; i++)
		*value_of(settings, i) = table[i].standard;
	for (i = 0; i < NAMES; i++)
		snprintf(name_of(settings, i), SETTINGS_NAME_MAX, "%s", names[i].standard);
	if (!needed && access(name, F_OK))
		return LBADM_OK;
	return json_read(name, take, settings);
}
