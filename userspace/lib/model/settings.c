// SPDX-License-Identifier: GPL-2.0
/*
 * Settings: their table, and the valid values of each. kmod/control/sysctl.c has the
 * same limits.
 */
#include "model/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/report.h"
#include "util/json_reader.h"

#define KEY_DIGITS 32

const struct setting setting_table[SETTING_COUNT] = {
	{ "hash-seed", SETTING_KEY, 0, 0, "00000000000000000000000000000000",
	  "the key of hashes, shared by balancers that have to agree; a secret" },
	{ "maglev-table-size", SETTING_PRIME, 251, 1048573, "65537",
	  "slots of the tables of maglev; a prime number" },
	[SETTING_MAX_CONNECTIONS] =
	{ "max-connections", SETTING_NUMBER, 1, 1 << 26, NULL,
	  "the most connections; by default they can fill a sixteenth of the memory" },
	{ "reject", SETTING_BOOLEAN, 0, 1, "1",
	  "answer packets without a service or backend by a reset or an ICMP error" },
	{ "refuse-late", SETTING_BOOLEAN, 0, 1, "1",
	  "refuse a backend's packets that belong to no connection" },
	{ "encap-fragment-inside", SETTING_BOOLEAN, 0, 1, "0",
	  "fragment a packet before it enters its tunnel, not after" },
	{ "user-max-connections", SETTING_NUMBER, 0, 1 << 30, "16384",
	  "the most connections in all network namespaces of one user" },
	{ "user-max-persistent", SETTING_NUMBER, 0, 1 << 30, "16384",
	  "the most remembered clients, likewise" },
	{ "user-max-services", SETTING_NUMBER, 0, 1 << 30, "1024",
	  "the most services, likewise" },
	{ "user-max-backends", SETTING_NUMBER, 0, 1 << 30, "16384",
	  "the most backends, likewise" },
	{ "user-max-slots", SETTING_NUMBER, 0, 1 << 30, "4194304",
	  "the most slots of schedulers' tables, likewise" },
	{ "user-max-local-ranges", SETTING_NUMBER, 0, 1 << 30, "1024",
	  "the most ranges of local addresses, likewise" },
};

static enum json_kind json_kind_of(enum setting_kind kind)
{
	switch (kind) {
	case SETTING_BOOLEAN: return JSON_KIND_BOOLEAN;
	case SETTING_KEY: return JSON_KIND_STRING;
	default: return JSON_KIND_NUMBER;
	}
}

static bool is_prime(uint32_t n)
{
	uint32_t i;

	for (i = 2; i * i <= n; i++)
		if (n % i == 0)
			return false;
	return n > 1;
}

static int number_read(const struct setting *setting, json_int_t number,
		       char *value)
{
	if (number < setting->min || number > setting->max)
		return usage_error("%s: a number from %u to %u is expected",
				   setting->key, setting->min, setting->max);
	if (setting->kind == SETTING_PRIME && !is_prime(number))
		return usage_error("%s: a prime number is expected",
				   setting->key);
	snprintf(value, SETTING_TEXT_MAX, "%u", (unsigned int)number);
	return LBADM_OK;
}

static int key_read(const struct setting *setting, const char *text,
		    char *value)
{
	size_t i;

	if (strlen(text) != KEY_DIGITS ||
	    strspn(text, "0123456789abcdefABCDEF") != KEY_DIGITS)
		return usage_error("%s: %d hexadecimal digits are expected",
				   setting->key, KEY_DIGITS);
	for (i = 0; i <= KEY_DIGITS; i++)
		value[i] = tolower((unsigned char)text[i]);
	return LBADM_OK;
}

static int value_read(const struct setting *setting, const json_t *json,
		      char *value)
{
	if (setting->kind == SETTING_KEY)
		return key_read(setting, json_string_value(json), value);
	return number_read(setting, json_is_boolean(json) ?
			   json_is_true(json) : json_integer_value(json), value);
}

int settings_read(const json_t *object, char values[][SETTING_TEXT_MAX])
{
	struct json_key keys[SETTING_COUNT + 1] = { 0 };
	const struct setting *setting = setting_table;
	const json_t *json;
	int status;
	size_t i;

	for (i = 0; i < SETTING_COUNT; i++)
		keys[i] = (struct json_key){ setting[i].key,
					     json_kind_of(setting[i].kind), NULL };
	status = json_check_keys(object, keys, "settings");
	for (i = 0; i < SETTING_COUNT && !status; i++, setting++) {
		json = json_object_get(object, setting->key);
		if (!json)
			continue;
		json_enter_key(setting->key);
		status = value_read(setting, json, values[i]);
		json_leave();
	}
	return status;
}

json_t *setting_json(const struct setting *setting, const char *value)
{
	switch (setting->kind) {
	case SETTING_BOOLEAN: return json_boolean(strcmp(value, "0"));
	case SETTING_KEY: return json_string(value);
	default: return json_integer(strtoul(value, NULL, 10));
	}
}
