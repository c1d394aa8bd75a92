/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest says of its own crash: see the header. */
#include "machine/crash.h"

#include "base/log.h"

#include <ctype.h>
#include <string.h>

/* Linux gives one page at most (drivers/hv/hv_common.c). */
#define MESSAGE_MAX 4096u

/* P3 and P4: guest address and length of the message (TLFS, crash enlightenment). */
#define CRASH_MESSAGE_GPA 3u
#define CRASH_MESSAGE_SIZE 4u

static void crash_print(char *text)
{
	for (char *place = text; *place; place++)
		if (*place != '\n' && *place != '\t' && !isprint((unsigned char)*place))
			*place = '?';
	for (char *line = strtok_r(text, "\n", &text); line; line = strtok_r(NULL, "\n", &text))
		log_quote(line);
}

void crash_report(const char *name, struct clock *clock, const struct memory *memory, uint32_t *count)
{
	bool quoted = __atomic_load_n(count, __ATOMIC_RELAXED) < LOG_GUEST_LINES;
	uint64_t gpa = clock_crash_register(clock, CRASH_MESSAGE_GPA);
	uint64_t size = clock_crash_register(clock, CRASH_MESSAGE_SIZE);
	char text[MESSAGE_MAX + 1] = "";

	if (size && memory_read(memory, gpa, text, size < MESSAGE_MAX ? size : MESSAGE_MAX)) {
		log_guest(count, "%s: the guest's kernel crashed; the tail of its log:", name);
		if (quoted)
			crash_print(text);
		return;
	}
	log_guest(
		count, "%s: the guest's kernel crashed: P0 0x%llx P1 0x%llx P2 0x%llx P3 0x%llx P4 0x%llx", name,
		(unsigned long long)clock_crash_register(clock, 0), (unsigned long long)clock_crash_register(clock, 1),
		(unsigned long long)clock_crash_register(clock, 2), (unsigned long long)gpa, (unsigned long long)size);
}
