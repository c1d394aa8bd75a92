/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's driver for tests: its clock is the raw counter, and it prepares and holds when it is asked.
 *
 * Policy: runs on vCPU 0 of a machine on a fake host, as the guest that the fake calls about once a ms.
 */
#ifndef FAKE_DRIVER_H
#define FAKE_DRIVER_H

#include "machine/machine.h"

struct driver {
	struct machine *machine;
	bool prepares; /* else it does not answer */
	bool holds;
	bool chooses_other;    /* its user switches to another clocksource when it is asked to prepare */
	uint64_t hesitates_ns; /* when it is asked to hold */
};

/* For a running machine with a driver of the reference level. It answers until the machine is gone. */
void driver_start(struct driver *driver);

/* Until vCPU 0 has declared a raw clock of this rate; false after 5 s. */
bool driver_wait_raw(const struct driver *driver, uint32_t hz);

#endif
