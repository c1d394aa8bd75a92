/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest's kernel is, as repair/ finds it in the guest's memory, and whether it is a known one.
 *
 * Policy: looks and writes nothing. The vCPUs are parked only for their registers; the search, which takes as long as
 * the guest has memory, is done beside them, by a thread that nobody waits for. A guest can forge what is found.
 */
#ifndef VMM_MACHINE_KERNEL_H
#define VMM_MACHINE_KERNEL_H

#include "base/error.h"

#include <seaclock/repair.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kernel_port;
struct machine;

struct kernel {
	bool found; /* it was looked for */
	bool known;
	char release[SC_RELEASE_MAX];		   /* may be empty */
	char build_id[SC_BUILD_ID_MAX];		   /* may be empty */
	char clocksource[SC_CLOCKSOURCE_TEXT_MAX]; /* of a guest's that is known, as it was then; may be empty */
	uint64_t fingerprint;			   /* 0 if it is not known */
	char known_by[SC_RELEASE_MAX];		   /* the build that made it known */
	char reason[SC_REFUSAL_MAX];		   /* why it is not known */
	uint32_t restarts;			   /* in which of the machine's lives */
};

/*
 * Looks for the kernel of a machine that runs, is paused or is being migrated, which takes some 50 ms for 512 MiB of
 * memory in use. 0 also if it is not known. -EBUSY in another state; -ENOMEM.
 */
int kernel_find(struct machine *machine, struct kernel *kernel, struct error *error);

/*
 * The same of a machine in any state, by a port that is open: *found is of a kernel that is known, all zero of another,
 * and refers to the port. -ENOMEM.
 */
int kernel_search(struct kernel_port *port, struct sc_kernel *found, struct kernel *kernel, struct error *error);

/* What was found last, in this life of the machine; false: nobody has looked. */
bool kernel_last(struct machine *machine, struct kernel *kernel);

/* The same of a kernel's Image file, not compressed. -ENOMEM. */
int kernel_of_image(const void *image, size_t size, struct kernel *kernel, struct error *error);

#endif
