/* SPDX-License-Identifier: BSD-2-Clause */
/* How many lines of one kind go into the log: see the header. */
#include "base/log_limit.h"

enum log_verdict log_limit_step(struct log_limit *limit, sc_ns_t now)
{
	if (!limit->lines++)
		limit->began = now;
	if (limit->lines < LOG_LIMIT_LINES)
		return LOG_WRITE;
	return limit->lines == LOG_LIMIT_LINES ? LOG_WRITE_LAST : LOG_DROP;
}

uint64_t log_limit_take(struct log_limit *limit, sc_ns_t now)
{
	if (!limit->lines || now.v - limit->began.v < LOG_LIMIT_WINDOW_NS)
		return 0;
	return log_limit_end(limit);
}

uint64_t log_limit_end(struct log_limit *limit)
{
	uint64_t left_out = limit->lines > LOG_LIMIT_LINES ? limit->lines - LOG_LIMIT_LINES : 0;

	limit->lines = 0;
	return left_out;
}
