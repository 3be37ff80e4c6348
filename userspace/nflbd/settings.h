/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The settings of the program: /etc/nflb/nflbd.json.
 */
#ifndef NFLBD_SETTINGS_H
#define NFLBD_SETTINGS_H

#include <stdint.h>

#define SETTINGS_FILE "/etc/nflb/nflbd.json"
#define SOCKET_FILE "/run/nflb/nflbd.sock"
/* Of a name in the settings, its terminating NUL included: as sun_path */
#define SETTINGS_NAME_MAX 108

/**
 * struct settings - limits of all checks together
 * @max_checks_per_second: checks that begin in a second; more of them wait
 * @max_in_flight: checks that run at a time
 * @max_commands: exec checks among them
 * @socket: its name; "" is none
 */
struct settings {
	uint32_t max_checks_per_second;
	uint32_t max_in_flight;
	uint32_t max_commands;
	char socket[SETTINGS_NAME_MAX];
};

/**
 * settings_load() - read the file, or take the defaults if there is none
 * @name: of the file
 * @needed: it is an error if there is none
 * @settings: set
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int settings_load(const char *name, int needed, struct settings *settings);

#endif /* NFLBD_SETTINGS_H */
