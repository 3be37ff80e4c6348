// SPDX-License-Identifier: GPL-2.0
/*
 * Files of connection save. Numbers have the byte order of the machine, as the records
 * have; a file of another kind of machine is refused.
 */
#include "cmd/record_file.h"

#include <errno.h>
#include <linux/nflb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/report.h"
#include "util/whole_file.h"

#define MAGIC "NFLBCONN"
#define ORDER 0x01020304u
#define VERSION 1

/* The longest record of any module to come */
#define SIZE_MAX_RECORD 4096

struct header {
	char magic[8];
	uint32_t order;
	uint32_t version;
	uint32_t size;		/* of a record */
	uint32_t reserved;
	uint64_t count;
	uint64_t saved;
};

uint64_t record_file_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

static void make_room(struct record_file *file, size_t more)
{
	size_t wanted = file->count + more;

	if (wanted <= file->room)
		return;
	file->room = wanted > 2 * file->room ? wanted : 2 * file->room;
	file->records = reallocarray(file->records, file->room, file->size);
	if (!file->records)
		abort();
}

void record_file_append(struct record_file *file, const void *records, size_t count)
{
	make_room(file, count);
	memcpy(file->records + file->count * file->size, records, count * file->size);
	file->count += count;
}

static bool put(FILE *to, const void *data)
{
	const struct record_file *file = data;
	struct header header = {
		.order = ORDER,
		.version = VERSION,
		.size = file->size,
		.count = file->count,
		.saved = file->saved,
	};

	memcpy(header.magic, MAGIC, sizeof(header.magic));
	return fwrite(&header, sizeof(header), 1, to) == 1 &&
	       fwrite(file->records, file->size, file->count, to) == file->count;
}

int record_file_write(const struct record_file *file, const char *name)
{
	if (strcmp(name, "-"))
		return whole_file(name, put, file);
	if (put(stdout, file) && !fflush(stdout))
		return LBADM_OK;
	return usage_error("standard output: %s", strerror(errno));
}

static const char *wrong(const struct header *header)
{
	if (memcmp(header->magic, MAGIC, sizeof(header->magic)))
		return "this is no file of \"connection save\"";
	if (header->order != ORDER)
		return "the file is of a machine with another byte order";
	if (header->version != VERSION)
		return "the file is of a newer lbadm";
	if (header->size < NFLB_CONN_RECORD_SIZE_MIN || header->size > SIZE_MAX_RECORD)
		return "the size of the records is wrong";
	return NULL;
}

/* Records come in pieces: nobody allocates what a header claims. */
static bool read_records(struct record_file *file, FILE *from, uint64_t count)
{
	size_t piece, done;

	while (file->count < count) {
		piece = count - file->count < 4096 ? count - file->count : 4096;
		make_room(file, piece);
		done = fread(file->records + file->count * file->size, file->size,
			     piece, from);
		file->count += done;
		if (done < piece)
			return false;
	}
	return true;
}

/* Is each record as long as the header says? */
static bool sizes_agree(const struct record_file *file)
{
	uint16_t size;
	size_t i;

	for (i = 0; i < file->count; i++) {
		memcpy(&size, file->records + i * file->size, sizeof(size));
		if (size != file->size)
			return false;
	}
	return true;
}

static int read_from(struct record_file *file, FILE *from, const char *name)
{
	struct header header;
	const char *why;

	if (fread(&header, sizeof(header), 1, from) != 1)
		return usage_error("%s: %s", name, ferror(from) ? strerror(errno) :
				   "this is no file of \"connection save\"");
	why = wrong(&header);
	if (why)
		return usage_error("%s: %s", name, why);
	file->size = header.size;
	file->saved = header.saved;
	if (!read_records(file, from, header.count))
		return usage_error("%s: %s", name, ferror(from) ? strerror(errno) :
				   "the file is cut off");
	if (fgetc(from) != EOF)
		return usage_error("%s: the file is longer than it says", name);
	if (!sizes_agree(file))
		return usage_error("%s: the size of a record is wrong", name);
	return LBADM_OK;
}

int record_file_read(struct record_file *file, const char *name)
{
	bool standard = !strcmp(name, "-");
	FILE *from = standard ? stdin : fopen(name, "r");
	int status;

	memset(file, 0, sizeof(*file));
	if (!from)
		return usage_error("%s: %s", name, strerror(errno));
	status = read_from(file, from, standard ? "standard input" : name);
	if (!standard)
		fclose(from);
	return status;
}

void record_file_free(struct record_file *file)
{
	free(file->records);
}
