/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest's kernel is, for an operator: see the header. */
#include "control/inspection.h"

#include "base/thread.h"
#include "control/line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
	struct inspection *inspection = argument;
	struct kernel kernel;
	struct error error;
	int result = kernel_find(inspection->machine, &kernel, &error);

	/* First: whoever has the answer may ask for the next one. */
	__atomic_store_n(&inspection->over, true, __ATOMIC_RELEASE);
	control_write_line(inspection->client,
			   result ? control_error(&error) : json_pack("{s:o}", "ok", kernel_json(&kernel)));
	close(inspection->client);
	return NULL;
}

int inspection_start(struct inspection *inspection, struct machine *machine, int client, struct error *error)
{
	int result;

	if (inspection->started && !__atomic_load_n(&inspection->over, __ATOMIC_ACQUIRE))
		return error_set(error, EBUSY, "the kernel of %s is being looked for: try again later",
				 machine->config.name);
	inspection_join(inspection);
	*inspection = (struct inspection){ .machine = machine, .client = client };
	result = thread_start(&inspection->thread, THREAD_KERNEL, inspection_thread, inspection);
	inspection->started = !result;
	return result ? error_set(error, result, "no thread to look for a kernel (%s)", strerror(result)) : 0;
}

void inspection_join(struct inspection *inspection)
{
	if (inspection->started)
		pthread_join(inspection->thread, NULL);
	inspection->started = false;
}
