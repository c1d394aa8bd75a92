// SPDX-License-Identifier: BSD-2-Clause
/*
 * Judges one sleep. Policy: truth is read outside of the sleep at both ends, so its elapsed time is always an
 * overestimate and a sleep is never called early because of a slow reading.
 */
#include "probe_sleep.h"

enum sleep_finding sleep_judge(const struct sleep_record *record)
{
	if (record->mono1 - record->mono0 < record->duration)
		return SLEEP_EARLY;
	if (record->hz0 != record->hz1)
		return SLEEP_MOVED;
	if (record->ptp1 - record->ptp0 < record->duration - SLEEP_TRUTH_TOLERANCE_NS)
		return SLEEP_EARLY_BY_TRUTH;
	return SLEEP_GOOD;
}

bool sleep_watch(struct sleep_watch *watch, int64_t due, int64_t now, int64_t silence)
{
	if (due == 0 || now - due <= SLEEP_OVERDUE_NS + silence) {
		*watch = (struct sleep_watch){ 0 };
		return false;
	}
	if (watch->due != due)
		*watch = (struct sleep_watch){ .due = due, .overdue_since = now };
	if (watch->lost || now - watch->overdue_since < SLEEP_GRACE_NS)
		return false;
	watch->lost = true;
	return true;
}
