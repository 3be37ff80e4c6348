// SPDX-License-Identifier: GPL-2.0
/*
 * Settings are read and written where sysctl(8) does it. The kernel takes the network
 * namespace of who opens a file below /proc/sys/net, and lets the root of its user
 * namespace write.
 */
#include "cmd/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nl/change.h"

static int setting_open(const struct setting *setting, int flags)
{
	char path[128] = "/proc/sys/net/nflb/";
	size_t used = strlen(path), i;

	for (i = 0; setting->key[i]; i++)
		path[used + i] = setting->key[i] == '-' ? '_' : setting->key[i];
	return open(path, flags | O_CLOEXEC);
}

static const char *default_of(const struct setting *setting)
{
	static char number[16];

	if (setting->standard)
		return setting->standard;
	snprintf(number, sizeof(number), "%u", change_max_connections());
	return change_max_connections() ? number : "";
}

const char *setting_value(const struct config *config, size_t number)
{
	return *config->settings[number] ? config->settings[number] :
					   default_of(&setting_table[number]);
}

/* Without its newline; "" if this namespace has no such setting. */
static int setting_get(const struct setting *setting, char *value)
{
	int fd = setting_open(setting, O_RDONLY);
	ssize_t len = -1;

	*value = '\0';
	if (fd < 0 && errno == ENOENT)
		return LBADM_OK;
	if (fd >= 0) {
		len = read(fd, value, SETTING_TEXT_MAX - 1);
		close(fd);
	}
	if (len < 0)
		return fail(LBADM_OK, "warning: the setting %s is left out: %s",
			    setting->key, strerror(errno));
	value[len] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return LBADM_OK;
}

int settings_from_kernel(json_t *config)
{
	char value[SETTING_TEXT_MAX];
	const struct setting *setting = setting_table;
	json_t *settings = json_object();
	int status = LBADM_OK;

	for (; setting < setting_table + SETTING_COUNT && !status; setting++) {
		status = setting_get(setting, value);
		if (*value && strcmp(value, default_of(setting)))
			json_object_set_new(settings, setting->key,
					    setting_json(setting, value));
	}
	if (json_object_size(settings))
		json_object_set(config, "settings", settings);
	json_decref(settings);
	return status;
}

int setting_write(size_t number, const char *value)
{
	int fd = setting_open(&setting_table[number], O_WRONLY);
	ssize_t len = -1;
	int error;

	if (fd < 0 && errno == ENOENT)
		return fail(LBADM_REFUSED,
			    "only the host's first network namespace has this setting");
	if (fd >= 0)
		len = write(fd, value, strlen(value));
	error = errno;
	if (fd >= 0)
		close(fd);
	return len >= 0 ? LBADM_OK :
	       fail(LBADM_REFUSED, "kernel: %s", strerror(error));
}
