/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptions in JSON, as any bytes: refused with a sentence, or taken; what is taken says the same as JSON again. */
#include "fuzz.h"

#include "machine/description.h"

#include <string.h>

static void description_again(const struct machine_config *config)
{
	struct buffer one = { 0 }, other = { 0 };
	struct machine_config same;
	struct error error;
	json_t *json = description_json(config);
	char *text = json_dumps(json, JSON_COMPACT);

	config_init(&same);
	snprintf(same.name, sizeof(same.name), "%s", config->name);
	FUZZ_MUST(text && !description_parse(text, strlen(text), &same, &error));
	config_put(&one, config);
	config_put(&other, &same);
	FUZZ_MUST(one.size <= CONFIG_SIZE_MAX);
	FUZZ_MUST(one.size == other.size && !memcmp(one.data, other.data, one.size));
	buffer_free(&one);
	buffer_free(&other);
	json_decref(json);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error error = { .text = "" };
	struct machine_config config;

	config_init(&config);
	strcpy(config.name, "fuzzed");
	if (description_parse((const char *)data, size, &config, &error))
		FUZZ_MUST(error.text[0]);
	else
		description_again(&config);
	return 0;
}
