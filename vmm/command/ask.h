/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to a running machine, as the verbs send them: with progress on a terminal. */
#ifndef VMM_COMMAND_ASK_H
#define VMM_COMMAND_ASK_H

#include "control/client.h"

/* As client_ask(): takes over the request; `passed` goes with it, NULL for nothing. *answer is to be freed. */
int ask_result(const char *name, json_t *request, const struct client_passed *passed, json_t **answer,
	       struct error *error);

/* For a request whose result says no more than that it was done, which only a program is told. */
int ask_done(const char *verb, const char *name, json_t *request, bool json, struct error *error);

#endif
