/* SPDX-License-Identifier: BSD-2-Clause */
/* What a HELLO says of a machine. Policy: the same for a migration and for a file. */
#ifndef VMM_TRANSFER_HELLO_H
#define VMM_TRANSFER_HELLO_H

#include "machine/machine.h"
#include "transfer/frame.h"

/* Of a machine here, but for the migration's own facts. */
struct frame_hello hello_describe(const struct machine *machine, enum sc_level level);

#endif
