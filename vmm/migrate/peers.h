/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which hosts may send a machine here, under which names, and with how much memory: the receiver's file `peers`.
 *
 *     # host           machines     MiB
 *     altra.example    web-*,db     16384
 *     10.0.0.7         *            4096
 *
 * Policy: pure; a text in, a table out. A host is known by a name in its certificate's SAN, which is all of a name: `*`
 * stands for any characters in machines' names only. What is not in the table may not come. A file with a fault is
 * refused as a whole, with the number of its line.
 */
#ifndef VMM_MIGRATE_PEERS_H
#define VMM_MIGRATE_PEERS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define PEERS_MAX 64u
#define PEERS_FILE_MAX 65536u
#define PEERS_HOST_SIZE 256
#define PEERS_NAMES_SIZE 256

/* A line. Several may be about one host. */
struct peer {
	char host[PEERS_HOST_SIZE];
	char names[PEERS_NAMES_SIZE]; /* patterns, with commas between them */
	uint32_t memory_mib;
};

struct peers {
	uint32_t count;
	struct peer peer[PEERS_MAX];
};

/* -EBADMSG and a sentence that names the line of `path`; a text in which nobody is named is refused as well. */
int peers_parse(const char *text, size_t size, const char *path, struct peers *peers, struct error *error);

/* The host of the first line about it, which is its identity from then on; NULL: it may send nothing. */
const char *peers_find(const struct peers *peers, const char *host);

/* -EACCES and a sentence unless one line about the host allows a machine of that name, and of so many bytes. */
int peers_check_name(const struct peers *peers, const char *host, const char *name, struct error *error);
int peers_check_memory(const struct peers *peers, const char *host, const char *name, uint64_t bytes,
		       struct error *error);

#endif
