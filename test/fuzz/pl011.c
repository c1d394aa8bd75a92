/* SPDX-License-Identifier: BSD-2-Clause */
/* The UART: a saved state of any bytes, then accesses of the guest and input; what is saved after that loads again. */
#include "fuzz.h"

#include "dev/pl011.h"

#include <stdbool.h>
#include <string.h>

static void expect_saved_loads(const struct pl011 *uart)
{
	uint8_t state[PL011_STATE_SIZE];
	struct pl011 again;

	FUZZ_MUST(pl011_save(uart, state, sizeof(state)) == sizeof(state));
	FUZZ_MUST(!pl011_load(&again, state, sizeof(state)));
	FUZZ_MUST(pl011_irq(&again) == pl011_irq(uart));
}

/* Three bytes an access: what, where, with which value. */
static void access_one(struct pl011 *uart, const uint8_t bytes[3])
{
	struct pl011_action action = { .irq = pl011_irq(uart) };
	uint64_t offset = (bytes[0] & 0x7fu) * 32 + (bytes[1] & 0x1f);

	if (bytes[0] & 0x80)
		pl011_receive(uart, bytes[2]);
	else if (bytes[1] & 0x80)
		pl011_read(uart, offset, &action);
	else
		pl011_write(uart, offset, bytes[2] * 0x01010101u, &action);
	FUZZ_MUST(bytes[0] & 0x80 || action.irq == pl011_irq(uart));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t state_size = size < PL011_STATE_SIZE ? size : PL011_STATE_SIZE;
	uint8_t again[PL011_STATE_SIZE];
	struct pl011 uart;

	if (pl011_load(&uart, data, state_size)) {
		pl011_init(&uart);
	} else {
		pl011_save(&uart, again, sizeof(again));
		FUZZ_MUST(!memcmp(again, data, sizeof(again)));
	}
	for (size_t at = state_size; at + 3 <= size; at += 3)
		access_one(&uart, data + at);
	expect_saved_loads(&uart);
	return 0;
}
