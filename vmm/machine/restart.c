/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine that starts anew: see the header. */
#include "machine/restart.h"

#include "base/log.h"
#include "machine/payload.h"

#include <errno.h>
#include <sys/eventfd.h>

/* All vCPUs are parked. */
static int restart_load(struct machine *machine, struct error *error)
{
	struct boot_source payload;
	int result = payload_read(&payload, &machine->config, error);

	if (result)
		return result;
	result = machine_reset(machine, error);
	if (!result) {
		memory_clear_ram(&machine->memory);
		result = machine_boot(machine, &payload, error);
	}
	payload_free(&payload);
	return result;
}

/* The order is taken, with what another vCPU may have ordered since. */
static enum machine_end restart_take(struct machine *machine)
{
	eventfd_t ignored;

	eventfd_read(machine->down, &ignored);
	return __atomic_exchange_n(&machine->restart, MACHINE_END_NONE, __ATOMIC_SEQ_CST);
}

static void restart_fail(struct machine *machine, enum machine_end end, const struct error *error)
{
	log_line("%s cannot start anew, and ends: %s", machine->config.name, error->text);
	machine_finish(machine, end);
}

void restart_run(struct machine *machine)
{
	enum machine_end otherwise;
	struct error error;
	eventfd_t ignored;
	int result;

	eventfd_read(machine->restarting, &ignored);
	if (!machine_begin_restart(machine))
		return;
	vcpus_park(&machine->vcpus);
	otherwise = restart_take(machine);
	result = restart_load(machine, &error);
	/* Told to end meanwhile: whoever waits for that order ends the machine, and nothing runs until then. */
	if (result == -EINTR)
		return;
	if (result)
		return restart_fail(machine, otherwise, &error);
	log_guest(&machine->restarts_logged, "%s starts anew: its guest has %s", machine->config.name,
		  otherwise == MACHINE_END_PANIC ? "crashed" : "reset it");
	__atomic_fetch_add(&machine->restarts, 1, __ATOMIC_RELAXED);
	machine_end_restart(machine);
}
