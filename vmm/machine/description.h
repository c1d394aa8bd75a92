/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine's description as JSON: what a person writes into a file, and what `status` shows (seaclock.json(5)).
 *
 * Policy: one table says which fields there are, for both ways and for the manual page's test. The name is not in it:
 * that is the file's name, or stands on the command line. A field that is not known is refused, because its writer
 * relies on it; so is one that is there twice. A field that is left out keeps its default.
 */
#ifndef VMM_MACHINE_DESCRIPTION_H
#define VMM_MACHINE_DESCRIPTION_H

#include "machine/config.h"

#include <jansson.h>

/* Names of field number n, of the machine, a disk or a network device; NULL after the last. */
const char *description_field_at(size_t n);
const char *description_disk_field_at(size_t n);
const char *description_net_field_at(size_t n);

/* Texts that are empty are left out. To be released; NULL if there is no memory. */
json_t *description_json(const struct machine_config *config);

/*
 * Sets the fields that the text names, over those that config_init() or somebody else has set, the name among them.
 * -EINVAL and a sentence that begins with the field, or says where the text is not JSON.
 */
int description_parse(const char *text, size_t size, struct machine_config *config, struct error *error);

/* The same from a file; the sentence begins with its path. -ENOENT and others: it cannot be read; -EINTR. */
int description_read(const char *path, struct machine_config *config, struct error *error);

#endif
