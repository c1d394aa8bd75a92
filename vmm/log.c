/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines for the operator: see the header. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_MAX_LENGTH 1024

/* One write a line, so that the lines of several threads do not mix. */
static void log_write(const char *format, va_list arguments, const char *end)
{
	char line[LINE_MAX_LENGTH];

	vsnprintf(line, sizeof(line), format, arguments);
	fprintf(stderr, "seaclock: %s%s\n", line, end);
}

void log_line(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_write(format, arguments, "");
	va_end(arguments);
}

void log_guest(uint32_t *count, const char *format, ...)
{
	uint32_t number = __atomic_add_fetch(count, 1, __ATOMIC_RELAXED);
	va_list arguments;

	if (number > LOG_GUEST_LINES) {
		__atomic_store_n(count, LOG_GUEST_LINES, __ATOMIC_RELAXED);
		return;
	}
	va_start(arguments, format);
	log_write(format, arguments, number == LOG_GUEST_LINES ? " (more of this is not logged)" : "");
	va_end(arguments);
}
