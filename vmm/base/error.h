/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors of the monitor: an errno and a code for programs, one sentence for the person.
 *
 * Policy: the place that knows the numbers writes the sentence (what is wrong, the numbers, what to do); everybody
 * above passes both on unchanged; only main prints it. The code follows from the errno and never changes its meaning
 * (doc/control.md lists them).
 */
#ifndef VMM_BASE_ERROR_H
#define VMM_BASE_ERROR_H

#include <stddef.h>

#define ERROR_TEXT_MAX 512

struct error {
	char text[ERROR_TEXT_MAX];
	int err; /* a positive errno; 0: none fits */
};

/* Formats the sentence, with `err` (0 or a positive errno). */
void error_record(struct error *error, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Formats a sentence that has no errno. */
#define error_format(error, ...) error_record(error, 0, __VA_ARGS__)

/* Says more about the same error: replaces the sentence and keeps the errno. */
#define error_explain(error, ...) error_record(error, (error)->err, __VA_ARGS__)

/* Formats the sentence and evaluates to -err, so a caller can write `return error_set(...)`. err must be positive. */
#define error_set(error, err, ...) (error_record(error, err, __VA_ARGS__), -(err))

/*
 * The errno of a system call that failed, where the monitor means something of its own by it: EPERM is what a guest
 * cannot follow, ENOBUFS what does not converge.
 */
int error_of_call(int err);

/* The code of an error, such as "busy"; "failed" for those that have none of their own. */
const char *error_code(const struct error *error);

/* An errno with this code; 0 for "failed" and for codes of another version. */
int error_of_code(const char *code);

/* Code number n, in the order of the table, in which a code may stand more than once; NULL after the last. */
const char *error_code_at(size_t n);

#endif
