/* SPDX-License-Identifier: BSD-2-Clause */
/* `seaclock baseline`: the largest processor that all given hosts can offer, and what each of them loses by it. */
#include "base/json.h"
#include "command/print.h"
#include "command/verb.h"
#include "machine/processor.h"
#include "transfer/baseline.h"
#include "transfer/facts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

struct baseline_options {
	bool json;
};

static const struct baseline_options defaults;

/* What is asked, and what comes of it. */
struct inquiry {
	struct host_facts *hosts;
	struct baseline_refusal *refusal;
	uint32_t count, refused;
	struct identity level;
};

static const char *reason(const struct baseline_refusal *why, char text[160])
{
	char field[IDENTITY_NAME_SIZE];

	if (why->missing || why->more)
		snprintf(text, 160, "its KVM %s this register, unlike most others'", why->more ? "has" : "lacks");
	else
		snprintf(text, 160,
			 "%s is 0x%" PRIx64 ", where most have 0x%" PRIx64 ", and its KVM cannot change it%s",
			 identity_field_name(&why->field, field), why->has, why->needs,
			 identity_is_implementation(why->id) ? "; that of Linux 6.15 and newer can" : "");
	return text;
}

/* ---- For a program ---- */

static json_t *loss_json(const struct identity_register *own, uint64_t value)
{
	json_t *array = json_array();
	char name[IDENTITY_NAME_SIZE], field_name[IDENTITY_NAME_SIZE];
	struct identity_field field;

	for (uint32_t n = 0; identity_field_at(own->id, n, &field); n++) {
		uint64_t has = identity_field_get(&field, own->value), gets = identity_field_get(&field, value);

		if (has != gets)
			json_array_append_new(array, json_pack("{s:s, s:s, s:I, s:I}", "register",
							       identity_name(own->id, name), "field",
							       identity_field_name(&field, field_name), "has",
							       (json_int_t)has, "gets", (json_int_t)gets));
	}
	return array;
}

static json_t *losses_json(const struct identity *own, const struct identity *level)
{
	json_t *array = json_array();

	for (uint32_t n = 0; n < level->count; n++) {
		const struct identity_register *reg = identity_find(own, level->reg[n].id);
		json_t *loss = reg ? loss_json(reg, level->reg[n].value) : json_array();

		json_array_extend(array, loss);
		json_decref(loss);
	}
	return array;
}

static json_t *refusal_json(const char *host, const struct baseline_refusal *why)
{
	char name[IDENTITY_NAME_SIZE], text[160];

	return json_pack("{s:s, s:s, s:s}", "name", host, "register", identity_name(why->id, name), "reason",
			 reason(why, text));
}

static json_t *inquiry_json(const struct inquiry *inquiry)
{
	json_t *hosts = json_array(), *refused = json_array();

	for (uint32_t n = 0; n < inquiry->count; n++) {
		const struct host_facts *host = &inquiry->hosts[n];

		if (inquiry->refusal[n].refused)
			json_array_append_new(refused, refusal_json(host->name, &inquiry->refusal[n]));
		else
			json_array_append_new(hosts, json_pack("{s:s, s:o}", "name", host->name, "loses",
							       losses_json(&host->identity, &inquiry->level)));
	}
	return json_pack("{s:o, s:o, s:o}", "cpu", processor_json(&inquiry->level), "hosts", hosts, "refused", refused);
}

/* ---- For a person ---- */

static void print_loss(const char *host, const struct identity_register *own, uint64_t value)
{
	char name[IDENTITY_NAME_SIZE], field_name[IDENTITY_NAME_SIZE];
	struct identity_field field;

	for (uint32_t n = 0; identity_field_at(own->id, n, &field); n++) {
		uint64_t has = identity_field_get(&field, own->value), gets = identity_field_get(&field, value);

		if (has != gets)
			printf("%s: %s: %s goes from 0x%" PRIx64 " to 0x%" PRIx64 "\n", host,
			       identity_name(own->id, name), identity_field_name(&field, field_name), has, gets);
	}
}

static void print_host(const struct inquiry *inquiry, uint32_t n)
{
	const struct host_facts *host = &inquiry->hosts[n];
	const struct baseline_refusal *why = &inquiry->refusal[n];
	char name[IDENTITY_NAME_SIZE], text[160];

	if (why->refused) {
		printf("%s cannot be levelled: %s: %s\n", host->name, identity_name(why->id, name), reason(why, text));
		return;
	}
	for (uint32_t i = 0; i < inquiry->level.count; i++) {
		const struct identity_register *own = identity_find(&host->identity, inquiry->level.reg[i].id);

		if (own)
			print_loss(host->name, own, inquiry->level.reg[i].value);
	}
}

static void print_inquiry(const struct inquiry *inquiry)
{
	printf("%" PRIu32 " of %" PRIu32 " hosts can offer the same processor; registers that differ now: %" PRIu32
	       "\n",
	       inquiry->count - inquiry->refused, inquiry->count, inquiry->level.count);
	for (uint32_t n = 0; n < inquiry->count; n++)
		print_host(inquiry, n);
}

/* ---- The verb ---- */

static int inquire(struct inquiry *inquiry, char *const *paths, struct error *error)
{
	int result = facts_read_all(paths, &inquiry->hosts, &inquiry->count, error);

	if (result)
		return result;
	inquiry->refusal = calloc(inquiry->count, sizeof(*inquiry->refusal));
	if (!inquiry->refusal)
		return error_set(error, ENOMEM, "no memory for the facts of %" PRIu32 " hosts", inquiry->count);
	inquiry->refused = baseline_compute(inquiry->hosts, inquiry->count, inquiry->refusal, &inquiry->level);
	return 0;
}

static int answer(const struct inquiry *inquiry, struct baseline_options *options, struct error *error)
{
	int result = 0;

	if (options->json) {
		json_watch();
		result = print_json_whole(inquiry_json(inquiry), "the baseline", error);
	} else {
		print_inquiry(inquiry);
	}
	if (result)
		return result;
	if (!inquiry->refused)
		return 0;
	/* Standard output has one JSON value only, which says it, too. */
	options->json = false;
	return error_set(error, ENOTSUP, "%" PRIu32 " of %" PRIu32 " hosts cannot be levelled with the others",
			 inquiry->refused, inquiry->count);
}

static int baseline_run(void *context, char *const *words, struct error *error)
{
	struct inquiry inquiry = { .hosts = NULL };
	int result = inquire(&inquiry, words, error);

	if (!result)
		result = answer(&inquiry, context, error);
	free(inquiry.hosts);
	free(inquiry.refusal);
	return result;
}

static const struct option_spec table[] = {
	{ OPTION_FLAG("json", struct baseline_options, json) },
	{ .name = NULL },
};

const struct verb verb_baseline = {
	.name = "baseline",
	.words = "HOST.json...",
	.words_min = 1,
	.words_max = FACTS_HOSTS_MAX,
	.table = table,
	.defaults = &defaults,
	.size = sizeof(defaults),
	.run = baseline_run,
};
