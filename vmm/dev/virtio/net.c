/* SPDX-License-Identifier: BSD-2-Clause */
/* The network device: see the header. */
#include "dev/virtio/net.h"

#include "base/section.h"
#include "base/thread.h"
#include "dev/virtio/net_worker.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FEATURE(name) (1ull << VIRTIO_NET_F_##name)

static struct net *net_of(struct virtio *virtio)
{
	return (struct net *)virtio;
}

static void net_wake(const struct net *net)
{
	eventfd_write(net->wake, 1);
}

/* ---- What the driver is told ---- */

static uint64_t net_features(struct virtio *virtio)
{
	const struct net *net = net_of(virtio);
	uint64_t features = FEATURE(MAC) | FEATURE(STATUS) | FEATURE(MRG_RXBUF) | FEATURE(CTRL_VQ) |
			    FEATURE(GUEST_ANNOUNCE) | net->uplink->features;

	return net->mtu ? features | FEATURE(MTU) : features;
}

static void net_config_read(struct virtio *virtio, uint32_t offset, void *data, uint32_t length)
{
	const struct net *net = net_of(virtio);
	struct virtio_net_config config = {
		.status = htole16((uint16_t)((net->link_up ? VIRTIO_NET_S_LINK_UP : 0) |
					     (net->announcing ? VIRTIO_NET_S_ANNOUNCE : 0))),
		.max_virtqueue_pairs = htole16(1),
		.mtu = htole16((uint16_t)net->mtu),
	};

	memcpy(config.mac, net->mac, sizeof(config.mac));
	if (offset < sizeof(config))
		memcpy(data, (const uint8_t *)&config + offset,
		       length < sizeof(config) - offset ? length : sizeof(config) - offset);
}

/* ---- The control queue ---- */

/* Class and command, in whatever pieces; false if there are fewer bytes. */
static bool control_read(const struct virtqueue_chain *chain, struct virtio_net_ctrl_hdr *command)
{
	uint8_t bytes[2] = { 0 };
	uint32_t count = 0;

	for (uint32_t n = 0; n < chain->readable && count < sizeof(bytes); n++)
		for (size_t at = 0; at < chain->buffer[n].iov_len && count < sizeof(bytes); at++)
			bytes[count++] = ((const uint8_t *)chain->buffer[n].iov_base)[at];
	*command = (struct virtio_net_ctrl_hdr){ bytes[0], bytes[1] };
	return count == sizeof(bytes);
}

/* The one command that there is says that the driver has announced the guest. */
static uint32_t net_control(struct virtio *virtio, const struct virtqueue_chain *chain)
{
	struct virtio_net_ctrl_hdr command;
	uint8_t *answer;

	if (!chain->writable) {
		virtio_fail(virtio, "a command has no room for its answer");
		return 0;
	}
	answer = chain->buffer[chain->readable].iov_base;
	*answer = VIRTIO_NET_ERR;
	if (control_read(chain, &command) && command.class == VIRTIO_NET_CTRL_ANNOUNCE &&
	    command.cmd == VIRTIO_NET_CTRL_ANNOUNCE_ACK && virtio->features & FEATURE(GUEST_ANNOUNCE)) {
		net_of(virtio)->announcing = false;
		*answer = VIRTIO_NET_OK;
	}
	return 1;
}

/* ---- The device ---- */

static void net_activate(struct virtio *virtio)
{
	net_wake(net_of(virtio));
}

static void net_notify(struct virtio *virtio, uint32_t queue)
{
	if (queue == NET_QUEUE_CONTROL)
		virtio_serve(virtio, &virtio->queue[queue], net_control);
	else
		eventfd_write(net_of(virtio)->kernel.kick[queue], 1);
}

/* The vCPU waits for the thread here, and may: that needs no lock but this one, which is dropped meanwhile, and its
 * calls do not wait. */
static void net_reset(struct virtio *virtio)
{
	struct net *net = net_of(virtio);

	net->resets++;
	net_wake(net);
	while (net->busy)
		lock_wait(&virtio->device.lock, &net->changed);
	net->resets--;
	net->announcing = net->arrived = false;
	net->stale = true;
}

/* Whatever has become of the link, or must be announced, after a move the driver looks. */
static void net_tell_arrival(struct net *net)
{
	if (net->arrived && virtio_is_live(&net->virtio)) {
		net->announcing = net->virtio.features & FEATURE(GUEST_ANNOUNCE);
		virtio_config_changed(&net->virtio);
	}
	net->arrived = false;
}

static void net_start(struct virtio *virtio)
{
	struct net *net = net_of(virtio);

	lock_take(&virtio->device.lock);
	net->order = NET_RUN;
	net->standing = false;
	net->begins = true;
	net_tell_arrival(net);
	lock_drop(&virtio->device.lock);
	net_wake(net);
}

static void net_quiesce(struct virtio *virtio)
{
	struct net *net = net_of(virtio);

	lock_take(&virtio->device.lock);
	net->order = NET_STAND;
	net_wake(net);
	while (!net->standing)
		lock_wait(&virtio->device.lock, &net->changed);
	lock_drop(&virtio->device.lock);
}

/* Only a queue that is broken keeps what was in flight. */
static bool queues_stood(const struct virtio *virtio)
{
	bool stood = true;

	for (uint32_t n = 0; n < NET_QUEUES; n++)
		stood &= virtio->queue[n].broken || !virtqueue_in_flight(&virtio->queue[n]);
	return stood;
}

/* Nothing of its own moves; but what has come here until now the guest has had elsewhere. The thread stands. */
static int net_load(struct virtio *virtio, struct cursor *state, uint32_t version)
{
	struct net *net = net_of(virtio);

	(void)version;
	if (!cursor_finish(state) || !queues_stood(virtio))
		return -EPROTO;
	net->arrived = true;
	net->stale = false;
	net_worker_drain(net);
	return 0;
}

static void net_free(struct net *net)
{
	pthread_cond_destroy(&net->changed);
	free(net->traffic);
	net_kernel_close(net);
	if (net->wake >= 0)
		close(net->wake);
}

static void net_destroy(struct virtio *virtio)
{
	struct net *net = net_of(virtio);

	lock_take(&virtio->device.lock);
	net->order = NET_END;
	lock_drop(&virtio->device.lock);
	net_wake(net);
	pthread_join(net->thread, NULL);
	net_free(net);
}

static const struct virtio_ops net_ops = {
	.name = "network device",
	.id = 1,
	.section = SECTION_ID('V', 'N', 'E', 'T'),
	.version = 1,
	.queues = NET_QUEUES,
	.features = net_features,
	.config_read = net_config_read,
	.activate = net_activate,
	.notify = net_notify,
	.reset = net_reset,
	.start = net_start,
	.quiesce = net_quiesce,
	.load = net_load,
	.destroy = net_destroy,
};

/* ---- Making it ---- */

static int net_allocate(struct net *net)
{
	net->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (net->wake < 0)
		return -errno;
	net->traffic = calloc(1, sizeof(*net->traffic));
	return net->traffic ? net_kernel_open(net) : -ENOMEM;
}

int net_create(struct net *net, const struct net_options *options, struct error *error)
{
	int result;

	*net = (struct net){ .uplink = options->uplink, .mtu = options->mtu, .link_up = true, .stale = true };
	memcpy(net->mac, options->mac, sizeof(net->mac));
	announcement_end(&net->announcement);
	pthread_cond_init(&net->changed, NULL);
	virtio_init(&net->virtio, &net_ops, options->slot, options->number, options->memory, options->machine,
		    options->line);
	result = net_allocate(net);
	if (!result)
		result = -thread_start(&net->thread, THREAD_NET, net_worker, net);
	if (!result) {
		virtio_set_bell(&net->virtio, NET_QUEUE_RECEIVE, net->kernel.kick[NET_QUEUE_RECEIVE]);
		virtio_set_bell(&net->virtio, NET_QUEUE_SEND, net->kernel.kick[NET_QUEUE_SEND]);
		return 0;
	}
	net_free(net);
	lock_destroy(&net->virtio.device.lock);
	return error_set(error, -result, "network device %" PRIu32 " gets no memory or thread (%s)", options->number,
			 strerror(-result));
}

int net_set_log(struct net *net, bool on, struct error *error)
{
	int result;

	lock_take(&net->virtio.device.lock);
	result = net_kernel_log(net, on, error);
	lock_drop(&net->virtio.device.lock);
	return result;
}
