/* SPDX-License-Identifier: BSD-2-Clause */
/* VMClock as a device: see the header. */
#include "dev/wallclock.h"

#include "base/layout.h"
#include "base/section.h"

static struct wallclock *wallclock_of(struct device *device)
{
	return (struct wallclock *)device;
}

/* With the lock. */
static void wallclock_put(struct wallclock *wallclock, const struct vmclock_time *time, uint64_t offset)
{
	struct device *device = &wallclock->device;

	if (wallclock->written && offset != wallclock->guest.offset)
		wallclock->guest.disruption_marker++;
	wallclock->guest.offset = offset;
	wallclock->told = *time;
	wallclock->written = true;
	vmclock_write(memory_span(wallclock->memory, device->base, sizeof(struct vmclock_page)), time,
		      &wallclock->guest);
	memory_mark_dirty(wallclock->memory, device->base, sizeof(struct vmclock_page));
	device_pulse(device);
}

/* With the lock. */
static bool wallclock_holds(const struct wallclock *wallclock, const struct vmclock_time *time, uint64_t offset)
{
	return wallclock->written && offset == wallclock->guest.offset && vmclock_time_holds(&wallclock->told, time);
}

/* The offset is read without the lock: one that is from before the last start is not used. */
static void wallclock_update(struct wallclock *wallclock, uint32_t start, bool anyway)
{
	uint64_t offset = wallclock->counter.offset(wallclock->counter.context);
	struct sc_statement statement = host_statement();
	struct host_discipline discipline = host_discipline();
	struct vmclock_time time = vmclock_time_make(host_counter_hz(), &statement, &discipline);

	lock_take(&wallclock->device.lock);
	if (wallclock->running && wallclock->start == start && (anyway || !wallclock_holds(wallclock, &time, offset)))
		wallclock_put(wallclock, &time, offset);
	lock_drop(&wallclock->device.lock);
}

/* ---- The device ---- */

static void wallclock_start(struct device *device)
{
	struct wallclock *wallclock = wallclock_of(device);
	uint32_t start;

	lock_take(&device->lock);
	wallclock->running = true;
	start = ++wallclock->start;
	lock_drop(&device->lock);
	wallclock_update(wallclock, start, true);
}

static void wallclock_quiesce(struct device *device)
{
	lock_take(&device->lock);
	wallclock_of(device)->running = false;
	lock_drop(&device->lock);
}

static void wallclock_tick(struct device *device)
{
	struct wallclock *wallclock = wallclock_of(device);
	uint32_t start;

	lock_take(&device->lock);
	start = wallclock->start;
	lock_drop(&device->lock);
	wallclock_update(wallclock, start, false);
}

static void wallclock_save(struct device *device, struct buffer *state)
{
	const struct vmclock_guest *guest = &wallclock_of(device)->guest;

	buffer_put_u64(state, guest->disruption_marker);
	buffer_put_u64(state, guest->generation);
	buffer_put_u32(state, guest->sequence);
}

static int wallclock_load(struct device *device, struct cursor *state, uint32_t version)
{
	struct wallclock *wallclock = wallclock_of(device);
	struct vmclock_guest *guest = &wallclock->guest;

	(void)version;
	guest->disruption_marker = cursor_u64(state) + 1;
	guest->generation = cursor_u64(state);
	guest->sequence = cursor_u32(state) & ~1u;
	wallclock->written = false;
	return 0;
}

/* The marker and what counts with it go on: a guest that boots again may find the same page. */
static void wallclock_reset(struct device *device)
{
	device_set_line(device, false);
}

static void wallclock_destroy(struct device *device)
{
	lock_destroy(&device->lock);
}

static const struct device_ops wallclock_ops = {
	.name = "VMClock",
	.acpi_id = "AMZNC10C",
	.acpi_compatible = "VMCLOCK",
	.event = true,
	.section = SECTION_ID('V', 'M', 'C', 'K'),
	.version = 1,
	.start = wallclock_start,
	.quiesce = wallclock_quiesce,
	.tick = wallclock_tick,
	.save = wallclock_save,
	.load = wallclock_load,
	.reset = wallclock_reset,
	.destroy = wallclock_destroy,
};

void wallclock_init(struct wallclock *wallclock, struct memory *memory, const struct wallclock_counter *counter,
		    const struct device_line *line)
{
	*wallclock = (struct wallclock){
		.device = { .ops = &wallclock_ops,
			    .base = LAYOUT_VMCLOCK_BASE,
			    .size = LAYOUT_VMCLOCK_SIZE,
			    .intid = LAYOUT_VMCLOCK_INTID,
			    .line = *line },
		.memory = memory,
		.counter = *counter,
		.guest = { .size = LAYOUT_VMCLOCK_SIZE },
	};
	lock_init(&wallclock->device.lock, LOCK_DEVICE);
}

void wallclock_renew(struct wallclock *wallclock)
{
	lock_take(&wallclock->device.lock);
	wallclock->guest.generation++;
	lock_drop(&wallclock->device.lock);
}
