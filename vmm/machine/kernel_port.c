/* SPDX-License-Identifier: BSD-2-Clause */
/* The port of repair/: see the header. */
#include "machine/kernel_port.h"

#include "host/pagemap.h"
#include "machine/machine.h"

#include <errno.h>
#include <string.h>

static const struct memory *port_memory(void *context)
{
	const struct kernel_port *port = context;

	return &port->machine->memory;
}

static bool port_is_ram(void *context, uint64_t address, uint64_t size)
{
	return memory_span(port_memory(context), address, size) != NULL;
}

static bool port_read(void *context, uint64_t address, void *to, size_t size)
{
	return memory_read(port_memory(context), address, to, size);
}

static bool port_write(void *context, uint64_t address, const void *from, size_t size)
{
	const struct kernel_port *port = context;

	return memory_write(&port->machine->memory, address, from, size);
}

/* A run of pages of RAM that were touched, at most as many as one look at them tells of. */
static bool port_next(void *context, uint64_t from, uint64_t *start, uint64_t *end)
{
	const struct memory *memory = port_memory(context);
	const struct memory_region *ram = &memory->region[0];
	uint64_t page = from > ram->gpa ? (from - ram->gpa) / MEMORY_PAGE_SIZE : 0;
	const uint64_t pages = ram->size / MEMORY_PAGE_SIZE;

	while (page < pages) {
		uint32_t count = pages - page < PAGEMAP_PAGES_MAX ? (uint32_t)(pages - page) : PAGEMAP_PAGES_MAX;
		uint64_t touched = memory_touched(memory, ram->host + page * MEMORY_PAGE_SIZE, count);
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
	const struct kernel_port *port = context;
	const struct host_tables *had = &port->tables[vcpu];

	*tables = (struct sc_vcpu_tables){ .ttbr1 = had->ttbr1, .tcr = had->tcr, .sctlr = had->sctlr };
	return port->online >> vcpu & 1;
}

static bool port_timers(void *context, uint32_t vcpu, struct sc_vcpu_timers *timers)
{
	const struct kernel_port *port = context;
	const struct host_timers *had = &port->timers[vcpu];

	*timers = (struct sc_vcpu_timers){
		.pc = had->pc,
		.tpidr = had->tpidr,
		.cntv_ctl = had->cntv_ctl,
		.cntv_cval = had->cntv_cval,
		.cntp_ctl = had->cntp_ctl,
		.cntp_cval = had->cntp_cval,
		.cntkctl = had->cntkctl,
	};
	return port->online >> vcpu & 1;
}

static int port_failed(const struct kernel_port *port, const char *what, int result, struct error *error)
{
	return error_set(error, -result, "KVM does not %s of %s (%s)", what, port->machine->config.name,
			 strerror(-result));
}

int kernel_port_read_timers(struct kernel_port *port, struct error *error)
{
	struct vcpu_set *vcpus = &port->machine->vcpus;
	int result = 0;

	port->online = vcpus_online(vcpus);
	for (uint32_t n = 0; !result && n < vcpus->count; n++)
		result = host_vcpu_get_timers(&vcpus->vcpu[n].host, &port->timers[n]);
	return result ? port_failed(port, "give the timers", result, error) : 0;
}

static int port_read_tables(struct kernel_port *port, struct error *error)
{
	struct vcpu_set *vcpus = &port->machine->vcpus;
	int result = 0;

	vcpus_park(vcpus);
	port->online = vcpus_online(vcpus);
	for (uint32_t n = 0; !result && n < vcpus->count; n++)
		result = host_vcpu_get_tables(&vcpus->vcpu[n].host, &port->tables[n]);
	vcpus_unpark(vcpus);
	return result ? port_failed(port, "give the registers", result, error) : 0;
}

int kernel_port_open(struct kernel_port *port, struct machine *machine, struct error *error)
{
	*port = (struct kernel_port){ .machine = machine,
				      .restarts = __atomic_load_n(&machine->restarts, __ATOMIC_RELAXED),
				      .guest = { .context = port,
						 .vcpu_count = machine->vcpus.count,
						 .is_ram = port_is_ram,
						 .read = port_read,
						 .next = port_next,
						 .tables = port_tables,
						 .write = port_write,
						 .timers = port_timers } };
	return port_read_tables(port, error);
}

int kernel_port_set_timers(struct kernel_port *port, const struct sc_plan *plan, struct error *error)
{
	struct vcpu_set *vcpus = &port->machine->vcpus;
	int result = 0;

	for (uint32_t n = 0; !result && n < vcpus->count; n++) {
		const struct sc_vcpu_timers *wanted = &plan->vcpus[n].timers;
		struct host_timers timers = port->timers[n];

		if (!plan->vcpus[n].on)
			continue;
		timers.cntv_cval = wanted->cntv_cval;
		timers.cntp_cval = wanted->cntp_cval;
		timers.cntkctl = wanted->cntkctl;
		result = host_vcpu_set_timers(&vcpus->vcpu[n].host, &timers);
	}
	return result ? port_failed(port, "set the timers", result, error) : 0;
}
