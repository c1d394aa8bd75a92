/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every fuzz target shares: libFuzzer's entry point, and an end that libFuzzer notices.
 *
 * Policy: a target takes any bytes and leaves nothing behind. Beside what the sanitizers see, it states what must hold.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_MUST(condition)                                                                                           \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                        \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

#endif
