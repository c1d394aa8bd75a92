/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scripted guests: see the header. A guest does one step after the other: a few exits, of which the PC tells how many
 * were taken, so that a guest which was moved in the middle of a step goes on with the rest of it.
 */
#include "guest.h"

#include "../../fake/guest_call.h"

#include <inttypes.h>
#include <libfdt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAGE_GPA (LAYOUT_RAM_BASE + (24ull << 20))
#define MEMORY_GPA (LAYOUT_RAM_BASE + (32ull << 20))
#define MEMORY_PAGES 16u
#define MEMORY_STRIDE 0x10000u
#define CRASH_GPA (LAYOUT_RAM_BASE + (30ull << 20))
#define CRASH_TEXT "a scripted guest panics\nas it was told\n"
#define UNITS_PER_MS 10000u
#define TEXT_SIZE FAKE_SCRIPT_MAX /* one exit a character */
#define WORDS_SIZE 256

/* Registers of the UART, and the flag that nothing has come. */
#define UART_DATA 0x00u
#define UART_FLAGS 0x18u
#define UART_EMPTY 0x10u

#define CLOCK_HOLDS (SC_GUEST_CLOCK_DECLARED | SC_GUEST_CLOCK_REWRITES_TIMER | SC_GUEST_CLOCK_HOLDS)

/* ---- What a guest knows ---- */

/* Registers that no hypercall touches. */
enum {
	GUEST_KIND = FAKE_REGISTER_X0 + 19, /* 1: the first of kinds[]; 0: it has not booted */
	GUEST_STEP,
	GUEST_SINCE, /* the PC at the beginning of the step */
	GUEST_SETTING,
	GUEST_LINE,
	GUEST_REFERENCE,
	GUEST_DUE,   /* the next line, by reference time */
	GUEST_ASKED, /* what the register SC_REG_MIGRATION said */
	GUEST_CLOCK, /* as declared */
	GUEST_HELD,  /* the outcome of the last hold */
	GUEST_EVERY, /* units between two lines */
	GUEST_END,   /* 1: the first of ends[], in the low byte; after how many lines, above */
	GUEST_READS =
		GUEST_ASKED, /* from which line on it reads its UART; such a guest looks at nothing that is asked */
};

/* What a GET leaves. */
#define VALUE_LOW (FAKE_REGISTER_X0 + 6)
#define VALUE_HIGH (FAKE_REGISTER_X0 + 7)

enum step {
	STEP_SET,
	STEP_LOOK,
	STEP_DECLARE,
	STEP_DECLARED,
	STEP_HOLD,
	STEP_HELD,
	STEP_TIME,
	STEP_LINE,
	STEP_BAD,
	STEP_FLAGS,
	STEP_READ,
	STEP_KEY,
	STEP_END,
};

struct setting {
	uint32_t name;
	uint64_t value;
};

static const struct setting settings_none[] = {
	{ SC_REG_GUEST_OS_ID, GUEST_OS_ID },
	{ 0, 0 },
};

static const struct setting settings_reference[] = {
	{ SC_REG_GUEST_OS_ID, GUEST_OS_ID },
	{ SC_REG_REFERENCE_TSC, PAGE_GPA | SC_REFERENCE_TSC_ENABLE },
	{ SC_REG_STIMER0_CONFIG, GUEST_DIRECT(SC_STIMER0_INTID) },
	{ SC_REG_GUEST_CLOCK, GUEST_CLOCK_ON_PAGE },
	{ 0, 0 },
};

/* It declares its clock when it has seen what is asked, if it looks at that, or never. */
static const struct setting settings_cooperative[] = {
	{ SC_REG_GUEST_OS_ID, GUEST_OS_ID },
	{ SC_REG_REFERENCE_TSC, PAGE_GPA | SC_REFERENCE_TSC_ENABLE },
	{ SC_REG_STIMER0_CONFIG, GUEST_DIRECT(SC_STIMER0_INTID) },
	{ 0, 0 },
};

static const struct setting settings_panic[] = {
	{ SC_REG_GUEST_CRASH_P0 + 3, CRASH_GPA },
	{ SC_REG_GUEST_CRASH_P4, sizeof(CRASH_TEXT) - 1 },
	{ SC_REG_GUEST_CRASH_CTL, SC_CRASH_NOTIFY | SC_CRASH_MESSAGE },
};

static const struct kind {
	const char *name;
	const struct setting *settings; /* NULL: it does nothing at all */
	bool asks;			/* what is asked of it */
	bool prepares, holds;
	bool reads; /* its UART */
	bool heeds; /* its power button, between two lines */
} kinds[] = {
	{ "idle", NULL, false, false, false, false, false },
	{ "printing", settings_none, false, false, false, false, false },
	{ "reference", settings_reference, false, false, false, false, false },
	{ "undeclared", settings_cooperative, false, false, false, false, false },
	{ "cooperative", settings_cooperative, true, true, true, false, false },
	{ "stubborn", settings_cooperative, true, false, false, false, false },
	{ "restless", settings_cooperative, true, true, false, false, false },
	{ "reading", settings_none, false, false, false, true, false },
	{ "obedient", settings_none, false, false, false, false, true },
};

static const struct {
	const char *name;
	enum host_exit_kind exit;
} ends[] = {
	{ "off", HOST_EXIT_SHUTDOWN },	  { "reset", HOST_EXIT_RESET },	   { "panic", HOST_EXIT_HYPERCALL },
	{ "unknown", HOST_EXIT_UNKNOWN }, { "escape", HOST_EXIT_UNKNOWN },
};

static const struct kind *guest_kind(const struct fake_vcpu *vcpu)
{
	return &kinds[vcpu->registers[GUEST_KIND] - 1];
}

/* ---- Booting ---- */

/* The number of a name, from 1 on; 0: there is none. */
static uint64_t kind_find(const char *name)
{
	for (uint64_t n = 0; n < sizeof(kinds) / sizeof(kinds[0]); n++)
		if (!strcmp(kinds[n].name, name))
			return n + 1;
	return 0;
}

static uint64_t end_find(const char *name)
{
	for (uint64_t n = 0; n < sizeof(ends) / sizeof(ends[0]); n++)
		if (!strcmp(ends[n].name, name))
			return n + 1;
	return 0;
}

static void boot_word(struct fake_vcpu *vcpu, const char *name, const char *value)
{
	uint64_t number = strtoull(value, NULL, 10);

	if (!strcmp(name, "guest"))
		vcpu->registers[GUEST_KIND] = kind_find(value);
	else if (!strcmp(name, "end"))
		vcpu->registers[GUEST_END] |= end_find(value);
	else if (!strcmp(name, "lines"))
		vcpu->registers[GUEST_END] = (vcpu->registers[GUEST_END] & 0xff) | number << 8;
	else if (!strcmp(name, "reads_from"))
		vcpu->registers[GUEST_READS] = number;
	else if (!strcmp(name, "every_ms"))
		vcpu->registers[GUEST_EVERY] = number * UNITS_PER_MS;
}

/* The device tree is where X0 points to. */
static void guest_boot(struct fake_vcpu *vcpu)
{
	const void *tree = vcpu->vm->ram[0].memory + (vcpu->registers[FAKE_REGISTER_X0] - LAYOUT_RAM_BASE);
	const char *words = fdt_getprop(tree, fdt_path_offset(tree, "/chosen"), "bootargs", NULL);
	char text[WORDS_SIZE], *rest = text, *word;

	vcpu->registers[GUEST_EVERY] = 10ull * UNITS_PER_MS;
	vcpu->registers[GUEST_END] = 3u << 8;
	snprintf(text, sizeof(text), "%s", words ? words : "");
	while ((word = strsep(&rest, " "))) {
		char *value = strchr(word, '=');

		if (!value)
			continue;
		*value = '\0';
		boot_word(vcpu, word, value + 1);
	}
	if (!vcpu->registers[GUEST_KIND])
		fake_violation("the command line names no guest that there is");
	fake_vm_write(vcpu->vm, CRASH_GPA, CRASH_TEXT, sizeof(CRASH_TEXT) - 1);
}

/* ---- Memory ---- */

/* Every page as the last line left it; then as this one leaves it. */
static bool memory_check_and_write(struct fake_vcpu *vcpu, uint64_t last, uint64_t now)
{
	bool good = true;

	for (uint64_t n = 0; n < MEMORY_PAGES; n++) {
		uint64_t gpa = MEMORY_GPA + n * MEMORY_STRIDE, seen;

		memcpy(&seen, vcpu->vm->ram[0].memory + (gpa - LAYOUT_RAM_BASE), sizeof(seen));
		good = good && seen == last;
		fake_vm_write(vcpu->vm, gpa, &now, sizeof(now));
	}
	return good;
}

/* ---- The exits of a step ---- */

static uint32_t exits_text(struct fake_exit *exits, const char *format, ...) __attribute__((format(printf, 2, 3)));

static uint32_t exits_text(struct fake_exit *exits, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list arguments;
	uint32_t count;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	for (count = 0; text[count]; count++)
		exits[count] = (struct fake_exit){
			.exit = { .kind = HOST_EXIT_MMIO, .gpa = LAYOUT_UART_BASE, .size = 4, .write = true },
			.data = { (uint8_t)text[count] },
		};
	return count;
}

static uint32_t exits_load(struct fake_exit *exits, uint64_t offset)
{
	exits[0] = (struct fake_exit){
		.exit = { .kind = HOST_EXIT_MMIO, .gpa = LAYOUT_UART_BASE + offset, .size = 4 },
	};
	return 1;
}

static uint32_t exits_call(struct fake_exit *exits, uint64_t control, uint32_t name, uint64_t value)
{
	exits[0] = guest_exit(control, name, value);
	return 1;
}

static uint32_t exits_declared(const struct fake_vcpu *vcpu, struct fake_exit *exits)
{
	uint64_t clock = vcpu->registers[GUEST_CLOCK];

	if (clock & SC_GUEST_CLOCK_ON_PAGE)
		return exits_text(exits, "declared page\n");
	return exits_text(exits, "declared raw %" PRIu64 "\n", clock >> SC_GUEST_CLOCK_RAW_HZ_SHIFT);
}

static uint32_t exits_end(const struct fake_vcpu *vcpu, struct fake_exit *exits)
{
	uint64_t end = vcpu->registers[GUEST_END] & 0xff;
	enum host_exit_kind kind = ends[end - 1].exit;
	uint32_t count = sizeof(settings_panic) / sizeof(settings_panic[0]);

	/* It has taken over the thread that runs it, and wants a connection. */
	if (end == end_find("escape"))
		close(socket(AF_UNIX, SOCK_STREAM, 0));
	if (kind != HOST_EXIT_HYPERCALL) {
		exits[0] = (struct fake_exit){ .exit = { .kind = kind, .reason = 99 } };
		return 1;
	}
	for (uint32_t n = 0; n < count; n++)
		exits_call(&exits[n], SC_CALL_SET_ONE, settings_panic[n].name, settings_panic[n].value);
	return count;
}

/* All exits of the present step, made from the guest's registers alone. */
static uint32_t guest_exits(const struct fake_vcpu *vcpu, struct fake_exit exits[FAKE_SCRIPT_MAX])
{
	const uint64_t *know = vcpu->registers;
	const struct setting *setting = &guest_kind(vcpu)->settings[know[GUEST_SETTING]];

	switch ((enum step)know[GUEST_STEP]) {
	case STEP_SET:
		return setting->name ? exits_call(exits, SC_CALL_SET_ONE, setting->name, setting->value) : 0;
	case STEP_LOOK:
		return exits_call(exits, SC_CALL_GET_ONE, SC_REG_MIGRATION, 0);
	case STEP_DECLARE:
		return exits_call(exits, SC_CALL_SET_ONE, SC_REG_GUEST_CLOCK, know[GUEST_CLOCK]);
	case STEP_DECLARED:
		return exits_declared(vcpu, exits);
	case STEP_HOLD:
		return exits_call(exits, SC_CALL_GET_ONE, SC_REG_HOLD, 0);
	case STEP_HELD:
		return exits_text(exits, "held %s\n", know[GUEST_HELD] == SC_HOLD_MOVED ? "moved" : "called off");
	case STEP_TIME:
		return exits_call(exits, SC_CALL_GET_ONE, SC_REG_TIME_REF_COUNT, 0);
	case STEP_LINE:
		return exits_text(exits, "line %" PRIu64 " ref %" PRIu64 "\n", know[GUEST_LINE], know[GUEST_REFERENCE]);
	case STEP_BAD:
		return exits_text(exits, "bad memory %" PRIu64 "\n", know[GUEST_LINE]);
	case STEP_FLAGS:
		return exits_load(exits, UART_FLAGS);
	case STEP_READ:
		return exits_load(exits, UART_DATA);
	case STEP_KEY:
		return exits_text(exits, "key %c\n", (char)know[FAKE_REGISTER_X0]);
	case STEP_END:
		return exits_end(vcpu, exits);
	}
	return 0;
}

/* ---- What follows a step ---- */

/* The driver has seen what is asked of it. */
static enum step driver_follow(struct fake_vcpu *vcpu)
{
	const struct kind *kind = guest_kind(vcpu);
	uint64_t *know = vcpu->registers;
	uint64_t raw = CLOCK_HOLDS | know[GUEST_ASKED] >> SC_MIGRATION_HZ_SHIFT << SC_GUEST_CLOCK_RAW_HZ_SHIFT;
	uint64_t page = CLOCK_HOLDS | SC_GUEST_CLOCK_ON_PAGE;
	uint64_t asked = know[GUEST_ASKED] & SC_ASK_MASK;
	uint64_t wanted = asked == SC_ASK_NOTHING ? raw : kind->prepares ? page : know[GUEST_CLOCK];

	if (know[GUEST_CLOCK] != wanted) {
		know[GUEST_CLOCK] = wanted;
		return STEP_DECLARE;
	}
	return asked == SC_ASK_HOLD && kind->holds ? STEP_HOLD : STEP_TIME;
}

static enum step guest_after_setting(struct fake_vcpu *vcpu)
{
	const struct kind *kind = guest_kind(vcpu);

	if (kind->settings[vcpu->registers[GUEST_SETTING]].name) {
		vcpu->registers[GUEST_SETTING]++;
		return STEP_SET;
	}
	return kind->asks ? STEP_LOOK : STEP_TIME;
}

/* What it does between two lines. */
static enum step guest_idle(const struct fake_vcpu *vcpu)
{
	const struct kind *kind = guest_kind(vcpu);

	if (kind->reads && vcpu->registers[GUEST_LINE] >= vcpu->registers[GUEST_READS])
		return STEP_FLAGS;
	return kind->asks ? STEP_LOOK : STEP_TIME;
}

/* A line is due, or nothing is to be done yet. */
static enum step guest_after_time(struct fake_vcpu *vcpu)
{
	uint64_t *know = vcpu->registers;
	bool good;

	know[GUEST_REFERENCE] = know[VALUE_LOW];
	if (know[GUEST_REFERENCE] < know[GUEST_DUE])
		return guest_idle(vcpu);
	know[GUEST_DUE] = know[GUEST_REFERENCE] + know[GUEST_EVERY];
	good = memory_check_and_write(vcpu, know[GUEST_LINE], know[GUEST_LINE] + 1);
	know[GUEST_LINE]++;
	return good ? STEP_LINE : STEP_BAD;
}

static enum step guest_after_line(struct fake_vcpu *vcpu)
{
	uint64_t *know = vcpu->registers;

	if (guest_kind(vcpu)->heeds && __atomic_load_n(&vcpu->vm->edges[LAYOUT_BUTTON_INTID], __ATOMIC_SEQ_CST)) {
		know[GUEST_END] = end_find("off");
		return STEP_END;
	}
	if (know[GUEST_END] & 0xff && know[GUEST_LINE] >= know[GUEST_END] >> 8)
		return STEP_END;
	return guest_idle(vcpu);
}

static enum step guest_next(struct fake_vcpu *vcpu)
{
	uint64_t *know = vcpu->registers;

	switch ((enum step)know[GUEST_STEP]) {
	case STEP_SET:
		return guest_after_setting(vcpu);
	case STEP_LOOK:
		know[GUEST_ASKED] = know[VALUE_LOW];
		return driver_follow(vcpu);
	case STEP_DECLARE:
		return STEP_DECLARED;
	case STEP_HOLD:
		know[GUEST_HELD] = know[VALUE_HIGH];
		return STEP_HELD;
	case STEP_TIME:
		return guest_after_time(vcpu);
	case STEP_LINE:
		return guest_after_line(vcpu);
	case STEP_FLAGS:
		return know[FAKE_REGISTER_X0] & UART_EMPTY ? STEP_TIME : STEP_READ;
	case STEP_READ:
		return STEP_KEY;
	default:
		return STEP_TIME;
	}
}

/* ---- Its turn ---- */

/* How many exits of the present step were taken. */
static uint32_t guest_taken(const struct fake_vcpu *vcpu)
{
	return (uint32_t)((vcpu->registers[FAKE_REGISTER_PC] - vcpu->registers[GUEST_SINCE]) / 4);
}

static void guest_begin(struct fake_vcpu *vcpu, enum step step)
{
	vcpu->registers[GUEST_STEP] = step;
	vcpu->registers[GUEST_SINCE] = vcpu->registers[FAKE_REGISTER_PC];
}

void guest_run(struct fake_vcpu *vcpu, void *context)
{
	struct fake_exit exits[FAKE_SCRIPT_MAX];
	uint32_t count;

	(void)context;
	if (vcpu->index)
		return;
	if (!vcpu->registers[GUEST_KIND]) {
		guest_boot(vcpu);
		guest_begin(vcpu, STEP_SET);
	}
	if (!guest_kind(vcpu)->settings)
		return;
	count = guest_exits(vcpu, exits);
	if (guest_taken(vcpu) >= count) {
		bool looked = vcpu->registers[GUEST_STEP] == STEP_TIME;

		guest_begin(vcpu, guest_next(vcpu));
		/* Nothing was due: it looks again at its next turn. */
		if (looked && vcpu->registers[GUEST_STEP] < STEP_LINE)
			return;
		count = guest_exits(vcpu, exits);
	}
	for (uint32_t n = guest_taken(vcpu); n < count; n++)
		fake_vcpu_push(vcpu, &exits[n]);
}
