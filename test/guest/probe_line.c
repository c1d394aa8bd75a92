// SPDX-License-Identifier: BSD-2-Clause
/*
 * Prints checksummed lines. Policy: a line that does not fit is a bug of the probe, and the judge would miss it, so it
 * is left out whole and never cut.
 */
#include "probe_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "checksum.h"

size_t line_format(char *buffer, size_t size, const char *text)
{
	size_t length = strlen(text);
	int written = snprintf(buffer, size, "%s" CHECKSUM_SUFFIX_FORMAT "\n", text, checksum_of(text, length));

	return written > 0 && (size_t)written < size ? (size_t)written : 0;
}

static void write_all(const char *text, size_t length)
{
	while (length > 0) {
		ssize_t written = write(STDOUT_FILENO, text, length);

		if (written <= 0)
			return;
		text += written;
		length -= (size_t)written;
	}
}

void line_print(const char *format, ...)
{
	char text[LINE_MAX_LENGTH + 1];
	char line[LINE_MAX_LENGTH + 1];
	va_list args;

	va_start(args, format);
	int length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length > 0 && (size_t)length < sizeof(text))
		write_all(line, line_format(line, sizeof(line), text));
}
