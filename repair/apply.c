/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plans carried out, and taken back.
 *
 * Policy: everything is compared before anything is stored, so a guest that is not as it was planned for is left alone.
 * A store that fails in spite of that has those before it taken back, which the same port has just stored.
 */
#include "memory.h"
#include "refusal.h"

/* The values of a write in the direction that is meant. */
static uint64_t value_before(const struct sc_write *write, bool back)
{
	return back ? write->after : write->before;
}

static uint64_t value_after(const struct sc_write *write, bool back)
{
	return back ? write->before : write->after;
}

static int compare(const struct sc_guest_port *guest, const struct sc_write *write, bool back, struct sc_refusal *why)
{
	uint64_t value = 0;
	int err = sc_ram_read(guest, write->address, &value, write->size, why);

	if (!err && value != value_before(write, back))
		err = refusal_hex(why, SC_REFUSED_BUSY, "guest physical address 0x", write->address,
				  " has changed since the repair was planned");
	return err;
}

static int store(const struct sc_guest_port *guest, const struct sc_write *write, bool back, struct sc_refusal *why)
{
	uint64_t value = value_after(write, back);

	return write->before == write->after ? 0 : sc_ram_write(guest, write->address, &value, write->size, why);
}

static int carry_out(const struct sc_guest_port *guest, const struct sc_plan *plan, bool back, struct sc_refusal *why)
{
	struct sc_refusal ignored;
	int err = 0;

	for (uint32_t i = 0; !err && i < plan->write_count; i++)
		err = compare(guest, &plan->writes[i], back, why);
	if (err)
		return err;
	for (uint32_t i = 0; i < plan->write_count; i++) {
		err = store(guest, &plan->writes[i], back, why);
		if (!err)
			continue;
		while (i-- > 0)
			(void)store(guest, &plan->writes[i], !back, &ignored);
		return err;
	}
	return 0;
}

int sc_plan_apply(const struct sc_guest_port *guest, const struct sc_plan *plan, struct sc_refusal *why)
{
	return carry_out(guest, plan, false, why);
}

int sc_plan_revert(const struct sc_guest_port *guest, const struct sc_plan *plan, struct sc_refusal *why)
{
	return carry_out(guest, plan, true, why);
}
