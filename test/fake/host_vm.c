/* SPDX-License-Identifier: BSD-2-Clause */
/* The fake's virtual machines and interrupt controllers: see the header. */
#include "host_fake.h"

#include "base/busy.h"
#include "host/dirty_log.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#define MACHINES_MAX 64u

static struct fake_vm machines[MACHINES_MAX];
static bool exclusive;

void fake_vm_reset(void)
{
	pthread_mutex_lock(&fake_lock);
	for (uint32_t n = 0; n < MACHINES_MAX; n++)
		if (machines[n].used)
			fake_violation("a machine of an earlier test is still there");
	exclusive = false;
	pthread_mutex_unlock(&fake_lock);
}

struct fake_vm *fake_vm_of(const struct host_vm *vm)
{
	if (vm->vm < 0 || vm->vm >= (int)MACHINES_MAX || !machines[vm->vm].used)
		fake_violation("a machine that does not exist");
	return &machines[vm->vm];
}

/* The machine of a call, with the lock, and the error ordered for that call. */
static struct fake_vm *vm_lock(const struct host_vm *vm, enum fake_call call, int *result)
{
	struct fake_vm *fake = fake_vm_of(vm);

	pthread_mutex_lock(&fake_lock);
	fake_host_adopt(fake->host);
	*result = fake_call_fails(fake->host, call);
	return fake;
}

static int vm_unlock(int result, struct error *error, const char *what)
{
	pthread_mutex_unlock(&fake_lock);
	if (result)
		error_format(error, "the fake host refuses %s", what);
	return result;
}

static void vm_stands_still(const struct fake_vm *vm, const char *what)
{
	if (vm->inside)
		fake_violation(what);
}

/* ---- Calls that lock all vCPUs ---- */

void fake_vm_occupy(const struct host_vm *vm, uint32_t times)
{
	pthread_mutex_lock(&fake_lock);
	fake_vm_of(vm)->occupied = times;
	pthread_mutex_unlock(&fake_lock);
}

uint32_t fake_vm_touches(const struct host_vm *vm)
{
	uint32_t touches;

	pthread_mutex_lock(&fake_lock);
	touches = fake_vm_of(vm)->touches;
	pthread_mutex_unlock(&fake_lock);
	return touches;
}

static int vm_lock_vcpus(void *context)
{
	struct fake_vm *fake = context;
	int result = 0;

	pthread_mutex_lock(&fake_lock);
	if (fake->occupied) {
		fake->occupied--;
		result = -EBUSY;
	}
	pthread_mutex_unlock(&fake_lock);
	return result;
}

/* As vm_lock(), once no other thread has a vCPU. */
static struct fake_vm *vm_lock_all(const struct host_vm *vm, enum fake_call call, int *result)
{
	int busy = busy_retry(vm_lock_vcpus, fake_vm_of(vm));
	struct fake_vm *fake = vm_lock(vm, call, result);

	if (!*result)
		*result = busy;
	return fake;
}

/* ---- Life ---- */

int host_check(struct error *error)
{
	pthread_mutex_lock(&fake_lock);
	return vm_unlock(fake_call_fails(fake_host_current(), FAKE_CHECK), error, "the check");
}

int host_address_bits(uint32_t *bits, struct error *error)
{
	pthread_mutex_lock(&fake_lock);
	*bits = fake_host_current()->address_bits;
	return vm_unlock(fake_call_fails(fake_host_current(), FAKE_CHECK), error, "the check");
}

static uint32_t machine_find_free(void)
{
	uint32_t n = 0;

	while (n < MACHINES_MAX && machines[n].used)
		n++;
	if (n == MACHINES_MAX)
		fake_violation("too many machines");
	return n;
}

int host_vm_create(struct host_vm *vm, uint32_t functions, struct error *error)
{
	int result;

	*vm = (struct host_vm){ .kvm = -1, .vm = -1, .gic = -1 };
	if (functions != FAKE_FUNCTIONS)
		fake_violation("a machine for other hypercalls");
	pthread_mutex_lock(&fake_lock);
	result = fake_call_fails(fake_host_current(), FAKE_VM_CREATE);
	if (!result) {
		vm->vm = (int)machine_find_free();
		machines[vm->vm] = (struct fake_vm){
			.used = true,
			.host = fake_host_current(),
			.identity = fake_host_current()->identity,
		};
	}
	return vm_unlock(result, error, "a machine");
}

void host_vm_destroy(struct host_vm *vm)
{
	if (vm->vm < 0)
		return;
	pthread_mutex_lock(&fake_lock);
	vm_stands_still(fake_vm_of(vm), "a running machine is destroyed");
	for (uint32_t n = 0; n < machines[vm->vm].rams; n++)
		free(machines[vm->vm].ram[n].dirty);
	free(machines[vm->vm].past_caches);
	machines[vm->vm] = (struct fake_vm){ 0 };
	pthread_mutex_unlock(&fake_lock);
	*vm = (struct host_vm){ .kvm = -1, .vm = -1, .gic = -1 };
}

static int vm_add(struct host_vm *vm, const struct fake_ram *piece, struct error *error)
{
	int result;
	struct fake_vm *fake = vm_lock(vm, FAKE_SET_RAM, &result);

	if (fake->rams == HOST_RAM_MAX || fake->logging || piece->gpa % 65536 || piece->size % 65536)
		fake_violation("a piece of memory that a machine cannot have");
	fake->ram[fake->rams++] = *piece;
	return vm_unlock(result, error, "the memory");
}

int host_vm_add_ram(struct host_vm *vm, uint64_t gpa, void *ram, uint64_t size, struct error *error)
{
	const struct fake_ram piece = { .gpa = gpa, .size = size, .memory = ram };

	return vm_add(vm, &piece, error);
}

int host_vm_add_rom(struct host_vm *vm, uint64_t gpa, void *rom, uint64_t size, struct error *error)
{
	const struct fake_ram piece = { .gpa = gpa, .size = size, .memory = rom, .rom = true };

	return vm_add(vm, &piece, error);
}

int host_vm_add_window(struct host_vm *vm, uint64_t gpa, void *window, uint64_t size, struct error *error)
{
	int result;
	struct fake_vm *fake = vm_lock(vm, FAKE_SET_WINDOW, &result);

	if (fake->window.size || gpa % 65536 || size % 65536)
		fake_violation("a window that a machine cannot have");
	fake->window = (struct fake_ram){ .gpa = gpa, .size = size, .memory = window, .rom = true };
	fake->past_caches = calloc(1, size);
	return vm_unlock(result, error, "the window");
}

void host_clean(const void *place, size_t size)
{
	const uint8_t *begin = place;

	pthread_mutex_lock(&fake_lock);
	for (uint32_t n = 0; n < MACHINES_MAX; n++) {
		const struct fake_ram *window = &machines[n].window;

		if (window->size && begin >= window->memory && begin < window->memory + window->size)
			memcpy(machines[n].past_caches + (begin - window->memory), place, size);
	}
	pthread_mutex_unlock(&fake_lock);
}

bool fake_vm_load(const struct fake_vm *vm, uint64_t gpa, uint32_t size, uint64_t *value)
{
	const struct fake_ram *window = &vm->window;

	if (window->hidden || gpa < window->gpa || gpa - window->gpa >= window->size)
		return false;
	*value = 0;
	memcpy(value, vm->past_caches + (gpa - window->gpa), size);
	*value = le64toh(*value);
	return true;
}

static struct fake_ram *rom_at(struct fake_vm *fake, uint64_t gpa)
{
	for (uint32_t n = 0; n < fake->rams; n++)
		if (fake->ram[n].rom && fake->ram[n].gpa == gpa)
			return &fake->ram[n];
	if (fake->window.size && fake->window.gpa == gpa)
		return &fake->window;
	fake_violation("a ROM that the machine does not have");
}

int host_vm_show_rom(struct host_vm *vm, uint64_t gpa, bool shown)
{
	int result;
	struct fake_ram *rom = rom_at(vm_lock(vm, FAKE_SET_RAM, &result), gpa);

	if (!shown && rom->hidden)
		fake_violation("a ROM is hidden twice");
	if (!result)
		rom->hidden = !shown;
	pthread_mutex_unlock(&fake_lock);
	return result;
}

bool fake_vm_shows(const struct host_vm *vm, uint64_t gpa)
{
	bool shows;

	pthread_mutex_lock(&fake_lock);
	shows = !rom_at(fake_vm_of(vm), gpa)->hidden;
	pthread_mutex_unlock(&fake_lock);
	return shows;
}

bool fake_vm_has(const struct fake_vm *vm, uint64_t gpa, uint64_t size)
{
	bool has = false;

	for (uint32_t n = 0; n < vm->rams; n++)
		has |= gpa >= vm->ram[n].gpa && gpa + size <= vm->ram[n].gpa + vm->ram[n].size;
	return has;
}

int host_vm_set_counter_offset(struct host_vm *vm, uint64_t offset, struct error *error)
{
	int result;
	struct fake_vm *fake = vm_lock_all(vm, FAKE_COUNTER_OFFSET, &result);

	vm_stands_still(fake, "the counter offset is set while a vCPU is inside the guest");
	if (!result)
		fake->offset = offset;
	return vm_unlock(result, error, "the counter offset");
}

/* ---- Who is inside the guest ---- */

void fake_watch_exclusive(bool on)
{
	pthread_mutex_lock(&fake_lock);
	exclusive = on;
	pthread_mutex_unlock(&fake_lock);
}

static uint32_t machines_inside(void)
{
	uint32_t inside = 0;

	for (uint32_t n = 0; n < MACHINES_MAX; n++)
		inside += machines[n].inside > 0;
	return inside;
}

uint32_t fake_machines_inside(void)
{
	uint32_t inside;

	pthread_mutex_lock(&fake_lock);
	inside = machines_inside();
	pthread_mutex_unlock(&fake_lock);
	return inside;
}

uint64_t fake_host_entries(const struct fake_host *host)
{
	uint64_t entries;

	pthread_mutex_lock(&fake_lock);
	entries = host->entries;
	pthread_mutex_unlock(&fake_lock);
	return entries;
}

void fake_vm_enter(struct fake_vm *vm)
{
	vm->inside++;
	vm->has_run = true;
	vm->host->entries++;
	if (exclusive && machines_inside() > 1)
		fake_violation("the guest runs on two hosts at once");
}

void fake_vm_leave(struct fake_vm *vm)
{
	vm->inside--;
}

/* ---- Dirty memory ---- */

static size_t dirty_size(const struct fake_ram *ram)
{
	return ram->size / 4096 / 64 * sizeof(uint64_t);
}

int host_vm_set_dirty_log(struct host_vm *vm, bool enabled, struct error *error)
{
	int result;
	struct fake_vm *fake = vm_lock(vm, FAKE_SET_DIRTY_LOG, &result);

	for (uint32_t n = 0; !result && n < fake->rams; n++) {
		free(fake->ram[n].dirty);
		fake->ram[n].dirty = enabled ? calloc(1, dirty_size(&fake->ram[n])) : NULL;
	}
	if (!result)
		fake->logging = enabled;
	return vm_unlock(result, error, "the dirty log");
}

int host_vm_get_dirty_log(struct host_vm *vm, uint64_t *bitmap, struct error *error)
{
	int result;
	struct fake_vm *fake = vm_lock(vm, FAKE_GET_DIRTY_LOG, &result);

	if (!fake->logging)
		fake_violation("the dirty log is read but not enabled");
	for (uint32_t n = 0; !result && n < fake->rams; n++) {
		memcpy(bitmap, fake->ram[n].dirty, dirty_size(&fake->ram[n]));
		memset(fake->ram[n].dirty, 0, dirty_size(&fake->ram[n]));
		bitmap += dirty_log_spread(bitmap, fake->ram[n].size, fake->host->page_size);
	}
	return vm_unlock(result, error, "the dirty log");
}

/*
 * A real guest's stores are not accesses by this program: the monitor copies memory while the guest writes it, and the
 * dirty log says what is to be copied again. So the thread sanitizer is not shown them, nor a memcpy() that it knows.
 */
__attribute__((no_sanitize("thread"))) static void guest_store(uint8_t *to, const uint8_t *from, size_t size)
{
	for (size_t n = 0; n < size; n++)
		((volatile uint8_t *)to)[n] = from[n];
}

void fake_vm_write(struct fake_vm *vm, uint64_t gpa, const void *data, size_t size)
{
	struct fake_ram *ram = vm->ram;
	uint64_t start;

	while (ram < vm->ram + vm->rams && (gpa < ram->gpa || gpa - ram->gpa >= ram->size))
		ram++;
	if (ram == vm->ram + vm->rams)
		fake_violation("a guest stores where it has no memory");
	start = gpa - ram->gpa;
	pthread_mutex_lock(&fake_lock);
	guest_store(ram->memory + start, data, size);
	for (uint64_t each = vm->host->page_size, page = start / each; ram->dirty && page <= (start + size - 1) / each;
	     page++)
		ram->dirty[page / 64] |= 1ull << page % 64;
	pthread_mutex_unlock(&fake_lock);
}

void fake_guest_write(const struct host_vm *vm, uint64_t gpa, const void *data, size_t size)
{
	fake_vm_write(fake_vm_of(vm), gpa, data, size);
}

/* ---- Bells ---- */

int host_vm_set_bell(struct host_vm *vm, uint64_t gpa, uint32_t value, int event)
{
	struct fake_vm *fake = fake_vm_of(vm);

	if (fake->has_run || fake->bells == FAKE_BELLS_MAX)
		fake_violation("a bell that a machine cannot have");
	fake->bell[fake->bells++] = (struct fake_bell){ .gpa = gpa, .value = value, .event = event };
	return 0;
}

bool fake_vm_ring(const struct host_vm *vm, uint64_t gpa, uint32_t value)
{
	const struct fake_vm *fake = fake_vm_of(vm);

	for (uint32_t n = 0; n < fake->bells; n++)
		if (fake->bell[n].gpa == gpa && fake->bell[n].value == value)
			return !eventfd_write(fake->bell[n].event, 1);
	return false;
}

/* ---- Interrupts ---- */

int host_vm_set_spi(struct host_vm *vm, uint32_t intid, bool level)
{
	struct fake_vm *fake = fake_vm_of(vm);

	pthread_mutex_lock(&fake_lock);
	if (intid < 32 || intid >= LAYOUT_INTERRUPTS)
		fake_violation("a shared interrupt that does not exist");
	__atomic_fetch_add(&fake->edges[intid], level && !fake->spi[intid], __ATOMIC_SEQ_CST);
	fake->spi[intid] = level;
	pthread_mutex_unlock(&fake_lock);
	return 0;
}

int host_vm_set_call(struct host_vm *vm, uint32_t intid, int event, bool on)
{
	int result;
	struct fake_vm *fake = vm_lock(vm, FAKE_SET_CALL, &result);

	if (intid < 32 || intid >= LAYOUT_INTERRUPTS || fake->call[intid] != (on ? 0 : event + 1))
		fake_violation("an event for a shared interrupt that cannot have it");
	if (!result)
		fake->call[intid] = on ? event + 1 : 0;
	pthread_mutex_unlock(&fake_lock);
	return result;
}

/* A real one does that in the context of whoever signals the event. */
void fake_vm_deliver(const struct host_vm *vm)
{
	struct fake_vm *fake = fake_vm_of(vm);
	eventfd_t ignored;

	pthread_mutex_lock(&fake_lock);
	for (uint32_t intid = 32; intid < LAYOUT_INTERRUPTS; intid++) {
		if (!fake->call[intid] || eventfd_read(fake->call[intid] - 1, &ignored))
			continue;
		fake->edges[intid] += !fake->spi[intid];
		fake->spi[intid] = true;
	}
	pthread_mutex_unlock(&fake_lock);
}

int host_vm_set_ppi(struct host_vm *vm, uint32_t vcpu, uint32_t intid, bool level)
{
	int result;
	struct fake_vm *fake = vm_lock(vm, FAKE_SET_PPI, &result);

	if (vcpu >= SC_VCPU_MAX || intid < 16 || intid > 31)
		fake_violation("a private interrupt that does not exist");
	if (!result && level)
		fake->level[vcpu] |= 1u << intid;
	else if (!result)
		fake->level[vcpu] &= ~(1u << intid);
	pthread_mutex_unlock(&fake_lock);
	return result;
}

int host_gic_create(struct host_vm *vm, struct error *error)
{
	int result;

	vm_lock(vm, FAKE_GIC_CREATE, &result);
	if (!result)
		vm->gic = vm->vm;
	return vm_unlock(result, error, "the interrupt controller");
}

int host_gic_reset(struct host_vm *vm, uint32_t vcpus, struct error *error)
{
	int result;
	struct fake_vm *fake = vm_lock_all(vm, FAKE_GIC_RESET, &result);

	vm_stands_still(fake, "the interrupt controller is reset while a vCPU is inside the guest");
	for (uint32_t n = 0; !result && n < vcpus; n++) {
		fake->level[n] = fake->active[n] = 0;
		memset(fake->latched[n], 0, sizeof(fake->latched[n]));
	}
	if (!result)
		memset(fake->spi, 0, sizeof(fake->spi));
	return vm_unlock(result, error, "to reset the interrupt controller");
}

int host_gic_latch_ppi(struct host_vm *vm, uint32_t vcpu, uint32_t intid)
{
	int busy = vm_lock_vcpus(fake_vm_of(vm)), result;
	struct fake_vm *fake = vm_lock(vm, FAKE_LATCH, &result);

	vm_stands_still(fake, "an interrupt is latched while a vCPU is inside the guest");
	if (vcpu >= SC_VCPU_MAX || intid < 16 || intid > 31)
		fake_violation("a private interrupt that does not exist is latched");
	if (!result && (busy || fake->active[vcpu] >> intid & 1))
		result = -EAGAIN;
	if (!result)
		fake->latched[vcpu][intid]++;
	pthread_mutex_unlock(&fake_lock);
	return result;
}

int host_gic_save(struct host_vm *vm, uint32_t vcpus, struct buffer *state, struct error *error)
{
	int result;
	struct fake_vm *fake = vm_lock_all(vm, FAKE_GIC_SAVE, &result);

	vm_stands_still(fake, "the interrupt controller is saved while a vCPU is inside the guest");
	for (uint32_t n = 0; !result && n < vcpus; n++) {
		buffer_put_u32(state, fake->level[n]);
		buffer_put_u32(state, fake->active[n]);
		for (uint32_t intid = 0; intid < 32; intid++)
			buffer_put_u32(state, fake->latched[n][intid]);
	}
	for (uint32_t intid = 32; !result && intid < LAYOUT_INTERRUPTS; intid++)
		buffer_put_u8(state, fake->spi[intid]);
	return vm_unlock(result, error, "to save the interrupt controller");
}

int host_gic_load(struct host_vm *vm, uint32_t vcpus, struct cursor *state, struct error *error)
{
	int result;
	struct fake_vm *fake = vm_lock_all(vm, FAKE_GIC_LOAD, &result);

	vm_stands_still(fake, "the interrupt controller is loaded while a vCPU is inside the guest");
	for (uint32_t n = 0; !result && n < vcpus; n++) {
		fake->level[n] = cursor_u32(state);
		fake->active[n] = cursor_u32(state);
		for (uint32_t intid = 0; intid < 32; intid++)
			fake->latched[n][intid] = cursor_u32(state);
	}
	for (uint32_t intid = 32; !result && intid < LAYOUT_INTERRUPTS; intid++)
		fake->spi[intid] = cursor_u8(state);
	if (!result && state->failed)
		result = -EPROTO;
	return vm_unlock(result, error, "the interrupt controller's state");
}
