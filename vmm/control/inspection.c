/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest's kernel is, for an operator: see the header. */
#include "control/inspection.h"

#include "control/line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* NULL, which leaves a member out, for an empty text. */
static const char *some(const char *text)
{
	return text[0] ? text : NULL;
}

json_t *kernel_json(const struct kernel *kernel)
{
	char fingerprint[17] = "";

	if (kernel->known)
		snprintf(fingerprint, sizeof(fingerprint), "%016" PRIx64, kernel->fingerprint);
	return json_pack("{s:b, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*}", "known", (int)kernel->known, "release",
			 some(kernel->release), "build_id", some(kernel->build_id), "known_by", some(kernel->known_by),
			 "fingerprint", some(fingerprint), "clocksource", some(kernel->clocksource), "reason",
			 some(kernel->reason));
}

static void *inspection_thread(void *argument)
{
	struct query *query = argument;
	struct kernel kernel;
	struct error error;
	int result = kernel_find(query->machine, &kernel, &error);

	query_answer(query, result ? control_error(&error) : json_pack("{s:o}", "ok", kernel_json(&kernel)));
	return NULL;
}

int inspection_start(struct query *query, struct machine *machine, int client, struct error *error)
{
	int result;

	if (query_is_busy(query))
		return error_set(error, EBUSY, "the kernel of %s is being looked for: try again later",
				 machine->config.name);
	result = query_start(query, machine, client, THREAD_KERNEL, inspection_thread, query);
	return result ? error_set(error, result, "no thread to look for a kernel (%s)", strerror(result)) : 0;
}
