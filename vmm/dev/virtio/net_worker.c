/* SPDX-License-Identifier: BSD-2-Clause */
/* The thread of a network device: see the header. */
#include "dev/virtio/net_worker.h"

#include "base/events.h"
#include "base/thread.h"
#include "base/log.h"
#include "base/thread.h"
#include "dev/virtio/net_frame.h"
#include "host/host.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/eventfd.h>

/* Frames; more than an interface queues. */
#define DRAIN_MAX 4096u

/* How long an uplink may have gone while the kernel serves, until the guest is told. */
#define UPLINK_LOOK_MS 1000

/* What the thread saw when it last had the lock. */
struct net_view {
	bool works; /* the driver is live, and the guest may run, and the kernel does not do the work */
	bool taken; /* something new */
	bool end;
};

static struct virtqueue *receive_queue(struct net *net)
{
	return &net->virtio.queue[NET_QUEUE_RECEIVE];
}

static struct virtqueue *send_queue(struct net *net)
{
	return &net->virtio.queue[NET_QUEUE_SEND];
}

/* ---- The uplink ---- */

/* True, and it has gone, if that is what a call says. */
static bool net_loses_uplink(struct net *net, int64_t result)
{
	net->gone |= result == -ENODEV;
	return net->gone;
}

void net_worker_drain(struct net *net)
{
	uint8_t header[UPLINK_HEADER_SIZE];
	const struct iovec buffer[] = { { header, sizeof(header) },
					{ net->traffic->arrival.overflow, sizeof(net->traffic->arrival.overflow) } };
	int64_t got = 1;

	for (uint32_t n = 0; n < DRAIN_MAX && got > 0 && !net->gone; n++) {
		got = net->uplink->ops->receive(net->uplink, buffer, 2);
		net_loses_uplink(net, got);
	}
}

/* ---- With the lock: between the queues and what the thread has ---- */

static void net_give_sent(struct net *net)
{
	struct net_sends *sends = &net->traffic->sends;
	struct virtqueue_used used[NET_BATCH];

	for (uint32_t n = 0; n < sends->done; n++)
		used[n] = (struct virtqueue_used){ sends->sending[n].head, 0 };
	virtqueue_give_all(send_queue(net), net->virtio.memory, used, sends->done);
	if (sends->done)
		virtio_used(&net->virtio, send_queue(net));
	memmove(sends->sending, sends->sending + sends->done, (sends->count - sends->done) * sizeof(sends->sending[0]));
	sends->count -= sends->done;
	sends->done = 0;
	sends->bytes = 0;
	if (!sends->count)
		sends->buffers = 0;
}

static void net_give_received(struct net *net)
{
	if (!net->traffic->received)
		return;
	virtqueue_give_all(receive_queue(net), net->virtio.memory, net->traffic->used, net->traffic->received);
	virtio_used(&net->virtio, receive_queue(net));
	net->traffic->received = 0;
}

/* What is left goes back into the queues. A frame that had no room yet is lost. */
static void net_put_back(struct net *net)
{
	while (net->traffic->room.places)
		virtqueue_put_back(receive_queue(net), net_room_remove_last(&net->traffic->room));
	while (net->traffic->sends.count)
		virtqueue_put_back(send_queue(net), net->traffic->sends.sending[--net->traffic->sends.count].head);
	net->traffic->sends.buffers = 0;
	net->traffic->arrival.size = 0;
}

/* The queues are about to be forgotten. */
static void net_forget(struct net *net)
{
	net_room_clear(&net->traffic->room);
	net->traffic->sends.count = net->traffic->sends.done = net->traffic->sends.buffers = 0;
	net->traffic->sends.bytes = 0;
	net->traffic->received = 0;
	net->traffic->arrival.size = 0;
}

/* The next chain into `net->traffic->chain`; false if there is none. */
static bool net_take(struct net *net, struct virtqueue *queue)
{
	int result = virtqueue_take(queue, net->virtio.memory, &net->traffic->chain);

	if (result < 0)
		virtio_fail(&net->virtio, queue->broken);
	return result > 0;
}

static bool sends_are_open(const struct net_sends *sends)
{
	return sends->count < NET_BATCH && sends->buffers + VIRTQUEUE_CHAIN_MAX <= NET_SEND_BUFFERS;
}

static bool net_take_sends(struct net *net)
{
	struct net_sends *sends = &net->traffic->sends;
	bool taken = false;

	while (sends_are_open(sends) && net_take(net, send_queue(net))) {
		const struct virtqueue_chain *chain = &net->traffic->chain;

		sends->sending[sends->count++] =
			(struct net_sending){ chain->head, chain->readable, sends->buffers, chain->readable_size };
		memcpy(sends->buffer + sends->buffers, chain->buffer, chain->readable * sizeof(chain->buffer[0]));
		sends->buffers += chain->readable;
		taken = true;
		if (chain->writable || chain->readable_size < UPLINK_HEADER_SIZE) {
			virtio_fail(&net->virtio, "a frame has a buffer to write to, or no header");
			break;
		}
	}
	return taken;
}

/*
 * What was sent goes back once there is no more to send, or enough was: each time that something goes back may be an
 * interrupt. But a driver may send only so many bytes before some have gone back.
 */
static bool net_exchange_sends(struct net *net)
{
	const struct net_sends *sends = &net->traffic->sends;
	bool taken;

	if (!sends_are_open(sends) || sends->bytes >= NET_HELD_BYTES)
		net_give_sent(net);
	taken = net_take_sends(net);
	if (!taken)
		net_give_sent(net);
	return taken;
}

/* At most a batch, for others wait for the lock. */
static bool net_take_room(struct net *net)
{
	uint32_t count = 0;

	while (count < NET_BATCH && net_room_is_open(&net->traffic->room) && net_take(net, receive_queue(net))) {
		count++;
		if (net_room_add(&net->traffic->room, &net->traffic->chain))
			continue;
		virtqueue_put_back(receive_queue(net), net->traffic->chain.head);
		virtio_fail(&net->virtio, "room for a frame has a buffer to read from, or less than a header");
		break;
	}
	return count;
}

/* Whether the driver has to tell of new room. */
static bool net_lacks_room(const struct net *net)
{
	return !net->traffic->room.places || net->traffic->arrival.size;
}

/* Before the thread sleeps the driver is asked for notifications; else it looks by itself. */
static bool net_take_all(struct net *net, bool sleeps)
{
	struct memory *memory = net->virtio.memory;
	bool taken;

	virtqueue_ask_notification(send_queue(net), memory, sleeps);
	virtqueue_ask_notification(receive_queue(net), memory, sleeps && net_lacks_room(net));
	taken = net_take_room(net);
	return net_exchange_sends(net) || taken;
}

static void net_tell_gone(struct net *net)
{
	if (!net->gone || !net->link_up)
		return;
	net->link_up = false;
	virtio_config_changed(&net->virtio);
	log_line("%s: network device %" PRIu32 " (%s) has lost its network: its link is down", net->virtio.machine,
		 net->virtio.device.instance, net->uplink->where);
}

/* The guest runs, and has a driver. */
static bool net_works(const struct net *net)
{
	return net->order == NET_RUN && !net->resets && virtio_is_live(&net->virtio);
}

static void net_begin(struct net *net)
{
	if (net->order != NET_RUN)
		announcement_end(&net->announcement);
	else if (net->begins && net->uplink->announces)
		announcement_begin(&net->announcement, host_monotonic());
	net->begins = false;
}

/* Once for each driver; no call waits. */
static void net_freshen(struct net *net)
{
	if (net->stale)
		net_worker_drain(net);
	net->stale = false;
}

/* Between the queues and what the thread has, unless the kernel can have the queues. */
static struct net_view net_serve(struct net *net, bool sleeps)
{
	bool kernel = net_works(net) && net_kernel_can(net);
	struct net_view view = { .taken = false };

	if (!kernel)
		net_kernel_end(net);
	view.works = !kernel && net_works(net);
	if (view.works) {
		net->features = net->virtio.features;
		net->traffic->room.merges = net->features & 1ull << VIRTIO_NET_F_MRG_RXBUF;
		view.taken = net_take_all(net, sleeps);
		net_freshen(net);
	} else {
		net_give_sent(net);
		net_put_back(net);
	}
	if (kernel)
		view.works = !net_kernel_begin(net);
	return view;
}

/* Gives and takes; tells those who wait what has changed. */
static struct net_view net_exchange(struct net *net, bool sleeps)
{
	struct net_view view;

	lock_take(&net->virtio.device.lock);
	if (net->resets)
		net_forget(net);
	net_give_received(net);
	net_tell_gone(net);
	net_begin(net);
	view = net_serve(net, sleeps);
	view.end = net->order == NET_END;
	net->busy = net->traffic->room.places || net->traffic->sends.count || net->kernel.serves;
	net->standing = net->order != NET_RUN;
	if (!net->busy)
		pthread_cond_broadcast(&net->changed);
	lock_drop(&net->virtio.device.lock);
	return view;
}

/* ---- Without it: between guest memory and the uplink ---- */

/* Takes the header out of a frame's buffers, and puts what is behind it into the list: how many. */
static uint32_t send_split(const struct net_sends *sends, const struct net_sending *sending, void *header,
			   struct iovec *list)
{
	size_t skip = UPLINK_HEADER_SIZE;
	uint8_t *to = header;
	uint32_t count = 0;

	for (uint32_t n = 0; n < sending->buffers; n++) {
		const struct iovec *buffer = &sends->buffer[sending->first + n];
		size_t part = skip < buffer->iov_len ? skip : buffer->iov_len;

		memcpy(to, buffer->iov_base, part);
		to += part;
		skip -= part;
		if (part < buffer->iov_len)
			list[count++] = (struct iovec){ (uint8_t *)buffer->iov_base + part, buffer->iov_len - part };
	}
	return count;
}

/* False if it has to wait. */
static bool net_send_one(struct net *net, const struct net_sending *sending)
{
	struct virtio_net_hdr_v1 header;
	struct iovec list[VIRTQUEUE_CHAIN_MAX + 1];
	uint32_t count;
	int result;

	if (net->gone || sending->size < UPLINK_HEADER_SIZE)
		return true;
	count = send_split(&net->traffic->sends, sending, &header, list + 1);
	if (!net_frame_may_go(&header, sending->size - UPLINK_HEADER_SIZE, net->features))
		return true;
	list[0] = (struct iovec){ &header, UPLINK_HEADER_SIZE };
	result = net->uplink->ops->send(net->uplink, list, count + 1, (uint32_t)sending->size);
	return net_loses_uplink(net, result) || result != -EAGAIN;
}

/* Whether anything was sent or dropped. */
static bool net_send(struct net *net)
{
	struct net_sends *sends = &net->traffic->sends;

	while (sends->done < sends->count && net_send_one(net, &sends->sending[sends->done]))
		sends->bytes += sends->sending[sends->done++].size;
	return sends->done;
}

/*
 * The next frame from the uplink into the room and, as far as that is too small, behind it. False if there is none;
 * else there may be more, of which the descriptor need not tell.
 */
static bool net_fetch(struct net *net)
{
	struct net_arrival *arrival = &net->traffic->arrival;
	struct iovec list[UPLINK_BUFFERS_MAX];
	uint64_t listed = UPLINK_HEADER_SIZE;
	uint32_t count = 1 + net_room_list(&net->traffic->room, list + 1, &listed);
	int64_t got;

	list[0] = (struct iovec){ &arrival->header, UPLINK_HEADER_SIZE };
	list[count++] = (struct iovec){ arrival->overflow, sizeof(arrival->overflow) };
	got = net->uplink->ops->receive(net->uplink, list, count);
	if (net_loses_uplink(net, got) || got < (int64_t)UPLINK_HEADER_SIZE)
		return false;
	arrival->size = (uint64_t)got;
	arrival->placed = arrival->size < listed ? arrival->size : listed;
	net_room_mark(&net->traffic->room, net->virtio.memory, arrival->placed);
	return true;
}

/* Whether the driver may ever have room for it. */
static bool arrival_is_wanted(struct net *net)
{
	struct net_arrival *arrival = &net->traffic->arrival;

	return net_frame_may_come(&arrival->header, arrival->size - UPLINK_HEADER_SIZE, net->features) &&
	       (arrival->size <= net_room_next(&net->traffic->room) ||
		(net->traffic->room.merges && net_room_is_open(&net->traffic->room)));
}

/* Puts the frame where the driver finds it. */
static void net_deliver(struct net *net)
{
	struct net_arrival *arrival = &net->traffic->arrival;
	struct net_room *room = &net->traffic->room;

	net_room_write(room, arrival->placed, arrival->overflow, arrival->size - arrival->placed);
	arrival->header.num_buffers = htole16((uint16_t)net_room_count(room, arrival->size));
	net_room_write(room, 0, &arrival->header, UPLINK_HEADER_SIZE);
	net_room_mark(room, net->virtio.memory, arrival->size);
	net->traffic->received += net_room_use(room, arrival->size, net->traffic->used + net->traffic->received);
	arrival->size = 0;
}

/* One frame: false if there is none, or it has to wait for room. */
static bool net_receive_one(struct net *net)
{
	if (!net->traffic->room.places || net->gone)
		return false;
	if (!net->traffic->arrival.size) {
		net->readable = net_fetch(net);
		if (!net->readable)
			return false;
	}
	if (!arrival_is_wanted(net)) {
		net->traffic->arrival.size = 0;
		return true;
	}
	if (net->traffic->arrival.size > net_room_next(&net->traffic->room))
		return false;
	net_deliver(net);
	return true;
}

static bool net_receive(struct net *net)
{
	uint32_t count = 0;

	while (count < NET_BATCH && net_receive_one(net))
		count++;
	return count;
}

static void net_negotiate(struct net *net)
{
	uint64_t features = net->features & net->uplink->features;

	if (features != net->negotiated && net->uplink->ops->negotiate)
		net->uplink->ops->negotiate(net->uplink, features);
	net->negotiated = features;
}

static void net_announce(struct net *net)
{
	struct virtio_net_hdr_v1 header = { .flags = 0 };
	uint8_t frame[ANNOUNCEMENT_FRAME_SIZE];
	struct iovec buffer[] = { { &header, UPLINK_HEADER_SIZE }, { frame, sizeof(frame) } };

	if (!announcement_step(&net->announcement, host_monotonic()) || net->gone)
		return;
	announcement_frame(net->mac, frame);
	net_loses_uplink(net, net->uplink->ops->send(net->uplink, buffer, 2, UPLINK_HEADER_SIZE + sizeof(frame)));
}

/* Whether there may be more to do. */
static bool net_work(struct net *net)
{
	bool gone = net->gone, moved;

	net_negotiate(net);
	if (net->uplink->blocked && net->uplink->ops->flush)
		net->uplink->ops->flush(net->uplink);
	moved = net_send(net);
	if (net->readable || moved || net->traffic->arrival.size)
		moved |= net_receive(net);
	return moved || net->gone != gone;
}

/*
 * A poll that asks for nothing but errors sleeps on when the uplink's interface is deleted, and one that asks for
 * frames would wake for each of those that the kernel moves. So while the kernel serves, the thread looks now and then.
 */
static int net_timeout_ms(const struct net *net)
{
	int due = announcement_timeout_ms(&net->announcement, host_monotonic());

	return net->kernel.serves && (due < 0 || due > UPLINK_LOOK_MS) ? UPLINK_LOOK_MS : due;
}

/* For news from the driver or the uplink, or the next announcement. What nobody acts on is not waited for. */
static void net_wait(struct net *net, bool works)
{
	bool reads = works && !net_lacks_room(net), writes = works && net->uplink->blocked;
	bool looks = reads || writes || net->kernel.serves;
	struct pollfd wait[2 + NET_KERNEL_WAITS] = {
		{ .fd = net->wake, .events = POLLIN },
		{ .fd = looks && !net->gone ? net->uplink->fd : -1,
		  .events = (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)) },
	};
	eventfd_t ignored;

	net_kernel_wait(net, wait + 2);
	if (events_await(wait, 2 + NET_KERNEL_WAITS, net_timeout_ms(net)) <= 0)
		return;
	if (wait[0].revents)
		eventfd_read(net->wake, &ignored);
	net->readable |= wait[1].revents & ~POLLOUT;
	if (wait[1].revents & POLLOUT && !net->uplink->ops->flush)
		net->uplink->blocked = false;
	net_kernel_hear(net, wait + 2, wait[1].revents);
}

void *net_worker(void *context)
{
	struct net *net = context;
	bool sleeps = false;

	thread_number(net->virtio.device.instance);
	for (;;) {
		struct net_view view = net_exchange(net, sleeps);
		bool moved = view.works && net_work(net);

		if (view.end)
			return NULL;
		net_announce(net);
		if (moved || view.taken || (view.works && !sleeps)) {
			sleeps = view.works && !moved && !view.taken;
			continue;
		}
		net_wait(net, view.works);
		sleeps = false;
	}
}
