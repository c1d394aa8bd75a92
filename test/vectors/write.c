/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the test vectors to stdout: one case a line, with the limits of each function first and random arguments
 * behind them. `make vectors` puts them where they belong.
 *
 * Policy: doc/embedding.md says what the file means. Here stand rates, clock, page, and calls.
 */
#include "write.h"

#include <string.h>

#define RANDOM_CASES 12
#define SEED 0x5eac10cc

struct vector v;
struct random dice = { SEED };

static const struct vector_function *vector_known(const char *name)
{
	const struct vector_function *function = vector_find(name);

	if (function)
		return function;
	fprintf(stderr, "there is no function %s\n", name);
	exit(1);
}

void emit(const char *name)
{
	static const char *before = "";
	const struct vector_function *function = vector_known(name);
	json_t *in = field_encode(function->in, &v, false);
	json_t *out = in ? vector_evaluate(function, in) : NULL;
	json_t *line = json_pack("{s:s, s:o, s:O}", "function", name, "in", in, "out", out);
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;

	if (!text || !field_decode(function->out, out, &v)) {
		fprintf(stderr, "no case of %s can be written\n", name);
		exit(1);
	}
	printf("%s\n%s", before, text);
	before = ",";
	free(text);
	json_decref(line);
	json_decref(out);
}

uint32_t any_rate(void)
{
	static const uint32_t limits[] = { SC_RATE_MIN_HZ, SC_REF_HZ, SC_REF_HZ + 1, SC_RATE_MAX_HZ };

	if (random_chance(&dice, 6))
		return limits[random_next(&dice) % 4];
	return random_rate(&dice);
}

static void write_rates(void)
{
	static const uint64_t products[][3] = { { 0, 0, 1 },
						{ UINT64_MAX, UINT64_MAX, UINT64_MAX },
						{ UINT64_MAX, UINT64_MAX, 1 },
						{ UINT64_MAX, 3, 4 },
						{ 1ull << 63, 2, 1 },
						{ 1ull << 63, 2, 3 } };
	static const uint32_t rates[] = { 1000000,  10000000,  10000001,   24000000,   25000000,
					  62500000, 121875000, 1000000000, 1050000000, 2000000000 };

	for (size_t i = 0; i < sizeof(products) / sizeof(products[0]); i++) {
		v.a = products[i][0];
		v.b = products[i][1];
		v.divisor = products[i][2];
		emit("sc_muldiv");
	}
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		v.hz = rates[i];
		v.ticks.v = v.ns.v = UINT64_MAX;
		emit("sc_rate_scale");
		emit("sc_rate_ticks_to_ns");
		emit("sc_rate_ns_to_ticks");
	}
	for (int i = 0; i < RANDOM_CASES; i++) {
		v.a = random_wide(&dice);
		v.b = random_wide(&dice);
		v.divisor = random_wide(&dice) | 1;
		v.hz = any_rate();
		v.ticks.v = random_wide(&dice);
		v.ns.v = random_wide(&dice);
		emit("sc_muldiv");
		emit("sc_rate_scale");
		emit("sc_rate_ticks_to_ns");
		emit("sc_rate_ns_to_ticks");
	}
}

/* Compare values: distant and near, expired, at the stop itself, and beyond all that the new rate can reach. */
static void write_deadlines(void)
{
	static const int64_t distances[] = { 0, 1, -1, 7, -7, 1000000, -1000000, INT64_MAX, INT64_MIN };

	for (int i = 0; i < 3 * RANDOM_CASES; i++) {
		v.hz_from = any_rate();
		v.hz_to = any_rate();
		v.from = random_wide(&dice) >> 1;
		v.to = random_chance(&dice, 2) ? v.from : random_wide(&dice);
		v.deadline = random_chance(&dice, 2) ? random_wide(&dice) : v.from + (uint64_t)distances[i % 9];
		emit("sc_rate_convert_deadline");
	}
}

static void write_clock(void)
{
	static const uint32_t refused[] = { 0, SC_RATE_MIN_HZ - 1, SC_RATE_MAX_HZ + 1, UINT32_MAX };

	for (int i = 0; i < 3 * RANDOM_CASES; i++) {
		v.hz = i < 4 ? refused[i] : any_rate();
		v.counter.v = random_wide(&dice);
		v.at = random_wide(&dice) >> 1;
		emit("sc_clock_set");
		if (v.error)
			continue;
		emit("sc_clock_read");
		v.counter.v += random_wide(&dice) >> 20;
		emit("sc_clock_read");
		v.from = random_wide(&dice);
		v.to = random_chance(&dice, 2) ? v.from + random_next(&dice) % 100 : random_wide(&dice);
		emit("sc_ref_until");
	}
}

static void write_page(void)
{
	static const uint32_t sequences[] = { 0, 1, 0x7fffffff, 0xfffffffd, 0xfffffffe, 0xffffffff };

	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
		v.sequence = sequences[i];
		emit("sc_page_next_sequence");
	}
	v.page.size = sizeof(struct sc_reference_tsc_page);
	memset(v.page.data, 0xa5, v.page.size);
	for (int i = 0; i < RANDOM_CASES; i++) {
		v.hz = any_rate();
		v.counter.v = random_wide(&dice);
		v.at = random_wide(&dice) >> 1;
		emit("sc_clock_set");
		v.sequence = (uint32_t)random_between(&dice, 1, UINT32_MAX - 1);
		emit("sc_page_write");
	}
	emit("sc_page_invalidate");
}

/* A control word that may be good, or bad in one field. */
static uint64_t any_control(void)
{
	uint64_t control = random_chance(&dice, 2) ? SC_HVCALL_GET_VP_REGISTERS : SC_HVCALL_SET_VP_REGISTERS;
	uint64_t count = random_between(&dice, 0, 5);

	control |= count << SC_CALL_REP_COUNT_SHIFT;
	if (random_chance(&dice, 3))
		control |= random_between(&dice, 0, count) << SC_CALL_REP_START_SHIFT;
	if (random_chance(&dice, 2))
		control |= SC_CALL_FAST;
	return random_chance(&dice, 8) ? control ^ 1ull << random_between(&dice, 0, 63) : control;
}

static void write_call(void)
{
	v.control = any_control();
	v.x2 = random_next(&dice) % 0x10000 & ~7ull;
	v.x3 = random_next(&dice) % 0x10000 & ~(random_chance(&dice, 8) ? 0ull : 7ull);
	emit("sc_call_decode");
	v.x[0] = random_chance(&dice, 2) ? SC_HVC_FUNCTION_ID : any_control();
	v.x[1] = v.x[0] == SC_HVC_FUNCTION_ID ? v.control : v.x2;
	v.x[2] = v.x[0] == SC_HVC_FUNCTION_ID ? v.x2 : v.x3;
	v.x[3] = v.x3;
	emit("sc_call_decode_registers");
	if (v.result != SC_HV_SUCCESS || !v.call.fast)
		return;
	emit("sc_call_input_register");
	emit("sc_call_output_register");
	v.n = (uint32_t)(random_next(&dice) % ((v.call.input_size + 7) / 8));
	emit("sc_call_input_is_used");
}

int main(void)
{
	printf("{\"format\": 1, \"cases\": [");
	write_rates();
	write_deadlines();
	write_clock();
	write_page();
	for (int i = 0; i < 4 * RANDOM_CASES; i++)
		write_call();
	write_timers();
	write_handoff();
	write_guests();
	printf("\n]}\n");
	return 0;
}
