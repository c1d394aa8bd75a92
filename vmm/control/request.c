/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of a request: see the header. */
#include "control/request.h"

#include <errno.h>

int request_policy(const json_t *request, enum sc_clock_policy unsaid, enum sc_clock_policy *policy,
		   struct error *error)
{
	const char *name = json_string_value(json_object_get(request, "clock"));

	*policy = unsaid;
	if (!name || clock_policy_parse(name, policy))
		return 0;
	return error_set(error, EINVAL, "`%.100s` is no policy of the clock: it can advance or freeze", name);
}

int request_number(const json_t *request, const char *key, json_int_t low, json_int_t high, uint32_t *number,
		   struct error *error)
{
	const json_t *value = json_object_get(request, key);

	if (!value)
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < low || json_integer_value(value) > high)
		return error_set(error, EINVAL, "\"%s\" takes a number from %lld to %lld", key, (long long)low,
				 (long long)high);
	*number = (uint32_t)json_integer_value(value);
	return 0;
}
