/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sysctls net.nflb.*, as a configuration has them: by their names, with "-"
 * for "_".
 */
#ifndef LBADM_SETTINGS_H
#define LBADM_SETTINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* A value as the sysctl reads, with its NUL. */
#define SETTING_TEXT_MAX 40

enum setting_kind {
	SETTING_BOOLEAN,
	SETTING_NUMBER,
	SETTING_PRIME,
	SETTING_KEY,		/* 128 bits */
};

/**
 * struct setting - a setting
 * @key: in a configuration
 * @kind: how it is written
 * @min: of numbers
 * @max: of numbers
 * @standard: its default; NULL if that is the kernel's to say
 * @help: one short description, without a full stop
 */
struct setting {
	const char *key;
	enum setting_kind kind;
	uint32_t min, max;
	const char *standard;
	const char *help;
};

#define SETTING_COUNT 12
#define SETTING_MAX_CONNECTIONS 2
extern const struct setting setting_table[SETTING_COUNT];

/**
 * settings_read() - the settings of a configuration
 * @object: its "settings"
 * @values: set, each as its sysctl reads; "" is not named
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int settings_read(const json_t *object, char values[][SETTING_TEXT_MAX]);

/* A value that a sysctl has, as a configuration says it; a new reference. */
json_t *setting_json(const struct setting *setting, const char *value);

#endif /* LBADM_SETTINGS_H */
