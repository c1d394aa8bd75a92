/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waits until the power button is pressed, and tells so: `button`, which the guest's init runs and then powers off.
 *
 * Policy: what acpid does, without it. The kernel tells of events of ACPI by generic netlink, whose families and groups
 * are found by name (Linux: drivers/acpi/event.c).
 */
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAMILY "acpi_event"
#define EVENT "button/power"
#define ROOM 8192

static const struct nlattr *attribute_find(const void *first, size_t size, uint16_t type)
{
	const char *place = first, *end = place + size;

	while (end - place >= (long)sizeof(struct nlattr)) {
		const struct nlattr *attribute = (const struct nlattr *)place;

		if (attribute->nla_len < sizeof(*attribute) || attribute->nla_len > end - place)
			break;
		if ((attribute->nla_type & NLA_TYPE_MASK) == type)
			return attribute;
		place += NLA_ALIGN(attribute->nla_len);
	}
	return NULL;
}

static const void *attribute_data(const struct nlattr *attribute)
{
	return (const char *)attribute + NLA_HDRLEN;
}

static size_t attribute_size(const struct nlattr *attribute)
{
	return attribute->nla_len - (size_t)NLA_HDRLEN;
}

static int family_ask(int fd)
{
	struct {
		struct nlmsghdr header;
		struct genlmsghdr command;
		struct nlattr attribute;
		char name[NLA_ALIGN(sizeof(FAMILY))];
	} request = {
		.header = { .nlmsg_len = sizeof(request), .nlmsg_type = GENL_ID_CTRL, .nlmsg_flags = NLM_F_REQUEST },
		.command = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
		.attribute = { .nla_len = NLA_HDRLEN + sizeof(FAMILY), .nla_type = CTRL_ATTR_FAMILY_NAME },
		.name = FAMILY,
	};

	return send(fd, &request, sizeof(request), 0) == sizeof(request) ? 0 : -1;
}

/* The number of the first group, which is the only one; 0 if the answer has none. */
static uint32_t family_group(const char *answer, size_t size)
{
	const size_t head = NLMSG_HDRLEN + GENL_HDRLEN;
	const struct nlattr *groups = NULL, *group = NULL, *id = NULL;
	uint32_t number = 0;

	if (size > head)
		groups = attribute_find(answer + head, size - head, CTRL_ATTR_MCAST_GROUPS);
	if (groups)
		group = attribute_find(attribute_data(groups), attribute_size(groups), 1);
	if (group)
		id = attribute_find(attribute_data(group), attribute_size(group), CTRL_ATTR_MCAST_GRP_ID);
	if (id && attribute_size(id) == sizeof(number))
		memcpy(&number, attribute_data(id), sizeof(number));
	return number;
}

static int events_open(void)
{
	const struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	static char answer[ROOM];
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	uint32_t group;
	ssize_t size;

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) || family_ask(fd))
		return -1;
	size = recv(fd, answer, sizeof(answer), 0);
	group = size > 0 ? family_group(answer, (size_t)size) : 0;
	if (!group || setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
		return -1;
	return fd;
}

int main(void)
{
	static char event[ROOM];
	int fd = events_open();
	ssize_t size;

	if (fd < 0) {
		perror("button: the kernel does not tell of events");
		return 1;
	}
	puts("@button waits");
	fflush(stdout);
	while ((size = recv(fd, event, sizeof(event), 0)) > 0)
		if (memmem(event, (size_t)size, EVENT, sizeof(EVENT) - 1)) {
			puts("@button pressed");
			return 0;
		}
	return 1;
}
