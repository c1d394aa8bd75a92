/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Property: whatever a guest has in its memory and its vCPU's registers, looking for its kernel ends, reads nothing
 * that is not its RAM, and is refused with a clause or finds what is known.
 *
 * Policy: a made-up kernel of a random shape, in which a few words are overwritten, most of them where it matters, by
 * words that matter: addresses of other parts, lengths, all ones.
 */
#include "../fake/linux_kernel.h"
#include "random.h"

#include <string.h>

#define GUESTS 50
#define CHANGES 12
#define ARENA 200000u

static const struct linux_shape shapes[] = {
	{ 12, 39, false }, { 12, 48, false }, { 12, 52, true }, { 14, 47, false },
	{ 14, 52, true },  { 16, 42, false }, { 16, 52, true },
};

/* A place that is looked at. */
static uint64_t random_place(struct random *random)
{
	static const struct {
		uint64_t start, size;
	} parts[] = {
		{ LINUX_NOTE, 0x400 },
		{ LINUX_IMAGE + LINUX_TABLES, 0x30000 },
		{ LINUX_IMAGE + LINUX_TABLES, 0x100 },
		{ LINUX_IMAGE + LINUX_SYMBOLS, 0x1000 },
		{ LINUX_IMAGE + LINUX_TYPES, 0x2000 },
		{ LINUX_RAM, LINUX_RAM_SIZE - 8 },
	};
	uint64_t n = random_between(random, 0, sizeof(parts) / sizeof(parts[0]) - 1);

	return parts[n].start + random_between(random, 0, parts[n].size - 1);
}

static uint64_t random_word(struct random *random)
{
	switch (random_between(random, 0, 4)) {
	case 0:
		return random_place(random) | random_between(random, 0, 3);
	case 1:
		return random_place(random) + (LINUX_BASE_VA - LINUX_IMAGE);
	case 2:
		return LINUX_RAM + LINUX_RAM_SIZE - random_between(random, 0, 16);
	case 3:
		return random_between(random, 0, 300);
	default:
		return random_wide(random);
	}
}

static void change(struct linux_kernel *kernel, struct random *random)
{
	uint64_t changes = random_between(random, 0, CHANGES);

	for (uint64_t i = 0; i < changes; i++)
		linux_ram_store(&kernel->ram, random_place(random), random_word(random),
				1u << random_between(random, 0, 3));
	if (random_chance(random, 8))
		kernel->ram.tables.ttbr1 = random_word(random);
	if (random_chance(random, 8))
		kernel->ram.tables.tcr ^= 1ull << random_between(random, 0, 63);
}

/* What is overwritten stays so for some looks: the parts fail one after the other. */
static void look(struct linux_kernel *kernel)
{
	static uint8_t memory[ARENA];
	struct sc_arena arena = { .memory = memory, .size = sizeof(memory) };
	struct sc_guest_port guest = linux_ram_guest(&kernel->ram);
	struct sc_refusal why = { 0 };
	struct sc_kernel found;

	PROPERTY(sc_kernel_find(&guest, &arena, &found, &why) < 0, "a made-up kernel is known: %s", found.release);
	PROPERTY(why.text[0] && strlen(why.text) < SC_REFUSAL_MAX, "it is refused without a clause");
	PROPERTY(kernel->ram.outside == 0, "what is no RAM was read: %s", why.text);
}

int main(void)
{
	static const char *const releases[] = { "6.12.117+deb12-cloud-arm64", "7.3.4", "6.1.0-56-arm64" };
	struct random random = random_start();
	static struct linux_kernel kernel;

	for (int i = 0; i < GUESTS; i++) {
		linux_kernel_begin(&kernel, &shapes[random_between(&random, 0, sizeof(shapes) / sizeof(shapes[0]) - 1)],
				   releases[random_between(&random, 0, 2)]);
		linux_kernel_write(&kernel);
		for (int looks = 0; looks < 4; looks++) {
			look(&kernel);
			change(&kernel, &random);
		}
		linux_kernel_end(&kernel);
	}
	printf("[  PASSED  ] 1 test(s).\n");
	return 0;
}
