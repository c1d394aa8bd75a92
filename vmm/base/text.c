/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that comes from elsewhere: see the header. */
#include "base/text.h"

#include <stddef.h>
#include <stdint.h>

#define CONTROLS_END 0x20u
#define DELETE 0x7fu
#define LATIN_CONTROLS_END 0xa0u
#define SURROGATES 0xd800u
#define SURROGATES_END 0xe000u
#define UNICODE_END 0x110000u

/* How long a character is by its first byte, and the smallest that is so long; 0: none begins so. */
static unsigned int character_length(uint8_t first, uint32_t *least)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned int length = 0;

	if (first < 0x80)
		length = 1;
	else if ((first & 0xe0) == 0xc0)
		length = 2;
	else if ((first & 0xf0) == 0xe0)
		length = 3;
	else if ((first & 0xf8) == 0xf0)
		length = 4;
	*least = smallest[length];
	return length;
}

static bool character_is_plain(uint32_t character)
{
	return character >= CONTROLS_END && (character < DELETE || character >= LATIN_CONTROLS_END) &&
	       (character < SURROGATES || character >= SURROGATES_END) && character < UNICODE_END;
}

/* The bytes of the character that begins here; 0 if it is none, or a control character. */
static unsigned int character_measure(const uint8_t *place)
{
	uint32_t least, character;
	unsigned int length = character_length(place[0], &least);

	if (!length)
		return 0;
	character = length == 1 ? place[0] : place[0] & (0x7fu >> length);
	for (unsigned int n = 1; n < length; n++) {
		if ((place[n] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | (place[n] & 0x3fu);
	}
	return character >= least && character_is_plain(character) ? length : 0;
}

bool text_is_plain(const char *text)
{
	const uint8_t *place = (const uint8_t *)text;

	while (*place) {
		unsigned int length = character_measure(place);

		if (!length)
			return false;
		place += length;
	}
	return true;
}

const char *text_take_piece(const char *text, char *piece)
{
	for (; *text; text++) {
		if (text[0] == ',' && text[1] != ',')
			break;
		text += text[0] == ',';
		*piece++ = *text;
	}
	*piece = '\0';
	return *text ? text + 1 : NULL;
}
