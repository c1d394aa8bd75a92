/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of machines: on the command line, in the control folder and in the migration stream. */
#ifndef VMM_BASE_NAME_H
#define VMM_BASE_NAME_H

#include <stdbool.h>

/* With the terminating zero. */
#define NAME_SIZE 64

/* True if the name can be a machine's: letters, digits, `-`, `_` and `.`, a letter or digit first, below NAME_SIZE. */
bool name_is_valid(const char *name);

#endif
