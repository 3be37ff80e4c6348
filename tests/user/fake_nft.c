// SPDX-License-Identifier: GPL-2.0
/*
 * libnftables, to be preloaded into lbadm. Without NFLB_FAKE_NFT there is no table,
 * and every transaction succeeds. With it, that file is the answer to "list table",
 * or an error if it begins with "error "; transactions are appended to FILE.log, and
 * fail if there is a FILE.refuse.
 */
#include <nftables/libnftables.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char text[1 << 16];

struct nft_ctx *nft_ctx_new(uint32_t flags)
{
	(void)flags;
	return (struct nft_ctx *)text;
}

void nft_ctx_free(struct nft_ctx *ctx)
{
	(void)ctx;
}

int nft_ctx_buffer_error(struct nft_ctx *ctx)
{
	(void)ctx;
	return 0;
}

int nft_ctx_buffer_output(struct nft_ctx *ctx)
{
	(void)ctx;
	return 0;
}

void nft_ctx_output_set_flags(struct nft_ctx *ctx, unsigned int flags)
{
	(void)ctx;
	(void)flags;
}

const char *nft_ctx_get_error_buffer(struct nft_ctx *ctx)
{
	return strncmp((char *)ctx, "error ", 6) ? (char *)ctx : (char *)ctx + 6;
}

const char *nft_ctx_get_output_buffer(struct nft_ctx *ctx)
{
	return (char *)ctx;
}

static int list(const char *name)
{
	FILE *file = name ? fopen(name, "r") : NULL;
	size_t len = 0;

	strcpy(text, "Error: No such file or directory");
	if (!file)
		return -1;
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	return strncmp(text, "error ", 6) ? 0 : -1;
}

int nft_run_cmd_from_buffer(struct nft_ctx *ctx, const char *commands)
{
	const char *name = getenv("NFLB_FAKE_NFT");
	char other[512];
	FILE *file;

	(void)ctx;
	if (!strncmp(commands, "list ", 5))
		return list(name);
	if (!name)
		return 0;
	snprintf(other, sizeof(other), "%s.refuse", name);
	strcpy(text, "Error: refused\nmore");
	if (!access(other, F_OK))
		return -1;
	snprintf(other, sizeof(other), "%s.log", name);
	file = fopen(other, "a");
	if (!file)
		return -1;
	fputs(commands, file);
	fclose(file);
	return 0;
}
