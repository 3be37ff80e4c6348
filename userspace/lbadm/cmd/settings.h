/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Settings of the namespace, for the command `config`.
 */
#ifndef LBADM_CMD_SETTINGS_H
#define LBADM_CMD_SETTINGS_H

#include "model/config.h"

/**
 * settings_from_kernel() - the settings that differ from their default
 * @config: gets a key "settings", if anything does
 *
 * change_begin() was called. Returns enum lbadm_exit, with a message on errors.
 */
int settings_from_kernel(json_t *config);

/* The value that a configuration wants or has; "" if the default is not known. */
const char *setting_value(const struct config *config, size_t number);

/* Set it. Returns enum lbadm_exit, with a message on errors. */
int setting_write(size_t number, const char *value);

#endif /* LBADM_CMD_SETTINGS_H */
