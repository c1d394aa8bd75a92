/* SPDX-License-Identifier: BSD-2-Clause */
/* An uplink whose other end is the test: see the header. */
#include "uplink.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE (1 << 20)

static struct fake_uplink *fake_of(struct uplink *uplink)
{
	return (struct fake_uplink *)uplink;
}

static void fake_negotiate(struct uplink *uplink, uint64_t features)
{
	__atomic_store_n(&fake_of(uplink)->negotiated, features, __ATOMIC_SEQ_CST);
}

static int64_t fake_receive(struct uplink *uplink, const struct iovec *buffer, uint32_t buffers)
{
	ssize_t got;

	if (__atomic_load_n(&fake_of(uplink)->gone, __ATOMIC_SEQ_CST))
		return -ENODEV;
	got = readv(uplink->fd, buffer, (int)buffers);
	return got < 0 ? 0 : got;
}

static int fake_send(struct uplink *uplink, struct iovec *buffer, uint32_t buffers, uint32_t size)
{
	struct fake_uplink *fake = fake_of(uplink);
	uint32_t refuse = __atomic_load_n(&fake->refuse, __ATOMIC_SEQ_CST);
	ssize_t sent;

	if (__atomic_load_n(&fake->gone, __ATOMIC_SEQ_CST))
		return -ENODEV;
	uplink->blocked = refuse && ++fake->tries % refuse == 0;
	if (uplink->blocked)
		return -EAGAIN;
	if (fake->sending)
		fake->sending(fake);
	sent = writev(uplink->fd, buffer, (int)buffers);
	uplink->blocked = sent < 0;
	assert(sent < 0 || (size_t)sent == size);
	return sent < 0 ? -EAGAIN : 0;
}

static void fake_close(struct uplink *uplink)
{
	(void)uplink;
}

static const struct uplink_ops fake_ops = {
	.negotiate = fake_negotiate,
	.receive = fake_receive,
	.send = fake_send,
	.close = fake_close,
};

void fake_uplink_init(struct fake_uplink *fake)
{
	const int size = BUFFER_SIZE;
	int pair[2];
	int result = socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair);

	assert(!result);
	for (int n = 0; n < 2; n++)
		setsockopt(pair[n], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	*fake = (struct fake_uplink){
		.uplink = { .ops = &fake_ops,
			    .where = "tap=fake",
			    .features = 1 << VIRTIO_NET_F_CSUM | 1 << VIRTIO_NET_F_GUEST_CSUM |
					1 << VIRTIO_NET_F_GUEST_TSO4 | 1 << VIRTIO_NET_F_GUEST_TSO6 |
					1 << VIRTIO_NET_F_HOST_TSO4 | 1 << VIRTIO_NET_F_HOST_TSO6,
			    .fd = pair[0] },
		.other = pair[1],
	};
}

void fake_uplink_destroy(struct fake_uplink *fake)
{
	close(fake->uplink.fd);
	close(fake->other);
}

void fake_uplink_go(struct fake_uplink *fake)
{
	const struct virtio_net_hdr_v1 header = { .flags = 0 };
	const uint8_t any[UPLINK_FRAME_MIN] = { 0 };

	__atomic_store_n(&fake->gone, true, __ATOMIC_SEQ_CST);
	fake_uplink_put(fake, &header, any, sizeof(any));
}

bool fake_uplink_put(struct fake_uplink *fake, const struct virtio_net_hdr_v1 *header, const void *data, size_t size)
{
	const struct iovec buffer[] = { { (void *)header, sizeof(*header) }, { (void *)data, size } };

	return writev(fake->other, buffer, 2) >= 0;
}

int fake_uplink_get(struct fake_uplink *fake, struct virtio_net_hdr_v1 *header, void *data, size_t room, int ms)
{
	const struct iovec buffer[] = { { header, sizeof(*header) }, { data, room } };
	struct pollfd wait = { .fd = fake->other, .events = POLLIN };

	if (poll(&wait, 1, ms) <= 0)
		return -1;
	return (int)(readv(fake->other, buffer, 2) - (ssize_t)sizeof(*header));
}
