/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the commands print about a running machine: results for a person or a program, progress on a terminal.
 *
 * Policy: results go to standard output: for a person a sentence or a short table, for a program exactly one JSON
 * value. Progress goes to standard error, and only if that is a terminal. The JSON is that of doc/control.md; members
 * that are missing are printed as 0.
 */
#ifndef VMM_COMMAND_PRINT_H
#define VMM_COMMAND_PRINT_H

#include "control/client.h"

#include <stdbool.h>

/* ---- For a program ---- */

void print_json(const json_t *value);
/* The same of what was made since json_watch(), and releases it; -ENOMEM and nothing, if that is not whole. */
int print_json_whole(json_t *value, const char *what, struct error *error);

/* A command that has no other result has succeeded. */
void print_done(const char *command, const char *name);

void print_failure(const struct error *error);

/* ---- For a person ---- */

/* What became of a migration to `host`. */
void print_moved(const char *name, const char *host, const json_t *report);
void print_renewed(const char *name, int process, const json_t *report);
void print_verdict(const char *host, const json_t *verdict);
void print_saved(const char *name, const json_t *report);
/* A disk's size before and now. */
void print_growth(const char *name, const json_t *sizes);

/* What is known of the kernel of a machine, or of a file. */
void print_kernel(const char *whose, const json_t *kernel);

/* One machine with what is known of it, and a list, a line each. */
void print_status(const json_t *status);
void print_status_list(const json_t *list);

/* ---- Progress: one line that is written over ---- */

struct print_progress {
	bool shown;
};

struct client_watch print_progress_watch(struct print_progress *progress);

/* Removes the line. */
void print_progress_end(struct print_progress *progress);

#endif
