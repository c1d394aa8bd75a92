/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors of the monitor: an errno for the program, one sentence for the person.
 *
 * Policy: the place that knows the numbers writes the sentence (what is wrong, the numbers, what to do); everybody
 * above passes both on unchanged; only main prints it.
 */
#ifndef VMM_BASE_ERROR_H
#define VMM_BASE_ERROR_H

#define ERROR_TEXT_MAX 512

struct error {
	char text[ERROR_TEXT_MAX];
};

/* Sets the sentence. */
void error_format(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sets the sentence and is -err, so that a caller can write `return error_set(...)`. err > 0; . */
#define error_set(error, err, ...) (error_format(error, __VA_ARGS__), -(err))

#endif
