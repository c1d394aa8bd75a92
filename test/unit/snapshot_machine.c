/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machines that are saved on one fake host and restored on another: what comes back, what its clock says, who is
 * refused, and that nothing starts from a file that is not whole.
 */
#include "snapshot_fixture.h"
#include "../fake/guest_call.h"
#include "../fake/forged_file.h"

#include "snapshot/reader.h"

#include <endian.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define MS 1000000ull
#define S (1000 * MS)
#define REFS(ns) ((ns) / SC_REF_NS)

static const enum sc_clock_policy advance = SC_CLOCK_ADVANCE, freeze = SC_CLOCK_FREEZE;

/* ---- Saving and restoring ---- */

static void go_on(void)
{
	machine_run_loaded(&pair.target);
	for (uint32_t n = 0; n < pair.target.vcpus.count; n++)
		assert_true(fake_vcpu_wait_inside(vcpu(&pair.target, n), true));
	assert_int_equal(machine_get_state(&pair.target), MACHINE_RUNNING);
}

static void expect_refused(int result)
{
	assert_true(result < 0);
	assert_true(strlen(error.text) > 0);
	assert_false(pair.target_lives);
	assert_int_equal(fake_host_entries(&pair.host[1]), 0);
}

static uint64_t page_reference(void)
{
	struct sc_reference_tsc_page page;

	assert_true(memory_read(&pair.target.memory, PAIR_CLOCK_PAGE, &page, sizeof(page)));
	assert_int_not_equal(page.sequence, SC_PAGE_SEQUENCE_INVALID);
	return (uint64_t)((unsigned __int128)pair_guest_counter(&pair, &pair.target) * page.scale >> 64) +
	       (uint64_t)page.offset;
}

/* ---- What comes back ---- */

static void test_round_trip(void **state)
{
	uint64_t counter, due;

	(void)state;
	pair_open(&pair, 25000000, 1000000000, 2, SEED);
	pair_load_driver(&pair);
	fake_time_advance(5 * S);
	counter = pair_guest_counter(&pair, &pair.source);
	fake_vcpu_set_register(vcpu(&pair.source, 1), FAKE_REGISTER_CVAL, counter + 25000000);
	fake_vcpu_set_register(vcpu(&pair.source, 1), FAKE_REGISTER_X0 + 7, 0x1234567);
	assert_int_equal(save(SC_CLOCK_FREEZE), 0);
	assert_int_equal(machine_get_end(&pair.source), MACHINE_END_SAVED);
	assert_int_equal(fake_vm_of(&pair.source.vm)->inside, 0);
	fake_time_advance(100 * S);
	assert_int_equal(restore(NULL, false), 0);
	assert_int_equal(fake_host_entries(&pair.host[1]), 0);
	assert_string_equal(pair.target.config.name, "pair");
	assert_int_equal(pair.target.config.vcpus, 2);
	go_on();
	assert_true(pair_memory_is_intact(&pair, &pair.target));
	assert_int_equal(fake_vcpu_register(vcpu(&pair.target, 1), FAKE_REGISTER_X0 + 7), 0x1234567);
	assert_int_equal(pair_guest_counter(&pair, &pair.target), counter);
	due = fake_vcpu_register(vcpu(&pair.target, 1), FAKE_REGISTER_CVAL);
	assert_in_range(due - counter, 1000000000, 1000000040);
	assert_int_equal(pair.target.restored.from_hz, 25000000);
	assert_int_equal(pair.target.restored.level, SC_LEVEL_REFERENCE);
}

static void id_read(struct machine *machine, uint8_t id[GENID_SIZE])
{
	assert_true(memory_read(&machine->memory, LAYOUT_GENID_BASE, id, GENID_SIZE));
}

/* The guest is told each time that it is another copy of itself, and that its counter was disrupted. */
static void test_copies(void **state)
{
	uint8_t id[3][GENID_SIZE];

	(void)state;
	pair_open(&pair, 25000000, 25000000, 1, SEED);
	id_read(&pair.source, id[0]);
	assert_int_equal(save(SC_CLOCK_FREEZE), 0);
	for (int n = 1; n < 3; n++) {
		struct vmclock_page page;

		assert_int_equal(restore(NULL, false), 0);
		go_on();
		id_read(&pair.target, id[n]);
		for (int before = 0; before < n; before++)
			assert_memory_not_equal(id[before], id[n], GENID_SIZE);
		assert_int_equal(fake_vm_of(&pair.target.vm)->edges[LAYOUT_GENID_INTID], 1);
		lock_take(&pair.target.devices.wallclock.device.lock);
		assert_true(memory_read(&pair.target.memory, LAYOUT_VMCLOCK_BASE, &page, sizeof(page)));
		lock_drop(&pair.target.devices.wallclock.device.lock);
		assert_int_equal(page.disruption_marker, 1);
		assert_int_equal(page.generation, 1);
		if (n == 1)
			machine_destroy(&pair.target);
	}
}

static void test_name(void **state)
{
	const struct arrival_names names = { .name = "other" };
	const struct restore_options options = { .path = path, .names = &names };

	(void)state;
	pair_open(&pair, 100000000, 100000000, 1, SEED);
	assert_int_equal(save(SC_CLOCK_FREEZE), 0);
	fake_host_use(&pair.host[1]);
	assert_int_equal(restore_load(&pair.target, &pair.console, &options, &error), 0);
	pair.target_lives = true;
	assert_string_equal(pair.target.config.name, "other");
}

/* ---- Time ---- */

/* Saves under one policy, lets 30 s pass, restores under another: what the guest's clock counted, in ns. */
static uint64_t time_counted(enum sc_clock_policy saved, const enum sc_clock_policy *restored)
{
	uint64_t before;

	pair_load_driver(&pair);
	fake_time_advance(2 * S);
	before = pair_reference(&pair, &pair.source);
	assert_int_equal(save(saved), 0);
	fake_time_advance(30 * S);
	assert_int_equal(restore(restored, false), 0);
	go_on();
	assert_int_equal(page_reference(), pair_reference(&pair, &pair.target));
	return (pair_reference(&pair, &pair.target) - before) * SC_REF_NS;
}

static void test_policy(void **state)
{
	static const struct {
		enum sc_clock_policy saved;
		const enum sc_clock_policy *restored;
		uint64_t counted_s;
	} cases[] = {
		{ SC_CLOCK_FREEZE, NULL, 0 },	    { SC_CLOCK_ADVANCE, NULL, 30 },   { SC_CLOCK_FREEZE, &advance, 30 },
		{ SC_CLOCK_ADVANCE, &advance, 30 }, { SC_CLOCK_ADVANCE, &freeze, 0 },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		uint64_t counted;

		if (n)
			pair_close(&pair);
		pair_open(&pair, 25000000, 1000000000, 1, SEED);
		counted = time_counted(cases[n].saved, cases[n].restored);
		assert_in_range(counted + 200, cases[n].counted_s * S + 100, cases[n].counted_s * S + 300);
		assert_in_range(pair.target.restored.gap_ns + 100, 30 * S, 30 * S + 200);
		assert_true(pair.target.restored.bound_ns == SC_STATEMENT_UNKNOWN);
		assert_int_equal(pair.target.restored.policy, cases[n].counted_s ? SC_CLOCK_ADVANCE : SC_CLOCK_FREEZE);
	}
}

/* Hosts that are synchronised state a bound, and it holds, whichever way each of them is off. */
static void test_bound(void **state)
{
	(void)state;
	for (int n = 0; n < 4; n++) {
		struct machine_restored *restored = &pair.target.restored;
		uint64_t counted;

		if (n)
			pair_close(&pair);
		pair_open(&pair, 1000000000, 25000000, 1, SEED);
		for (int which = 0; which < 2; which++) {
			pair.host[which].synchronised = true;
			pair.host[which].realtime_error_ns = (which + 1) * MS;
			pair.host[which].realtime_off_ns = (n >> which & 1 ? 1 : -1) * (int64_t)((which + 1) * MS);
		}
		counted = time_counted(SC_CLOCK_FREEZE, &advance);
		assert_in_range(restored->bound_ns, 3 * MS, 3 * MS + 2000);
		assert_in_range(counted + restored->bound_ns, 30 * S, 30 * S + 2 * restored->bound_ns);
	}
}

static void test_bound_needs_both(void **state)
{
	(void)state;
	pair_open(&pair, 1000000000, 25000000, 1, SEED);
	pair.host[0].synchronised = true;
	pair.host[0].realtime_error_ns = MS;
	time_counted(SC_CLOCK_ADVANCE, NULL);
	assert_true(pair.target.restored.bound_ns == SC_STATEMENT_UNKNOWN);
}

/* A clock that is behind the file's does not turn the guest's time back. */
static void test_realtime_behind(void **state)
{
	(void)state;
	pair_open(&pair, 25000000, 1000000000, 1, SEED);
	pair.host[1].realtime_off_ns = -(int64_t)(3600 * S);
	assert_in_range(time_counted(SC_CLOCK_ADVANCE, NULL), 0, 200);
	assert_int_equal(pair.target.restored.gap_ns, 0);
}

/* The pause is a part of the gap, by the counter that measured it. */
static void test_paused(void **state)
{
	uint64_t before;

	(void)state;
	pair_open(&pair, 25000000, 1000000000, 1, SEED);
	pair_load_driver(&pair);
	assert_int_equal(machine_pause(&pair.source, &error), 0);
	before = pair_reference(&pair, &pair.source);
	for (int which = 0; which < 2; which++)
		pair.host[which].synchronised = true;
	fake_time_advance(1000 * S);
	assert_int_equal(save(SC_CLOCK_ADVANCE), 0);
	fake_time_advance(500 * S);
	assert_int_equal(restore(NULL, false), 0);
	go_on();
	assert_in_range((pair_reference(&pair, &pair.target) - before) * SC_REF_NS + 200, 1500 * S, 1500 * S + 400);
	/* 1,000 s by a counter that may be 100 ppm off. */
	assert_in_range(pair.target.restored.bound_ns, 100 * MS, 100 * MS + 2000);
}

/* A timer that fell due in the gap is delivered once it counts, and keeps its distance if not. */
static void test_timer(void **state)
{
	(void)state;
	for (int n = 0; n < 2; n++) {
		if (n)
			pair_close(&pair);
		pair_open(&pair, 25000000, 1000000000, 1, SEED);
		pair_load_driver(&pair);
		guest_set(vcpu(&pair.source, 0), SC_REG_STIMER0_COUNT,
			  pair_reference(&pair, &pair.source) + REFS(10 * S));
		assert_int_equal(save(SC_CLOCK_FREEZE), 0);
		fake_time_advance(3600 * S);
		assert_int_equal(restore(n ? &advance : &freeze, false), 0);
		go_on();
		if (n)
			assert_true(fake_vm_of(&pair.target.vm)->level[0] >> SC_STIMER0_INTID & 1);
		else
			assert_in_range(pair.target.clock.aim.v - pair_reference(&pair, &pair.target), REFS(10 * S) - 5,
					REFS(10 * S) + 5);
	}
}

/* ---- Who is refused ---- */

static void test_rate(void **state)
{
	(void)state;
	pair_open(&pair, 25000000, 1000000000, 1, SEED);
	assert_int_equal(save(SC_CLOCK_FREEZE), 0);
	expect_refused(restore(NULL, false));
	assert_non_null(strstr(error.text, "from a counter of 25 MHz"));
	assert_non_null(strstr(error.text, "to one of 1000 MHz"));
	assert_non_null(strstr(error.text, "--force"));
	assert_int_equal(restore(NULL, true), 0);
	go_on();
	assert_int_equal(pair.target.restored.level, SC_LEVEL_NONE);
}

static void test_same_rate(void **state)
{
	(void)state;
	pair_open(&pair, 25000000, 25000000, 1, SEED);
	assert_int_equal(save(SC_CLOCK_FREEZE), 0);
	assert_int_equal(restore(NULL, false), 0);
	go_on();
}

static void test_host_fails(void **state)
{
	static const enum fake_call calls[] = { FAKE_VM_CREATE, FAKE_MEMORY, FAKE_VCPU_LOAD, FAKE_GIC_LOAD };

	(void)state;
	pair_open(&pair, 25000000, 25000000, 1, SEED);
	assert_int_equal(save(SC_CLOCK_FREEZE), 0);
	for (size_t n = 0; n < ARRAY_SIZE(calls); n++) {
		fake_fail(&pair.host[1], calls[n], 0, 1, EINVAL);
		expect_refused(restore(NULL, false));
	}
	assert_int_equal(restore(NULL, false), 0);
}

/* ---- Files that are not whole ---- */

/* A file whose HELLO is of this host's rate, while the record of its clock is of another: no way around the check. */
static void test_two_rates(void **state)
{
	static const uint64_t hello_hz = FRAME_HEADER_SIZE + 12;
	size_t ends[2000], count;
	struct buffer frames;
	uint32_t hz = htole32(1000000000);

	(void)state;
	pair_open(&pair, 25000000, 1000000000, 1, SEED);
	assert_int_equal(save(SC_CLOCK_FREEZE), 0);
	assert_int_equal(restore(NULL, false), -EPERM);
	frames = file_frames(ends, &count);
	memcpy(frames.data + hello_hz, &hz, sizeof(hz));
	forged_file_store_frames(path, frames.data, frames.size);
	for (int force = 0; force < 2; force++) {
		expect_refused(restore(NULL, force));
		assert_non_null(strstr(error.text,
				       "HELLO says that the guest's counter ticked at 1000000000 Hz, the record "
				       "of its clock 25000000 Hz"));
	}
	buffer_free(&frames);
}

/* Cut anywhere behind the checksums: at each frame's end, and around it, and all over the first and the last ones. */
static void test_cut(void **state)
{
	size_t ends[2000], count, state_at;
	struct buffer frames;

	(void)state;
	pair_open(&pair, 25000000, 25000000, 1, SEED);
	assert_int_equal(save(SC_CLOCK_FREEZE), 0);
	frames = file_frames(ends, &count);
	state_at = ends[count - 3];
	for (size_t n = 0; n < count - 1; n += n < 5 || n > count - 5 ? 1 : 16)
		for (size_t size = ends[n] - 1; size <= ends[n] + 1 && size < frames.size; size++) {
			forged_file_store_frames(path, frames.data, size);
			expect_refused(restore(NULL, false));
		}
	for (size_t size = 0; size < ends[1]; size++) {
		forged_file_store_frames(path, frames.data, size);
		expect_refused(restore(NULL, false));
	}
	for (size_t size = state_at; size < frames.size; size += 7) {
		forged_file_store_frames(path, frames.data, size);
		expect_refused(restore(NULL, false));
	}
	forged_file_store_frames(path, frames.data, frames.size);
	assert_int_equal(restore(NULL, false), 0);
	buffer_free(&frames);
}

/* Each frame once left out, once doubled: pages may be, all else is refused. */
static void test_order(void **state)
{
	size_t ends[2000], count;
	struct buffer frames;

	(void)state;
	pair_open(&pair, 25000000, 25000000, 1, SEED);
	assert_int_equal(save(SC_CLOCK_FREEZE), 0);
	frames = file_frames(ends, &count);
	for (size_t n = 0; n < count; n++) {
		size_t begin = n ? ends[n - 1] : 0;
		struct buffer without = { 0 }, twice = { 0 };

		if (n >= 2 && n < count - 2)
			continue;
		buffer_put(&without, frames.data, begin);
		buffer_put(&without, frames.data + ends[n], frames.size - ends[n]);
		buffer_put(&twice, frames.data, ends[n]);
		buffer_put(&twice, frames.data + begin, frames.size - begin);
		forged_file_store_frames(path, without.data, without.size);
		expect_refused(restore(NULL, false));
		forged_file_store_frames(path, twice.data, twice.size);
		expect_refused(restore(NULL, false));
		buffer_free(&without);
		buffer_free(&twice);
	}
	buffer_free(&frames);
}

/* Every byte of a real file, damaged: the seal finds each. */
static void test_altered(void **state)
{
	static uint8_t content[1 << 20];
	FILE *file;
	size_t size;

	(void)state;
	pair_open(&pair, 25000000, 25000000, 1, SEED);
	assert_int_equal(save(SC_CLOCK_FREEZE), 0);
	file = fopen(path, "rb");
	size = fread(content, 1, sizeof(content), file);
	fclose(file);
	assert_in_range(size, 100, sizeof(content) - 1);
	for (size_t n = 0; n < size; n++) {
		content[n] ^= 0x10;
		forged_file_store(path, content, size);
		expect_refused(restore(NULL, false));
		content[n] ^= 0x10;
	}
	for (size_t n = 0; n < size; n++) {
		forged_file_store(path, content, n);
		expect_refused(restore(NULL, false));
	}
	forged_file_store(path, content, size);
	assert_int_equal(restore(NULL, false), 0);
}

/* ---- Saves that fail ---- */

static void expect_runs_on(void)
{
	assert_int_equal(machine_get_state(&pair.source), MACHINE_RUNNING);
	assert_int_equal(machine_get_end(&pair.source), MACHINE_END_NONE);
	assert_false(clock_is_stopped(&pair.source.clock));
	assert_true(fake_vcpu_wait_inside(vcpu(&pair.source, 0), true));
}

static void test_disk_full(void **state)
{
	const struct rlimit small = { 100, RLIM_INFINITY }, none = { RLIM_INFINITY, RLIM_INFINITY };
	struct stat facts;
	uint64_t offset;

	(void)state;
	pair_open(&pair, 25000000, 25000000, 1, SEED);
	unlink(path);
	offset = fake_vm_of(&pair.source.vm)->offset;
	fake_time_set_step(1000);
	/* Else the first write beyond the limit ends the program. */
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	assert_int_equal(save(SC_CLOCK_FREEZE), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &none);
	fake_time_set_step(0);
	expect_runs_on();
	/* Its clock has counted the time that it stood. */
	assert_true(fake_vm_of(&pair.source.vm)->offset == offset);
	assert_int_equal(stat(path, &facts), -1);
	assert_int_equal(machine_pause(&pair.source, &error), 0);
	setrlimit(RLIMIT_FSIZE, &small);
	assert_int_equal(save(SC_CLOCK_FREEZE), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &none);
	assert_int_equal(machine_get_state(&pair.source), MACHINE_PAUSED);
	assert_int_equal(fake_vm_of(&pair.source.vm)->inside, 0);
	/* Its devices go on, as those of any machine that is paused. */
	assert_false(pair.source.devices.uart.frozen);
	assert_int_equal(machine_resume(&pair.source, SC_CLOCK_FREEZE, false, &error), 0);
	expect_runs_on();
	assert_int_equal(save(SC_CLOCK_FREEZE), 0);
}

static void test_save_fails(void **state)
{
	static const enum fake_call calls[] = { FAKE_VCPU_SAVE, FAKE_GIC_SAVE };

	(void)state;
	pair_open(&pair, 25000000, 25000000, 1, SEED);
	forged_file_store(path, "old", 3);
	for (size_t n = 0; n < ARRAY_SIZE(calls); n++) {
		struct stat facts;

		fake_fail(&pair.host[0], calls[n], 0, 1, EIO);
		assert_int_equal(save(SC_CLOCK_FREEZE), -EIO);
		expect_runs_on();
		assert_int_equal(stat(path, &facts), 0);
		assert_int_equal(facts.st_size, 3);
	}
}

/* The guest may end when its save has just begun, or before: then neither that nor a migration begins. */
static void test_save_ended(void **state)
{
	enum machine_state before;

	(void)state;
	pair_open(&pair, 25000000, 25000000, 1, SEED);
	unlink(path);
	assert_int_equal(machine_begin_save(&pair.source, &before, &error), 0);
	machine_finish(&pair.source, MACHINE_END_POWER_OFF);
	assert_int_equal(save_begun(&(struct save_options){ .policy = SC_CLOCK_FREEZE }), -ESHUTDOWN);
	assert_int_equal(access(path, F_OK), -1);
	machine_end_save(&pair.source, before);
	assert_int_equal(machine_begin_save(&pair.source, &before, &error), -EBUSY);
	assert_string_equal(error.text, "pair is ended: it cannot be saved now");
	assert_int_equal(machine_begin_migration(&pair.source, &error), -EBUSY);
	assert_string_equal(error.text, "pair is ended: it cannot be migrated now");
}

static void test_states(void **state)
{
	enum machine_state before;

	(void)state;
	pair_open(&pair, 25000000, 25000000, 1, SEED);
	assert_int_equal(machine_begin_save(&pair.source, &before, &error), 0);
	assert_int_equal(before, MACHINE_RUNNING);
	assert_int_equal(machine_get_state(&pair.source), MACHINE_SAVING);
	assert_int_equal(machine_begin_save(&pair.source, &before, &error), -EBUSY);
	assert_string_equal(error.text, "pair is saving: it cannot be saved now");
	assert_int_equal(machine_pause(&pair.source, &error), -EBUSY);
	assert_int_equal(machine_resume(&pair.source, SC_CLOCK_FREEZE, true, &error), -EBUSY);
	assert_int_equal(machine_begin_migration(&pair.source, &error), -EBUSY);
	assert_int_equal(machine_stop(&pair.source, &error), -EBUSY);
	machine_end_save(&pair.source, MACHINE_RUNNING);
	assert_int_equal(machine_begin_migration(&pair.source, &error), 0);
	assert_int_equal(machine_begin_save(&pair.source, &before, &error), -EBUSY);
	machine_end_migration(&pair.source, MACHINE_RUNNING);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_round_trip),
		TEST(test_copies),
		TEST(test_name),
		TEST(test_policy),
		TEST(test_bound),
		TEST(test_bound_needs_both),
		TEST(test_realtime_behind),
		TEST(test_paused),
		TEST(test_timer),
		TEST(test_rate),
		TEST(test_same_rate),
		TEST(test_two_rates),
		TEST(test_host_fails),
		TEST(test_cut),
		TEST(test_order),
		TEST(test_altered),
		TEST(test_disk_full),
		TEST(test_save_fails),
		TEST(test_save_ended),
		TEST(test_states),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
