/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host's facts as JSON: what `seaclock host --json` prints, and reads of other hosts again.
 *
 * Policy: the only file that knows the form. A file of facts is foreign: each member that counts is checked, and a
 * wrong one refused by its name; members that are not known are of a newer version, and left out. Numbers of more than
 * 32 bits are texts, "0x" and hexadecimal digits.
 */
#ifndef VMM_TRANSFER_FACTS_H
#define VMM_TRANSFER_FACTS_H

#include "base/error.h"
#include "host/facts.h"

#include <jansson.h>

#define FACTS_SIZE_MAX (256u << 10)
#define FACTS_HOSTS_MAX 4096u /* at once */

/* NULL if there is no memory. */
json_t *facts_json(const struct host_facts *facts);

/* 0; or -EINVAL and a sentence; -ENOMEM. */
int facts_parse(const char *text, size_t size, struct host_facts *facts, struct error *error);
/* The same of a file, which the sentence names, as -EBADMSG; and as file_read(). */
int facts_read(const char *path, struct host_facts *facts, struct error *error);

/* The same of several, up to a NULL: an array to be freed, and how many there are. -ENOMEM; then the array is NULL. */
int facts_read_all(char *const *paths, struct host_facts **hosts, uint32_t *count, struct error *error);

#endif
