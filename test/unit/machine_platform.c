/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power button, generation id, VMClock and real-time clock as the devices of a machine: what the guest reads and hears,
 * and what pauses, resets, moves and restores do to it.
 */
#include "machine_fixture.h"

#include "machine/state.h"

#include <errno.h>
#include <sched.h>

#define RTC_DR (LAYOUT_RTC_BASE + 0x00)
#define RTC_MR (LAYOUT_RTC_BASE + 0x04)
#define RTC_LR (LAYOUT_RTC_BASE + 0x08)
#define RTC_IMSC (LAYOUT_RTC_BASE + 0x10)
#define S (1000 * MS)

/* With the ticks that come of it, which another thread carries out; the alarm bounds the wait. */
static void let_pass(uint64_t ns)
{
	fake_time_advance(ns);
	while (fake_timer_left(machine.tick) == UINT64_MAX)
		sched_yield();
}

static uint32_t edges(uint32_t intid)
{
	return __atomic_load_n(&fake_vm_of(&machine.vm)->edges[intid], __ATOMIC_SEQ_CST);
}

/* ---- Power button ---- */

static void test_button(void **state)
{
	(void)state;
	assert_int_equal(machine_press(&machine, &error), -EBUSY);
	assert_string_equal(error.text, "m is paused: it cannot be shut down now");
	run();
	assert_int_equal(machine_press(&machine, &error), 0);
	assert_int_equal(machine_press(&machine, &error), 0);
	assert_int_equal(edges(LAYOUT_BUTTON_INTID), 2);
	assert_false(fake_vm_of(&machine.vm)->spi[LAYOUT_BUTTON_INTID]);
	machine_finish(&machine, MACHINE_END_POWER_OFF);
	assert_int_equal(machine_press(&machine, &error), -EBUSY);
	assert_int_equal(edges(LAYOUT_BUTTON_INTID), 2);
}

/* A machine of an earlier version has a UART alone. */
static void test_older_model(void **state)
{
	const struct machine_config older = {
		.name = "o", .vcpus = 1, .memory_size = LAYOUT_RAM_MIN, .model = CONFIG_MODEL_UART
	};
	struct acpi_node nodes[ACPI_NODES_MAX];

	(void)state;
	machine_destroy(&machine);
	assert_int_equal(machine_create(&machine, &older, &console, &error), 0);
	assert_int_equal(machine.memory.regions, 1);
	assert_int_equal(devices_describe(&machine.devices, nodes, ACPI_NODES_MAX), 1);
	devices_renew(&machine.devices);
	assert_int_equal(machine_press(&machine, &error), -ENOTSUP);
	assert_non_null(strstr(error.text, "o has no power button"));
	assert_int_equal(fake_timer_left(machine.tick), UINT64_MAX);
}

/* What ACPI is told: all but the real-time clock have nodes, each once, and events where they have no line. */
static void test_nodes(void **state)
{
	struct acpi_node nodes[ACPI_NODES_MAX];
	unsigned int count = devices_describe(&machine.devices, nodes, ACPI_NODES_MAX), found = 0;

	(void)state;
	for (unsigned int n = 0; n < count; n++) {
		bool event = strcmp(nodes[n].hid, "ARMH0011") != 0 && strcmp(nodes[n].hid, "LNRO0005") != 0;

		assert_int_equal(nodes[n].event, event);
		found += event;
		if (!strcmp(nodes[n].hid, "VMGENCTR")) {
			assert_true(nodes[n].address);
			assert_string_equal(nodes[n].cid, "VM_Gen_Counter");
			assert_int_equal(nodes[n].base % 8, 0);
		}
		if (!strcmp(nodes[n].hid, "AMZNC10C")) {
			assert_string_equal(nodes[n].cid, "VMCLOCK");
			assert_int_equal(nodes[n].base % 65536, 0);
			assert_int_equal(nodes[n].size, 65536);
		}
		if (!strcmp(nodes[n].hid, "PNP0C0C"))
			assert_int_equal(nodes[n].size, 0);
	}
	assert_int_equal(found, 3);
}

/* ---- Generation id ---- */

struct id {
	uint64_t half[2];
};

static struct id id_seen(void)
{
	struct id id;

	assert_true(memory_read(&machine.memory, LAYOUT_GENID_BASE, &id, sizeof(id)));
	return id;
}

static bool id_is(const struct id *id)
{
	struct id seen = id_seen();

	return !memcmp(&seen, id, sizeof(seen));
}

static void test_genid(void **state)
{
	struct id first, second, forged = { { 1, 2 } };

	(void)state;
	run();
	first = id_seen();
	assert_true(first.half[0] && first.half[1]);
	assert_int_equal(machine_pause(&machine, &error), 0);
	assert_int_equal(machine_reset(&machine, &error), 0);
	assert_true(id_is(&first));
	assert_true(memory_write(&machine.memory, LAYOUT_GENID_BASE, &forged, sizeof(forged)));
	assert_int_equal(machine_resume(&machine, SC_CLOCK_FREEZE, false, &error), 0);
	assert_true(id_is(&first));
	assert_int_equal(edges(LAYOUT_GENID_INTID), 0);
	assert_int_equal(machine_pause(&machine, &error), 0);
	devices_renew(&machine.devices);
	second = id_seen();
	assert_memory_not_equal(&first, &second, sizeof(first));
	assert_int_equal(edges(LAYOUT_GENID_INTID), 1);
	assert_false(fake_vm_of(&machine.vm)->spi[LAYOUT_GENID_INTID]);
}

/* ---- VMClock ---- */

static struct vmclock_page page_seen(void)
{
	struct device *device = &machine.devices.wallclock.device;
	struct vmclock_page page;

	lock_take(&device->lock);
	assert_true(memory_read(&machine.memory, LAYOUT_VMCLOCK_BASE, &page, sizeof(page)));
	lock_drop(&device->lock);
	return page;
}

/* Linux: vmclock_get_crosststamp(), to ns. */
static uint64_t page_read(const struct vmclock_page *page, uint64_t counter)
{
	unsigned __int128 fraction =
		(unsigned __int128)(counter - page->counter_value) * page->period >> page->period_shift;

	fraction += page->time_fraction;
	return (page->time_s + (uint64_t)(fraction >> 64)) * 1000000000 +
	       (uint64_t)((unsigned __int128)(uint64_t)fraction * 1000000000 >> 64);
}

static uint64_t guest_counter(void)
{
	return host_counter().v - clock_offset(&machine.clock);
}

static void test_vmclock(void **state)
{
	struct vmclock_page page;
	uint32_t before, heard;

	(void)state;
	fake_host_current()->synchronised = true;
	fake_host_current()->realtime_error_ns = 5000;
	fake_host_current()->discipline = (struct host_discipline){ .tai_offset_s = 37, .estimated_error_ns = 700 };
	let_pass(3 * S);
	run();
	page = page_seen();
	assert_int_equal(page.magic, VMCLOCK_MAGIC);
	assert_int_equal(page.size, LAYOUT_VMCLOCK_SIZE);
	assert_int_equal(page.clock_status, VMCLOCK_SYNCHRONIZED);
	assert_int_equal(page.tai_offset_s, (uint16_t)-37);
	assert_int_equal(page.time_esterror_ns, 700);
	assert_in_range(page.time_maxerror_ns, 5000, 5100);
	assert_int_equal(page.disruption_marker, 0);
	heard = edges(LAYOUT_VMCLOCK_INTID);
	assert_int_equal(heard, 1);
	let_pass(10 * MS);
	assert_in_range(page_read(&page, guest_counter()) - FAKE_EPOCH_NS, 3 * S + 10 * MS - 20, 3 * S + 10 * MS + 20);
	/* What the guest can work out is no news to it. */
	before = page.sequence;
	for (int n = 0; n < 3; n++) {
		let_pass(S);
		fake_host_current()->realtime_error_ns += 500000;
		page = page_seen();
		assert_int_equal(page.sequence, before);
		assert_in_range(page_read(&page, guest_counter()) - FAKE_EPOCH_NS, fake_time() - 20, fake_time() + 20);
	}
	assert_int_equal(edges(LAYOUT_VMCLOCK_INTID), heard);
	fake_host_current()->realtime_off_ns += 2000;
	let_pass(S);
	page = page_seen();
	assert_int_equal(page.sequence, before + 2);
	assert_in_range(page_read(&page, guest_counter()) - FAKE_EPOCH_NS, fake_time() + 1980, fake_time() + 2020);
	assert_int_equal(edges(LAYOUT_VMCLOCK_INTID), heard + 1);
	fake_host_current()->synchronised = false;
	let_pass(S);
	assert_int_equal(page_seen().clock_status, VMCLOCK_FREERUNNING);
}

/* A pause that the counter has run through is no disruption; one in which it stood still is. */
static void test_disruption(void **state)
{
	struct vmclock_page page;

	(void)state;
	run();
	assert_int_equal(machine_pause(&machine, &error), 0);
	let_pass(S / 2);
	assert_int_equal(machine_resume(&machine, SC_CLOCK_ADVANCE, false, &error), 0);
	page = page_seen();
	assert_int_equal(page.disruption_marker, 0);
	assert_int_equal(machine_pause(&machine, &error), 0);
	let_pass(S / 3);
	assert_int_equal(machine_resume(&machine, SC_CLOCK_FREEZE, false, &error), 0);
	page = page_seen();
	assert_int_equal(page.disruption_marker, 1);
	assert_in_range(page_read(&page, guest_counter()) - FAKE_EPOCH_NS, fake_time() - 20, fake_time() + 20);
	assert_int_equal(page.generation, 0);
}

/* ---- Real-time clock ---- */

static uint32_t rtc_read32(uint64_t gpa)
{
	return (uint32_t)mmio(gpa, 4, false, 0);
}

static void test_rtc(void **state)
{
	uint32_t now;

	(void)state;
	run();
	now = (uint32_t)(FAKE_EPOCH_NS / S);
	assert_int_equal(rtc_read32(RTC_DR), now);
	fake_time_advance(7 * S);
	assert_int_equal(rtc_read32(RTC_DR), now + 7);
	mmio(RTC_LR, 4, true, 0x10);
	assert_int_equal(rtc_read32(RTC_DR), 0x10101010);
	mmio(RTC_MR, 4, true, 0x11);
	mmio(RTC_IMSC, 4, true, 1);
	assert_false(fake_vm_of(&machine.vm)->spi[LAYOUT_RTC_INTID]);
	let_pass((0x11111111ull - 0x10101010) * S);
	assert_int_equal(edges(LAYOUT_RTC_INTID), 1);
	/* A reset ends the alarm, and keeps the time; a pause does not stop it. */
	assert_int_equal(machine_pause(&machine, &error), 0);
	assert_int_equal(machine_reset(&machine, &error), 0);
	assert_false(fake_vm_of(&machine.vm)->spi[LAYOUT_RTC_INTID]);
	fake_time_advance(9 * S);
	assert_int_equal(machine_resume(&machine, SC_CLOCK_FREEZE, false, &error), 0);
	assert_int_equal(rtc_read32(RTC_DR), 0x11111111 + 9);
}

/* ---- Stolen time ---- */

/* Each vCPU has a record of its own, in memory that moves with the machine. */
static void test_stolen(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < config.vcpus; n++)
		assert_int_equal(fake_vcpu_of(vcpu(n))->stolen, LAYOUT_STOLEN_BASE + n * 64ull);
	machine_destroy(&machine);
	fake_fail(fake_host_current(), FAKE_STOLEN, 1, 1, EOPNOTSUPP);
	assert_int_equal(machine_create(&machine, &config, &console, &error), -EOPNOTSUPP);
	assert_int_equal(machine_create(&machine, &config, &console, &error), 0);
}

/* ---- State ---- */

static int reload(struct buffer *saved)
{
	sc_ns_t gap;

	return state_load(&machine, saved->data, saved->size, &gap, &error);
}

static void test_state(void **state)
{
	const struct clock_handoff handoff = { .policy = SC_CLOCK_FREEZE };
	struct buffer saved = { 0 };
	struct vmclock_page page;
	struct id id;

	(void)state;
	run();
	mmio(RTC_LR, 4, true, 0x10);
	id = id_seen();
	page = page_seen();
	assert_int_equal(machine_pause(&machine, &error), 0);
	devices_quiesce(&machine.devices);
	assert_int_equal(state_save(&machine, &handoff, &saved, &error), 0);
	machine_destroy(&machine);
	fake_time_advance(60 * S);
	assert_int_equal(machine_create(&machine, &config, &console, &error), 0);
	assert_int_equal(reload(&saved), 0);
	machine_begin_receiving(&machine);
	machine_run_loaded(&machine);
	assert_true(fake_vcpu_wait_inside(vcpu(0), true));
	assert_true(id_is(&id));
	assert_int_equal(page_seen().disruption_marker, page.disruption_marker + 1);
	assert_int_equal(page_seen().generation, page.generation);
	assert_true(page_seen().sequence > page.sequence);
	assert_int_equal(rtc_read32(RTC_DR), 0x10101010 + 60);
	buffer_free(&saved);
}

/* What no machine has saved. */
static void test_bad_state(void **state)
{
	static const struct {
		uint32_t id;
		size_t size;
		uint8_t last; /* byte */
		int result;
	} cases[] = {
		{ SECTION_ID('P', 'W', 'R', 'B'), 0, 0, 0 },	    { SECTION_ID('P', 'W', 'R', 'B'), 1, 0, -EPROTO },
		{ SECTION_ID('G', 'N', 'I', 'D'), 20, 9, -EPROTO }, { SECTION_ID('G', 'N', 'I', 'D'), 3, 0, -EPROTO },
		{ SECTION_ID('V', 'M', 'C', 'K'), 20, 3, 0 },	    { SECTION_ID('V', 'M', 'C', 'K'), 19, 0, -EPROTO },
		{ SECTION_ID('V', 'M', 'C', 'K'), 21, 0, -EPROTO }, { SECTION_ID('P', 'L', '3', '1'), 18, 1, 0 },
		{ SECTION_ID('P', 'L', '3', '1'), 18, 2, -EPROTO }, { SECTION_ID('P', 'L', '3', '1'), 17, 0, -EPROTO },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		uint8_t content[32] = { [16] = 1 };
		struct section section = { .version = 1, .content = cursor_make(content, cases[n].size) };

		if (cases[n].size)
			content[cases[n].size - 1] = cases[n].last;
		assert_int_equal(devices_load(devices_find(&machine.devices, cases[n].id, 0), &section),
				 cases[n].result);
	}
	/* A sequence that is odd would say for ever that the page is being written. */
	run();
	assert_int_equal(page_seen().sequence % 2, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_button),  TEST(test_older_model), TEST(test_nodes), TEST(test_genid),
		TEST(test_vmclock), TEST(test_disruption),  TEST(test_rtc),   TEST(test_state),
		TEST(test_stolen),  TEST(test_bad_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
