/* SPDX-License-Identifier: BSD-2-Clause */
/* Output that never holds up whoever writes it: see the header. */
#include "base/output.h"

#include "base/thread.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define PIECE_SIZE 4096u

/* A guest writes byte by byte: what comes within this is written together. */
#define GATHER_MS 1

/* Ends a write that waits. Nothing else in the monitor uses it, and its handler does nothing. */
#define SIGNAL_ABANDON SIGUSR2
#define ABANDON_RETRY_MS 10

/* What the writer takes at once: `size` bytes, before which `dropped` are missing. */
struct piece {
	uint64_t dropped;
	size_t size;
	uint8_t bytes[PIECE_SIZE];
};

size_t output_mark(uint64_t dropped, char mark[OUTPUT_MARK_SIZE])
{
	int size = snprintf(mark, OUTPUT_MARK_SIZE, "\n[seaclock: %" PRIu64 " bytes of output are missing here]\n",
			    dropped);

	return (size_t)size;
}

/* ---- The writer ---- */

/* False at the end: nothing is left, and nothing comes any more. */
static bool output_take(struct output *output, struct piece *piece)
{
	bool waited = false;

	lock_take(&output->lock);
	for (; !output->ring.count && !output->closing; waited = true)
		lock_wait(&output->lock, &output->changed);
	if (waited && !output->closing) {
		lock_drop(&output->lock);
		poll(NULL, 0, GATHER_MS);
		lock_take(&output->lock);
	}
	piece->size = 0;
	/* At the end, what could not be written stays counted for whoever closes this. */
	if (output->ring.count)
		piece->size = ring_take(&output->ring, piece->bytes, sizeof(piece->bytes), &piece->dropped);
	lock_drop(&output->lock);
	return piece->size;
}

/* The only place where the writer waits for the reader. How much was written. */
static size_t output_write(struct output *output, const uint8_t *data, size_t size)
{
	size_t done = 0;

	while (done < size && !__atomic_load_n(&output->abandoned, __ATOMIC_ACQUIRE)) {
		ssize_t step = write(output->fd, data + done, size - done);

		if (step > 0)
			done += (size_t)step;
		else if (step < 0 && errno == EAGAIN)
			poll(&(struct pollfd){ .fd = output->fd, .events = POLLOUT }, 1, -1);
		else if (!step || errno != EINTR)
			break;
	}
	return done;
}

static bool mark_write(struct output *output, uint64_t dropped)
{
	char mark[OUTPUT_MARK_SIZE];
	size_t size = output_mark(dropped, mark);

	return output_write(output, (const uint8_t *)mark, size) > 0;
}

/* What cannot be written is missing before what comes next. */
static void piece_write(struct output *output, const struct piece *piece)
{
	uint64_t missing = piece->dropped;
	size_t done = 0;

	if (!piece->dropped || mark_write(output, piece->dropped)) {
		missing = 0;
		done = output_write(output, piece->bytes, piece->size);
	}
	if (!missing && done == piece->size)
		return;
	lock_take(&output->lock);
	output->ring.dropped += missing + (piece->size - done);
	lock_drop(&output->lock);
}

static void output_free(struct output *output)
{
	pthread_cond_destroy(&output->changed);
	lock_destroy(&output->lock);
	if (output->finished >= 0)
		close(output->finished);
	free(output->ring.bytes);
	free(output);
}

static void *output_writer(void *argument)
{
	struct output *output = argument;
	struct piece piece;
	bool left;

	while (output_take(output, &piece))
		piece_write(output, &piece);
	lock_take(&output->lock);
	output->ended = true;
	left = output->left;
	lock_drop(&output->lock);
	/* If it is not left to this thread, whoever closes it waits for its end. */
	if (left)
		output_free(output);
	else
		eventfd_write(output->finished, 1);
	return NULL;
}

/* ---- Its users ---- */

static void output_interrupted(int signal)
{
	(void)signal;
}

static void output_allow_abandoning(void)
{
	const struct sigaction action = { .sa_handler = output_interrupted }; /* without SA_RESTART */
	sigset_t set;

	sigaction(SIGNAL_ABANDON, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGNAL_ABANDON);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static bool output_is_finished(const struct output *output, int limit_ms)
{
	return poll(&(struct pollfd){ .fd = output->finished, .events = POLLIN }, 1, limit_ms) == 1;
}

/* The signal may come just before the writer begins to wait: once is not enough. False if the writer goes on waiting.
 */
static bool output_abandon(struct output *output)
{
	bool ended = false;

	__atomic_store_n(&output->abandoned, true, __ATOMIC_RELEASE);
	for (int ms = 0; ms < OUTPUT_ABANDON_MS && !ended; ms += ABANDON_RETRY_MS) {
		pthread_kill(output->writer, SIGNAL_ABANDON);
		ended = output_is_finished(output, ABANDON_RETRY_MS);
	}
	return ended;
}

/* Nobody waits for the writer any more, and all of it is the writer's; false if that has ended. */
static bool output_leave(struct output *output)
{
	pthread_t writer = output->writer;
	bool left;

	lock_take(&output->lock);
	left = output->left = !output->ended;
	lock_drop(&output->lock);
	if (left)
		pthread_detach(writer);
	return left;
}

/* A positive errno; output_free() frees it all the same. */
static int output_init(struct output *output, int fd, size_t capacity)
{
	void *bytes = malloc(capacity);
	int result;

	*output = (struct output){ .fd = fd, .finished = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	result = !bytes ? ENOMEM : output->finished < 0 ? errno : 0;
	ring_init(&output->ring, bytes, capacity);
	lock_init(&output->lock, LOCK_OUTPUT);
	pthread_cond_init(&output->changed, NULL);
	return result;
}

int output_open(struct output **output, int fd, size_t capacity, struct error *error)
{
	struct output *made = malloc(sizeof(*made));
	int result = ENOMEM;

	output_allow_abandoning();
	if (made) {
		result = output_init(made, fd, capacity);
		if (!result)
			result = thread_start(&made->writer, THREAD_WRITER, output_writer, made);
		if (!result) {
			*output = made;
			return 0;
		}
		output_free(made);
	}
	return error_set(error, result, "no means to write output (%s)", strerror(result));
}

void output_put(struct output *output, const void *data, size_t size)
{
	lock_take(&output->lock);
	if (!output->ring.count)
		pthread_cond_signal(&output->changed);
	ring_push(&output->ring, data, size);
	lock_drop(&output->lock);
}

bool output_close(struct output *output)
{
	bool all;

	lock_take(&output->lock);
	output->closing = true;
	pthread_cond_signal(&output->changed);
	lock_drop(&output->lock);
	all = output_is_finished(output, OUTPUT_END_MS);
	if (!all && !output_abandon(output) && output_leave(output))
		return false;
	pthread_join(output->writer, NULL);
	all = all && !output->ring.dropped;
	output_free(output);
	return all;
}
