/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel in a network device's place: see the header. */
#include "dev/virtio/net_kernel.h"

#include "base/log.h"
#include "dev/virtio/interrupt.h"
#include "dev/virtio/net.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

_Static_assert(NET_QUEUE_RECEIVE == 0 && NET_QUEUE_SEND == 1, "the kernel numbers its rings so");

/* ---- Making it ---- */

static int event_open(int *event)
{
	*event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return *event < 0 ? -errno : 0;
}

int net_kernel_open(struct net *net)
{
	struct net_kernel *kernel = &net->kernel;
	int result = 0;

	*kernel = (struct net_kernel){
		.vhost = net->uplink->vhost, .kick = { net->wake, net->wake }, .call = -1, .broken = -1
	};
	if (net->uplink->vhost_error)
		log_line("%s: network device %" PRIu32 " (%s) is served by the monitor: this host has no vhost-net for "
			 "it (%s)",
			 net->virtio.machine, net->virtio.device.instance, net->uplink->where,
			 strerror(-net->uplink->vhost_error));
	if (!kernel->vhost)
		return 0;
	for (uint32_t n = 0; n < VHOST_RINGS; n++)
		kernel->kick[n] = -1;
	for (uint32_t n = 0; n < VHOST_RINGS && !result; n++)
		result = event_open(&kernel->kick[n]);
	if (!result)
		result = event_open(&kernel->call);
	return result ? result : event_open(&kernel->broken);
}

static void event_close(int event)
{
	if (event >= 0)
		close(event);
}

void net_kernel_close(struct net *net)
{
	struct net_kernel *kernel = &net->kernel;

	if (!kernel->vhost)
		return;
	for (uint32_t n = 0; n < VHOST_RINGS; n++)
		event_close(kernel->kick[n]);
	event_close(kernel->call);
	event_close(kernel->broken);
}

/* ---- Who serves ---- */

/* The uplink must know first what the driver takes, and have lost what came for another. */
bool net_kernel_can(const struct net *net)
{
	const struct virtio *virtio = &net->virtio;
	bool can = net->kernel.vhost && !net->kernel.barred && !net->kernel.refuses && !net->gone && !net->stale &&
		   virtio->features & 1ull << VIRTIO_NET_F_MRG_RXBUF &&
		   net->negotiated == (virtio->features & net->uplink->features);

	for (uint32_t n = 0; n < VHOST_RINGS; n++)
		can &= virtio->queue[n].ready && !virtio->queue[n].broken;
	return can;
}

static struct vhost_service kernel_service(struct net *net)
{
	struct vhost_service service = {
		.memory = net->virtio.memory,
		.features = net->virtio.features,
		.logs = net->kernel.logs,
		.tap = net->uplink->fd,
		.call = net->kernel.call,
		.broken = net->kernel.broken,
	};

	for (uint32_t n = 0; n < VHOST_RINGS; n++) {
		const struct virtqueue *queue = &net->virtio.queue[n];

		service.ring[n] = (struct vhost_ring){ .size = queue->size,
						       .next = queue->next_available,
						       .descriptors = queue->descriptors,
						       .driver = queue->driver,
						       .device = queue->device,
						       .kick = net->kernel.kick[n] };
	}
	return service;
}

/* A driver that is reset may have given the rings' memory to others already. */
static void kernel_return(struct net *net)
{
	struct virtio *virtio = &net->virtio;

	for (uint32_t n = 0; n < VHOST_RINGS; n++) {
		struct virtqueue *queue = &virtio->queue[n];

		virtqueue_return(queue, virtio->memory, net->kernel.vhost->service.ring[n].next);
		if (queue->broken && !net->resets)
			virtio_fail(virtio, queue->broken);
	}
}

static void kernel_tell(struct net *net, int result)
{
	const char *machine = net->virtio.machine, *where = net->uplink->where;
	uint32_t number = net->virtio.device.instance;

	if (result)
		log_line("%s: network device %" PRIu32 " (%s) is served by the monitor: vhost-net does not do it (%s)",
			 machine, number, where, strerror(-result));
	else if (!net->kernel.told)
		log_line("%s: network device %" PRIu32 " (%s) is served by the kernel (vhost-net)", machine, number,
			 where);
	net->kernel.told = true;
}

/* The line first: what is signalled before that would be lost. */
bool net_kernel_begin(struct net *net)
{
	struct net_kernel *kernel = &net->kernel;
	int result = -EOPNOTSUPP;

	if (kernel->serves)
		return true;
	kernel->vhost->service = kernel_service(net);
	for (uint32_t n = 0; n < VHOST_RINGS; n++)
		virtqueue_lend(&net->virtio.queue[n]);
	if (interrupt_lend(&net->virtio, kernel->call)) {
		result = vhost_begin(kernel->vhost);
		if (result)
			interrupt_return(&net->virtio, kernel->call);
	}
	if (result)
		kernel_return(net);
	kernel->serves = !result;
	kernel->barred = result;
	kernel_tell(net, result);
	return kernel->serves;
}

void net_kernel_end(struct net *net)
{
	struct net_kernel *kernel = &net->kernel;
	eventfd_t ignored;
	int result;

	if (!kernel->serves)
		return;
	result = vhost_end(kernel->vhost);
	interrupt_return(&net->virtio, kernel->call);
	kernel->serves = false;
	kernel_return(net);
	if (result)
		virtio_fail(&net->virtio, "vhost-net does not give its queues back");
	else if (kernel->refuses)
		virtio_fail(&net->virtio, "vhost-net refuses what is in one of its queues");
	kernel->refuses = false;
	eventfd_read(kernel->broken, &ignored);
}

int net_kernel_log(struct net *net, bool logs, struct error *error)
{
	struct net_kernel *kernel = &net->kernel;
	int result = kernel->serves ? vhost_set_log(kernel->vhost, logs) : 0;

	if (result)
		return error_set(error, -result,
				 "network device %" PRIu32 ": vhost-net does not log what it writes (%s)",
				 net->virtio.device.instance, strerror(-result));
	kernel->logs = logs;
	return 0;
}

/* ---- What the thread waits for ---- */

void net_kernel_wait(const struct net *net, struct pollfd wait[NET_KERNEL_WAITS])
{
	const struct net_kernel *kernel = &net->kernel;

	for (uint32_t n = 0; n < NET_KERNEL_WAITS; n++) {
		int kick = kernel->vhost ? kernel->kick[n] : -1, broken = n ? -1 : kernel->broken;

		wait[n] = (struct pollfd){ .fd = kernel->serves ? broken : kick, .events = POLLIN };
	}
}

/* With an uplink that fails the kernel fails, too, and the driver has done nothing wrong. */
void net_kernel_hear(struct net *net, const struct pollfd wait[NET_KERNEL_WAITS], bool uplink_fails)
{
	eventfd_t ignored;

	for (uint32_t n = 0; n < NET_KERNEL_WAITS; n++)
		if (wait[n].revents)
			eventfd_read(wait[n].fd, &ignored);
	net->kernel.barred |= net->kernel.serves && uplink_fails;
	net->kernel.refuses = net->kernel.serves && !uplink_fails && wait[0].revents;
}
