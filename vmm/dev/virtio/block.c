/* SPDX-License-Identifier: BSD-2-Clause */
/* The block device: see the header. */
#include "dev/virtio/block.h"

#include "base/log.h"
#include "base/section.h"
#include "dev/virtio/block_worker.h"
#include "host/host.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Discards that are smaller or begin elsewhere free nothing in most file systems. */
#define ERASE_ALIGNMENT 8u

/* The thread sees by itself that what is under way does not end: how much longer it has for that. */
#define THREAD_PATIENCE_NS 1000000000ull
/* How long a vCPU that resets the device is no trouble for whoever wants it to stand still. */
#define RESET_PATIENCE_NS 1000000000ull
/* For a new size a server has some seconds twice, and there is a new connection. */
#define RESIZE_PATIENCE_NS 20000000000ull
/* How often whoever waits for the thread looks at the time. */
#define LOOK_MS 100

static struct block *block_of(struct virtio *virtio)
{
	return (struct block *)virtio;
}

static void block_wake(const struct block *block)
{
	eventfd_write(block->wake, 1);
}

/* ---- The device ---- */

static uint64_t block_features(struct virtio *virtio)
{
	const struct disk *disk = block_of(virtio)->disk;
	uint64_t features = 1ull << VIRTIO_BLK_F_SEG_MAX | 1ull << VIRTIO_BLK_F_BLK_SIZE | 1ull << VIRTIO_BLK_F_FLUSH;

	if (disk->readonly)
		return features | 1ull << VIRTIO_BLK_F_RO;
	if (disk->can_discard)
		features |= 1ull << VIRTIO_BLK_F_DISCARD;
	if (disk->can_write_zeroes)
		features |= 1ull << VIRTIO_BLK_F_WRITE_ZEROES;
	return features;
}

static void block_config_read(struct virtio *virtio, uint32_t offset, void *data, uint32_t length)
{
	const struct virtio_blk_config config = {
		.capacity = htole64(block_of(virtio)->facts.sectors),
		.seg_max = htole32(BLOCK_SEGMENTS_MAX),
		.blk_size = htole32(DISK_SECTOR_SIZE),
		.max_discard_sectors = htole32(BLOCK_ERASE_SECTORS_MAX),
		.max_discard_seg = htole32(1),
		.discard_sector_alignment = htole32(ERASE_ALIGNMENT),
		.max_write_zeroes_sectors = htole32(BLOCK_ERASE_SECTORS_MAX),
		.max_write_zeroes_seg = htole32(1),
		.write_zeroes_may_unmap = 1,
	};

	if (offset < sizeof(config))
		memcpy(data, (const uint8_t *)&config + offset,
		       length < sizeof(config) - offset ? length : sizeof(config) - offset);
}

static void block_activate(struct virtio *virtio)
{
	block_wake(block_of(virtio));
}

static void block_notify(struct virtio *virtio, uint32_t queue)
{
	(void)queue;
	block_wake(block_of(virtio));
}

/* With the lock: waits for news of the thread, which may be in a call that does not end; false after that time. */
static bool block_await(struct block *block, uint64_t end)
{
	lock_wait_ms(&block->virtio.device.lock, &block->changed, LOOK_MS);
	return host_monotonic().v < end;
}

/* With the lock, which is dropped meanwhile: nobody who wants the vCPUs to stand still waits for this one. */
static void block_step(struct block *block, bool aside)
{
	const struct device *device = &block->virtio.device;

	lock_drop(&block->virtio.device.lock);
	if (device->line.wait)
		device->line.wait(device->line.context, aside);
	lock_take(&block->virtio.device.lock);
}

/*
 * The vCPU waits for the disk here, and may: the thread needs no lock but this one, which is dropped meanwhile, what a
 * server that is away has is withdrawn, and one that is there answers, or is given up by the disk. Without a limit: the
 * driver may use the memory for something else as soon as it goes on. If it takes long it steps aside; nothing new is
 * taken until it is back.
 */
static void block_reset(struct virtio *virtio)
{
	struct block *block = block_of(virtio);
	uint64_t end = host_monotonic().v + RESET_PATIENCE_NS;
	bool aside = false;

	block->resets++;
	block_wake(block);
	while (block->under_way) {
		if (block_await(block, end) || aside)
			continue;
		aside = true;
		block_step(block, true);
		log_guest(&block->errors_logged,
			  "%s: disk %" PRIu32 " (%s) does not answer, and the guest, which resets it, waits for that",
			  virtio->machine, virtio->device.instance, block->disk->where);
	}
	if (aside)
		block_step(block, false);
	block->resets--;
}

static void block_start(struct virtio *virtio)
{
	struct block *block = block_of(virtio);

	lock_take(&virtio->device.lock);
	block->retaken = 0;
	block->settle = BLOCK_UNSETTLED;
	block->order = BLOCK_RUN;
	block->standing = false;
	block->overdue = false;
	block->halted = false;
	lock_drop(&virtio->device.lock);
	block_wake(block);
}

/* With the lock. What did not come to an end before has another try. */
static void block_order_stand(struct block *block)
{
	if (block->halted)
		return;
	block->halted = true;
	block->order = BLOCK_STAND;
	block->stand_by = host_monotonic().v + BLOCK_PATIENCE_NS;
	block->standing = false;
	block->overdue = false;
	if (block->settle == BLOCK_SETTLED && block->settled)
		block->settle = BLOCK_UNSETTLED;
	block_wake(block);
}

static void block_halt(struct virtio *virtio)
{
	lock_take(&virtio->device.lock);
	block_order_stand(block_of(virtio));
	lock_drop(&virtio->device.lock);
}

static void block_quiesce(struct virtio *virtio)
{
	struct block *block = block_of(virtio);
	uint64_t end;

	lock_take(&virtio->device.lock);
	block_order_stand(block);
	end = block->stand_by + THREAD_PATIENCE_NS;
	while ((!block->standing || block->resets) && block_await(block, end))
		;
	block->overdue |= !block->standing;
	block->halted = false;
	lock_drop(&virtio->device.lock);
}

static void block_demand(struct virtio *virtio, struct buffer *demand)
{
	const struct block *block = block_of(virtio);

	buffer_put_u64(demand, virtio_negotiated(virtio));
	buffer_put_u64(demand, block->facts.sectors);
	buffer_put_u64(demand, block->disk->identity);
}

/* The first of the features, as a clause. */
static const char *feature_name(uint64_t features)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} names[] = {
		{ VIRTIO_BLK_F_DISCARD, "discard what it has deleted" },
		{ VIRTIO_BLK_F_WRITE_ZEROES, "write zeroes" },
		{ VIRTIO_BLK_F_FLUSH, "flush" },
		{ VIRTIO_BLK_F_RO, "count on a disk that is read-only" },
	};

	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++)
		if (features & 1ull << names[n].bit)
			return names[n].name;
	return "use it as it does";
}

static int block_examine(struct virtio *virtio, struct cursor *demand, struct error *error)
{
	struct block *block = block_of(virtio);
	uint64_t features = cursor_u64(demand), sectors = cursor_u64(demand),
		 here = block->disk->size / DISK_SECTOR_SIZE;
	uint64_t missing = features & ~virtio_offered(virtio);

	block->elsewhere = cursor_u64(demand);
	if (demand->failed)
		return -EPROTO;
	if (sectors > here)
		return error_set(error, EINVAL,
				 "disk %" PRIu32 " (%s) has %" PRIu64 " sectors here, and the guest knows %" PRIu64
				 ": it is another one",
				 virtio->device.instance, block->disk->where, here, sectors);
	if (missing)
		return error_set(error, ENOTSUP,
				 "the guest could no longer %s on disk %" PRIu32
				 " (%s) here, for its server cannot: use "
				 "one that can do all that the source's can",
				 feature_name(missing), virtio->device.instance, block->disk->where);
	return 0;
}

bool block_is_exchanged(const struct block *one, const struct block *other)
{
	uint64_t here = one->disk->identity, there = one->elsewhere;

	return here && there && here != there && here == other->elsewhere && there == other->disk->identity;
}

static void block_save(struct virtio *virtio, struct buffer *state)
{
	buffer_put_u64(state, block_of(virtio)->facts.sectors);
}

/* The guest keeps the size that it knows, until it is told of another. */
static int block_load(struct virtio *virtio, struct cursor *state, uint32_t version)
{
	struct block *block = block_of(virtio);
	uint64_t sectors = cursor_u64(state), here = block->disk->size / DISK_SECTOR_SIZE;

	(void)version;
	if (!sectors)
		return -EPROTO;
	if (sectors > here) {
		log_line("%s: disk %" PRIu32 " (%s) has %" PRIu64 " sectors here, and had %" PRIu64
			 " where the guest used it: it is not the same disk",
			 virtio->machine, virtio->device.instance, block->disk->where, here, sectors);
		return -EPROTO;
	}
	block->facts.sectors = sectors;
	/* Its server may have been away when it was to be flushed. */
	block->dirty = !block->disk->readonly;
	return 0;
}

static void block_free(struct block *block)
{
	pthread_cond_destroy(&block->changed);
	free(block->request);
	free(block->chain);
	if (block->wake >= 0)
		close(block->wake);
}

static void block_destroy(struct virtio *virtio)
{
	struct block *block = block_of(virtio);

	lock_take(&virtio->device.lock);
	block->order = BLOCK_END;
	lock_drop(&virtio->device.lock);
	block_wake(block);
	pthread_join(block->thread, NULL);
	block_free(block);
}

static const struct virtio_ops block_ops = {
	.name = "disk",
	.id = 2,
	.section = SECTION_ID('V', 'B', 'L', 'K'),
	.version = 1,
	.queues = 1,
	.features = block_features,
	.config_read = block_config_read,
	.activate = block_activate,
	.notify = block_notify,
	.reset = block_reset,
	.start = block_start,
	.halt = block_halt,
	.quiesce = block_quiesce,
	.demand = block_demand,
	.examine = block_examine,
	.save = block_save,
	.load = block_load,
	.destroy = block_destroy,
};

/* ---- Making it ---- */

static int block_allocate(struct block *block)
{
	block->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (block->wake < 0)
		return -errno;
	block->chain = calloc(1, sizeof(*block->chain));
	block->request = calloc(BLOCK_REQUESTS_MAX, sizeof(*block->request));
	return block->chain && block->request ? 0 : -ENOMEM;
}

int block_create(struct block *block, const struct block_options *options, struct error *error)
{
	int result;

	*block = (struct block){ .disk = options->disk, .done_end = &block->done };
	block->settle = BLOCK_SETTLED;
	block->facts.sectors = options->disk->size / DISK_SECTOR_SIZE;
	block->facts.readonly = options->disk->readonly;
	memcpy(block->facts.id, options->serial, strnlen(options->serial, sizeof(block->facts.id)));
	pthread_cond_init(&block->changed, NULL);
	virtio_init(&block->virtio, &block_ops, options->slot, options->number, options->memory, options->machine,
		    options->line);
	options->disk->done = block_worker_done;
	options->disk->context = block;
	result = block_allocate(block);
	if (!result)
		result = -thread_start(&block->thread, options->disk->thread, block_worker, block);
	if (!result) {
		virtio_set_bell(&block->virtio, 0, block->wake);
		return 0;
	}
	block_free(block);
	lock_destroy(&block->virtio.device.lock);
	return error_set(error, -result, "disk %" PRIu32 " gets no memory or thread (%s)", options->number,
			 strerror(-result));
}

static int block_refuse_late(const struct block *block, struct error *error)
{
	return error_set(error, ETIMEDOUT,
			 "disk %" PRIu32 " (%s) does not answer, and has not finished what the guest wrote: try again "
			 "once it does",
			 block->virtio.device.instance, block->disk->where);
}

int block_stands(struct block *block, struct error *error)
{
	bool stands;

	lock_take(&block->virtio.device.lock);
	stands = !block->overdue && !block->resets;
	lock_drop(&block->virtio.device.lock);
	return stands ? 0 : block_refuse_late(block, error);
}

int block_settled(struct block *block, struct error *error)
{
	int result;

	lock_take(&block->virtio.device.lock);
	result = block->overdue || block->resets ? -ETIMEDOUT : block->settled;
	lock_drop(&block->virtio.device.lock);
	if (!result)
		return 0;
	if (result == -ETIMEDOUT)
		return block_refuse_late(block, error);
	return error_set(error, -result, "disk %" PRIu32 " (%s) cannot flush what the guest wrote (%s)",
			 block->virtio.device.instance, block->disk->where, strerror(-result));
}

void block_flush_ahead(struct block *block)
{
	lock_take(&block->virtio.device.lock);
	if (block->order == BLOCK_RUN && block->ahead == BLOCK_AHEAD_NONE)
		block->ahead = BLOCK_AHEAD_ASKED;
	lock_drop(&block->virtio.device.lock);
	block_wake(block);
}

bool block_has_flushed_ahead(struct block *block)
{
	bool has;

	lock_take(&block->virtio.device.lock);
	has = block->ahead == BLOCK_AHEAD_NONE;
	lock_drop(&block->virtio.device.lock);
	return has;
}

struct block_sight block_see(struct block *block)
{
	struct block_sight sight;

	lock_take(&block->virtio.device.lock);
	sight = (struct block_sight){
		.size = block->facts.sectors * DISK_SECTOR_SIZE,
		.away = block->away,
		.resizing = block->resizing,
	};
	lock_drop(&block->virtio.device.lock);
	return sight;
}

int block_resize(struct block *block, struct error *error)
{
	struct lock *lock = &block->virtio.device.lock;
	uint64_t end = host_monotonic().v + RESIZE_PATIENCE_NS;
	bool late;
	int result;

	lock_take(lock);
	if (block->order != BLOCK_RUN || block->resizing) {
		lock_drop(lock);
		return error_set(error, EBUSY,
				 "the machine is being moved or saved, or the disk resized: try again later");
	}
	block->resizing = true;
	block_wake(block);
	while (block->resizing && block_await(block, end))
		;
	late = block->resizing;
	result = block->resized;
	if (result)
		*error = block->resize_error;
	lock_drop(lock);
	if (!late)
		return result;
	return error_set(error, ETIMEDOUT,
			 "disk %" PRIu32 " (%s) does not answer: its guest is told of a new size once it does",
			 block->virtio.device.instance, block->disk->where);
}
