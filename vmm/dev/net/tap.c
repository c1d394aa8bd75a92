/* SPDX-License-Identifier: BSD-2-Clause */
/* An uplink that is a tap: see the header. */
#include "dev/net/tap.h"

#include "dev/net/vhost.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEVICE "/dev/net/tun"
#define FLAGS (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)

#define FEATURE(name) (1ull << VIRTIO_NET_F_##name)
#define FEATURES                                                                                                       \
	(FEATURE(CSUM) | FEATURE(GUEST_CSUM) | FEATURE(GUEST_TSO4) | FEATURE(GUEST_TSO6) | FEATURE(HOST_TSO4) |        \
	 FEATURE(HOST_TSO6))

static void tap_negotiate(struct uplink *uplink, uint64_t features)
{
	unsigned long offload = 0;

	if (features & FEATURE(GUEST_CSUM)) {
		offload = TUN_F_CSUM;
		if (features & FEATURE(GUEST_TSO4))
			offload |= TUN_F_TSO4;
		if (features & FEATURE(GUEST_TSO6))
			offload |= TUN_F_TSO6;
	}
	/* It fails only where the interface has gone, which the next frame tells. */
	ioctl(uplink->fd, TUNSETOFFLOAD, offload);
}

/* EBADFD: the interface was deleted. What else fails concerns one frame. */
static int64_t tap_receive(struct uplink *uplink, const struct iovec *buffer, uint32_t buffers)
{
	ssize_t got = readv(uplink->fd, buffer, (int)buffers);

	if (got < 0)
		return errno == EBADFD ? -ENODEV : 0;
	return got;
}

static int tap_send(struct uplink *uplink, struct iovec *buffer, uint32_t buffers, uint32_t size)
{
	(void)size;
	if (writev(uplink->fd, buffer, (int)buffers) >= 0)
		return 0;
	uplink->blocked = errno == EAGAIN;
	if (uplink->blocked)
		return -EAGAIN;
	return errno == EBADFD ? -ENODEV : 0;
}

static void tap_close(struct uplink *uplink)
{
	if (uplink->vhost)
		vhost_close(uplink->vhost);
	close(uplink->fd);
	free(uplink);
}

static const struct uplink_ops tap_ops = {
	.negotiate = tap_negotiate,
	.receive = tap_receive,
	.send = tap_send,
	.close = tap_close,
};

/* ---- Opening ---- */

static int device_refuse(int err, struct error *error)
{
	switch (err) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return error_set(error, ENODEV, "this host has no " DEVICE ": load the module tun");
	case EACCES:
		return error_set(error, EACCES, "this user may not open " DEVICE);
	default:
		return error_set(error, error_of_call(err), "cannot open " DEVICE " (%s)", strerror(err));
	}
}

static int attach_refuse(const char *name, int err, struct error *error)
{
	switch (err) {
	case EBUSY:
		return error_set(error, EBUSY, "the tap %s is in use: another process has it", name);
	case EPERM:
		return error_set(error, EACCES,
				 "the tap %s belongs to another user: give it to this one (ip tuntap add %s mode tap "
				 "user NAME)",
				 name, name);
	case EINVAL:
		return error_set(error, EINVAL, "the interface %s is not a tap with one queue", name);
	default:
		return error_set(error, error_of_call(err), "cannot use the tap %s (%s)", name, strerror(err));
	}
}

/* Attaching would make an interface that is not there, and nobody would be connected to it. */
static int tap_attach(int fd, const char *name, struct error *error)
{
	struct ifreq request = { .ifr_flags = FLAGS };

	if (!if_nametoindex(name))
		return error_set(error, ENODEV,
				 "there is no tap %s on this host: make it (ip tuntap add %s mode tap user NAME), and "
				 "join it to a bridge",
				 name, name);
	memcpy(request.ifr_name, name, strnlen(name, sizeof(request.ifr_name) - 1));
	return ioctl(fd, TUNSETIFF, &request) ? attach_refuse(name, errno, error) : 0;
}

static int tap_open_by_name(const char *name, int *fd, struct error *error)
{
	int result;

	*fd = open(DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0)
		return device_refuse(errno, error);
	result = tap_attach(*fd, name, error);
	if (result)
		close(*fd);
	return result;
}

static int tap_open_by_fd(int inherited, int *fd, struct error *error)
{
	struct ifreq request = { .ifr_flags = 0 };

	*fd = fcntl(inherited, F_DUPFD_CLOEXEC, 0);
	if (*fd < 0)
		return error_set(error, EBADF, "descriptor %d is not open", inherited);
	if (ioctl(*fd, TUNGETIFF, &request) || (request.ifr_flags & FLAGS) != FLAGS) {
		close(*fd);
		return error_set(error, EINVAL,
				 "descriptor %d is not a tap with IFF_NO_PI and IFF_VNET_HDR (TUNSETIFF)", inherited);
	}
	fcntl(*fd, F_SETFL, O_NONBLOCK);
	return 0;
}

/* Which it has while no machine uses it. */
static uint32_t tap_mtu(int fd)
{
	struct ifreq request = { .ifr_flags = 0 };
	int any = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool known = any >= 0 && !ioctl(fd, TUNGETIFF, &request) && !ioctl(any, SIOCGIFMTU, &request);

	if (any >= 0)
		close(any);
	return known ? (uint32_t)request.ifr_mtu : 0;
}

static int tap_make(struct uplink **uplink, const char *where, int fd, struct error *error)
{
	int header = (int)UPLINK_HEADER_SIZE;

	if (ioctl(fd, TUNSETVNETHDRSZ, &header))
		return error_set(error, error_of_call(errno), "cannot set the headers of the tap %s (%s)", where,
				 strerror(errno));
	*uplink = malloc(sizeof(**uplink));
	if (!*uplink)
		return error_set(error, ENOMEM, "no memory for the tap %s", where);
	**uplink = (struct uplink){
		.ops = &tap_ops, .where = where, .features = FEATURES, .mtu = tap_mtu(fd), .announces = true, .fd = fd
	};
	(*uplink)->vhost_error = vhost_open(&(*uplink)->vhost);
	tap_negotiate(*uplink, 0);
	return 0;
}

int tap_open(struct uplink **uplink, const char *where, const struct plug *plug, struct error *error)
{
	int fd;
	int result = plug->kind == PLUG_TAP ? tap_open_by_name(plug->interface, &fd, error)
					    : tap_open_by_fd(plug->fd, &fd, error);

	if (result)
		return result;
	result = tap_make(uplink, where, fd, error);
	if (result)
		close(fd);
	return result;
}
