/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine's state as sections: what is taken whatever its order, and what is refused, by name: unknown ones, newer
 * ones, ones that come twice or not at all.
 */
#include "machine_fixture.h"

#include "machine/processor.h"
#include "machine/state.h"

#include <errno.h>
#include <stdio.h>

static struct buffer saved;

static int set_up_saved(void **state)
{
	const struct clock_handoff handoff = { .policy = SC_CLOCK_ADVANCE };

	if (set_up(state))
		return -1;
	devices_quiesce(&machine.devices);
	return state_save(&machine, &handoff, &saved, &error);
}

static int tear_down_saved(void **state)
{
	buffer_free(&saved);
	return tear_down(state);
}

#define TEST_SAVED(name) cmocka_unit_test_setup_teardown(name, set_up_saved, tear_down_saved)

static int load(const struct buffer *state)
{
	sc_ns_t gap;

	error.text[0] = '\0';
	return state_load(&machine, state->data, state->size, &gap, &error);
}

/* What the machine was told of its processor comes with its state: its description says so again. */
static void test_processor(void **state)
{
	const uint64_t id = IDENTITY_SYSTEM(3, 0, 0, 6, 0);
	const struct identity_register told = { .id = id, .value = 0x0000100010210120 };
	struct identity cpu = { .count = 0 };

	(void)state;
	assert_int_equal(processor_learn(&machine.vm, &machine.vcpus, &machine.untold, &error), 0);
	assert_int_equal(load(&saved), 0);
	assert_int_equal(machine.config.cpu.count, 0);
	assert_true(identity_set(&cpu, &told));
	assert_int_equal(processor_tell(&machine.vcpus, &cpu, &error), 0);
	assert_int_equal(load(&saved), 0);
	assert_int_equal(machine.config.cpu.count, 1);
	assert_true(identity_find(&machine.config.cpu, id)->value == told.value);
}

static void add_section(struct buffer *state, uint32_t id, uint32_t version, bool optional)
{
	size_t begun = section_begin(state, id, 0, version, optional);

	buffer_put_u32(state, 7);
	section_end(state, begun);
}

static void test_unknown(void **state)
{
	static const uint32_t id = SECTION_ID('N', 'E', 'W', '1');

	(void)state;
	add_section(&saved, id, 9, true);
	assert_int_equal(load(&saved), 0);
	add_section(&saved, id, 9, true);
	assert_int_equal(load(&saved), -EPROTO);
	assert_string_equal(error.text, "the machine's state in the stream is damaged");
}

static void test_unknown_needed(void **state)
{
	(void)state;
	add_section(&saved, SECTION_ID('N', 'E', 'W', '1'), 1, false);
	assert_int_equal(load(&saved), -ENOTSUP);
	assert_string_equal(error.text,
			    "the machine's state has a section NEW1 of number 0, which this version of Seaclock "
			    "does not know");
}

/* The sections as they are, but those for which `keep` says no; `last` of them goes to the end. */
static struct buffer arrange(bool (*keep)(uint32_t id), uint32_t last)
{
	struct buffer result = { 0 };

	for (int pass = 0; pass < 2; pass++) {
		struct cursor cursor = cursor_make(saved.data, saved.size);
		struct section section;

		while (section_next(&cursor, &section)) {
			size_t begun;

			if (!keep(section.id) || (section.id == last) != pass)
				continue;
			begun = section_begin(&result, section.id, section.instance, section.version, section.optional);
			buffer_put(&result, section.content.data, section.content.left);
			section_end(&result, begun);
		}
	}
	return result;
}

static bool keep_all(uint32_t id)
{
	(void)id;
	return true;
}

static bool keep_no_gic(uint32_t id)
{
	return id != SECTION_ID('G', 'I', 'C', '3');
}

static void test_order_means_nothing(void **state)
{
	struct buffer other = arrange(keep_all, SECTION_ID('H', 'A', 'N', 'D'));

	(void)state;
	assert_memory_not_equal(other.data, saved.data, SECTION_HEADER_SIZE);
	assert_int_equal(load(&other), 0);
	buffer_free(&other);
}

static void test_missing(void **state)
{
	struct buffer other = arrange(keep_no_gic, 0);

	(void)state;
	assert_int_equal(load(&other), -EPROTO);
	assert_string_equal(error.text, "the machine's state lacks the section GIC3 of number 0");
	buffer_free(&other);
}

/* Every section of a newer version is refused by its name: in the state, and already in the trial. */
static void test_newer(void **state)
{
	static const char *const names[] = { "HAND", "CLCK", "VCPU", "GIC3", "UART" };
	struct buffer trial = { 0 };

	(void)state;
	assert_int_equal(state_save_trial(&machine, &trial, &error), 0);
	for (int early = 0; early < 2; early++)
		for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
			struct buffer *bytes = early ? &trial : &saved;
			uint8_t *place = memmem(bytes->data, bytes->size, names[n], 4);
			char words[80];

			assert_non_null(place);
			place[8]++;
			assert_int_equal(early ? state_try(&machine, bytes->data, bytes->size, &error) : load(bytes),
					 -ENOTSUP);
			snprintf(words, sizeof(words), "a section %s of version 2, of which", names[n]);
			assert_non_null(strstr(error.text, words));
			place[8]--;
		}
	assert_int_equal(state_try(&machine, trial.data, trial.size, &error), 0);
	buffer_free(&trial);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST_SAVED(test_processor),	      TEST_SAVED(test_unknown), TEST_SAVED(test_unknown_needed),
		TEST_SAVED(test_order_means_nothing), TEST_SAVED(test_missing), TEST_SAVED(test_newer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
