/* SPDX-License-Identifier: BSD-2-Clause */
/* `seaclock migrate`: moves a machine to another host, asks whether it could, or cancels its migration. */
#include "command/ask.h"
#include "command/print.h"
#include "command/verb.h"
#include "base/file.h"
#include "control/request.h"
#include "migrate/key_files.h"

#include <errno.h>
#include <limits.h>

#define MIGRATE_WORDS "NAME HOST[:PORT]|PATH"

struct migrate_options {
	const char *clock; /* NULL: not said */
	bool dry_run;
	bool cancel;
	bool inferred;
	bool repair;
	bool force;
	bool json;
	bool plain;
	const char *tls;	/* NULL: not said */
	uint32_t downtime_ms;	/* 0: not said */
	uint32_t bandwidth_mib; /* 0: not said */
	uint32_t max_step_us;	/* 0: not said */
};

static const struct migrate_options defaults;

/* NULL with the sentence if the host's name, or the folder's, cannot be sent. */
static json_t *migrate_request(const char *host, const char *tls, const struct migrate_options *options,
			       struct error *error)
{
	json_t *request = request_make("migrate");

	if (!request_set_text(request, "host", host) || !request_set_text(request, "tls", tls)) {
		json_decref(request);
		error_record(error, EINVAL, "the host's name %s, or that of --tls, is not in UTF-8", host);
		return NULL;
	}
	request_set_flag(request, "plain", options->plain);
	request_set_text(request, "clock", options->clock);
	request_set_flag(request, "inferred", options->inferred);
	request_set_flag(request, "repair", options->repair);
	request_set_flag(request, "force", options->force);
	request_set_flag(request, "dry_run", options->dry_run);
	request_set_flag(request, "cancel", options->cancel);
	request_set_number(request, "downtime_ms", options->downtime_ms);
	request_set_number(request, "bandwidth_mib", options->bandwidth_mib);
	request_set_number(request, "max_step_us", options->max_step_us);
	return request;
}

static void migrate_print(const char *name, const char *host, const struct migrate_options *options,
			  const json_t *answer)
{
	if (options->cancel && options->json)
		print_done("migrate --cancel", name);
	else if (options->cancel)
		printf("the migration of %s was cancelled: it runs on here\n", name);
	else if (options->json)
		print_json(answer);
	else if (options->dry_run)
		print_verdict(host, answer);
	else
		print_moved(name, host, answer);
}

/*
 * Whether TLS is due the monitor finds out: what is in the usual folder goes along for that, and if it cannot be opened
 * *why says so.
 */
static int migrate_open_keys(const struct migrate_options *options, const char *tls, struct key_files *keys,
			     struct error *why, struct error *error)
{
	*keys = key_files_none;
	if (options->plain || options->cancel)
		return 0;
	if (options->tls)
		return key_files_open(keys, tls, error);
	key_files_open(keys, KEY_FILES_FOLDER, why);
	return 0;
}

static int migrate_ask(const char *name, json_t *request, const struct key_files *keys, const struct error *why,
		       json_t **answer, struct error *error)
{
	struct client_passed passed = { .name = NULL };
	int result;

	for (int n = 0; n < KEY_FILES && keys->fd[n] >= 0; n++)
		passed.descriptors.fd[passed.descriptors.count++] = keys->fd[n];
	result = ask_result(name, request, &passed, answer, error);
	/* The monitor does not know why there were none. */
	if (result && error->err == ENOKEY && why->text[0])
		error_record(error, ENOKEY, "TLS is due: %s; `seaclock keys` makes keys, and --plain needs none",
			     why->text);
	return result;
}

static int migrate_run(void *context, char *const *words, struct error *error)
{
	const struct migrate_options *options = context;
	struct error why = { .text = "" };
	struct key_files keys;
	char tls[PATH_MAX] = "";
	json_t *request, *answer;
	int result = 0;

	if (options->cancel && words[1])
		return error_set(error, EINVAL, "--cancel takes no host: it cancels what is under way");
	if (!options->cancel && !words[1])
		return error_set(error, EINVAL, "migrate needs " MIGRATE_WORDS);
	if (options->plain && options->tls)
		return error_set(error, EINVAL, "--plain and --tls exclude each other");
	/* The monitor may have another working folder. */
	if (options->tls)
		result = file_path(options->tls, tls, sizeof(tls), error);
	if (!result)
		result = migrate_open_keys(options, tls, &keys, &why, error);
	if (result)
		return result;
	request = migrate_request(words[1], options->tls ? tls : NULL, options, error);
	result = request ? migrate_ask(words[0], request, &keys, &why, &answer, error) : -EINVAL;
	key_files_close(&keys);
	if (result)
		return result;
	migrate_print(words[0], words[1], options, answer);
	json_decref(answer);
	return 0;
}

static const struct option_spec table[] = {
	{ OPTION_FLAG("cancel", struct migrate_options, cancel), .place = OPTION_APART },
	{ OPTION_FLAG("dry-run", struct migrate_options, dry_run) },
	{ OPTION_NUMBER("downtime", "MS", 1, REQUEST_DOWNTIME_MAX_MS, struct migrate_options, downtime_ms) },
	{ OPTION_NUMBER("bandwidth", "MIB", 1, REQUEST_BANDWIDTH_MAX_MIB, struct migrate_options, bandwidth_mib) },
	{ OPTION_NUMBER("max-step", "US", 1, REQUEST_MAX_STEP_MAX_US, struct migrate_options, max_step_us) },
	{ OPTION_POLICY("clock", struct migrate_options, clock) },
	{ OPTION_TEXT("tls", "DIR", struct migrate_options, tls) },
	{ OPTION_FLAG("plain", struct migrate_options, plain) },
	{ OPTION_FLAG("inferred", struct migrate_options, inferred) },
	{ OPTION_FLAG("repair", struct migrate_options, repair) },
	{ OPTION_FLAG("force", struct migrate_options, force) },
	{ OPTION_FLAG("json", struct migrate_options, json) },
	{ .name = NULL },
};

const struct verb verb_migrate = {
	.name = "migrate",
	.words = MIGRATE_WORDS,
	.words_min = 1,
	.words_max = 2,
	.form = "--cancel NAME [--json]",
	.table = table,
	.defaults = &defaults,
	.size = sizeof(defaults),
	.run = migrate_run,
};
