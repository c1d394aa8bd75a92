/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's kernel: see the header. */
#include "machine/kernel.h"

#include "base/layout.h"
#include "host/pagemap.h"
#include "machine/machine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- The port of repair/ ---- */

struct port {
	const struct memory *memory;
	uint32_t online; /* bit n: vCPU n is on */
	struct host_tables tables[SC_VCPU_MAX];
};

static bool port_is_ram(void *context, uint64_t address, uint64_t size)
{
	const struct port *port = context;

	return memory_span(port->memory, address, size) != NULL;
}

static bool port_read(void *context, uint64_t address, void *to, size_t size)
{
	const struct port *port = context;

	return memory_read(port->memory, address, to, size);
}

/* A run of pages of RAM that were touched, at most as many as one look at them tells of. */
static bool port_next(void *context, uint64_t from, uint64_t *start, uint64_t *end)
{
	const struct port *port = context;
	const struct memory_region *ram = &port->memory->region[0];
	uint64_t page = from > ram->gpa ? (from - ram->gpa) / MEMORY_PAGE_SIZE : 0;
	const uint64_t pages = ram->size / MEMORY_PAGE_SIZE;

	while (page < pages) {
		uint32_t count = pages - page < PAGEMAP_PAGES_MAX ? (uint32_t)(pages - page) : PAGEMAP_PAGES_MAX;
		uint64_t touched = memory_touched(port->memory, ram->host + page * MEMORY_PAGE_SIZE, count);
		uint32_t first = 0, last;

		while (first < count && !(touched >> first & 1))
			first++;
		for (last = first; last < count && touched >> last & 1;)
			last++;
		if (first < last) {
			*start = ram->gpa + (page + first) * MEMORY_PAGE_SIZE;
			*end = ram->gpa + (page + last) * MEMORY_PAGE_SIZE;
			return true;
		}
		page += count;
	}
	return false;
}

static bool port_tables(void *context, uint32_t vcpu, struct sc_vcpu_tables *tables)
{
	const struct port *port = context;
	const struct host_tables *had = &port->tables[vcpu];

	*tables = (struct sc_vcpu_tables){ .ttbr1 = had->ttbr1, .tcr = had->tcr, .sctlr = had->sctlr };
	return port->online >> vcpu & 1;
}

/* The registers, as they are at one moment. */
static int port_open(struct port *port, struct machine *machine, struct error *error)
{
	struct vcpu_set *vcpus = &machine->vcpus;
	int result = 0;

	*port = (struct port){ .memory = &machine->memory };
	vcpus_park(vcpus);
	port->online = vcpus_online(vcpus);
	for (uint32_t n = 0; !result && n < vcpus->count; n++)
		result = host_vcpu_get_tables(&vcpus->vcpu[n].host, &port->tables[n]);
	vcpus_unpark(vcpus);
	return result ? error_set(error, -result, "KVM does not say where the tables of %s are (%s)",
				  machine->config.name, strerror(-result))
		      : 0;
}

/* ---- What is found ---- */

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

int kernel_find(struct machine *machine, struct kernel *kernel, struct error *error)
{
	struct port port;
	const struct sc_guest_port guest = { .context = &port,
					     .vcpu_count = machine->vcpus.count,
					     .is_ram = port_is_ram,
					     .read = port_read,
					     .next = port_next,
					     .tables = port_tables };
	struct sc_arena arena;
	struct sc_kernel found;
	struct sc_refusal why;
	int result = kernel_check_state(machine, error);

	*kernel = (struct kernel){ .restarts = __atomic_load_n(&machine->restarts, __ATOMIC_RELAXED) };
	if (!result)
		result = port_open(&port, machine, error);
	if (!result)
		result = arena_open(&arena, error);
	if (result)
		return result;
	result = sc_kernel_find(&guest, &arena, &found, &why);
	kernel_take(kernel, &found, result ? &why : NULL);
	/* A guest that forges its name has none. */
	if (!result)
		(void)sc_kernel_clocksource(&found, kernel->clocksource, &why);
	host_memory_free(arena.memory, arena.size);
	lock_take(&machine->lock);
	machine->kernel = *kernel;
	lock_drop(&machine->lock);
	return 0;
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
