/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines for the judge on standard output: "@kind key=value ... *checksum".
 *
 * Policy: one line is one write(2), so threads do not cut each other's lines. The console is an emulated serial port
 * and costs about 0.2 ms per character: callers print seldom and short.
 */
#ifndef TEST_GUEST_PROBE_LINE_H
#define TEST_GUEST_PROBE_LINE_H

#include <stddef.h>

#define LINE_MAX_LENGTH 255

/* Writes text, its checksum and a newline to buffer, which holds size bytes. Returns the length, 0 if it does not fit.
 */
size_t line_format(char *buffer, size_t size, const char *text);

/* Prints one line; format without newline and checksum. */
void line_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
