/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The proof that a packet must give before it changes a connection.
 */
#ifndef NFLB_CONN_PROOF_H
#define NFLB_CONN_PROOF_H

#include "packet/packet.h"
#include "conn/conn.h"

bool nflb_proof_rst(const struct nflb_conn *conn, const struct nflb_pkt *pkt,
		    enum nflb_dir dir);
bool nflb_proof_fin(const struct nflb_conn *conn, const struct nflb_pkt *pkt,
		    enum nflb_dir dir);
bool nflb_proof_handshake(const struct nflb_conn *conn,
			  const struct nflb_pkt *pkt);
bool nflb_proof_last_ack(const struct nflb_conn *conn,
			 const struct nflb_pkt *pkt, enum nflb_dir dir);
bool nflb_proof_goes_on(const struct nflb_conn *conn,
			const struct nflb_pkt *pkt, enum nflb_dir dir);
bool nflb_proof_means_it(const struct nflb_conn *conn,
			 const struct nflb_pkt *pkt);
bool nflb_proof_anew(const struct nflb_conn *conn, const struct nflb_pkt *pkt,
		     u32 now);
bool nflb_proof_accepted(const struct nflb_conn *conn,
			 const struct nflb_pkt *pkt);
bool nflb_proof_quoted(const struct nflb_conn *conn, const struct nflb_pkt *pkt,
		       enum nflb_dir dir);
bool nflb_proof_near(const struct nflb_conn *conn, const struct nflb_pkt *pkt,
		     enum nflb_dir dir);

void nflb_proof_begin(struct nflb_conn *conn, enum nflb_dir dir, u32 seq);
void nflb_proof_note(struct nflb_conn *conn, const struct nflb_pkt *pkt,
		     enum nflb_dir dir);
bool nflb_proof_syn(struct nflb_conn *conn, const struct nflb_pkt *pkt,
		    u32 now);

#endif /* NFLB_CONN_PROOF_H */
