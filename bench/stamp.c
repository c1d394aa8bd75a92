// SPDX-License-Identifier: BSD-2-Clause
/*
 * Copies lines from standard input to standard output, each preceded by its arrival time, in ns of CLOCK_REALTIME: when
 * its host has seen what a guest prints. An unfinished last line is dropped, and of one that is longer than the buffer,
 * all but its end.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ll

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Prints the whole lines of the text; returns the number of bytes that are left. */
static size_t lines_print(char *text, size_t size, size_t limit)
{
	int64_t now = now_ns();
	char *line = text, *end;

	while ((end = memchr(line, '\n', (size_t)(text + size - line)))) {
		printf("%" PRId64 " %.*s\n", now, (int)(end - line), line);
		line = end + 1;
	}
	fflush(stdout);
	size -= (size_t)(line - text);
	if (size == limit)
		return 0;
	memmove(text, line, size);
	return size;
}

int main(void)
{
	char text[4096];
	size_t held = 0;
	ssize_t got;

	while ((got = read(STDIN_FILENO, text + held, sizeof(text) - held)) > 0)
		held = lines_print(text, held + (size_t)got, sizeof(text));
	return got < 0;
}
