/* SPDX-License-Identifier: BSD-2-Clause */
/* A request as a row of system calls: see the header. */
#include "dev/disk/step.h"

#include <errno.h>
#include <linux/falloc.h>

/* How a request is tried, the best way first. */
enum method {
	METHOD_DIRECT, /* the call of that name */
	METHOD_HOLE,
	METHOD_ZEROES,
	METHOD_DISCARD,
	METHOD_WRITE,
	METHOD_NOTHING,
};

/* The next best way from `method` on that is not known to be in vain. */
static enum method method_choose(const struct step_medium *medium, const struct disk_request *request,
				 enum method method)
{
	bool discard = request->operation == DISK_DISCARD;

	if (method == METHOD_HOLE && (medium->no_holes || (!discard && !request->unmap)))
		method = METHOD_ZEROES;
	if (method == METHOD_ZEROES && (discard || medium->no_zeroes))
		method = METHOD_DISCARD;
	if (method == METHOD_DISCARD && (!discard || !medium->is_block || medium->no_discard))
		method = METHOD_WRITE;
	return method == METHOD_WRITE && discard ? METHOD_NOTHING : method;
}

bool step_begin(const struct step_medium *medium, struct disk_request *request)
{
	bool direct = request->operation != DISK_DISCARD && request->operation != DISK_WRITE_ZEROES;

	request->finished = 0;
	request->result = 0;
	request->method = (int)(direct ? METHOD_DIRECT : method_choose(medium, request, METHOD_HOLE));
	if (request->operation == DISK_FLUSH)
		return true;
	return request->length && request->method != METHOD_NOTHING;
}

static void step_next_direct(const struct disk_request *request, struct step *step)
{
	static const enum step_call calls[] = {
		[DISK_READ] = STEP_READ,
		[DISK_WRITE] = STEP_WRITE,
		[DISK_FLUSH] = STEP_SYNC,
	};

	step->call = calls[request->operation];
	step->buffer = request->buffer;
	step->buffers = request->buffers < STEP_BUFFERS_MAX ? request->buffers : STEP_BUFFERS_MAX;
}

void step_next(const struct disk_request *request, struct step *step)
{
	*step = (struct step){
		.offset = request->offset + request->finished,
		.length = request->length - request->finished,
	};
	switch ((enum method)request->method) {
	case METHOD_DIRECT:
		step_next_direct(request, step);
		break;
	case METHOD_HOLE:
		step->call = STEP_ALLOCATE;
		step->mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
		break;
	case METHOD_ZEROES:
		step->call = STEP_ALLOCATE;
		step->mode = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
		break;
	case METHOD_DISCARD:
		step->call = STEP_DISCARD;
		break;
	default:
		step->call = STEP_WRITE_ZEROES;
		if (step->length > STEP_ZEROES_MAX)
			step->length = STEP_ZEROES_MAX;
	}
}

/* This way is no way: the next one. EINVAL is for this range alone, a device with larger blocks may give it. */
static bool method_failed(struct step_medium *medium, struct disk_request *request, int err)
{
	enum method failed = (enum method)request->method;

	if (err != EINVAL) {
		medium->no_holes |= failed == METHOD_HOLE;
		medium->no_zeroes |= failed == METHOD_ZEROES;
		medium->no_discard |= failed == METHOD_DISCARD;
	}
	request->method = (int)method_choose(medium, request, failed + 1);
	return request->method == METHOD_NOTHING;
}

/* Goes on behind the first `size` bytes of the buffers. */
static void request_advance(struct disk_request *request, uint64_t size)
{
	request->finished += size;
	if (!request->buffers)
		return;
	while (request->buffers && size >= request->buffer->iov_len) {
		size -= request->buffer->iov_len;
		request->buffer++;
		request->buffers--;
	}
	if (!size)
		return;
	request->buffer->iov_base = (uint8_t *)request->buffer->iov_base + size;
	request->buffer->iov_len -= size;
}

static bool request_end(struct disk_request *request, int result)
{
	request->result = result;
	return true;
}

static bool step_failed(struct step_medium *medium, struct disk_request *request, int err)
{
	bool has_other_ways = request->method > METHOD_DIRECT && request->method < METHOD_WRITE;

	if (err == EINTR || err == EAGAIN)
		return false;
	if (has_other_ways && (err == EOPNOTSUPP || err == ENOSYS || err == ENODEV || err == ENOTTY || err == EINVAL))
		return method_failed(medium, request, err);
	return request_end(request, -err);
}

bool step_end(struct step_medium *medium, struct disk_request *request, int64_t result)
{
	uint64_t left = request->length - request->finished;

	if (result < 0)
		return step_failed(medium, request, (int)-result);
	if (request->operation == DISK_FLUSH || (request->method != METHOD_DIRECT && request->method != METHOD_WRITE))
		return request_end(request, 0);
	/* The end of a file that has shrunk, or a call that says that it did more than it was asked for. */
	if (!result || (uint64_t)result > left)
		return request_end(request, -EIO);
	request_advance(request, (uint64_t)result);
	return request->finished == request->length && request_end(request, 0);
}
