/* SPDX-License-Identifier: BSD-2-Clause */
/* The file of a flash: see the header. */
#include "dev/flash_file.h"

#include "base/thread.h"

#include <errno.h>
#include <stdlib.h>

int flash_file_open(struct flash_file **file, const char *path, struct error *error)
{
	struct flash_file *made = calloc(1, sizeof(*made));
	int result;

	if (!made)
		return error_set(error, ENOMEM, "no memory for the file %s", path);
	result = replace_init(&made->replace, path, error);
	if (result) {
		free(made);
		return result;
	}
	made->write = replace_write;
	lock_init(&made->lock, LOCK_CLAIM);
	pthread_cond_init(&made->changed, NULL);
	*file = made;
	return 0;
}

static void flash_file_free(struct flash_file *file)
{
	replace_unlock(&file->replace);
	free(file->content);
	pthread_cond_destroy(&file->changed);
	lock_destroy(&file->lock);
	free(file);
}

void flash_file_close(struct flash_file *file)
{
	bool works;

	lock_take(&file->lock);
	file->closed = true;
	works = file->works;
	lock_drop(&file->lock);
	if (!works)
		flash_file_free(file);
}

/* ---- The thread ---- */

/* With the lock, which is dropped meanwhile, as below. */
static void flash_file_write(struct flash_file *file)
{
	void *content = file->content;
	size_t size = file->size;
	uint64_t length = file->length;
	struct error error = { .err = 0 };

	file->content = NULL;
	lock_drop(&file->lock);
	file->write(&file->replace, content, size, length, &error);
	free(content);
	lock_take(&file->lock);
	file->write_error = error;
}

/* What could not be taken is not tried again. */
static void flash_file_change(struct flash_file *file)
{
	bool takes = file->wanted;
	struct error error = { .err = 0 };

	lock_drop(&file->lock);
	if (takes)
		replace_lock(&file->replace, &error);
	else
		replace_unlock(&file->replace);
	lock_take(&file->lock);
	file->held = takes && !error.err;
	file->take_error = error;
	if (error.err)
		file->wanted = false;
}

/* With the lock. */
static bool flash_file_has_work(const struct flash_file *file)
{
	return file->content || file->wanted != file->held;
}

static void *flash_file_thread(void *context)
{
	struct flash_file *file = context;
	bool closed;

	lock_take(&file->lock);
	while (!file->closed && flash_file_has_work(file)) {
		if (file->content)
			flash_file_write(file);
		else
			flash_file_change(file);
	}
	closed = file->closed;
	file->works = false;
	pthread_cond_broadcast(&file->changed);
	lock_drop(&file->lock);
	if (closed)
		flash_file_free(file);
	return NULL;
}

/* ---- Those who wait for it ---- */

/* With the lock. False if there is no thread for it. */
static bool flash_file_begin(struct flash_file *file)
{
	pthread_t thread;

	if (file->works || !flash_file_has_work(file))
		return true;
	if (thread_start(&thread, THREAD_VARIABLES, flash_file_thread, file))
		return false;
	pthread_detach(thread);
	file->works = true;
	return true;
}

/* With the lock: has the thread do what is to be done; 0, -ETIMEDOUT or -ENOMEM. */
static int flash_file_finish(struct flash_file *file, int limit_ms, struct error *error)
{
	if (!flash_file_begin(file))
		return error_set(error, ENOMEM, "no thread for the file %s", file->replace.path);
	while (file->works)
		if (!lock_wait_ms(&file->lock, &file->changed, limit_ms) && file->works)
			return error_set(error, ETIMEDOUT,
					 "the file system of %s does not answer: try again once it does",
					 file->replace.path);
	return 0;
}

int flash_file_lock(struct flash_file *file, int limit_ms, struct error *error)
{
	int result;

	lock_take(&file->lock);
	file->wanted = true;
	result = flash_file_finish(file, limit_ms, error);
	if (!result && !file->held) {
		*error = file->take_error;
		result = -error->err;
	}
	if (result)
		file->wanted = false;
	lock_drop(&file->lock);
	return result;
}

int flash_file_unlock(struct flash_file *file, int limit_ms, struct error *error)
{
	int result;

	lock_take(&file->lock);
	file->wanted = false;
	result = flash_file_finish(file, limit_ms, error);
	lock_drop(&file->lock);
	return result;
}

void flash_file_put(struct flash_file *file, void *content, size_t size, uint64_t length)
{
	lock_take(&file->lock);
	free(file->content);
	file->content = content;
	file->size = size;
	file->length = length;
	/* Without a thread whoever waits for it hears of that. */
	flash_file_begin(file);
	lock_drop(&file->lock);
}

int flash_file_await(struct flash_file *file, int limit_ms, struct error *error)
{
	int result;

	lock_take(&file->lock);
	result = flash_file_finish(file, limit_ms, error);
	if (!result && file->write_error.err) {
		*error = file->write_error;
		file->write_error.err = 0;
		/* What the file system says is no limit of ours. */
		result = error->err == ETIMEDOUT ? -EIO : -error->err;
	}
	lock_drop(&file->lock);
	return result;
}
