// SPDX-License-Identifier: GPL-2.0
/*
 * Which services and backends a command shows.
 */
#include "cmd/filter.h"

#include <netinet/in.h>
#include <string.h>

#include "cmd/show.h"
#include "util/suggest.h"

/* --- words */

static int parse_vip(struct words *words, const struct word *word, void *req)
{
	struct show_filter *filter = req;
	const char *value = words_next(words);

	(void)word;
	if (filter->one || filter->vip.address.len)
		return usage_error("vip is there twice");
	if (!value)
		return usage_error("vip: an address or prefix is missing");
	if (!prefix_parse(&filter->vip.address, &filter->vip.length.value, value))
		return usage_error("vip \"%s\": ADDRESS or ADDRESS/LENGTH is expected",
				   value);
	filter->vip.length.set = true;
	return LBADM_OK;
}

static int parse_host(struct words *words, const struct word *word, void *req)
{
	struct show_filter *filter = req;

	(void)word;
	if (filter->one_backend)
		return usage_error("backend is there twice");
	filter->has_host = true;
	return parse_backend_id(words, &filter->backend);
}

static const struct kind kind_vips = {
	.form = "ADDR[/LEN]", .parse = parse_vip,
	.about = "an address or a prefix, without a port",
};

const struct kind kind_host = {
	.form = "HOST", .live = LIVE_HOST, .parse = parse_host,
	.about = "ADDR, or ADDR:PORT for the backends that use this port",
};

const struct word show_words[] = {
	{ .name = "vip", .kind = &kind_vips,
	  .help = "services on that address, or in that prefix" },
	{ .name = "backend", .kind = &kind_host,
	  .help = "backends on that host, and services that have one" },
	{ 0 },
};

const struct word args_place[] = {
	{ .name = "PROTO", .kind = &kind_protocol },
	{ .name = "VIP", .kind = &kind_vips, .flags = WORD_OPTIONAL },
	{ 0 },
};

static bool is_key(const char *word)
{
	return word_find(show_words, word);
}

static int unknown(const char *word)
{
	static const char *const all[] = { "tcp", "udp", "vip", "backend" };
	char text[SUGGEST_TEXT_MAX];
	struct suggestion s;
	size_t i;

	suggest_begin(&s, word);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		suggest_try(&s, all[i]);
	if (*suggest_text(&s, text))
		return usage_error("unknown word \"%s\"; %s", word, text);
	return usage_error("\"%s\": tcp, udp, vip or backend is expected", word);
}

/* PROTO, PROTO ADDR[/LEN], or PROTO VIP: only the last one is a single service. */
static int parse_place(struct words *words, struct show_filter *filter)
{
	struct words service = *words;
	const char *word = words_peek(words);
	struct addr addr;
	uint32_t length;
	int status;

	if (strcmp(word, "tcp") && strcmp(word, "udp"))
		return unknown(word);
	status = parse_protocol(words, &filter->protocol);
	word = words_peek(words);
	if (status || !word || is_key(word))
		return status;
	if (prefix_parse(&addr, &length, word))
		return parse_vip(words, show_words, filter);
	filter->one = true;
	*words = service;
	return parse_service_id(words, &filter->id);
}

int parse_show_filter(struct words *words, struct show_filter *filter,
		      bool backends)
{
	int status = LBADM_OK;

	memset(filter, 0, sizeof(*filter));
	if (words->argc && !is_key(words_peek(words)))
		status = parse_place(words, filter);
	if (!status && backends && filter->one && words->argc &&
	    !is_key(words_peek(words))) {
		filter->one_backend = true;
		status = parse_backend_id(words, &filter->backend);
	}
	return status ? status : parse_words(words, show_words, filter);
}

/* --- matching */

bool is_on_host(const struct backend_request *backend,
		const struct service_id *service,
		const struct backend_request *host)
{
	if (memcmp(&backend->address, &host->address, sizeof(host->address)))
		return false;
	if (!host->port)
		return true;
	if (backend->port)
		return backend->port == host->port;
	/* It uses the service's port, of which there may be many. */
	return service->port == host->port && !service->port_last;
}

/* "port" of an object; 0 unless it is a single port */
static uint16_t port_of(const json_t *object)
{
	return json_integer_value(json_object_get(object, "port"));
}

static bool parse_address(const json_t *object, struct addr *addr)
{
	const char *text = json_string_value(json_object_get(object, "address"));

	return text && addr_parse(addr, text);
}

static bool fits_backend(const json_t *backend, const json_t *service,
			 const struct show_filter *filter)
{
	struct backend_request b = { .port = port_of(backend) };
	const struct service_id id = { .port = port_of(service) };

	return !filter->has_host ||
	       (parse_address(backend, &b.address) &&
		is_on_host(&b, &id, &filter->backend));
}

static bool fits_vip(const json_t *service, const struct prefix *vip)
{
	struct addr addr, wanted = vip->address;

	if (!vip->address.len)
		return true;
	if (!parse_address(service, &addr) || addr.len != wanted.len)
		return false;
	prefix_mask(&addr, vip->length.value);
	prefix_mask(&wanted, vip->length.value);
	return !memcmp(&addr, &wanted, sizeof(addr));
}

static bool fits_service(const json_t *service,
			 const struct show_filter *filter)
{
	const char *protocol = json_string_value(json_object_get(service,
								 "protocol"));

	if (filter->protocol &&
	    (!protocol || strcmp(protocol, filter->protocol == IPPROTO_TCP ?
					   "tcp" : "udp")))
		return false;
	return fits_vip(service, &filter->vip);
}

static bool has_host(const json_t *service, const struct show_filter *filter)
{
	const json_t *backend;
	size_t i;

	json_array_foreach(json_object_get(service, "backends"), i, backend)
		if (fits_backend(backend, service, filter))
			return true;
	return !filter->has_host;
}

int read_shown_services(const struct show_filter *filter, json_t **services)
{
	json_t *all, *one;
	int status;
	size_t i;

	status = read_rated(read_services, filter->one ? &filter->id : NULL,
			    &all);
	if (status)
		return status;
	*services = json_array();
	json_array_foreach(all, i, one)
		if (fits_service(one, filter) && has_host(one, filter))
			json_array_append(*services, one);
	json_decref(all);
	return LBADM_OK;
}

int read_shown_backends(const struct show_filter *filter, bool rated,
			json_t **backends)
{
	const struct service_id *id = filter->one ? &filter->id : NULL;
	json_t *all, *one, *service;
	int status;
	size_t i;

	status = rated ? read_rated(read_backends, id, &all) :
			 read_backends(id, &all);
	if (status)
		return status;
	*backends = json_array();
	json_array_foreach(all, i, one) {
		service = json_object_get(one, "service");
		if (fits_service(service, filter) &&
		    fits_backend(one, service, filter))
			json_array_append(*backends, one);
	}
	json_decref(all);
	if (filter->one_backend)
		status = narrow_backends(*backends, &filter->backend);
	if (status)
		json_decref(*backends);
	return status;
}
