/* SPDX-License-Identifier: BSD-2-Clause */
/* What an NBD server has been asked: see the header. */
#include "dev/disk/nbd_command.h"

#include "dev/disk/piece.h"

#include <errno.h>
#include <stdlib.h>

/* What copies may take at a time. */
#define COPIES_MAX (2u << 20)

void nbd_command_init(struct nbd_commands *commands, const struct nbd_library *library)
{
	*commands = (struct nbd_commands){ .library = library };
	for (uint32_t n = 0; n < DISK_DEPTH; n++) {
		commands->command[n].commands = commands;
		commands->command[n].next = commands->free;
		commands->free = &commands->command[n];
	}
}

static void command_free(struct nbd_command *command)
{
	struct nbd_commands *commands = command->commands;

	if (command->copy)
		commands->copied -= command->length;
	free(command->copy);
	command->copy = NULL;
	command->request = NULL;
	command->next = commands->free;
	commands->free = command;
	commands->in_flight--;
}

/* Called by the library in the middle of things: only takes down what was answered. */
static int command_answered(void *context, int *err)
{
	struct nbd_command *command = context;

	command->err = *err;
	command->next = command->commands->answered;
	command->commands->answered = command;
	command->commands->answers++;
	return 1;
}

/* -1 if the library refuses it. */
static int64_t command_issue(struct nbd_command *command, const struct piece *piece)
{
	const struct nbd_library *library = command->commands->library;
	struct nbd_handle *handle = command->commands->handle;
	nbd_completion_callback done = { .callback = command_answered, .user_data = command };
	void *data = piece->place ? piece->place : command->copy;

	switch (command->request->operation) {
	case DISK_READ:
		return library->aio_pread(handle, data, piece->length, piece->offset, done, 0);
	case DISK_WRITE:
		return library->aio_pwrite(handle, data, piece->length, piece->offset, done, 0);
	case DISK_FLUSH:
		return library->aio_flush(handle, done, 0);
	case DISK_DISCARD:
		return library->aio_trim(handle, piece->length, piece->offset, done, 0);
	case DISK_WRITE_ZEROES:
		return library->aio_zero(handle, piece->length, piece->offset, done,
					 command->request->unmap ? 0 : LIBNBD_CMD_FLAG_NO_HOLE);
	}
	return -1;
}

/* Data that lie in several places are copied together. */
static int command_copy(struct nbd_command *command, const struct disk_request *request, uint32_t length)
{
	struct nbd_commands *commands = command->commands;

	if (commands->copied && commands->copied + length > COPIES_MAX)
		return -EAGAIN;
	command->copy = malloc(length);
	if (!command->copy)
		return commands->in_flight ? -EAGAIN : -ENOMEM;
	commands->copied += length;
	if (request->operation == DISK_WRITE)
		piece_gather(request, command->copy, length);
	return 0;
}

int nbd_command_send(struct nbd_commands *commands, struct disk_request *request)
{
	bool has_data = request->operation == DISK_READ || request->operation == DISK_WRITE;
	struct piece piece = piece_next(request, commands->data_max);
	struct nbd_command *command = commands->free;
	int result = command ? 0 : -EAGAIN;

	if (!result && has_data && !piece.place)
		result = command_copy(command, request, piece.length);
	if (result)
		return result;
	command->request = request;
	command->length = piece.length;
	commands->free = command->next;
	commands->in_flight++;
	if (command_issue(command, &piece) >= 0)
		return 0;
	command_free(command);
	return -EIO;
}

struct disk_request *nbd_command_take(struct nbd_commands *commands, int *err)
{
	struct nbd_command *command = commands->answered;
	struct disk_request *request;

	if (!command)
		return NULL;
	commands->answered = command->next;
	commands->answers--;
	request = command->request;
	*err = command->err;
	if (!*err && request->operation == DISK_READ && command->copy)
		piece_scatter(request, command->copy, command->length);
	if (!*err)
		request->finished += command->length;
	command_free(command);
	return request;
}

struct disk_request *nbd_command_take_back(struct nbd_commands *commands)
{
	for (uint32_t n = 0; n < DISK_DEPTH && commands->in_flight; n++) {
		struct disk_request *request = commands->command[n].request;

		if (!request)
			continue;
		command_free(&commands->command[n]);
		return request;
	}
	return NULL;
}
