/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files of connection save: a header, and records as the module has them.
 */
#ifndef LBADM_RECORD_FILE_H
#define LBADM_RECORD_FILE_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct record_file - records, and when they were true
 * @saved: milliseconds since 1970
 * @size: bytes of each
 * @count: how many
 * @room: for how many @records has memory
 * @records: struct nflb_conn_record, @size bytes each
 */
struct record_file {
	uint64_t saved;
	uint32_t size;
	size_t count, room;
	unsigned char *records;
};

/* The time for @saved */
uint64_t record_file_now(void);

/* Append records, of @size bytes each. */
void record_file_append(struct record_file *file, const void *records, size_t count);

/**
 * record_file_write() - write a file; "-" is standard output
 * @file: its contents
 * @name: its name
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int record_file_write(const struct record_file *file, const char *name);

/**
 * record_file_read() - read one; "-" is standard input
 * @file: its contents; record_file_free() in any case
 * @name: its name
 *
 * Each record has the size that it says then.
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int record_file_read(struct record_file *file, const char *name);

void record_file_free(struct record_file *file);

#endif /* LBADM_RECORD_FILE_H */
