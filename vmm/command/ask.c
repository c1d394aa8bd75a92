/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to a running machine: see the header. */
#include "command/ask.h"

#include "command/print.h"

int ask_result(const char *name, json_t *request, const struct client_passed *passed, json_t **answer,
	       struct error *error)
{
	struct print_progress progress = { .shown = false };
	struct client_watch watch = print_progress_watch(&progress);
	int result;

	watch.passed = passed;
	result = client_ask(name, request, &watch, answer, error);

	print_progress_end(&progress);
	return result;
}

int ask_done(const char *verb, const char *name, json_t *request, bool json, struct error *error)
{
	json_t *answer;
	int result = ask_result(name, request, NULL, &answer, error);

	if (result)
		return result;
	if (json)
		print_done(verb, name);
	json_decref(answer);
	return 0;
}
