/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's driver for tests: see the header. */
#include "driver.h"

#include "guest_call.h"

#include <unistd.h>

#define WAIT_TIMES 5000

struct view {
	uint64_t asked;
	uint64_t guest_clock;
	uint32_t hz;
};

/* What the guest would read by hypercalls. */
static struct view driver_look(const struct driver *driver)
{
	struct clock *clock = &driver->machine->clock;
	struct view view;

	lock_take(&clock->lock);
	view = (struct view){ clock->partition.asked, clock->partition.guest_clock, clock->partition.clock.hz };
	lock_drop(&clock->lock);
	return view;
}

static void driver_call(const struct driver *driver, uint64_t control, uint32_t name, uint64_t value)
{
	const struct fake_exit exit = guest_exit(control, name, value);

	fake_vcpu_script(&driver->machine->vcpus.vcpu[0].host, &exit);
}

static void driver_run(struct fake_vcpu *vcpu, void *context)
{
	const uint64_t declared = SC_GUEST_CLOCK_DECLARED | SC_GUEST_CLOCK_REWRITES_TIMER | SC_GUEST_CLOCK_HOLDS;
	const struct driver *driver = context;
	struct view view = driver_look(driver);
	bool on_page = view.guest_clock & SC_GUEST_CLOCK_ON_PAGE;

	(void)vcpu;
	if (driver->chooses_other && view.asked == SC_ASK_PREPARE && view.guest_clock != declared)
		return driver_call(driver, SC_CALL_SET_ONE, SC_REG_GUEST_CLOCK, declared);
	if (driver->chooses_other && view.guest_clock == declared)
		return;
	if (view.asked == SC_ASK_PREPARE && !on_page && driver->prepares)
		driver_call(driver, SC_CALL_SET_ONE, SC_REG_GUEST_CLOCK, declared | SC_GUEST_CLOCK_ON_PAGE);
	if (view.asked == SC_ASK_HOLD)
		fake_time_advance(driver->hesitates_ns);
	if (view.asked == SC_ASK_HOLD && driver->holds)
		driver_call(driver, SC_CALL_GET_ONE, SC_REG_HOLD, 0);
	if (view.asked == SC_ASK_NOTHING && view.guest_clock >> SC_GUEST_CLOCK_RAW_HZ_SHIFT != view.hz)
		driver_call(driver, SC_CALL_SET_ONE, SC_REG_GUEST_CLOCK,
			    declared | (uint64_t)view.hz << SC_GUEST_CLOCK_RAW_HZ_SHIFT);
}

void driver_start(struct driver *driver)
{
	fake_vcpu_set_guest(&driver->machine->vcpus.vcpu[0].host, driver_run, driver);
	if (!driver_wait_raw(driver, driver_look(driver).hz))
		fake_violation("the guest's driver has not declared its raw clock");
}

bool driver_wait_raw(const struct driver *driver, uint32_t hz)
{
	for (int n = 0; n < WAIT_TIMES; n++) {
		if (driver_look(driver).guest_clock >> SC_GUEST_CLOCK_RAW_HZ_SHIFT == hz)
			return true;
		usleep(1000);
	}
	return false;
}
