/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lines of ipvsadm(8), as ipvsadm-save prints them, and their equivalents in a
 * configuration of nflb. Differences are reported as warnings; impossible conversions, as an
 * error. Both name the line (lbadm_where).
 */
#ifndef LBADM_IPVS_H
#define LBADM_IPVS_H

#include <jansson.h>

#include "model/request.h"

/* The request of a line */
enum ipvs_command {
	IPVS_NONE,
	IPVS_ADD_SERVICE,
	IPVS_EDIT_SERVICE,
	IPVS_ADD_SERVER,
	IPVS_EDIT_SERVER,
	IPVS_CLEAR,
	IPVS_TIMEOUTS,
};

enum ipvs_protocol {
	IPVS_TCP = 1,
	IPVS_UDP,
	IPVS_SCTP,
	IPVS_MARK,
};

/**
 * struct ipvs_line - the options of a line; NULL, 0 or false if they are not there
 * @command: enum ipvs_command
 * @protocol: enum ipvs_protocol
 * @service: address and port, or the mark
 * @ipv6: the mark is for IPv6
 * @server: address and port
 * @scheduler: its name
 * @flags: of the scheduler
 * @persistent: clients return
 * @persist: for so many seconds
 * @mask: netmask, or length of the prefix
 * @pe: persistence engine
 * @one_packet: each datagram is scheduled by itself
 * @forward: 'g', 'i' or 'm'
 * @tun_type: ipip, gre or gue
 * @tun_port: of gue
 * @tun_csum: checksum of the outer header
 * @tun_remcsum: remote checksum offload
 * @weight: of the server
 * @upper: threshold
 * @lower: threshold
 * @timeouts: of --set
 */
struct ipvs_line {
	uint8_t command, protocol;
	const char *service;
	bool ipv6;
	const char *server;
	const char *scheduler, *flags;
	bool persistent;
	const char *persist, *mask, *pe;
	bool one_packet;
	char forward;
	const char *tun_type, *tun_port;
	bool tun_csum, tun_remcsum;
	const char *weight, *upper, *lower;
	const char *timeouts[3];
};

/* Say how nflb differs. */
void ipvs_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * ipvs_line_parse() - the options of a line
 * @words: of the line
 * @line: set on success
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int ipvs_line_parse(struct words *words, struct ipvs_line *line);

/**
 * ipvs_service() - the settings of a service, but for its address
 * @line: asks for them
 * @service: an object, whose protocol, address and port are there
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int ipvs_service(const struct ipvs_line *line, json_t *service);

/**
 * ipvs_server() - a server
 * @line: asks for it
 * @service: of which service
 * @backend: an empty object, to fill in
 *
 * The service gets the mode of its first server.
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int ipvs_server(const struct ipvs_line *line, json_t *service, json_t *backend);

/* Limit a weight as ipvs_scale_weights() will, roughly. */
void ipvs_clip_weight(json_t *backend);
/* Weights go up to 65535, not to 2^31: reduce a service's in proportion, none to 0. */
void ipvs_scale_weights(json_t *service);

/* "ADDRESS:PORT" into two keys; @any is the port that 0 or none means, or NULL. */
int ipvs_address(json_t *to, const char *text, const char *any);

struct ipvs_import;

/* A conversion from its begin to its end. */
struct ipvs_import *ipvs_import_new(void);
void ipvs_import_free(struct ipvs_import *import);
/* "N=PROTOCOL:VIP:PORT[,...]": the services of a mark. */
int ipvs_import_mark(struct ipvs_import *import, const char *text);
/* One more line. Returns enum lbadm_exit; a failed line leaves no trace. */
int ipvs_import_line(struct ipvs_import *import, char *text,
		     unsigned int number);
/* No more lines. Returns enum lbadm_exit, as before. */
int ipvs_import_end(struct ipvs_import *import);
/* The configuration that was made. A new reference. */
json_t *ipvs_import_config(const struct ipvs_import *import);

#endif /* LBADM_IPVS_H */
