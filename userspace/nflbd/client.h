/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A client of the socket: its requests, and the answers.
 */
#ifndef NFLBD_CLIENT_H
#define NFLBD_CLIENT_H

#include <event2/event.h>
#include <jansson.h>

#include "target.h"

/* Bytes of a request, its newline included */
#define CLIENT_LINE_MAX 4096
/* Bytes that wait for a client that watches; with more, it is dropped. */
#define CLIENT_OUTPUT_MAX (1 << 20)

struct client;

/**
 * client_new() - a client that may make requests
 * @base: the loop
 * @fd: its connection; closed with it
 * @gone: called when the client has ended, before it is freed
 *
 * Returns NULL if there is no memory; @fd is closed.
 */
struct client *client_new(struct event_base *base, int fd,
			  void (*gone)(struct client *client));

/* End it. @gone is called. */
void client_end(struct client *client);

/**
 * client_publish() - send an event if the client watches this target
 * @client: the client; ended if it does not read
 * @target: which
 * @line: the event with its newline
 */
void client_publish(struct client *client, const struct target *target, const char *line);

/* The target, or its check, is about to be freed. */
void client_forget(struct client *client, const struct target *target);

#endif /* NFLBD_CLIENT_H */
