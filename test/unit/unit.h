/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every unit test includes: cmocka, and the headers that cmocka needs before it.
 *
 * Policy: nothing else here; a test's helpers stand in the test.
 */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif
