/* SPDX-License-Identifier: BSD-2-Clause */
/* A block device without a guest: see the header. */
#include "disk_client.h"

#include "../wait_scale.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LIMIT_MS 30000u
#define ROUND_MS 100
/* In place of a result, while a request is under way. */
#define UNDER_WAY 1

static _Noreturn void client_end(const char *what)
{
	fprintf(stderr, "disk client: %s\n", what);
	abort();
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void client_done(void *context, struct disk_request *request)
{
	struct disk_client *client = context;

	if (!client->under_way || request->result == UNDER_WAY)
		client_end("a request is done that is not under way");
	client->under_way--;
	client->done++;
}

void disk_client_attach(struct disk_client *client, struct disk *disk)
{
	*client = (struct disk_client){ .disk = disk };
	disk->done = client_done;
	disk->context = client;
}

void disk_client_submit(struct disk_client *client, struct disk_request *request)
{
	request->result = UNDER_WAY;
	client->under_way++;
	client->disk->ops->submit(client->disk, request);
}

void disk_client_round(struct disk_client *client, int wait_ms)
{
	struct pollfd wanted;
	int timeout_ms = client->disk->ops->poll(client->disk, &wanted);

	poll(&wanted, 1, timeout_ms >= 0 && timeout_ms < wait_ms ? timeout_ms : wait_ms);
	client->disk->ops->dispatch(client->disk, wanted.revents);
}

void disk_client_finish(struct disk_client *client)
{
	uint64_t end = now_ms() + wait_scaled(LIMIT_MS);

	while (client->under_way) {
		if (now_ms() > end)
			client_end("a request is not done in time");
		disk_client_round(client, ROUND_MS);
	}
}

uint32_t disk_client_withdraw(struct disk_client *client)
{
	struct disk_request *request;
	uint32_t count = 0;

	while ((request = client->disk->ops->withdraw(client->disk))) {
		request->result = -ECANCELED;
		client->under_way--;
		count++;
	}
	return count;
}

int disk_client_do(struct disk_client *client, enum disk_operation operation, uint64_t offset, void *data,
		   uint64_t length)
{
	struct iovec buffer = { data, length };
	struct disk_request request = {
		.operation = operation,
		.offset = offset,
		.length = length,
		.buffer = &buffer,
		.buffers = data ? 1 : 0,
	};

	disk_client_submit(client, &request);
	disk_client_finish(client);
	return request.result;
}
