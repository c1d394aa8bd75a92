// SPDX-License-Identifier: BSD-2-Clause
/*
 * Takes console lines apart. Policy: printable ASCII only, bounded length and number of fields.
 */
#include "line.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../test/guest/checksum.h"

static bool is_printable(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!isprint((unsigned char)bytes[i]))
			return false;
	return true;
}

static bool checksum_is_right(const char *bytes, size_t length)
{
	char digits[5] = "";

	if (length < CHECKSUM_SUFFIX_LENGTH)
		return false;
	const char *suffix = bytes + length - CHECKSUM_SUFFIX_LENGTH;

	memcpy(digits, suffix + 2, 4);
	if (suffix[0] != ' ' || suffix[1] != '*' || strspn(digits, "0123456789abcdef") != 4)
		return false;
	return strtoul(digits, NULL, 16) == checksum_of(bytes, length - CHECKSUM_SUFFIX_LENGTH);
}

static bool field_split(struct line_field *field, char *word)
{
	char *equals = strchr(word, '=');

	if (!equals || equals == word)
		return false;
	*equals = '\0';
	*field = (struct line_field){ .key = word, .value = equals + 1 };
	return true;
}

static bool words_split(struct line *line)
{
	char *rest;
	char *word = strtok_r(line->text, " ", &rest);

	line->kind = word;
	line->count = 0;
	while (word && (word = strtok_r(NULL, " ", &rest))) {
		if (line->count == LINE_FIELDS_MAX || !field_split(&line->fields[line->count], word))
			return false;
		line->count++;
	}
	return line->kind && line->kind[1];
}

enum line_result line_parse(struct line *line, const char *bytes, size_t length)
{
	while (length > 0 && bytes[length - 1] == '\r')
		length--;
	const char *start = length ? memrchr(bytes, '@', length) : NULL;

	if (!start)
		return LINE_OTHER;
	bool at_start = start == bytes;

	length -= (size_t)(start - bytes);
	bool is_guest = length > 7 && memcmp(start, "@guest ", 7) == 0;

	if (!is_guest && !checksum_is_right(start, length))
		return at_start ? LINE_DAMAGED : LINE_OTHER;
	if (!is_guest)
		length -= CHECKSUM_SUFFIX_LENGTH;
	if (length >= LINE_TEXT_MAX || !is_printable(start, length))
		return LINE_DAMAGED;
	memcpy(line->text, start, length);
	line->text[length] = '\0';
	return words_split(line) ? LINE_TAKEN : LINE_DAMAGED;
}

const char *line_text(const struct line *line, const char *key)
{
	for (size_t i = 0; i < line->count; i++)
		if (strcmp(line->fields[i].key, key) == 0)
			return line->fields[i].value;
	return NULL;
}

bool line_number(const struct line *line, const char *key, int64_t min, int64_t max, int64_t *value)
{
	const char *text = line_text(line, key);
	char *end;

	if (!text || !(isdigit((unsigned char)text[0]) || text[0] == '-'))
		return false;
	errno = 0;
	*value = strtoll(text, &end, 10);
	return !errno && end != text && !*end && *value >= min && *value <= max;
}

bool line_count(const struct line *line, const char *key, uint64_t *value)
{
	const char *text = line_text(line, key);
	char *end;

	if (!text || !isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return !errno && !*end;
}
