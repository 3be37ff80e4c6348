// SPDX-License-Identifier: GPL-2.0
/*
 * Talking to nftables.
 */
#include <nftables/libnftables.h>
#include <string.h>

#include "lbadm.h"
#include "nft/nft.h"

static struct nft_ctx *begin(void)
{
	struct nft_ctx *ctx = nft_ctx_new(NFT_CTX_DEFAULT);

	if (ctx) {
		nft_ctx_buffer_error(ctx);
		nft_ctx_buffer_output(ctx);
	}
	return ctx;
}

static int out_of_memory(void)
{
	return fail(LBADM_UNAVAILABLE, "out of memory");
}

/* What nft says, without the line of its input that it repeats. */
static int nft_failed(const char *message)
{
	size_t len = strcspn(message, "\n");

	if (strstr(message, "Operation not permitted"))
		return fail(LBADM_UNAVAILABLE,
			    "permission denied: CAP_NET_ADMIN is needed for nftables");
	return fail(LBADM_REFUSED, "nftables: %.*s", (int)len, message);
}

int nft_run(const char *commands)
{
	struct nft_ctx *ctx = begin();
	int status = LBADM_OK;

	if (!ctx)
		return out_of_memory();
	if (nft_run_cmd_from_buffer(ctx, commands))
		status = nft_failed(nft_ctx_get_error_buffer(ctx));
	nft_ctx_free(ctx);
	return status;
}

int nft_list(json_t **objects)
{
	struct nft_ctx *ctx = begin();
	int status = LBADM_OK;
	const char *error;
	json_t *answer;

	*objects = NULL;
	if (!ctx)
		return out_of_memory();
	nft_ctx_output_set_flags(ctx, NFT_CTX_OUTPUT_JSON);
	if (nft_run_cmd_from_buffer(ctx, "list table " NFT_TABLE)) {
		error = nft_ctx_get_error_buffer(ctx);
		if (!strstr(error, "No such file or directory"))
			status = nft_failed(error);
	} else {
		answer = json_loads(nft_ctx_get_output_buffer(ctx), 0, NULL);
		*objects = json_incref(json_object_get(answer, "nftables"));
		json_decref(answer);
		if (!*objects)
			status = fail(LBADM_REFUSED,
				      "nftables: its answer cannot be read");
	}
	nft_ctx_free(ctx);
	return status;
}
