// SPDX-License-Identifier: BSD-2-Clause
/*
 * Copies lines from standard input to standard output, each behind the time at which it came, in ns of CLOCK_REALTIME:
 * what a guest prints becomes what its host has seen, and when. What follows the last line end when the input ends is
 * left out.
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

/* Prints the whole lines of the text; returns the number of bytes that are left. A line that fills it is cut. */
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
