/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory: see the header. */
#include "memory.h"
#include "refusal.h"

static int check_ram(const struct sc_guest_port *guest, uint64_t address, size_t size, struct sc_refusal *why)
{
	if (address + size < address || !guest->is_ram(guest->context, address, size))
		return refusal_hex(why, SC_REFUSED_MEMORY, "guest physical address 0x", address, " is not RAM");
	return 0;
}

int sc_ram_read(const struct sc_guest_port *guest, uint64_t address, void *to, size_t size, struct sc_refusal *why)
{
	int err = size ? check_ram(guest, address, size, why) : 0;

	if (err || !size)
		return err;
	if (!guest->read(guest->context, address, to, size))
		return refusal_hex(why, SC_REFUSED_MEMORY, "guest physical address 0x", address, " cannot be read");
	return 0;
}

int sc_ram_write(const struct sc_guest_port *guest, uint64_t address, const void *from, size_t size,
		 struct sc_refusal *why)
{
	int err = check_ram(guest, address, size, why);

	if (err)
		return err;
	if (!guest->write(guest->context, address, from, size))
		return refusal_hex(why, SC_REFUSED_MEMORY, "guest physical address 0x", address, " cannot be written");
	return 0;
}

void *sc_arena_take(struct sc_arena *arena, uint64_t size, struct sc_refusal *why)
{
	uint8_t *taken = arena->memory + arena->used;

	if (size > arena->size - arena->used) {
		refusal_hex(why, SC_REFUSED_SPACE, "what was found in the guest needs 0x", size,
			    " bytes, more than are left for it");
		return NULL;
	}
	arena->used += size;
	arena->used = arena->size - arena->used < 8 ? arena->size : (arena->used + 7) & ~(size_t)7;
	return taken;
}
