/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a console's connection: see the header. */
#include "control/stream.h"

#include "base/json.h"
#include "control/line.h"

#include <string.h>
#include <sys/socket.h>

/* The words of the line. */
static const char *const ends[] = {
	[MACHINE_END_POWER_OFF] = "off",  [MACHINE_END_RESET] = "reset", [MACHINE_END_PANIC] = "panic",
	[MACHINE_END_MIGRATED] = "moved", [MACHINE_END_SAVED] = "saved", [MACHINE_END_STOPPED] = "stopped",
	[MACHINE_END_FAILED] = "failed",
};

#define ENDS (sizeof(ends) / sizeof(ends[0]))

void stream_send_end(int fd, enum machine_end end, const char *host, uint64_t unread)
{
	const char *word = ends[end == MACHINE_END_NONE ? MACHINE_END_FAILED : end];

	if (send(fd, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1)
		control_write_line(fd, json_pack("{s:{s:s, s:s*, s:I}}", "ok", "end", word, "host", host, "unread",
						 (json_int_t)unread));
}

/* Whether what is held can still be the end, with one byte more. */
static bool stream_continues(const struct stream *stream, char byte)
{
	if (!stream->held)
		return !byte;
	if (stream->held == 1)
		return byte == '{';
	return byte && stream->held < STREAM_END_MAX && stream->end[stream->held - 1] != '\n';
}

size_t stream_take(struct stream *stream, const char *bytes, size_t size, char *shown)
{
	size_t count = 0;

	for (size_t n = 0; n < size; n++) {
		if (stream->held && !stream_continues(stream, bytes[n])) {
			memcpy(shown + count, stream->end, stream->held);
			count += stream->held;
			stream->held = 0;
		}
		if (stream_continues(stream, bytes[n]))
			stream->end[stream->held++] = bytes[n];
		else
			shown[count++] = bytes[n];
	}
	return count;
}

enum machine_end stream_end(const struct stream *stream, json_t **line, const char **host, uint64_t *unread)
{
	const json_t *ok;
	const char *word;

	*line = NULL;
	if (stream->held > 1)
		json_read(stream->end + 1, stream->held - 1, 0, line, NULL);
	ok = json_object_get(*line, "ok");
	word = json_string_value(json_object_get(ok, "end"));
	*host = json_string_value(json_object_get(ok, "host"));
	*unread = (uint64_t)json_integer_value(json_object_get(ok, "unread"));
	for (size_t n = 1; word && n < ENDS; n++)
		if (!strcmp(word, ends[n]))
			return (enum machine_end)n;
	return MACHINE_END_NONE;
}
