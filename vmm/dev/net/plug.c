/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a network device is plugged in: see the header. */
#include "dev/net/plug.h"

#include "base/file.h"

#include <stdio.h>
#include <string.h>

#define TAP "tap="
#define TAP_FD "tap=fd:"
#define PASST "passt"
#define PASST_SOCKET "passt="

static const char *behind(const char *text, const char *head)
{
	size_t length = strlen(head);

	return strncmp(text, head, length) ? NULL : text + length;
}

/* As the kernel judges names of interfaces, and no pattern that it would complete. */
static bool interface_take(const char *name, struct plug *plug)
{
	if (strlen(name) >= sizeof(plug->interface) || !*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (const char *place = name; *place; place++)
		if (*place <= ' ' || *place > '~' || strchr("/:%,", *place))
			return false;
	snprintf(plug->interface, sizeof(plug->interface), "%s", name);
	return true;
}

bool plug_parse(const char *text, struct plug *plug)
{
	const char *rest;

	*plug = (struct plug){ .kind = PLUG_PASST };
	if (!strcmp(text, PASST))
		return true;
	rest = behind(text, TAP_FD);
	if (rest) {
		plug->kind = PLUG_TAP_FD;
		return file_descriptor_parse(rest, &plug->fd);
	}
	rest = behind(text, TAP);
	if (rest) {
		plug->kind = PLUG_TAP;
		return interface_take(rest, plug);
	}
	plug->kind = PLUG_PASST_SOCKET;
	plug->path = behind(text, PASST_SOCKET);
	return plug->path && *plug->path == '/';
}

bool plug_is_passt(const char *text)
{
	return !strncmp(text, PASST, strlen(PASST));
}
