/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a guest may go to another rate: see the header. */
#include "transfer/admission.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* A rate in MHz with as many decimals as it has, up to Hz. */
static const char *rate_text(uint32_t hz, char text[32])
{
	int length = snprintf(text, 32, "%" PRIu32 ".%06" PRIu32, hz / 1000000, hz % 1000000);

	while (text[length - 1] == '0')
		text[--length] = '\0';
	if (text[length - 1] == '.')
		text[--length] = '\0';
	return text;
}

enum admission_verdict admission_judge(const struct sc_follow *follow, uint32_t from_hz, uint32_t to_hz,
				       const struct admission_terms *terms)
{
	if (from_hz == to_hz || terms->force)
		return ADMISSION_MAY;
	if (follow->level == SC_LEVEL_NONE)
		return ADMISSION_CANNOT;
	if (!follow->inferred)
		return ADMISSION_MAY;
	/* The page is invalid there: nothing would be left to infer anything from. */
	if (from_hz <= SC_REF_HZ)
		return ADMISSION_CANNOT;
	if (to_hz <= SC_REF_HZ)
		return ADMISSION_NO_RETURN;
	return terms->inferred ? ADMISSION_MAY : ADMISSION_INFERRED;
}

void admission_reason(const struct sc_follow *follow, char text[ADMISSION_REASON_MAX])
{
	static const char *const reasons[] = {
		[SC_OBSTACLE_NONE] = "",
		[SC_OBSTACLE_NO_PAGE] = "it is not on the reference clock",
		[SC_OBSTACLE_SLOW] = "its driver declares nothing, and on a counter of 10 MHz or less the reference "
				     "page is invalid, so nothing tells what its clock is read from",
		[SC_OBSTACLE_OTHER] = "its driver declares a clock that is neither the reference page nor the raw "
				      "counter",
		[SC_OBSTACLE_RAW] = "its clock is the raw counter, and it has not put it on the reference page",
		[SC_OBSTACLE_TIMER] = "is on and has no synthetic timer",
	};

	if (follow->obstacle == SC_OBSTACLE_TIMER)
		snprintf(text, ADMISSION_REASON_MAX, "vCPU %" PRIu32 " %s", follow->vp, reasons[follow->obstacle]);
	else
		snprintf(text, ADMISSION_REASON_MAX, "%s", reasons[follow->obstacle]);
}

static const char *way_out(enum sc_obstacle obstacle)
{
	switch (obstacle) {
	case SC_OBSTACLE_OTHER:
		return "choose seaclock_raw or seaclock_page as its clocksource, or read in its log why its "
		       "scheduler's clock is not on the page";
	case SC_OBSTACLE_RAW:
		return "choose a host of its rate";
	case SC_OBSTACLE_TIMER:
		return "try again if that vCPU is being taken online or offline just now; if its clockevent was "
		       "unbound, take it offline and online again";
	case SC_OBSTACLE_NO_PAGE:
		return "load the seaclock module in the guest, have its kernel repaired with --repair if it is one "
		       "that is known";
	default:
		return "load the seaclock module in the guest and leave the choice of the clocksource to it";
	}
}

/* The sentence of a refusal: who, both rates, why, and what to do. */
static int refuse(const char *name, uint32_t from_hz, uint32_t to_hz, const char *reason, const char *way,
		  struct error *error)
{
	uint64_t percent = (uint64_t)to_hz * 100 / from_hz;
	char from[32], to[32];

	return error_set(error, EPERM,
			 "%s cannot follow from a counter of %s MHz to one of %s MHz, at %" PRIu64 ".%02" PRIu64
			 " times the rate: %s; %s",
			 name, rate_text(from_hz, from), rate_text(to_hz, to), percent / 100, percent % 100, reason,
			 way);
}

static int refuse_obstacle(const char *name, const struct sc_follow *follow, uint32_t from_hz, uint32_t to_hz,
			   struct error *error)
{
	/* A guest that was loaded from a slow counter has a page here that is valid. */
	struct sc_follow named = *follow;
	char reason[ADMISSION_REASON_MAX], way[ADMISSION_REASON_MAX];

	if (named.obstacle == SC_OBSTACLE_NONE)
		named.obstacle = SC_OBSTACLE_SLOW;
	admission_reason(&named, reason);
	snprintf(way, sizeof(way), "%s, or let its clock go wrong with --force", way_out(named.obstacle));
	return refuse(name, from_hz, to_hz, reason, way, error);
}

int admission_refuse_repair(const char *name, uint32_t from_hz, uint32_t to_hz, const char *why, struct error *error)
{
	char reason[ADMISSION_REASON_MAX];

	snprintf(reason, sizeof(reason), "its kernel cannot be repaired: %.160s", why);
	return refuse(name, from_hz, to_hz, reason,
		      "load the seaclock module in the guest, or let its clock go wrong with --force", error);
}

int admission_check(const char *name, const struct sc_follow *follow, uint32_t from_hz, uint32_t to_hz,
		    const struct admission_terms *terms, struct error *error)
{
	switch (admission_judge(follow, from_hz, to_hz, terms)) {
	case ADMISSION_CANNOT:
		return refuse_obstacle(name, follow, from_hz, to_hz, error);
	case ADMISSION_INFERRED:
		return refuse(name, from_hz, to_hz,
			      "that its clock is on the reference page is inferred, for its driver declares nothing "
			      "and its user may have chosen another clocksource",
			      "make sure that it is on the page, and say so with --inferred", error);
	case ADMISSION_NO_RETURN:
		return refuse(name, from_hz, to_hz,
			      "its driver declares nothing, and on a counter of 10 MHz or less the reference page is "
			      "invalid, so from there it could not be moved to another rate",
			      "choose another host, or do it all the same with --force", error);
	case ADMISSION_MAY:
		break;
	}
	return 0;
}
