/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that makes any register hypercalls, while time passes, stops, goes on and is carried to another host: through
 * the monitor's own clock and hypercall code, on the fake host.
 *
 * Policy: many short inputs rather than few long ones. A journey costs as much as a hundred calls, and a third one has
 * nothing new, so an input has few of them. Memory is the same for all inputs, and zero again after each.
 */
#include "fuzz.h"
#include "../fake/host_fake.h"

#include "base/buffer.h"
#include "machine/hypercall.h"

#include <string.h>
#include <unistd.h>

#define MEMORY_SIZE (1ull << 20)
#define X_UNTOUCHED 0x1234567812345678ull
#define INPUT_MAX 384u /* bytes */
#define JOURNEYS_MAX 2u

static struct host_vm vm;
static struct memory memory;
static struct clock clock_;
static struct host_vcpu vcpu;
static struct fake_host hosts[2];
static struct error error;
static uint32_t journeys; /* of this input */

static void machine_open(struct fake_host *host)
{
	fake_host_use(host);
	FUZZ_MUST(!host_vm_create(&vm, FAKE_FUNCTIONS, &error) && !host_vcpu_create(&vm, &vcpu, 0, true, &error) &&
		  !clock_init(&clock_, &vm, &memory, 2, &error));
}

static void machine_close(void)
{
	clock_destroy(&clock_);
	host_vcpu_destroy(&vcpu);
	host_vm_destroy(&vm);
}

/* X1 from the bytes; the rest from the bytes as well, or what a call needs to get beyond its header. */
static void call(struct cursor *bytes)
{
	uint8_t form = cursor_u8(bytes);
	uint32_t effects = 0;

	for (uint32_t n = 0; n < 31; n++)
		fake_vcpu_set_register(&vcpu, FAKE_REGISTER_X0 + n, X_UNTOUCHED);
	fake_vcpu_set_register(&vcpu, FAKE_REGISTER_X0 + 1,
			       form & 1 ? (form & 2 ? SC_CALL_GET_ONE : SC_CALL_SET_ONE) : cursor_u64(bytes));
	fake_vcpu_set_register(&vcpu, FAKE_REGISTER_X0 + 2, form & 4 ? SC_PARTITION_ID_SELF : cursor_u64(bytes));
	fake_vcpu_set_register(&vcpu, FAKE_REGISTER_X0 + 3, form & 8 ? SC_VP_INDEX_SELF : cursor_u64(bytes));
	for (uint32_t n = 4; n < 8; n++)
		fake_vcpu_set_register(&vcpu, FAKE_REGISTER_X0 + n, cursor_u64(bytes));
	FUZZ_MUST(!hypercall_handle(&clock_, &memory, &vcpu, (uint32_t)fake_vcpu_register(&vcpu, FAKE_REGISTER_X0),
				    &effects));
	for (uint32_t n = 18; n < 31; n++)
		FUZZ_MUST(fake_vcpu_register(&vcpu, FAKE_REGISTER_X0 + n) == X_UNTOUCHED);
}

/* Input of the memory form. */
static void store(struct cursor *bytes)
{
	uint32_t place = cursor_u32(bytes) % (MEMORY_SIZE - 256);
	size_t size = bytes->left < 256 ? bytes->left : 256;
	const void *data = cursor_take(bytes, size);

	if (!data)
		return;
	memcpy(memory.region[0].host + place, data, size);
	memory_mark_dirty(&memory, LAYOUT_RAM_BASE + place, size);
}

/* Only what was written: a new piece of memory for each input takes longer than the input. */
static void memory_clean(void)
{
	uint64_t dirty[MEMORY_SIZE / MEMORY_PAGE_SIZE / 64] = { 0 };

	memory_take_dirty(&memory, dirty);
	for (uint64_t page = 0; page < MEMORY_SIZE / MEMORY_PAGE_SIZE; page++)
		if (dirty[page / 64] >> page % 64 & 1)
			memset(memory_page(&memory, page), 0, MEMORY_PAGE_SIZE);
}

static void stop_and_start(enum sc_clock_policy policy, uint64_t gap)
{
	uint64_t before = clock_reference(&clock_).v;

	clock_stop(&clock_);
	fake_time_advance(gap);
	clock_latch(&clock_);
	FUZZ_MUST(!clock_start(&clock_, policy, &error));
	FUZZ_MUST(clock_reference(&clock_).v >= before);
}

/* To a host of another rate. */
static void migrate(struct cursor *bytes)
{
	struct clock_handoff handoff = { .policy = cursor_u8(bytes) & 1 };
	struct buffer state = { 0 };
	struct host_rebase rebase;
	struct cursor cursor;
	uint64_t before;
	sc_ns_t gap;

	clock_stop(&clock_);
	before = clock_reference(&clock_).v;
	FUZZ_MUST(!clock_save(&clock_, &state, &error));
	machine_close();
	machine_open(&hosts[fake_host_current() == &hosts[0]]);
	cursor = cursor_make(state.data, state.size);
	FUZZ_MUST(!clock_load(&clock_, &cursor, &handoff, &rebase, &gap, &error));
	FUZZ_MUST(cursor_finish(&cursor));
	buffer_free(&state);
	clock_run_loaded(&clock_);
	FUZZ_MUST(clock_reference(&clock_).v >= before);
}

static void step(struct cursor *bytes)
{
	switch (cursor_u8(bytes) % 6) {
	case 0:
		fake_time_advance(cursor_u32(bytes));
		clock_expire(&clock_);
		break;
	case 1:
		clock_latch(&clock_);
		break;
	case 2:
		store(bytes);
		break;
	case 3:
		stop_and_start(cursor_u8(bytes) & 1, cursor_u32(bytes));
		break;
	case 4:
		if (journeys++ < JOURNEYS_MAX)
			migrate(bytes);
		break;
	default:
		call(bytes);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor bytes = cursor_make(data, size);

	if (size > INPUT_MAX)
		return 0;
	journeys = 0;
	fake_reset();
	hosts[0] = fake_host_make(25000000, 1000000);
	hosts[1] = fake_host_make(1000000000, 1ull << 50);
	fake_host_use(&hosts[0]);
	if (!memory.regions)
		FUZZ_MUST(!memory_create(&memory, MEMORY_SIZE, &error));
	machine_open(&hosts[0]);
	clock_start(&clock_, SC_CLOCK_FREEZE, &error);
	while (bytes.left && !bytes.failed)
		step(&bytes);
	machine_close();
	memory_clean();
	return 0;
}
