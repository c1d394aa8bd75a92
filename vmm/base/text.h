/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that comes from elsewhere: what may go into a log, a terminal and JSON. */
#ifndef VMM_BASE_TEXT_H
#define VMM_BASE_TEXT_H

#include <stdbool.h>

/*
 * True if it is UTF-8 (RFC 3629: the shortest form, no surrogates, nothing beyond U+10FFFF) without control characters
 * of ASCII or Latin-1, which terminals obey.
 */
bool text_is_plain(const char *text);

/*
 * Copies up to a comma that stands alone; of two, one stays. `piece` has room for all of the text. What follows the
 * comma, or NULL at the end.
 */
const char *text_take_piece(const char *text, char *piece);

#endif
