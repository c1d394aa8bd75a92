/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors that go with a request: see the header. */
#include "control/descriptors.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for one message with all of them; a union, for its alignment. */
union room {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
};

ssize_t descriptors_send(int socket, const void *bytes, size_t size, const struct descriptors *descriptors)
{
	union room room = { .bytes = "" };
	struct iovec data = { .iov_base = (void *)bytes, .iov_len = size };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	size_t length = descriptors->count * sizeof(int);

	if (length) {
		message.msg_control = room.bytes;
		message.msg_controllen = CMSG_SPACE(length);
		room.header.cmsg_level = SOL_SOCKET;
		room.header.cmsg_type = SCM_RIGHTS;
		room.header.cmsg_len = CMSG_LEN(length);
		memcpy(CMSG_DATA(&room.header), descriptors->fd, length);
	}
	return TEMP_FAILURE_RETRY(sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT));
}

/* False if there is no room for all of them. */
static bool descriptors_add(struct descriptors *descriptors, const unsigned char *data, size_t count)
{
	bool fits = true;

	for (size_t n = 0; n < count; n++) {
		int fd;

		memcpy(&fd, data + n * sizeof(fd), sizeof(fd));
		if (descriptors->count < DESCRIPTORS_MAX) {
			descriptors->fd[descriptors->count++] = fd;
			continue;
		}
		close(fd);
		fits = false;
	}
	return fits;
}

ssize_t descriptors_receive(int socket, void *bytes, size_t size, struct descriptors *descriptors)
{
	union room room;
	struct iovec data = { .iov_base = bytes, .iov_len = size };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = room.bytes,
		.msg_controllen = sizeof(room),
	};
	ssize_t got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	bool fits = !(message.msg_flags & MSG_CTRUNC);

	if (got < 0)
		return got;
	for (struct cmsghdr *each = CMSG_FIRSTHDR(&message); each; each = CMSG_NXTHDR(&message, each))
		if (each->cmsg_level == SOL_SOCKET && each->cmsg_type == SCM_RIGHTS)
			fits = descriptors_add(descriptors, CMSG_DATA(each),
					       (each->cmsg_len - CMSG_LEN(0)) / sizeof(int)) &&
			       fits;
	if (fits)
		return got;
	errno = EMSGSIZE;
	return -1;
}

int descriptors_take(struct descriptors *descriptors)
{
	int fd;

	if (!descriptors->count)
		return -1;
	fd = descriptors->fd[0];
	descriptors->count--;
	memmove(descriptors->fd, descriptors->fd + 1, descriptors->count * sizeof(fd));
	return fd;
}

void descriptors_close(struct descriptors *descriptors)
{
	for (int fd; (fd = descriptors_take(descriptors)) >= 0;)
		close(fd);
}
