/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of a request on the control socket. */
#ifndef VMM_CONTROL_REQUEST_H
#define VMM_CONTROL_REQUEST_H

#include "base/error.h"
#include "machine/clock.h"

#include <jansson.h>
#include <stdint.h>

/* The policy that a request names under "clock", or `unsaid` if it names none. -EINVAL. */
int request_policy(const json_t *request, enum sc_clock_policy unsaid, enum sc_clock_policy *policy,
		   struct error *error);

/* A number that the request may leave out, which leaves *number alone. -EINVAL if it is there and out of range. */
int request_number(const json_t *request, const char *key, json_int_t low, json_int_t high, uint32_t *number,
		   struct error *error);

#endif
