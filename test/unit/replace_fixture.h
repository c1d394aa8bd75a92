/* SPDX-License-Identifier: BSD-2-Clause */
/* A file system that answers when the test lets it, and another monitor that wants the same file. */
#ifndef UNIT_REPLACE_FIXTURE_H
#define UNIT_REPLACE_FIXTURE_H

#include "unit.h"

#include "base/replace.h"

#include <stdbool.h>
#include <unistd.h>

static bool answers; /* atomic, as the next */
static unsigned int asked, answered;

static inline void set_answers(bool does)
{
	__atomic_store_n(&answers, does, __ATOMIC_SEQ_CST);
}

/* As replace_write(). */
static inline int write_late(struct replace *replace, const void *data, size_t size, uint64_t length,
			     struct error *reason)
{
	int result;

	__atomic_fetch_add(&asked, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&answers, __ATOMIC_SEQ_CST))
		usleep(1000);
	result = replace_write(replace, data, size, length, reason);
	__atomic_fetch_add(&answered, 1, __ATOMIC_SEQ_CST);
	return result;
}

/* Whether another monitor could have the file now: 0 or -errno. */
static inline int other_locks(const char *path)
{
	struct replace other;
	struct error reason;
	int result;

	assert_int_equal(replace_init(&other, path, &reason), 0);
	result = replace_lock(&other, &reason);
	replace_unlock(&other);
	return result;
}

#endif
