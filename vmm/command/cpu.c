/* SPDX-License-Identifier: BSD-2-Clause */
/* What --cpu takes: see the header. */
#include "command/cpu.h"

#include "base/file.h"
#include "base/json.h"
#include "machine/processor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int cpu_get(const char *text, size_t size, struct identity *cpu, struct error *error)
{
	const json_t *registers;
	json_t *object;
	int result = json_parse(text, size, "a baseline", &object, error);

	if (result)
		return result;
	registers = json_object_get(object, "cpu");
	if (json_is_object(registers))
		result = processor_get(registers, "cpu.", cpu, error);
	else
		result = error_set(error, EINVAL, "it has no object cpu");
	json_decref(object);
	return result;
}

int cpu_parse(const char *word, struct identity *cpu, struct error *error)
{
	struct error reason;
	void *text;
	size_t size;
	int result;

	cpu->count = 0;
	if (!strcmp(word, "host"))
		return 0;
	result = file_read(word, &text, &size, error);
	if (result)
		return result;
	result = cpu_get(text, size, cpu, &reason);
	free(text);
	return result ? error_set(error, result == -ENOMEM ? ENOMEM : EBADMSG,
				  "%s is no output of `seaclock baseline --json`: %s", word, reason.text)
		      : 0;
}
