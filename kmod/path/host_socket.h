/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Connections of the host's own sockets.
 */
#ifndef NFLB_HOST_SOCKET_H
#define NFLB_HOST_SOCKET_H

#include "packet/packet.h"

bool nflb_host_socket_has(const struct nflb_pkt *pkt);

#endif /* NFLB_HOST_SOCKET_H */
