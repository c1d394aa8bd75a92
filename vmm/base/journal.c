/* SPDX-License-Identifier: BSD-2-Clause */
/* Entries of the journal: see the header. */
#include "base/journal.h"

#include "base/buffer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static int journal = -1;

bool journal_is_stream(const char *stream, dev_t device, ino_t inode)
{
	char own[48];

	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)device, (uintmax_t)inode);
	return stream && !strcmp(stream, own);
}

void journal_adopt(int fd)
{
	journal = fd;
}

void journal_open(void)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };
	struct stat log;
	int fd;

	if (fstat(STDERR_FILENO, &log) || !journal_is_stream(getenv("JOURNAL_STREAM"), log.st_dev, log.st_ino))
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		fd = -1;
	}
	journal_adopt(fd);
}

/* NAME=value, or if it has more than one line, the name, its size in 64 bits, little-endian, and the value. */
static void field_put(struct buffer *entry, const struct journal_field *field)
{
	size_t size = strlen(field->value);

	buffer_put(entry, field->name, strlen(field->name));
	if (strchr(field->value, '\n')) {
		buffer_put_u8(entry, '\n');
		buffer_put_u64(entry, size);
	} else {
		buffer_put_u8(entry, '=');
	}
	buffer_put(entry, field->value, size);
	buffer_put_u8(entry, '\n');
}

void journal_send(const struct journal_field *fields, size_t count)
{
	struct buffer entry = { 0 };

	if (journal < 0)
		return;
	for (size_t n = 0; n < count; n++)
		if (fields[n].value)
			field_put(&entry, &fields[n]);
	if (!buffer_failed(&entry))
		(void)!send(journal, entry.data, entry.size, MSG_DONTWAIT | MSG_NOSIGNAL);
	buffer_free(&entry);
}
