/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP ports of loopback for tests: see the header. */
#include "port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int port_reserve(char address[PORT_TEXT_SIZE])
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(any);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) &&
	    !bind(fd, (struct sockaddr *)&any, sizeof(any)) && !getsockname(fd, (struct sockaddr *)&any, &size)) {
		snprintf(address, PORT_TEXT_SIZE, "127.0.0.1:%u", ntohs(any.sin_port));
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}
