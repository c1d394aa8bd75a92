/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line of a guest's console: "@kind key=value ... *checksum".
 *
 * Policy: the guest is not trusted. A line is taken whole or refused; a number outside its range makes it malformed.
 */
#ifndef LAB_JUDGE_LINE_H
#define LAB_JUDGE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_FIELDS_MAX 16
#define LINE_TEXT_MAX 256

/* Times are between 0 and this, in ns (the year 2043), so that sums of a few of them cannot overflow. */
#define LINE_TIME_MAX (1ll << 61)

struct line_field {
	const char *key;
	const char *value;
};

/* A line taken apart; the strings live in text. */
struct line {
	char text[LINE_TEXT_MAX];
	const char *kind;
	struct line_field fields[LINE_FIELDS_MAX];
	size_t count;
};

enum line_result {
	LINE_OTHER, /* not for the judge: the kernel's or a program's own output */
	LINE_TAKEN,
	LINE_DAMAGED, /* looks like one of the probe's, but its checksum or its form is wrong */
};

/*
 * Takes apart `length` bytes, the newline not among them. The probe's line may follow other text, since a message of
 * the kernel may precede it. A "@guest" line comes from a shell script and has no checksum.
 */
enum line_result line_parse(struct line *line, const char *bytes, size_t length);

/* The value of `key`, or NULL. */
const char *line_text(const struct line *line, const char *key);

/* Sets *value to the decimal number of `key`. False if it is missing, not a number, or not in [min, max]. */
bool line_number(const struct line *line, const char *key, int64_t min, int64_t max, int64_t *value);

/* The same for numbers of the full 64 bits without sign. */
bool line_count(const struct line *line, const char *key, uint64_t *value);

#endif
