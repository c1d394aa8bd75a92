/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtio device over MMIO: see the header. */
#include "dev/virtio/virtio.h"

#include "base/layout.h"
#include "base/log.h"
#include "dev/virtio/interrupt.h"
#include "dev/virtio/window.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>

/* Section 4.2.2. */
#define REG_MAGIC 0x000u
#define REG_VERSION 0x004u
#define REG_DEVICE_ID 0x008u
#define REG_VENDOR_ID 0x00cu
#define REG_DEVICE_FEATURES 0x010u
#define REG_DEVICE_FEATURES_SELECT 0x014u
#define REG_DRIVER_FEATURES 0x020u
#define REG_DRIVER_FEATURES_SELECT 0x024u
#define REG_QUEUE_SELECT 0x030u
#define REG_QUEUE_SIZE_MAX 0x034u
#define REG_QUEUE_SIZE 0x038u
#define REG_QUEUE_READY 0x044u
#define REG_QUEUE_NOTIFY 0x050u
#define REG_INTERRUPT_STATUS 0x060u
#define REG_INTERRUPT_ACK 0x064u
#define REG_STATUS 0x070u
#define REG_QUEUE_DESCRIPTORS 0x080u /* addresses are two words, the lower first */
#define REG_QUEUE_DRIVER 0x090u
#define REG_QUEUE_DEVICE 0x0a0u
#define REG_SHARED_MEMORY_FIRST 0x0b0u /* length and base of a region, all ones for one that does not exist */
#define REG_SHARED_MEMORY_LAST 0x0bcu
#define REG_GENERATION 0x0fcu
#define REG_CONFIG VIRTIO_REGISTERS_SIZE

#define MAGIC 0x74726976u /* "virt" */
#define VERSION 2u
#define VENDOR 0x43414553u /* "SEAC" */

/* Section 2.1. */
#define STATUS_ACKNOWLEDGE 0x01u
#define STATUS_DRIVER 0x02u
#define STATUS_DRIVER_OK 0x04u
#define STATUS_FEATURES_OK 0x08u
#define STATUS_NEEDS_RESET 0x40u
#define STATUS_FAILED 0x80u
#define STATUS_OF_DRIVER (STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK | STATUS_FEATURES_OK | STATUS_FAILED)

/* Section 6. */
#define FEATURE_INDIRECT (1ull << 28)
#define FEATURE_EVENT_INDEX (1ull << 29)
#define FEATURE_VERSION_1 (1ull << 32)
#define FEATURES_OF_KIND (((1ull << 24) - 1) | ~((1ull << 50) - 1))

static struct virtio *virtio_of(struct device *device)
{
	return (struct virtio *)device;
}

/* ---- What the driver is told ---- */

/* Stores of this value to a register. */
static void register_set_bell(const struct virtio *virtio, uint64_t offset, uint32_t value, int event)
{
	const struct device_line *line = &virtio->device.line;

	if (line->set_bell)
		line->set_bell(line->context, virtio->device.base + offset, value, event);
}

void virtio_set_bell(const struct virtio *virtio, uint32_t queue, int event)
{
	register_set_bell(virtio, REG_QUEUE_NOTIFY, queue, event);
}

bool virtio_has_driver(const struct virtio *virtio)
{
	return virtio->status & STATUS_DRIVER_OK;
}

bool virtio_is_live(const struct virtio *virtio)
{
	return virtio_has_driver(virtio) && !(virtio->status & STATUS_NEEDS_RESET);
}

/* Section 2.3: not before the driver is ready for it. */
static void virtio_tell_config(struct virtio *virtio)
{
	if (virtio_has_driver(virtio))
		interrupt_raise(virtio, VIRTIO_INTERRUPT_CONFIG);
}

void virtio_config_changed(struct virtio *virtio)
{
	virtio->generation++;
	window_show_change(virtio);
	virtio_tell_config(virtio);
}

void virtio_fail(struct virtio *virtio, const char *what)
{
	if (virtio->status & STATUS_NEEDS_RESET)
		return;
	virtio->status |= STATUS_NEEDS_RESET;
	window_show(virtio);
	virtio_tell_config(virtio);
	log_guest(&virtio->failures_logged,
		  "%s: the guest's driver of the %s %" PRIu32 " broke the rules (%s), and must reset the device",
		  virtio->machine, virtio->ops->name, virtio->device.instance, what);
}

/* ---- For the front end ---- */

bool virtio_take(struct virtio *virtio, struct virtqueue *queue, struct virtqueue_chain *chain)
{
	int result;

	if (!virtio_is_live(virtio))
		return false;
	result = virtqueue_take(queue, virtio->memory, chain);
	if (!result) {
		virtqueue_ask_notification(queue, virtio->memory, true);
		result = virtqueue_take(queue, virtio->memory, chain);
	}
	if (result < 0)
		virtio_fail(virtio, queue->broken);
	return result > 0;
}

void virtio_give(struct virtio *virtio, struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written)
{
	virtqueue_mark_written(virtio->memory, chain, written);
	virtqueue_give(queue, virtio->memory, chain->head, written);
}

void virtio_used(struct virtio *virtio, struct virtqueue *queue)
{
	if (queue->broken)
		virtio_fail(virtio, queue->broken);
	else if (virtqueue_wants_interrupt(queue, virtio->memory))
		interrupt_raise(virtio, VIRTIO_INTERRUPT_USED);
}

/*
 * A guest may add chains as fast as they are served. It keeps its own vCPU here as long as its others run, which is its
 * own affair, but nobody else from the device.
 */
void virtio_serve(struct virtio *virtio, struct virtqueue *queue,
		  uint32_t (*serve)(struct virtio *virtio, const struct virtqueue_chain *chain))
{
	struct virtqueue_chain chain;

	for (uint32_t n = 1; virtio_take(virtio, queue, &chain); n++) {
		virtio_give(virtio, queue, &chain, serve(virtio, &chain));
		if (n % VIRTQUEUE_SIZE_MAX)
			continue;
		lock_drop(&virtio->device.lock);
		sched_yield();
		lock_take(&virtio->device.lock);
	}
	virtio_used(virtio, queue);
}

/* ---- Features and status ---- */

uint64_t virtio_offered(struct virtio *virtio)
{
	uint64_t of_kind = virtio->ops->features ? virtio->ops->features(virtio) : 0;

	assert(!(of_kind & ~FEATURES_OF_KIND));
	return of_kind | FEATURE_VERSION_1 | FEATURE_EVENT_INDEX | FEATURE_INDIRECT;
}

static bool features_are_valid(struct virtio *virtio)
{
	return virtio->features & FEATURE_VERSION_1 && !(virtio->features & ~virtio_offered(virtio));
}

static void virtio_take_features(struct virtio *virtio, uint32_t value)
{
	uint32_t shift = 32 * virtio->driver_features_selected;

	/* They are negotiated, or there are none so high, which FEATURES_OK is the place to learn. */
	if (virtio->status & STATUS_FEATURES_OK || virtio->driver_features_selected > 1)
		return;
	virtio->features = (virtio->features & ~(0xffffffffull << shift)) | (uint64_t)value << shift;
}

static void virtio_clear(struct virtio *virtio)
{
	for (uint32_t n = 0; n < virtio->ops->queues; n++)
		virtqueue_reset(&virtio->queue[n]);
	virtio->features = 0;
	virtio->status = 0;
	virtio->queue_selected = virtio->features_selected = virtio->driver_features_selected = 0;
	interrupt_clear(virtio);
}

/* The front end first: it may still use the queues. */
static void virtio_reset(struct virtio *virtio)
{
	if (virtio->ops->reset)
		virtio->ops->reset(virtio);
	virtio_clear(virtio);
}

/* Section 3.1.1: features, then queues, then all of it is live. The driver reads back whether FEATURES_OK is set. */
static void virtio_set_status(struct virtio *virtio, uint32_t value)
{
	uint32_t before = virtio->status & STATUS_OF_DRIVER, added = value & STATUS_OF_DRIVER & ~before;

	if (!value) {
		virtio_reset(virtio);
		return;
	}
	if (before & ~value) {
		virtio_fail(virtio, "it took back a part of the status");
		return;
	}
	if (added & STATUS_FEATURES_OK && !features_are_valid(virtio))
		added &= ~STATUS_FEATURES_OK;
	if (added & STATUS_DRIVER_OK && !((before | added) & STATUS_FEATURES_OK)) {
		added &= ~STATUS_DRIVER_OK;
		virtio_fail(virtio, "it began without features that both sides have");
	}
	virtio->status |= added;
	if (added & STATUS_DRIVER_OK && virtio_is_live(virtio) && virtio->ops->activate)
		virtio->ops->activate(virtio);
}

/* ---- Queues ---- */

/* The one that is selected; NULL if it does not exist. */
static struct virtqueue *queue_selected(struct virtio *virtio)
{
	return virtio->queue_selected < virtio->ops->queues ? &virtio->queue[virtio->queue_selected] : NULL;
}

/* A part of an address of a queue that is not ready. */
static void queue_set_address(struct virtio *virtio, uint64_t offset, uint32_t value)
{
	struct virtqueue *queue = queue_selected(virtio);
	uint32_t shift = offset & 4 ? 32 : 0;
	uint64_t *address;

	if (!queue || queue->ready)
		return;
	address = offset < REG_QUEUE_DRIVER   ? &queue->descriptors
		  : offset < REG_QUEUE_DEVICE ? &queue->driver
					      : &queue->device;
	*address = (*address & ~(0xffffffffull << shift)) | (uint64_t)value << shift;
}

/* A size that cannot be is 0, with which no queue becomes ready. */
static void queue_set_size(struct virtio *virtio, uint32_t value)
{
	struct virtqueue *queue = queue_selected(virtio);

	if (queue && !queue->ready)
		queue->size = value <= VIRTQUEUE_SIZE_MAX ? (uint16_t)value : 0;
}

static void queue_start(struct virtio *virtio, struct virtqueue *queue)
{
	if (queue->ready)
		return;
	if (!(virtio->status & STATUS_FEATURES_OK)) {
		virtio_fail(virtio, "it set up a queue before the features");
		return;
	}
	queue->event_index = virtio->features & FEATURE_EVENT_INDEX;
	queue->indirect = virtio->features & FEATURE_INDIRECT;
	if (virtqueue_start(queue, virtio->memory))
		virtio_fail(virtio, "a queue has a size or a place that it cannot have");
}

static void queue_set_ready(struct virtio *virtio, uint32_t value)
{
	struct virtqueue *queue = queue_selected(virtio);

	if (!queue) {
		virtio_fail(virtio, "it set up a queue that does not exist");
	} else if (value & 1) {
		queue_start(virtio, queue);
	} else if (queue->lent || virtqueue_in_flight(queue)) {
		/* What is under way would write to memory that the driver takes back. */
		virtio_fail(virtio, "it stopped a queue with requests under way");
	} else {
		virtqueue_reset(queue);
	}
}

static void queue_notify(struct virtio *virtio, uint32_t n)
{
	if (n >= virtio->ops->queues || !virtio->queue[n].ready) {
		virtio_fail(virtio, "it notified a queue that is not there");
		return;
	}
	if (virtio_is_live(virtio))
		virtio->ops->notify(virtio, n);
}

/* ---- The device ---- */

static uint32_t virtio_read_register(struct virtio *virtio, uint64_t offset)
{
	const struct virtqueue *queue = queue_selected(virtio);

	switch (offset) {
	case REG_MAGIC:
		return MAGIC;
	case REG_VERSION:
		return VERSION;
	case REG_DEVICE_ID:
		return virtio->ops->id;
	case REG_VENDOR_ID:
		return VENDOR;
	case REG_DEVICE_FEATURES:
		return virtio->features_selected < 2
			       ? (uint32_t)(virtio_offered(virtio) >> (32 * virtio->features_selected))
			       : 0;
	case REG_QUEUE_SIZE_MAX:
		return queue ? VIRTQUEUE_SIZE_MAX : 0;
	case REG_QUEUE_READY:
		return queue && queue->ready;
	case REG_INTERRUPT_STATUS:
		return interrupt_status(virtio);
	case REG_STATUS:
		return virtio->status;
	case REG_GENERATION:
		return virtio->generation;
	default:
		return offset >= REG_SHARED_MEMORY_FIRST && offset <= REG_SHARED_MEMORY_LAST ? UINT32_MAX : 0;
	}
}

static uint64_t virtio_read(struct device *device, uint64_t offset, unsigned int length)
{
	struct virtio *virtio = virtio_of(device);
	uint64_t value = 0;

	if (offset >= REG_CONFIG) {
		if (virtio->ops->config_read)
			virtio->ops->config_read(virtio, (uint32_t)(offset - REG_CONFIG), &value, length);
		return le64toh(value);
	}
	return length == 4 ? virtio_read_register(virtio, offset) : 0;
}

static void virtio_write_register(struct virtio *virtio, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case REG_DEVICE_FEATURES_SELECT:
		virtio->features_selected = value;
		break;
	case REG_DRIVER_FEATURES:
		virtio_take_features(virtio, value);
		break;
	case REG_DRIVER_FEATURES_SELECT:
		virtio->driver_features_selected = value;
		break;
	case REG_QUEUE_SELECT:
		virtio->queue_selected = value;
		break;
	case REG_QUEUE_SIZE:
		queue_set_size(virtio, value);
		break;
	case REG_QUEUE_READY:
		queue_set_ready(virtio, value);
		break;
	case REG_QUEUE_NOTIFY:
		queue_notify(virtio, value);
		break;
	case REG_INTERRUPT_ACK:
		interrupt_acknowledge(virtio, value);
		break;
	case REG_STATUS:
		virtio_set_status(virtio, value);
		break;
	case REG_QUEUE_DESCRIPTORS:
	case REG_QUEUE_DESCRIPTORS + 4:
	case REG_QUEUE_DRIVER:
	case REG_QUEUE_DRIVER + 4:
	case REG_QUEUE_DEVICE:
	case REG_QUEUE_DEVICE + 4:
		queue_set_address(virtio, offset, value);
		break;
	default:
		break;
	}
}

static void virtio_write(struct device *device, uint64_t offset, unsigned int length, uint64_t value)
{
	struct virtio *virtio = virtio_of(device);
	uint64_t bytes = htole64(value);

	if (offset < REG_CONFIG && length == 4)
		virtio_write_register(virtio, offset, (uint32_t)value);
	else if (offset >= REG_CONFIG && virtio->ops->config_write)
		virtio->ops->config_write(virtio, (uint32_t)(offset - REG_CONFIG), &bytes, length);
	window_show(virtio);
}

static void virtio_start(struct device *device)
{
	struct virtio *virtio = virtio_of(device);

	lock_take(&device->lock);
	interrupt_start(virtio);
	lock_drop(&device->lock);
	if (virtio->ops->start)
		virtio->ops->start(virtio);
}

static void virtio_halt(struct device *device)
{
	struct virtio *virtio = virtio_of(device);

	if (virtio->ops->halt)
		virtio->ops->halt(virtio);
}

static void virtio_quiesce(struct device *device)
{
	struct virtio *virtio = virtio_of(device);

	if (virtio->ops->quiesce)
		virtio->ops->quiesce(virtio);
}

static void virtio_device_reset(struct device *device)
{
	struct virtio *virtio = virtio_of(device);

	virtio_reset(virtio);
	virtio->generation = 0;
	window_show(virtio);
}

static void virtio_destroy(struct device *device)
{
	struct virtio *virtio = virtio_of(device);

	if (virtio->ops->destroy)
		virtio->ops->destroy(virtio);
	lock_destroy(&device->lock);
}

/* ---- State ---- */

static void virtio_demand(struct device *device, struct buffer *demand)
{
	struct virtio *virtio = virtio_of(device);

	if (virtio->ops->demand)
		virtio->ops->demand(virtio, demand);
}

static int virtio_examine(struct device *device, struct cursor *demand, struct error *error)
{
	struct virtio *virtio = virtio_of(device);

	return virtio->ops->examine ? virtio->ops->examine(virtio, demand, error) : 0;
}

uint64_t virtio_negotiated(const struct virtio *virtio)
{
	return virtio->status & STATUS_FEATURES_OK ? virtio->features : 0;
}

static void virtio_save(struct device *device, struct buffer *state)
{
	struct virtio *virtio = virtio_of(device);

	buffer_put_u64(state, virtio->features);
	buffer_put_u32(state, virtio->status);
	buffer_put_u32(state, virtio->interrupt);
	buffer_put_u32(state, virtio->generation);
	buffer_put_u32(state, virtio->queue_selected);
	buffer_put_u32(state, virtio->features_selected);
	buffer_put_u32(state, virtio->driver_features_selected);
	for (uint32_t n = 0; n < virtio->ops->queues; n++)
		virtqueue_save(&virtio->queue[n], state);
	if (virtio->ops->save)
		virtio->ops->save(virtio, state);
}

/* What was negotiated can be had here, and the queues and the status follow from it. */
static bool state_is_valid(struct virtio *virtio)
{
	bool negotiated = virtio->status & STATUS_FEATURES_OK;

	if (virtio->status & ~(STATUS_OF_DRIVER | STATUS_NEEDS_RESET) || !interrupt_is_valid(virtio) ||
	    (negotiated && !features_are_valid(virtio)) || (virtio->status & STATUS_DRIVER_OK && !negotiated))
		return false;
	for (uint32_t n = 0; n < virtio->ops->queues; n++) {
		const struct virtqueue *queue = &virtio->queue[n];

		if (queue->ready && (!negotiated || queue->event_index != !!(virtio->features & FEATURE_EVENT_INDEX) ||
				     queue->indirect != !!(virtio->features & FEATURE_INDIRECT)))
			return false;
		if (!queue->ready && (virtqueue_in_flight(queue) || queue->broken))
			return false;
	}
	return true;
}

/* Of one without a state of its own there is nothing. */
static int front_end_load(struct virtio *virtio, struct cursor *state, uint32_t version)
{
	if (virtio->ops->load)
		return virtio->ops->load(virtio, state, version);
	return cursor_finish(state) ? 0 : -EPROTO;
}

static int virtio_load(struct device *device, struct cursor *state, uint32_t version)
{
	struct virtio *virtio = virtio_of(device);
	int result = 0;

	virtio->features = cursor_u64(state);
	virtio->status = cursor_u32(state);
	virtio->interrupt = cursor_u32(state);
	virtio->generation = cursor_u32(state);
	virtio->queue_selected = cursor_u32(state);
	virtio->features_selected = cursor_u32(state);
	virtio->driver_features_selected = cursor_u32(state);
	for (uint32_t n = 0; n < virtio->ops->queues && !result; n++)
		result = virtqueue_load(&virtio->queue[n], state);
	if (!result)
		result = state_is_valid(virtio) ? front_end_load(virtio, state, version) : -EPROTO;
	/* What cannot be is not left behind. */
	if (result)
		virtio_clear(virtio);
	window_show(virtio);
	return result;
}

/* To acknowledge used buffers alone has no effect. */
static void virtio_open_window(struct virtio *virtio)
{
	virtio->window = virtio->device.line.window;
	virtio->device_ops.edge = virtio->window;
	if (virtio->window)
		register_set_bell(virtio, REG_INTERRUPT_ACK, VIRTIO_INTERRUPT_USED, virtio->window->unheard);
}

void virtio_init(struct virtio *virtio, const struct virtio_ops *ops, uint32_t slot, uint32_t instance,
		 struct memory *memory, const char *machine, const struct device_line *line)
{
	assert(ops->queues && ops->queues <= VIRTIO_QUEUES_MAX && slot < LAYOUT_VIRTIO_SLOTS);
	*virtio = (struct virtio){
		.device = { .ops = &virtio->device_ops,
			    .instance = instance,
			    .uid = slot,
			    .base = LAYOUT_VIRTIO_BASE + slot * LAYOUT_VIRTIO_SIZE,
			    .size = LAYOUT_VIRTIO_SIZE,
			    .intid = LAYOUT_VIRTIO_INTID + slot,
			    .line = *line },
		.device_ops = { .name = ops->name,
				.acpi_id = "LNRO0005",
				.coherent = true,
				.section = ops->section,
				.version = ops->version,
				.read = virtio_read,
				.write = virtio_write,
				.start = virtio_start,
				.halt = virtio_halt,
				.quiesce = virtio_quiesce,
				.demand = virtio_demand,
				.examine = virtio_examine,
				.save = virtio_save,
				.load = virtio_load,
				.reset = virtio_device_reset,
				.destroy = virtio_destroy },
		.ops = ops,
		.memory = memory,
		.machine = machine,
	};
	lock_init(&virtio->device.lock, LOCK_DEVICE);
	virtio_open_window(virtio);
}
