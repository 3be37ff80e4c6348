// SPDX-License-Identifier: GPL-2.0
/*
 * How many local ports are in use. A port serves one connection to each destination, so
 * the destination with most connections is the first that finds none. The module counts
 * them for each backend; backends of several services can be one destination.
 */
#include "cmd/laddr_use.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/show.h"

/* All local addresses of a family */
struct pool {
	json_t *destinations;	/* {"destination", "ports"} of each, by its text */
	json_int_t total, used;
	bool counted;	/* the module counts */
};

static struct pool *pool_of(struct pool pools[2], const json_t *object)
{
	const char *address = json_string_value(json_object_get(object,
								"address"));

	return &pools[address && strchr(address, ':')];
}

/* Without a port of its own, a backend has those of its service. */
static json_t *destination_of(const json_t *backend)
{
	const json_t *service = json_object_get(backend, "service");
	const json_t *port = json_object_get(backend, "port");
	json_t *destination = json_object();

	json_object_set(destination, "protocol",
			json_object_get(service, "protocol"));
	json_object_set(destination, "address",
			json_object_get(backend, "address"));
	json_object_set(destination, "port",
			port ? (json_t *)port : json_object_get(service, "port"));
	return destination;
}

/* Add to a number of an object by the text of another. */
static void add_ports(json_t *sums, json_t *destination, json_int_t ports)
{
	char *key = json_dumps(destination, JSON_COMPACT);
	json_t *sum = key ? json_object_get(sums, key) : NULL;

	if (sum)
		json_integer_set(json_object_get(sum, "ports"), ports +
			json_integer_value(json_object_get(sum, "ports")));
	if (sum || !key)
		json_decref(destination);
	else
		json_object_set_new(sums, key, json_pack("{s:o,s:I}",
			"destination", destination, "ports", ports));
	free(key);
}

static void add_backends(struct pool pools[2], const json_t *backends)
{
	const json_t *backend, *ports;
	struct pool *pool;
	size_t i;

	json_array_foreach(backends, i, backend) {
		ports = json_object_get(json_object_get(backend, "stats"),
					"local-ports");
		if (!ports)
			continue;
		pool = pool_of(pools, backend);
		pool->counted = true;
		pool->used += json_integer_value(ports);
		add_ports(pool->destinations, destination_of(backend),
			  json_integer_value(ports));
	}
}

static void set_busiest(json_t *stats, json_t *destinations)
{
	json_t *busiest = NULL, *one;
	json_int_t most = 0, ports;
	const char *key;

	json_object_foreach(destinations, key, one) {
		ports = json_integer_value(json_object_get(one, "ports"));
		if (ports <= most)
			continue;
		most = ports;
		busiest = json_object_get(one, "destination");
	}
	json_object_set_new(stats, "ports-busiest", json_integer(most));
	if (busiest)
		json_object_set(stats, "busiest", busiest);
}

static json_t *pool_stats(const struct pool *pool)
{
	json_t *stats = json_pack("{s:I}", "ports-total", pool->total);

	if (!pool->counted)
		return stats;
	json_object_set_new(stats, "ports-used", json_integer(pool->used));
	set_busiest(stats, pool->destinations);
	return stats;
}

int laddr_use(json_t *laddrs)
{
	struct pool pools[2] = { 0 };
	json_t *backends, *laddr;
	int status = read_backends(NULL, &backends);
	size_t i;

	if (status)
		return status;
	pools[0].destinations = json_object();
	pools[1].destinations = json_object();
	add_backends(pools, backends);
	json_array_foreach(laddrs, i, laddr)
		pool_of(pools, laddr)->total += json_integer_value(
			json_object_get(json_object_get(laddr, "stats"),
					"ports-total"));
	json_array_foreach(laddrs, i, laddr)
		json_object_set_new(laddr, "stats",
				    pool_stats(pool_of(pools, laddr)));
	json_decref(pools[0].destinations);
	json_decref(pools[1].destinations);
	json_decref(backends);
	return LBADM_OK;
}
