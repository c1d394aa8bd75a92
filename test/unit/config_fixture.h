/* SPDX-License-Identifier: BSD-2-Clause */
/* Two descriptions side by side, for the tests of what carries them. */
#ifndef CONFIG_FIXTURE_H
#define CONFIG_FIXTURE_H

#include "unit.h"

#include "machine/config.h"

/* The same as the stream has them, which is all that a description says. */
static inline void expect_same(const struct machine_config *one, const struct machine_config *other)
{
	struct buffer buffers[2] = { { 0 } };

	config_put(&buffers[0], one);
	config_put(&buffers[1], other);
	assert_int_equal(buffers[0].size, buffers[1].size);
	assert_memory_equal(buffers[0].data, buffers[1].data, buffers[0].size);
	buffer_free(&buffers[0]);
	buffer_free(&buffers[1]);
}

#endif
