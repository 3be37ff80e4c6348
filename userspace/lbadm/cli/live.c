// SPDX-License-Identifier: GPL-2.0
/*
 * Completion of existing objects
 */
#include "cli/live.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "cmd/device.h"
#include "cmd/show.h"
#include "nl/msg.h"
#include "nl/sock.h"

/* ADDRESS:PORT of a service or a backend, as it is typed */
static void offer_endpoint(const json_t *object, const char *about)
{
	const char *address = json_string_value(json_object_get(object,
								"address"));
	const json_t *port = json_object_get(object, "port");
	char text[ADDR_TEXT_MAX + 32], number[24];

	if (!address)
		return;
	snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
		 json_integer_value(port));
	if (port)
		snprintf(text, sizeof(text), strchr(address, ':') ? "[%s]:%s" :
			 "%s:%s", address, json_is_string(port) ?
			 json_string_value(port) : number);
	else
		snprintf(text, sizeof(text), "%s", address);
	offer(text, about);
}

static void offer_services(const char *protocol)
{
	json_t *services, *s;
	size_t i;

	if (read_services(NULL, &services))
		return;
	json_array_foreach(services, i, s)
		if (!strcmp(json_string_value(json_object_get(s, "protocol")),
			    protocol))
			offer_endpoint(s, NULL);
	json_decref(services);
}

/* Those of the service that was typed, or all */
static void offer_backends(const struct live_context *context, bool host)
{
	char *argv[] = { context->protocol, context->vip };
	struct words words = { .argv = argv, .argc = 2 };
	bool named = context->vip && !host;
	struct service_id id;
	json_t *backends, *b;
	size_t i;

	if (named && parse_service_id(&words, &id))
		return;
	if (read_backends(named ? &id : NULL, &backends))
		return;
	json_array_foreach(backends, i, b) {
		if (host)
			json_object_del(b, "port");
		offer_endpoint(b, json_string_value(json_object_get(b,
								    "state")));
	}
	json_decref(backends);
}

static void offer_strings(json_t *list, const char *key)
{
	const char *text;
	json_t *object;
	size_t i;

	json_array_foreach(list, i, object) {
		text = json_string_value(json_object_get(object, key));
		if (text)
			offer(text, NULL);
	}
	json_decref(list);
}

static void offer_netdevs(void)
{
	struct if_nameindex *devices = if_nameindex(), *d;

	for (d = devices; d && d->if_index; d++)
		offer(d->if_name, NULL);
	if (devices)
		if_freenameindex(devices);
}

/* Those that others can reach */
static void offer_addresses(void)
{
	char text[INET6_ADDRSTRLEN];
	struct ifaddrs *all, *a;
	const void *bytes;

	if (getifaddrs(&all))
		return;
	for (a = all; a; a = a->ifa_next) {
		if (!a->ifa_addr || (a->ifa_flags & IFF_LOOPBACK))
			continue;
		if (a->ifa_addr->sa_family == AF_INET)
			bytes = &((struct sockaddr_in *)a->ifa_addr)->sin_addr;
		else if (a->ifa_addr->sa_family == AF_INET6)
			bytes = &((struct sockaddr_in6 *)a->ifa_addr)->sin6_addr;
		else
			continue;
		if (a->ifa_addr->sa_family == AF_INET6 &&
		    IN6_IS_ADDR_LINKLOCAL((const struct in6_addr *)bytes))
			continue;
		offer(inet_ntop(a->ifa_addr->sa_family, bytes, text,
				sizeof(text)), a->ifa_name);
	}
	freeifaddrs(all);
}

static void offer_netns(void)
{
	DIR *dir = opendir("/run/netns");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (*entry->d_name != '.')
			offer(entry->d_name, NULL);
	if (dir)
		closedir(dir);
}

void live_offer(enum live live, const struct live_context *context,
		const char *protocol)
{
	json_t *list;

	switch (live) {
	case LIVE_SERVICE:
		offer_services(protocol);
		break;
	case LIVE_BACKEND:
	case LIVE_HOST:
		offer_backends(context, live == LIVE_HOST);
		break;
	case LIVE_LADDR:
		if (!read_list(NFLB_CMD_LADDR_GET, msg_get_laddr, &list))
			offer_strings(list, "address");
		break;
	case LIVE_DEVICE:
		if (!read_devices(&list))
			offer_strings(list, "device");
		break;
	case LIVE_NETDEV:
		offer_netdevs();
		break;
	case LIVE_ADDRESS:
		offer_addresses();
		break;
	case LIVE_NETNS:
		offer_netns();
		break;
	case LIVE_FILE:
		puts(":files");
		break;
	case LIVE_NONE:
	case LIVE_PROTOCOL:
		break;
	}
}
