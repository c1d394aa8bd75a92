/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The few things that the core needs from its surroundings: a hosted program, a Linux module or a bare machine.
 *
 * Policy: the only file of the core that knows where it is compiled. Four memory functions and a 128-bit type; nothing
 * else may be added without a very good reason.
 */
#ifndef CORE_PORT_H
#define CORE_PORT_H

#if defined(__KERNEL__)
#include <linux/string.h>
#elif defined(__STDC_HOSTED__) && __STDC_HOSTED__
#include <string.h>
#else
#include <stddef.h>
void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
#endif

#include <seaclock/core.h>

#define SC_U64_MAX (~(uint64_t)0)

/* Products and 64.64 fixed point. Never divided: Linux modules have no 128-bit division. */
typedef unsigned __int128 sc_u128;

/* a + b, or all ones where the sum does not fit. */
static inline uint64_t sc_add_saturating(uint64_t a, uint64_t b)
{
	return a > SC_U64_MAX - b ? SC_U64_MAX : a + b;
}

#endif
