// SPDX-License-Identifier: GPL-2.0
/*
 * Questions to a network device, as ethtool asks them.
 */
#include "xdp/nic.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* One line of VLANs for each; there is no such file while there is no VLAN. */
#define VLANS "/proc/self/net/vlan/config"

static bool ask(const char *name, void *question)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;
	struct ifreq request = { .ifr_data = question };

	if (fd < 0)
		return false;
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	err = ioctl(fd, SIOCETHTOOL, &request);
	close(fd);
	return !err;
}

const char *nic_driver(const char *name, char *buf, size_t size)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };

	snprintf(buf, size, "%s", ask(name, &info) ? info.driver : "?");
	return buf;
}

bool nic_strips_vlan(const char *name)
{
	struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };

	return ask(name, &flags) && flags.data & ETH_FLAG_RXVLAN;
}

/* "eth0.7  | 7  | eth0" */
bool nic_has_vlan(const char *name)
{
	char line[256], below[IFNAMSIZ];
	FILE *file = fopen(VLANS, "re");
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%*s | %*d | %15s", below) == 1 &&
			!strcmp(below, name);
	if (file)
		fclose(file);
	return found;
}
