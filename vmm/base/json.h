/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON that is read whole, or not at all.
 *
 * Policy: jansson goes on without a character, and its callers without a member, if there is no memory for it. So its
 * allocations are watched, by thread, and what has lost one is thrown away.
 */
#ifndef VMM_BASE_JSON_H
#define VMM_BASE_JSON_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>

/* 0 and a value, to be freed; -EINVAL and what is wrong where, unless `fault` is NULL; -ENOMEM. `flags` as jansson's.
 */
int json_read(const char *text, size_t size, size_t flags, json_t **value, json_error_t *fault);

/*
 * The same of a text that somebody has written, in which no member is there twice. What it is, as in "facts of 5
 * bytes", says `what`; the sentence says where it is no JSON.
 */
int json_parse(const char *text, size_t size, const char *what, json_t **value, struct error *error);

/* From here on, until json_is_whole(): whether everything had its memory that this thread has made. */
void json_watch(void);
bool json_is_whole(void);

#endif
