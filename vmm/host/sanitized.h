/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether this is a build with a sanitizer, for tests.
 *
 * Policy: for what a sanitizer does in the program's threads and the program does not, and for nothing else: at the end
 * it looks at all threads, by ptrace(2) and /proc.
 */
#ifndef VMM_HOST_SANITIZED_H
#define VMM_HOST_SANITIZED_H

#include <stdbool.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif

/* At the end of main(), which Landlock would not let trace threads that are bound by less than it is. */
static inline bool sanitized_looks_at_threads(void)
{
#ifdef SANITIZED
	return true;
#else
	return false;
#endif
}

#endif
