/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries with fields in the journal of systemd, by its native protocol: a datagram to a socket that is always there
 * (systemd.journal-fields(7); the protocol is stable and documented, so no library is linked for it).
 *
 * Policy: a service whose standard error is the journal has one, as JOURNAL_STREAM tells (systemd.exec(5)), and nobody
 * else. It is connected before the process is confined. An entry never waits and is never missed by anybody who
 * matters: the log's lines say the same, so one that cannot be sent is dropped.
 */
#ifndef VMM_BASE_JOURNAL_H
#define VMM_BASE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct journal_field {
	const char *name;  /* capital letters, digits and _ */
	const char *value; /* NULL: this one is left out */
};

/* Whether `stream`, a text as in JOURNAL_STREAM or NULL, is the file of this device and inode. */
bool journal_is_stream(const char *stream, dev_t device, ino_t inode);

/* Once, before other threads and any sandbox. */
void journal_open(void);
/* A socket that is connected, to send to from here on. */
void journal_adopt(int fd);

/* One entry; from any thread. Nothing without a journal. */
void journal_send(const struct journal_field *fields, size_t count);

#endif
