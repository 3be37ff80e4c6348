// SPDX-License-Identifier: GPL-2.0
/*
 * Talking to nftables.
 */
#include <nftables/libnftables.h>
#include <stdio.h>
#include <string.h>

#include "lbadm.h"
#include "model/policy.h"
#include "nft/nft.h"

#define WHY_MAX 256

static struct nft_ctx *begin(void)
{
	struct nft_ctx *ctx = nft_ctx_new(NFT_CTX_DEFAULT);

	if (ctx) {
		nft_ctx_buffer_error(ctx);
		nft_ctx_buffer_output(ctx);
	}
	return ctx;
}

/* The message of nft, without the line of its input that it repeats. */
static int nft_failed(const char *message, char *why, size_t size)
{
	if (strstr(message, "Operation not permitted")) {
		snprintf(why, size,
			 "permission denied: CAP_NET_ADMIN is needed for nftables");
		return LBADM_UNAVAILABLE;
	}
	snprintf(why, size, "nftables: %.*s", (int)strcspn(message, "\n"),
		 message);
	return LBADM_REFUSED;
}

int nft_run(const char *commands)
{
	struct nft_ctx *ctx = begin();
	int status = LBADM_OK;
	char why[WHY_MAX];

	if (!ctx)
		return fail(LBADM_REFUSED, "out of memory");
	if (nft_run_cmd_from_buffer(ctx, commands)) {
		status = nft_failed(nft_ctx_get_error_buffer(ctx), why,
				    sizeof(why));
		fail(status, "%s", why);
	}
	nft_ctx_free(ctx);
	return status;
}

static int list_failed(const char *error, char *why, size_t size)
{
	/* There is no table. */
	if (strstr(error, "No such file or directory"))
		return LBADM_OK;
	return nft_failed(error, why, size);
}

static int list_read(const char *text, json_t **objects, char *why, size_t size)
{
	json_t *answer = json_loads(text, 0, NULL);

	*objects = json_incref(json_object_get(answer, "nftables"));
	json_decref(answer);
	if (*objects)
		return LBADM_OK;
	snprintf(why, size, "nftables: its answer cannot be read");
	return LBADM_REFUSED;
}

int nft_try_list(json_t **objects, char *why, size_t size)
{
	struct nft_ctx *ctx = begin();
	int status;

	*objects = NULL;
	if (!ctx) {
		snprintf(why, size, "out of memory");
		return LBADM_REFUSED;
	}
	nft_ctx_output_set_flags(ctx, NFT_CTX_OUTPUT_JSON);
	status = nft_run_cmd_from_buffer(ctx, "list table " NFT_TABLE) ?
		 list_failed(nft_ctx_get_error_buffer(ctx), why, size) :
		 list_read(nft_ctx_get_output_buffer(ctx), objects, why, size);
	nft_ctx_free(ctx);
	return status;
}

int nft_list(json_t **objects)
{
	char why[WHY_MAX];
	int status = nft_try_list(objects, why, sizeof(why));

	return status ? fail(status, "%s", why) : LBADM_OK;
}
