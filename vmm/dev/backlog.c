/* SPDX-License-Identifier: BSD-2-Clause */
/* What a console has said lately: see the header. */
#include "dev/backlog.h"

#include <errno.h>
#include <string.h>

void backlog_init(struct backlog *backlog)
{
	memset(backlog, 0, sizeof(*backlog));
	ring_init(&backlog->ring, backlog->bytes, sizeof(backlog->bytes));
	lock_init(&backlog->lock, LOCK_OUTPUT);
}

void backlog_destroy(struct backlog *backlog)
{
	lock_destroy(&backlog->lock);
}

void backlog_put(struct backlog *backlog, const void *data, size_t size)
{
	bool wakes;

	lock_take(&backlog->lock);
	wakes = backlog->attached && size && backlog->read == backlog->said;
	ring_push(&backlog->ring, data, size);
	backlog->said += size;
	if (wakes)
		backlog->wake(backlog->context);
	lock_drop(&backlog->lock);
}

int backlog_attach(struct backlog *backlog, void (*wake)(void *context), void *context)
{
	int result = -EBUSY;

	lock_take(&backlog->lock);
	if (!backlog->attached) {
		result = 0;
		backlog->attached = true;
		backlog->wake = wake;
		backlog->context = context;
		backlog->read = backlog->said - backlog->ring.count;
		if (backlog->ring.count)
			wake(context);
	}
	lock_drop(&backlog->lock);
	return result;
}

void backlog_detach(struct backlog *backlog)
{
	lock_take(&backlog->lock);
	backlog->attached = false;
	lock_drop(&backlog->lock);
}

size_t backlog_read(struct backlog *backlog, void *data, size_t size, uint64_t *missed)
{
	uint64_t oldest;
	size_t count;

	lock_take(&backlog->lock);
	oldest = backlog->said - backlog->ring.count;
	*missed = backlog->read < oldest ? oldest - backlog->read : 0;
	backlog->read += *missed;
	count = ring_peek(&backlog->ring, (size_t)(backlog->read - oldest), data, size);
	backlog->read += count;
	lock_drop(&backlog->lock);
	return count;
}
