/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks on the command line: see the header. */
#include "command/disk.h"

#include "base/file.h"
#include "base/text.h"
#include "dev/disk/where.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As in the description: a URI as it is, a path from the root. */
static int where_put(const char *text, char where[CONFIG_PATH_SIZE], struct error *error)
{
	if (!where_is_remote(text))
		return file_path(text, where, CONFIG_PATH_SIZE, error);
	if (strlen(text) >= CONFIG_PATH_SIZE)
		return error_set(error, ENAMETOOLONG, "the URI %.100s... has %zu bytes; at most %u are possible", text,
				 strlen(text), CONFIG_PATH_SIZE - 1);
	memcpy(where, text, strlen(text) + 1);
	return 0;
}

static int serial_put(const char *text, struct config_disk *disk, struct error *error)
{
	if (!*text || strlen(text) >= sizeof(disk->serial))
		return error_set(error, EINVAL, "serial= of --disk takes 1 to %u characters, not %zu",
				 CONFIG_SERIAL_SIZE - 1, strlen(text));
	memcpy(disk->serial, text, strlen(text) + 1);
	return 0;
}

/* A number without anything else, up to `most`. */
static bool number_parse(const char *text, uint32_t most, uint32_t *number)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long long value;

	errno = 0;
	value = strtoull(text, NULL, 10);
	*number = (uint32_t)value;
	return digits && !text[digits] && !errno && value <= most;
}

static int piece_put(const char *piece, struct config_disk *disk, struct error *error)
{
	static const char serial[] = "serial=", reconnect[] = "reconnect=";
	const char *seconds = piece + sizeof(reconnect) - 1;

	if (!strcmp(piece, "readonly")) {
		disk->readonly = true;
		return 0;
	}
	if (!strncmp(piece, serial, sizeof(serial) - 1))
		return serial_put(piece + sizeof(serial) - 1, disk, error);
	if (strncmp(piece, reconnect, sizeof(reconnect) - 1) != 0)
		return error_set(error, EINVAL,
				 "behind its path --disk takes readonly, serial=TEXT and reconnect=SECONDS, not "
				 "`%.100s`; a comma in the path is written twice",
				 piece);
	if (number_parse(seconds, CONFIG_RECONNECT_MAX_S, &disk->reconnect_s))
		return 0;
	return error_set(error, EINVAL, "reconnect= of --disk takes a number from 0 to %u, not `%.100s`",
			 CONFIG_RECONNECT_MAX_S, seconds);
}

static int pieces_put(const char *text, char *piece, struct config_disk *disk, struct error *error)
{
	const char *rest = text_take_piece(text, piece);
	int result = where_put(piece, disk->where, error);

	while (!result && rest) {
		rest = text_take_piece(rest, piece);
		result = piece_put(piece, disk, error);
	}
	return result;
}

int disk_parse(const char *text, struct config_disk *disk, struct error *error)
{
	char *piece = strdup(text);
	int result;

	if (!piece)
		return error_set(error, ENOMEM, "no memory for the options of a disk");
	*disk = config_disk_default();
	result = pieces_put(text, piece, disk, error);
	free(piece);
	return result ? result : config_disk_check(disk, "--disk: ", error);
}

int disk_parse_place(const char *text, uint32_t *number, char where[CONFIG_PATH_SIZE], struct error *error)
{
	char digits[sizeof("10")];
	size_t length = strcspn(text, "=");

	snprintf(digits, sizeof(digits), "%.*s", (int)length, text);
	if (length < sizeof(digits) && text[length] && number_parse(digits, CONFIG_DISKS_MAX - 1, number))
		return where_put(text + length + 1, where, error);
	return error_set(error, EINVAL,
			 "--disk takes N=PATH or N=URI here, where N is the number of the disk, 0 to %u, not `%.100s`",
			 CONFIG_DISKS_MAX - 1, text);
}
