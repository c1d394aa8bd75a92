/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine that is to move: see the header. */
#include "command/passenger.h"

#include "control/client.h"
#include "host/host.h"
#include "machine/description.h"
#include "machine/machine.h"
#include "machine/processor.h"
#include "transfer/frame.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int passenger_host(struct host_facts *facts, struct error *error)
{
	int result = host_get_facts(facts, error);

	if (result)
		return result;
	snprintf(facts->seaclock, sizeof(facts->seaclock), "%s", SEACLOCK_VERSION);
	facts->protocol = FRAME_PROTOCOL;
	facts->protocol_oldest = FRAME_PROTOCOL_OLDEST;
	return 0;
}

static int by_description(const char *path, struct passenger *passenger, struct error *error)
{
	struct machine_config config;
	int result;

	config_init(&config);
	/* It has none in its file, and none is asked for. */
	snprintf(config.name, sizeof(config.name), "machine");
	result = description_read(path, &config, error);
	passenger->cpu = config.cpu;
	return result == -EINVAL ? -EBADMSG : result;
}

static int status_get(const json_t *status, struct passenger *passenger, struct error *error)
{
	const json_t *cpu = json_object_get(json_object_get(status, "machine"), "cpu");
	const char *reason = json_string_value(json_object_get(status, "level_reason"));
	const char *level = json_string_value(json_object_get(status, "level"));

	if (!level || !machine_level_parse(level, &passenger->follow.level))
		return error_set(error, EPROTO, "the monitor of %s does not say what its clock can follow",
				 passenger->name);
	passenger->runs = true;
	passenger->follow.inferred = json_is_true(json_object_get(status, "inferred"));
	snprintf(passenger->obstacle, sizeof(passenger->obstacle), "%s", reason ? reason : "");
	return cpu ? processor_get(cpu, "cpu.", &passenger->cpu, error) : 0;
}

static int by_monitor(const char *name, struct passenger *passenger, struct error *error)
{
	json_t *status;
	int result = client_status(name, &status, error);

	if (result)
		return result;
	result = status_get(status, passenger, error);
	json_decref(status);
	return result;
}

int passenger_get(const char *word, struct passenger *passenger, struct error *error)
{
	int result;

	*passenger = (struct passenger){ .runs = false };
	if (snprintf(passenger->name, sizeof(passenger->name), "%s", word) >= (int)sizeof(passenger->name))
		return error_set(error, ENAMETOOLONG, "the path of the machine's description is too long");
	result = passenger_host(&passenger->here, error);
	if (result)
		return result;
	return strchr(word, '/') ? by_description(word, passenger, error) : by_monitor(word, passenger, error);
}
