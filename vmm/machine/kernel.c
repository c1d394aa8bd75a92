/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's kernel: see the header. */
#include "machine/kernel.h"

#include "machine/kernel_port.h"
#include "machine/machine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int arena_open(struct sc_arena *arena, struct error *error)
{
	*arena =
		(struct sc_arena){ .memory = host_memory_allocate(SC_REPAIR_ARENA_SIZE), .size = SC_REPAIR_ARENA_SIZE };
	return arena->memory ? 0
			     : error_set(error, ENOMEM, "no memory to look for a kernel: it takes %u MiB",
					 SC_REPAIR_ARENA_SIZE >> 20);
}

static void kernel_take(struct kernel *kernel, const struct sc_kernel *found, const struct sc_refusal *why)
{
	kernel->found = true;
	memcpy(kernel->release, found->release, sizeof(kernel->release));
	memcpy(kernel->build_id, found->build_id, sizeof(kernel->build_id));
	kernel->known = !why;
	if (why) {
		snprintf(kernel->reason, sizeof(kernel->reason), "%s", why->text);
	} else {
		kernel->fingerprint = found->layout.fingerprint;
		snprintf(kernel->known_by, sizeof(kernel->known_by), "%s", found->known_by);
	}
}

static int kernel_check_state(struct machine *machine, struct error *error)
{
	enum machine_state state = machine_get_state(machine);

	if (state == MACHINE_RUNNING || state == MACHINE_PAUSED || state == MACHINE_MIGRATING)
		return 0;
	return error_set(error, EBUSY, "%s is %s: its kernel cannot be looked for now", machine->config.name,
			 machine_state_name(state));
}

int kernel_search(struct kernel_port *port, struct sc_kernel *found, struct kernel *kernel, struct error *error)
{
	struct machine *machine = port->machine;
	struct sc_arena arena;
	struct sc_refusal why;
	int result = arena_open(&arena, error);

	*kernel = (struct kernel){ .restarts = port->restarts };
	if (result)
		return result;
	result = sc_kernel_find(&port->guest, &arena, found, &why);
	kernel_take(kernel, found, result ? &why : NULL);
	/* A guest that forges its name has none. */
	if (!result)
		(void)sc_kernel_clocksource(found, kernel->clocksource, &why);
	host_memory_free(arena.memory, arena.size);
	lock_take(&machine->lock);
	machine->kernel = *kernel;
	lock_drop(&machine->lock);
	return 0;
}

int kernel_find(struct machine *machine, struct kernel *kernel, struct error *error)
{
	struct kernel_port port;
	struct sc_kernel found;
	int result = kernel_check_state(machine, error);

	if (!result)
		result = kernel_port_open(&port, machine, error);
	return result ? result : kernel_search(&port, &found, kernel, error);
}

bool kernel_last(struct machine *machine, struct kernel *kernel)
{
	lock_take(&machine->lock);
	*kernel = machine->kernel;
	lock_drop(&machine->lock);
	return kernel->found && kernel->restarts == __atomic_load_n(&machine->restarts, __ATOMIC_RELAXED);
}

int kernel_of_image(const void *image, size_t size, struct kernel *kernel, struct error *error)
{
	struct sc_arena arena;
	struct sc_kernel found;
	struct sc_refusal why;
	int result = arena_open(&arena, error);

	*kernel = (struct kernel){ .found = false };
	if (result)
		return result;
	result = sc_kernel_of_image(image, size, &arena, &found, &why);
	kernel_take(kernel, &found, result ? &why : NULL);
	host_memory_free(arena.memory, arena.size);
	return 0;
}
