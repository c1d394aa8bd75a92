/* SPDX-License-Identifier: BSD-2-Clause */
/* One virtual machine: see the header. */
#include "machine/machine.h"

#include "base/layout.h"
#include "base/log.h"
#include "machine/exit.h"
#include "machine/expiry.h"
#include "machine/firmware.h"
#include "machine/processor.h"
#include "machine/reach.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Function ids that the guest's calls may have: KVM keeps those of fast calls, which begin here, for itself. */
#define MACHINE_FUNCTIONS 0x80000000u

static int machine_map_memory(struct machine *machine, struct error *error)
{
	int result = 0;

	for (uint32_t n = 0; n < machine->memory.regions && !result; n++) {
		const struct memory_region *region = &machine->memory.region[n];

		result = region->rom ? host_vm_add_rom(&machine->vm, region->gpa, region->host, region->size, error)
				     : host_vm_add_ram(&machine->vm, region->gpa, region->host, region->size, error);
	}
	return result;
}

/* Where the guest reads the registers of its virtio devices; it is none of its memory. */
static int machine_create_window(struct machine *machine, struct error *error)
{
	struct virtio_window *window = &machine->window;

	if (machine->config.model < CONFIG_MODEL_WINDOW)
		return 0;
	window->memory = host_memory_allocate(LAYOUT_VIRTIO_WINDOW_SIZE);
	window->unheard = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!window->memory || window->unheard < 0)
		return error_set(error, ENOMEM, "this host has no memory or descriptor for the registers of devices");
	return host_vm_add_window(&machine->vm, LAYOUT_VIRTIO_BASE, window->memory, LAYOUT_VIRTIO_WINDOW_SIZE, error);
}

static int machine_create_memory(struct machine *machine, struct error *error)
{
	int result = memory_create(&machine->memory, machine->config.memory_size, error);

	if (!result && machine->config.model >= CONFIG_MODEL_DEVICES)
		result = memory_add(&machine->memory, LAYOUT_PLATFORM_BASE, LAYOUT_PLATFORM_SIZE, error);
	if (!result && machine->config.firmware[0])
		result = memory_add_rom(&machine->memory, LAYOUT_FLASH_CODE_BASE, LAYOUT_FLASH_BANK_SIZE, error);
	if (!result && machine->config.firmware[0])
		result = memory_add_rom(&machine->memory, LAYOUT_FLASH_VARIABLES_BASE, LAYOUT_FLASH_BANK_SIZE, error);
	return result ? result : machine_map_memory(machine, error);
}

/* A host that cannot do it is told apart before a guest of another host is touched. */
static int machine_tell_stolen(struct machine *machine, struct error *error)
{
	int result = 0;

	if (machine->config.model < CONFIG_MODEL_DEVICES)
		return 0;
	for (uint32_t n = 0; n < machine->vcpus.count && !result; n++)
		result = host_vcpu_set_stolen(&machine->vcpus.vcpu[n].host,
					      LAYOUT_STOLEN_BASE + (uint64_t)n * HOST_STOLEN_SIZE, error);
	return result;
}

static int machine_create_vm(struct machine *machine, struct error *error)
{
	const struct machine_config *config = &machine->config;
	int result = host_vm_create(&machine->vm, MACHINE_FUNCTIONS, error);

	if (!result && identity_has_implementation(&config->cpu))
		host_vm_free_implementation(&machine->vm);
	if (!result)
		result = machine_create_memory(machine, error);
	if (!result)
		result = machine_create_window(machine, error);
	if (!result)
		result = vcpus_create(&machine->vcpus, &machine->vm, config->vcpus, true, exit_handle, machine, error);
	if (!result)
		result = processor_tell(&machine->vcpus, &config->cpu, error);
	if (!result)
		result = machine_tell_stolen(machine, error);
	if (!result)
		result = host_gic_create(&machine->vm, error);
	if (!result)
		result = clock_init(&machine->clock, &machine->vm, &machine->memory, config->vcpus, error);
	return result;
}

static int machine_start_threads(struct machine *machine, struct error *error)
{
	int result;

	machine->ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	machine->down = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	machine->restarting = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	machine->closing = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (machine->ended < 0 || machine->down < 0 || machine->restarting < 0 || machine->closing < 0)
		return error_set(error, errno, "no event descriptor (%s)", strerror(errno));
	machine->tick = host_timer_create();
	if (machine->tick < 0)
		return error_set(error, -machine->tick, "no timer for the devices (%s)", strerror(-machine->tick));
	result = vcpus_start(&machine->vcpus, error);
	return result ? result : expiry_start(machine, error);
}

static void machine_set_line(void *context, uint32_t intid, bool level)
{
	struct machine *machine = context;

	host_vm_set_spi(&machine->vm, intid, level);
}

static void machine_set_bell(void *context, uint64_t gpa, uint32_t value, int event)
{
	struct machine *machine = context;

	host_vm_set_bell(&machine->vm, gpa, value, event);
}

static int machine_set_call(void *context, uint32_t intid, int event, bool on)
{
	struct machine *machine = context;

	return host_vm_set_call(&machine->vm, intid, event, on);
}

static void machine_show_rom(void *context, uint64_t gpa, bool shown)
{
	struct machine *machine = context;
	int result = host_vm_show_rom(&machine->vm, gpa, shown);

	if (!result)
		return;
	log_line("%s: KVM does not %s the memory at 0x%llx, which the guest only reads (%s)", machine->config.name,
		 shown ? "show" : "hide", (unsigned long long)gpa, strerror(-result));
	machine_finish(machine, MACHINE_END_FAILED);
}

static void machine_wait(void *context, bool waits)
{
	struct machine *machine = context;

	if (waits)
		vcpus_step_aside(&machine->vcpus);
	else
		vcpus_step_back(&machine->vcpus);
}

static uint64_t machine_counter_offset(void *context)
{
	struct machine *machine = context;

	return clock_offset(&machine->clock);
}

static int machine_create_devices(struct machine *machine, struct console *console, struct error *error)
{
	const struct devices_host host = {
		.config = &machine->config,
		.disks = &machine->disks,
		.nets = &machine->nets,
		.memory = &machine->memory,
		.console = console,
		.line = { .set = machine_set_line,
			  .set_bell = machine_set_bell,
			  .set_call = machine_set_call,
			  .show_rom = machine_show_rom,
			  .wait = machine_wait,
			  .window = machine->window.memory ? &machine->window : NULL,
			  .context = machine },
		.counter = { .offset = machine_counter_offset, .context = machine },
	};
	int result = devices_create(&machine->devices, &host, error);

	if (!result)
		devices_reset(&machine->devices);
	return result;
}

/* A guest that comes from elsewhere keeps the size that it knows. */
static void machine_note_sizes(struct machine *machine)
{
	for (uint32_t n = 0; n < machine->disks.count; n++)
		if (!machine->config.disk[n].size)
			machine->config.disk[n].size = machine->disks.disk[n]->size;
}

int machine_create(struct machine *machine, const struct machine_config *config, struct console *console,
		   struct error *error)
{
	int result;

	*machine = (struct machine){
		.config = *config, .ended = -1, .down = -1, .restarting = -1, .closing = -1, .tick = -1
	};
	machine->config.address_bits = HOST_ADDRESS_BITS;
	machine->vm.kvm = machine->vm.vm = machine->vm.gic = -1;
	machine->clock.timer = machine->clock.guest_event_fd = -1;
	machine->window.unheard = -1;
	lock_init(&machine->window.lock, LOCK_WINDOW);
	machine->state = MACHINE_PAUSED;
	machine->policy = SC_CLOCK_FREEZE;
	lock_init(&machine->lock, LOCK_MACHINE);
	machine->disks_given = true;
	result = reach_set(config, error);
	if (!result)
		result = disks_open(&machine->disks, &machine->config, error);
	if (!result)
		machine_note_sizes(machine);
	if (!result)
		result = nets_open(&machine->nets, &machine->config, error);
	if (!result)
		result = machine_create_vm(machine, error);
	if (!result)
		result = machine_create_devices(machine, console, error);
	if (!result)
		result = machine_start_threads(machine, error);
	if (result)
		machine_destroy(machine);
	return result;
}

static void machine_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void machine_destroy_window(struct virtio_window *window)
{
	if (window->memory)
		host_memory_free(window->memory, LAYOUT_VIRTIO_WINDOW_SIZE);
	machine_close(window->unheard);
	lock_destroy(&window->lock);
}

void machine_destroy(struct machine *machine)
{
	expiry_stop(machine);
	if (machine->vcpus.count)
		vcpus_destroy(&machine->vcpus);
	devices_destroy(&machine->devices);
	disks_close(&machine->disks);
	nets_close(&machine->nets);
	clock_destroy(&machine->clock);
	host_vm_destroy(&machine->vm);
	memory_destroy(&machine->memory);
	machine_destroy_window(&machine->window);
	machine_close(machine->ended);
	machine_close(machine->down);
	machine_close(machine->restarting);
	machine_close(machine->closing);
	machine_close(machine->tick);
	lock_destroy(&machine->lock);
}

int machine_boot(struct machine *machine, const struct boot_source *source, struct error *error)
{
	const struct memory_region *ram = &machine->memory.region[0];
	struct acpi_node nodes[ACPI_NODES_MAX];
	struct boot_source here = *source;
	struct boot_entry entry;
	int result;

	here.machine = (struct acpi_machine){ .vcpus = machine->config.vcpus, .nodes = nodes };
	here.machine.node_count = devices_describe(&machine->devices, nodes, ACPI_NODES_MAX);
	if (source->firmware)
		result = firmware_load(machine, &here, &entry, error);
	else
		result = boot_load(&here, ram->host, ram->size, &entry, error);
	return result ? result : host_vcpu_set_entry(&machine->vcpus.vcpu[0].host, entry.pc, entry.x0, error);
}

/*
 * A disk that does not answer may still write memory: it is waited for, as a board would, for as long as it takes. Each
 * try has a limit, and an order to end comes between.
 */
static int machine_quiesce(struct machine *machine, struct error *error)
{
	bool late = false;

	for (;;) {
		devices_quiesce(&machine->devices);
		if (!devices_stand(&machine->devices, error) && !vcpus_settle(&machine->vcpus))
			return 0;
		if (machine_get_end(machine) != MACHINE_END_NONE)
			return error_set(error, EINTR, "%s has been told to end", machine->config.name);
		if (!late)
			log_guest(&machine->restarts_logged, "%s is to start anew, and waits: %s", machine->config.name,
				  error->text);
		late = true;
	}
}

int machine_reset(struct machine *machine, struct error *error)
{
	/* First, so that no device and no timer does anything to what is fresh. */
	int result = machine_quiesce(machine, error);

	if (result)
		return result;
	clock_reset(&machine->clock);
	__atomic_store_n(&machine->follows, false, __ATOMIC_RELAXED);
	for (uint32_t n = 0; n < machine->vcpus.count && !result; n++)
		result = host_vcpu_reset(&machine->vm, &machine->vcpus.vcpu[n].host, !n, error);
	if (!result)
		result = host_gic_reset(&machine->vm, machine->vcpus.count, error);
	if (result)
		return result;
	vcpus_reset(&machine->vcpus);
	devices_reset(&machine->devices);
	return 0;
}
