/* SPDX-License-Identifier: BSD-2-Clause */
/* Credentials of a host, from an authority of its own, made now: for programs that need some, and not certain ones. */
#ifndef FAKE_KEYS_H
#define FAKE_KEYS_H

#include "migrate/credentials.h"

/* Of a host of that name or address. Whoever cannot have any is ended, with a sentence. */
void fake_keys_open(struct credentials *credentials, const char *name);

#endif
