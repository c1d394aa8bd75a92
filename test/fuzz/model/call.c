/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercalls and registers of the reference model: see the header. */
#include "model.h"

#include <stddef.h>
#include <string.h>

enum {
	OK = 0,
	BAD_CODE = 2,
	BAD_INPUT = 3,
	BAD_ALIGNMENT = 4,
	BAD_PARAMETER = 5,
	DENIED = 6,
	BAD_PARTITION = 13,
	BAD_VP = 14,
	UNKNOWN = 0x87
};
enum {
	DID_TIMER = 1,
	DID_PAGE = 2,
	DID_CRASH = 4,
	DID_DECLARE = 8,
	DID_SYNIC = 16,
	DID_HOLD = 32
};

/* A call under way. */
struct work {
	struct model *model;
	uint32_t caller, target;
	uint64_t now;
	bool alone; /* one value in registers by HVC #0 */
	uint32_t effects;
	uint64_t low, high; /* what a GET gives */
};

static bool usable(uint64_t intid)
{
	return intid >= 16 && intid <= 31 && intid != 25 && intid != 26 && intid != 27 && intid != 28 && intid != 30;
}

/* ---- Registers ---- */

static void start(struct model_timer *timer, uint64_t now)
{
	timer->since = now;
	timer->seen = timer->answered = timer->given = 0;
	timer->line = false;
	if (!(timer->config & 0x1000) && !(timer->config >> 16 & 15))
		timer->config &= ~1ull;
	timer->runs = timer->config & 1 && timer->count;
}

static uint32_t set_config(struct work *work, struct model_timer *timer, uint64_t value)
{
	if (value >> 20 || value >> 13 & 7)
		return BAD_PARAMETER;
	if (value & 9 && value & 0x1000 && !usable(value >> 4 & 255))
		return BAD_PARAMETER;
	timer->config = value;
	start(timer, work->now);
	work->effects |= DID_TIMER;
	return OK;
}

static uint32_t set_count(struct work *work, struct model_timer *timer, uint64_t value)
{
	timer->count = value;
	if (value && timer->config & 8)
		timer->config |= 1;
	if (!value)
		timer->config &= ~1ull;
	start(timer, work->now);
	work->effects |= DID_TIMER;
	return OK;
}

static uint32_t set_sint(struct work *work, uint64_t *sint, uint64_t value)
{
	if (value >> 17 & 1 || value >> 19 & 3)
		return BAD_PARAMETER;
	if (!(value >> 16 & 1) && !(value >> 18 & 1) && !usable(value & 255))
		return BAD_PARAMETER;
	*sint = value;
	work->effects |= DID_SYNIC;
	return OK;
}

static uint64_t *crash_of(struct work *work, uint32_t name)
{
	return name >= 0x210 && name <= 0x214 ? &work->model->crash[name - 0x210] : NULL;
}

/* Registers of one vCPU that hold what was written and tell nobody but the SynIC. */
static uint64_t *synic_of(struct work *work, uint32_t name)
{
	struct model_vcpu *vcpu = &work->model->vcpu[work->target];

	switch (name) {
	case 0xa0010:
		return &vcpu->scontrol;
	case 0xa0012:
		return &vcpu->siefp;
	case 0xa0013:
		return &vcpu->simp;
	default:
		return NULL;
	}
}

static uint32_t set_own(struct work *work, uint32_t name, uint64_t value)
{
	struct model_vcpu *vcpu = &work->model->vcpu[work->target];
	uint64_t *synic = synic_of(work, name);

	if (name >= 0xb0000)
		return (name & 1 ? set_count : set_config)(work, &vcpu->timer[(name & 7) / 2], value);
	if (name <= 0xa000f)
		return set_sint(work, &vcpu->sint[name & 15], value);
	if (synic)
		*synic = value;
	work->effects |= DID_SYNIC;
	return OK;
}

static void get_own(struct work *work, uint32_t name)
{
	struct model_vcpu *vcpu = &work->model->vcpu[work->target];
	uint64_t *synic = synic_of(work, name);

	if (name >= 0xb0000)
		work->low = name & 1 ? vcpu->timer[(name & 7) / 2].count : vcpu->timer[(name & 7) / 2].config;
	else if (name <= 0xa000f)
		work->low = vcpu->sint[name & 15];
	else if (synic)
		work->low = *synic;
	else
		work->low = name == 0xa0011;
}

/* Of a vCPU, and out of reach for others. */
static bool is_own(uint32_t name)
{
	return (name >= 0xa0000 && name <= 0xa0014) || (name >= 0xb0000 && name <= 0xb0007);
}

static bool is_constant(struct work *work, uint32_t name)
{
	switch (name) {
	case 0x100:
		work->low = 0x1000000000000;
		return true;
	case 0x200:
		work->low = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 6 | 1 << 9 | 1ull << 49;
		work->high = 1 << 8 | 1 << 12 | 1 << 13;
		return true;
	case 0x201:
		work->low = 0xffffffff00000000;
		return true;
	case 0x202:
		work->low = 8;
		return true;
	case 0x203:
		return true;
	case 0x5ea00000:
		memcpy(&work->low, "seaclock", 8);
		work->high = 3;
		return true;
	case 0x90004:
		work->low = work->now;
		return true;
	default:
		return false;
	}
}

/* Asked for, it waits; else it has an answer at once. */
static void get_hold(struct work *work)
{
	struct model *model = work->model;

	if (model->asked == 2 && !model->held) {
		model->held = true;
		model->holder = work->caller;
		work->effects |= DID_HOLD;
	} else {
		work->low = model->hz;
	}
}

static uint32_t get(struct work *work, uint32_t name)
{
	struct model *model = work->model;
	bool open = model->os_id;

	work->low = work->high = 0;
	if (is_constant(work, name))
		return OK;
	if (crash_of(work, name)) {
		work->low = *crash_of(work, name);
		return OK;
	}
	if (is_own(name) && open && work->caller == work->target) {
		get_own(work, name);
		return OK;
	}
	switch (name) {
	case 0x215:
		work->low = 3ull << 62;
		return OK;
	case 0x90002:
		work->low = model->os_id;
		return OK;
	case 0x90003:
		work->low = work->target;
		return open ? OK : DENIED;
	case 0x90017:
		work->low = model->page;
		return open ? OK : DENIED;
	case 0x5ea00001:
		work->low = model->declared;
		return open ? OK : DENIED;
	case 0x5ea00002:
		work->low = (uint64_t)model->hz << 32 | model->asked;
		work->high = 34;
		return open ? OK : DENIED;
	case 0x5ea00003:
		if (!open || work->caller != work->target)
			return DENIED;
		if (!work->alone)
			return BAD_PARAMETER;
		get_hold(work);
		return OK;
	default:
		return is_own(name) ? DENIED : UNKNOWN;
	}
}

/* Of the whole guest. */
static bool is_shared(uint32_t name)
{
	return name == 0x90017 || name == 0x5ea00001;
}

static uint32_t set_shared(struct work *work, uint32_t name, uint64_t value)
{
	if (name == 0x90017) {
		work->model->page = value;
		work->effects |= DID_PAGE;
		return OK;
	}
	if (value & 0xfffffff0)
		return BAD_PARAMETER;
	if (value >> 32 && (value & 1 || value >> 32 != work->model->hz || work->model->asked))
		return BAD_PARAMETER;
	work->model->declared = value;
	work->effects |= DID_DECLARE;
	return OK;
}

static uint32_t set(struct work *work, uint32_t name, uint64_t value)
{
	struct model *model = work->model;

	if (is_constant(work, name) || name == 0x90003 || name == 0xa0011 || name == 0x5ea00002 || name == 0x5ea00003)
		return BAD_PARAMETER;
	if (name == 0x90002) {
		model->os_id = value;
		model->declared = 0;
		model->page &= ~1ull;
		work->effects |= DID_DECLARE;
		return OK;
	}
	if (crash_of(work, name)) {
		*crash_of(work, name) = value;
		return OK;
	}
	if (name == 0x215) {
		work->effects |= value >> 63 ? DID_CRASH : 0;
		return OK;
	}
	if (!is_own(name) && !is_shared(name))
		return UNKNOWN;
	if (!model->os_id)
		return DENIED;
	if (is_shared(name))
		return set_shared(work, name, value);
	return work->caller == work->target ? set_own(work, name, value) : DENIED;
}

/* ---- Hypercalls ---- */

/* A call taken apart; its lists are in the block of registers or in memory. */
struct form {
	bool get, fast;
	uint32_t count, start;
	uint32_t input_size, output_size;
	uint64_t input, output;
};

static uint32_t check_lists(const struct form *form)
{
	const uint64_t a = form->input, b = form->output;

	if (a % 8 || (a % 4096) + form->input_size > 4096)
		return BAD_ALIGNMENT;
	if (!form->get)
		return OK;
	if (b % 8 || (b % 4096) + form->output_size > 4096)
		return BAD_ALIGNMENT;
	/* Overlap: both start in the same page, or they have no byte in common. */
	if (a / 4096 == b / 4096 && a % 4096 < b % 4096 + form->output_size && b % 4096 < a % 4096 + form->input_size)
		return BAD_ALIGNMENT;
	return OK;
}

static uint32_t read_control(uint64_t control, struct form *form)
{
	uint32_t code = control & 0xffff;

	if (code != 0x50 && code != 0x51)
		return BAD_CODE;
	form->get = code == 0x50;
	form->fast = control >> 16 & 1;
	form->count = control >> 32 & 0xfff;
	form->start = control >> 48 & 0xfff;
	if (control >> 17 & 0x7fff || control >> 44 & 15 || control >> 60 || form->start >= form->count)
		return BAD_INPUT;
	form->input_size = 16 + form->count * (form->get ? 4 : 32);
	form->output_size = form->get ? 16 * form->count : 0;
	if (form->fast)
		return (form->input_size + 15) / 16 * 16 + form->output_size > 128 ? BAD_INPUT : OK;
	return check_lists(form);
}

static bool is_memory(uint64_t gpa, uint64_t size)
{
	return gpa >= MODEL_BASE && gpa - MODEL_BASE <= MODEL_MEMORY && size <= MODEL_MEMORY - (gpa - MODEL_BASE);
}

static uint32_t check_header(struct work *work, const uint8_t *input)
{
	uint64_t partition;
	uint32_t vp;

	memcpy(&partition, input, 8);
	memcpy(&vp, input + 8, 4);
	if (partition != UINT64_MAX)
		return BAD_PARTITION;
	work->target = vp == 0xfffffffe ? work->caller : vp;
	if (work->target >= work->model->vcpus)
		return BAD_VP;
	return input[12] == 0 || input[12] == 0x10 ? OK : BAD_PARAMETER;
}

/* Runs the list; `output` is where the value of repetition 0 belongs. */
static uint64_t run(struct work *work, const struct form *form, const uint8_t *input, uint8_t *output)
{
	uint64_t status = check_header(work, input);
	uint32_t n = form->start;

	for (; status == OK && n < form->count; n += status == OK) {
		const uint8_t *element = input + 16 + (size_t)n * (form->get ? 4 : 32);
		uint32_t name;
		uint64_t value;

		memcpy(&name, element, 4);
		if (form->get) {
			status = get(work, name);
			if (status == OK) {
				memcpy(output + 16 * (size_t)n, &work->low, 8);
				memcpy(output + 16 * (size_t)n + 8, &work->high, 8);
			}
		} else {
			memcpy(&value, element + 16, 8);
			status = set(work, name, value);
		}
	}
	return status | (uint64_t)n << 32;
}

uint32_t model_call(struct model *model, uint32_t vp, uint64_t x[18], uint64_t now)
{
	struct work work = { .model = model, .caller = vp, .now = now };
	bool second = (x[0] & 0xffffffff) != 0x46000001; /* HVC #1 */
	uint64_t *block = second ? x + 1 : x + 2;
	struct form form = { .input = block[0], .output = block[1] };
	uint64_t status = read_control(second ? x[0] : x[1], &form);
	uint8_t input[4096], *output = NULL;
	uint64_t result = status;

	if (status == OK && !form.fast &&
	    (!is_memory(form.input, form.input_size) || (form.get && !is_memory(form.output, form.output_size))))
		result = status = BAD_PARAMETER;
	if (status == OK) {
		memcpy(input, form.fast ? (uint8_t *)block : model->memory + (form.input - MODEL_BASE),
		       form.input_size);
		if (form.get && form.fast)
			output =
				(uint8_t *)block + (second ? 128 - form.output_size : (form.input_size + 15) / 16 * 16);
		else if (form.get)
			output = model->memory + (form.output - MODEL_BASE);
		work.alone = form.fast && !second && form.count == 1;
		result = run(&work, &form, input, output);
	}
	x[0] = result;
	return work.effects;
}

void model_reset(struct model *model, uint32_t vcpus, uint32_t hz)
{
	memset(model, 0, offsetof(struct model, memory));
	model->vcpus = vcpus;
	model->hz = hz;
	for (uint32_t i = 0; i < vcpus * MODEL_SINTS; i++)
		model->vcpu[i / MODEL_SINTS].sint[i % MODEL_SINTS] = 0x10000;
}
