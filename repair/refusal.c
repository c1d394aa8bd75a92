/* SPDX-License-Identifier: BSD-2-Clause */
/* Refusals: see the header. */
#include "refusal.h"

#define SUBJECT_MAX 72u /* leaves room for the words around it */
#define PAIRED_MAX 36u	/* and of two each */

static size_t append(char *text, size_t used, const char *part, size_t limit)
{
	for (size_t i = 0; part && part[i] && i < limit && used + 1 < SC_REFUSAL_MAX; i++)
		text[used++] = part[i] >= ' ' && part[i] <= '~' ? part[i] : '?';
	return used;
}

void sc_refusal_write(struct sc_refusal *why, enum sc_refusal_reason reason, const char *before, const char *subject,
		      const char *after)
{
	size_t used = append(why->text, 0, before, SC_REFUSAL_MAX);

	used = append(why->text, used, subject, SUBJECT_MAX);
	used = append(why->text, used, after, SC_REFUSAL_MAX);
	why->text[used] = '\0';
	why->reason = reason;
}

void sc_refusal_write_pair(struct sc_refusal *why, enum sc_refusal_reason reason, const char *before,
			   const char *subject, const char *between, const char *second)
{
	size_t used = append(why->text, 0, before, SC_REFUSAL_MAX);

	used = append(why->text, used, subject, PAIRED_MAX);
	used = append(why->text, used, between, SC_REFUSAL_MAX);
	used = append(why->text, used, second, PAIRED_MAX);
	why->text[used] = '\0';
	why->reason = reason;
}

void sc_refusal_write_hex(struct sc_refusal *why, enum sc_refusal_reason reason, const char *before, uint64_t number,
			  uint32_t digits, const char *after)
{
	char text[17];
	size_t at = sizeof(text) - 1;

	text[at] = '\0';
	do {
		text[--at] = "0123456789abcdef"[number & 15];
		number >>= 4;
	} while (at && (number || at > sizeof(text) - 1 - digits));
	sc_refusal_write(why, reason, before, text + at, after);
}
