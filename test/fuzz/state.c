/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything of a machine that is not memory, as any bytes: it is refused with a sentence and nothing has run, or the
 * machine runs, and what is then saved of it loads into another.
 */
#include "fuzz.h"
#include "../fake/host_fake.h"
#include "machine/machine.h"
#include "machine/state.h"

#include <string.h>

static const struct machine_config config = {
	.name = "fuzzed", .vcpus = 1, .memory_size = LAYOUT_RAM_MIN, .model = CONFIG_MODEL_NEW
};
static struct console console = { .in = -1, .out = -1 };

static void create(struct machine *machine)
{
	struct error error;

	FUZZ_MUST(!machine_create(machine, &config, &console, &error));
}

static void save(struct machine *machine, struct buffer *state)
{
	const struct clock_handoff handoff = { .policy = SC_CLOCK_ADVANCE };
	struct error error;

	FUZZ_MUST(!machine_pause(machine, &error));
	devices_quiesce(&machine->devices);
	FUZZ_MUST(!state_save(machine, &handoff, state, &error));
}

static void load_again(const struct buffer *state)
{
	struct machine machine;
	struct error error;
	sc_ns_t gap;

	create(&machine);
	FUZZ_MUST(!state_load(&machine, state->data, state->size, &gap, &error));
	machine_destroy(&machine);
}

static void run_and_save(struct machine *machine)
{
	struct buffer state = { 0 };

	machine_run_loaded(machine);
	FUZZ_MUST(fake_vcpu_wait_inside(&machine->vcpus.vcpu[0].host, true));
	save(machine, &state);
	load_again(&state);
	buffer_free(&state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error error = { .text = "" };
	struct machine machine;
	sc_ns_t gap;

	fake_reset();
	create(&machine);
	if (!state_load(&machine, data, size, &gap, &error)) {
		run_and_save(&machine);
	} else {
		FUZZ_MUST(error.text[0]);
		FUZZ_MUST(!fake_host_current()->entries);
	}
	machine_destroy(&machine);
	return 0;
}
