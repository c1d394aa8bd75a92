/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Property: whatever is asked of a disk, in whatever pieces of memory, the disk is what a model of it says, each
 * request is done once, and no byte outside its buffers is touched: of a file by io_uring, of a file by plain calls,
 * and of a network disk whose server is killed again and again, while requests are also taken back and asked once more.
 *
 * Policy: requests that are under way together do not overlap, as a guest's do not if it wants to know what it gets.
 * What was discarded has any content until it is written again.
 */
#include "../fake/disk_client.h"
#include "../fake/disk_server.h"
#include "../fake/host_fake.h"
#include "random.h"

#include "dev/disk/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define REGIONS 64u
#define REGION_SECTORS 96u
#define REGION_SIZE (REGION_SECTORS * DISK_SECTOR_SIZE)
#define SIZE (REGIONS * REGION_SIZE)
#define BUFFERS_MAX 12u
#define GAP_MAX 40u
#define GUARD 0xa5u
/* What a request's buffers lie in, with gaps between them. */
#define ARENA_SIZE (REGION_SIZE + (BUFFERS_MAX + 1) * GAP_MAX)
#define REQUESTS 6000u

/* A part of the disk that has one request at a time. */
struct region {
	struct disk_request request; /* first, so that it is the region */
	bool under_way;
	struct iovec buffer[BUFFERS_MAX];
	struct iovec original[BUFFERS_MAX]; /* a backend may change the buffers */
	uint32_t buffers;
	uint8_t arena[ARENA_SIZE];
	uint8_t before[ARENA_SIZE]; /* as it was when the request was made */
};

struct world {
	struct random *random;
	const char *name;
	struct disk *disk;
	struct disk_client client;
	struct region region[REGIONS];
	uint8_t content[SIZE];
	bool known[REGIONS * REGION_SECTORS];
	uint32_t made;
	uint32_t finished;
};

static struct world world;
static char folder[] = "/tmp/disk_property.XXXXXX";
static char path[64], file_word[80];

/* ---- Requests ---- */

/* Cuts the length into buffers with gaps between them, at any byte. */
static void region_lay_out(struct random *random, struct region *region, uint64_t length)
{
	uint32_t place = 0;

	region->buffers = 0;
	while (length) {
		bool last = region->buffers == BUFFERS_MAX - 1 || random_chance(random, 4);
		uint64_t size = last ? length : random_between(random, 0, length);

		place += random_chance(random, 2) ? 0 : (uint32_t)random_between(random, 1, GAP_MAX);
		region->original[region->buffers++] = (struct iovec){ region->arena + place, size };
		place += (uint32_t)size;
		length -= size;
	}
}

static enum disk_operation operation_choose(struct random *random)
{
	uint64_t n = random_between(random, 0, 99);

	return n < 45	? DISK_WRITE
	       : n < 80 ? DISK_READ
	       : n < 88 ? DISK_FLUSH
	       : n < 94 ? DISK_DISCARD
			: DISK_WRITE_ZEROES;
}

static void region_submit(struct region *region)
{
	memcpy(region->buffer, region->original, sizeof(region->buffer));
	region->request.buffer = region->buffer;
	region->request.buffers = region->buffers;
	disk_client_submit(&world.client, &region->request);
}

static void region_ask(uint32_t n)
{
	struct region *region = &world.region[n];
	uint32_t first = (uint32_t)random_between(world.random, 0, REGION_SECTORS - 1);
	uint32_t count = (uint32_t)random_between(world.random, 1, REGION_SECTORS - first);
	enum disk_operation operation = operation_choose(world.random);

	region->request = (struct disk_request){ .operation = operation, .unmap = random_chance(world.random, 2) };
	region->buffers = 0;
	if (operation != DISK_FLUSH) {
		region->request.offset = ((uint64_t)n * REGION_SECTORS + first) * DISK_SECTOR_SIZE;
		region->request.length = (uint64_t)count * DISK_SECTOR_SIZE;
	}
	memset(region->arena, GUARD, sizeof(region->arena));
	if (operation == DISK_READ || operation == DISK_WRITE)
		region_lay_out(world.random, region, region->request.length);
	for (uint32_t b = 0; b < region->buffers && operation == DISK_WRITE; b++)
		for (size_t at = 0; at < region->original[b].iov_len; at++)
			((uint8_t *)region->original[b].iov_base)[at] = (uint8_t)random_next(world.random);
	memcpy(region->before, region->arena, sizeof(region->arena));
	region->under_way = true;
	world.made++;
	region_submit(region);
}

/* ---- What must be so ---- */

static void expect_read(const struct region *region)
{
	uint64_t at = region->request.offset;
	uint8_t expected[ARENA_SIZE];

	memcpy(expected, region->before, sizeof(expected));
	for (uint32_t b = 0; b < region->buffers; b++) {
		const uint8_t *place = region->original[b].iov_base;

		for (size_t i = 0; i < region->original[b].iov_len; i++, at++)
			expected[place + i - region->arena] =
				world.known[at / DISK_SECTOR_SIZE] ? world.content[at] : place[i];
	}
	PROPERTY(!memcmp(expected, region->arena, sizeof(expected)), "%s: %" PRIu64 " bytes at %" PRIu64 " are wrong",
		 world.name, region->request.length, region->request.offset);
}

static void note_write(const struct region *region)
{
	uint64_t at = region->request.offset;

	for (uint32_t b = 0; b < region->buffers; b++) {
		memcpy(world.content + at, region->original[b].iov_base, region->original[b].iov_len);
		at += region->original[b].iov_len;
	}
}

static void region_done(void *context, struct disk_request *request)
{
	struct region *region = (struct region *)request;
	uint64_t first = request->offset / DISK_SECTOR_SIZE, count = request->length / DISK_SECTOR_SIZE;
	bool writes = request->operation != DISK_READ && request->operation != DISK_FLUSH;

	(void)context;
	PROPERTY(region->under_way, "%s: a request is done twice", world.name);
	PROPERTY(!request->result, "%s: operation %d at %" PRIu64 ": %s", world.name, (int)request->operation,
		 request->offset, strerror(-request->result));
	region->under_way = false;
	world.client.under_way--;
	world.finished++;
	if (request->operation == DISK_READ)
		expect_read(region);
	else
		PROPERTY(!memcmp(region->arena, region->before, sizeof(region->arena)), "%s: a buffer has changed",
			 world.name);
	if (request->operation == DISK_WRITE)
		note_write(region);
	if (request->operation == DISK_WRITE_ZEROES)
		memset(world.content + request->offset, 0, request->length);
	if (writes)
		memset(world.known + first, request->operation != DISK_DISCARD, count);
}

static void expect_content(void)
{
	static uint8_t content[SIZE];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	PROPERTY(pread(fd, content, SIZE, 0) == SIZE, "%s: the file is shorter", world.name);
	close(fd);
	for (uint32_t n = 0; n < SIZE; n++)
		PROPERTY(!world.known[n / DISK_SECTOR_SIZE] || content[n] == world.content[n], "%s: byte %u is wrong",
			 world.name, n);
}

/* ---- Walks ---- */

static void world_begin(struct random *random, const char *name)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	PROPERTY(!ftruncate(fd, SIZE), "no file");
	close(fd);
	memset(&world, 0, sizeof(world));
	world.random = random;
	world.name = name;
	memset(world.known, true, sizeof(world.known));
}

static void world_attach(struct disk *disk)
{
	struct error error;

	disk_client_attach(&world.client, disk);
	disk->done = region_done;
	PROPERTY(!disk_lock(disk, LOCK_MS, &error), "%s", error.text);
}

/* Makes some requests, and lets some be done. */
static void walk(void)
{
	uint32_t more = (uint32_t)random_between(world.random, 0, 40);

	for (uint32_t n = 0; n < more; n++) {
		uint32_t region = (uint32_t)random_between(world.random, 0, REGIONS - 1);

		if (!world.region[region].under_way)
			region_ask(region);
	}
	disk_client_round(&world.client, (int)random_between(world.random, 0, 1));
}

static void world_end(void)
{
	disk_client_finish(&world.client);
	PROPERTY(world.finished == world.made, "%s: %u of %u requests are done", world.name, world.finished,
		 world.made);
	disk_close(world.client.disk);
	expect_content();
	printf("%s: %u requests\n", world.name, world.made);
}

static void walk_file(struct random *random, const char *name, enum disk_file_engine engine)
{
	const struct disk_options options = { .where = path };
	struct error error;
	struct disk *disk;

	world_begin(random, name);
	if (disk_file_open(&disk, &options, engine, &error)) {
		PROPERTY(engine == DISK_FILE_URING, "%s", error.text);
		printf("%s: %s\n", name, error.text);
		return;
	}
	world_attach(disk);
	while (world.made < REQUESTS)
		walk();
	world_end();
}

static void server_start(struct disk_server *server)
{
	disk_server_start(server, (const char *const[]){ "file", file_word, NULL });
}

/* The server dies, and is back at some time. */
static void walk_kill(struct disk_server *server)
{
	disk_server_end(server, SIGKILL);
	for (uint64_t n = random_between(world.random, 0, 3); n; n--)
		walk();
	if (random_chance(world.random, 2)) {
		disk_client_withdraw(&world.client);
		for (uint32_t n = 0; n < REGIONS; n++)
			if (world.region[n].request.result == -ECANCELED)
				region_submit(&world.region[n]);
	}
	server_start(server);
}

static void walk_server(struct random *random, const char *name)
{
	struct disk_options options = { .reconnect_s = 600 };
	struct disk_server server;
	struct error error;
	struct disk *disk;

	world_begin(random, name);
	disk_server_init(&server, folder);
	server_start(&server);
	options.where = server.uri;
	PROPERTY(!disk_open(&disk, &options, &error), "%s", error.text);
	world_attach(disk);
	while (world.made < REQUESTS) {
		walk();
		if (random_chance(random, 40))
			walk_kill(&server);
	}
	world_end();
	disk_server_end(&server, SIGKILL);
	unlink(server.socket);
	unlink(server.pid_file);
}

int main(void)
{
	struct random random = random_start();

	fake_reset();
	fake_time_follow_machine();
	PROPERTY(mkdtemp(folder), "no folder");
	snprintf(path, sizeof(path), "%s/disk", folder);
	snprintf(file_word, sizeof(file_word), "file=%s", path);
	walk_file(&random, "io_uring", DISK_FILE_URING);
	walk_file(&random, "plain calls", DISK_FILE_PLAIN);
	walk_server(&random, "server");
	unlink(path);
	rmdir(folder);
	return 0;
}
