/* SPDX-License-Identifier: BSD-2-Clause */
/* What a machine boots from: see the header. */
#include "machine/payload.h"

#include "base/file.h"
#include "boot/expand.h"
#include "host/host.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Bytes of a compressed kernel that is not taken for a bomb. */
#define KERNEL_EXPANDED_MAX ((size_t)256 << 20)

/* A kernel that came compressed gives way to what it expands to. */
static int kernel_expand(void **kernel, size_t *size, struct error *error)
{
	struct buffer image = { 0 };
	int result = expand_kernel(*kernel, *size, KERNEL_EXPANDED_MAX, &image, error);

	if (result || !image.data)
		return result;
	free(*kernel);
	*kernel = image.data;
	*size = image.size;
	return 0;
}

int payload_read(struct boot_source *payload, const struct machine_config *config, struct error *error)
{
	void *kernel = NULL, *initrd = NULL;
	int result;

	*payload = (struct boot_source){ .command_line = config->command_line };
	if (!config->kernel[0])
		return error_set(error, ENODATA, "its description names no kernel");
	result = file_read(config->kernel, &kernel, &payload->kernel_size, error);
	if (!result)
		result = kernel_expand(&kernel, &payload->kernel_size, error);
	payload->kernel = kernel;
	if (!result && config->initrd[0])
		result = file_read(config->initrd, &initrd, &payload->initrd_size, error);
	payload->initrd = initrd;
	if (result)
		payload_free(payload);
	else
		host_random(payload->seed, sizeof(payload->seed));
	return result;
}

void payload_free(struct boot_source *payload)
{
	free((void *)payload->kernel);
	free((void *)payload->initrd);
	payload->kernel = payload->initrd = NULL;
}

static int file_check(const char *path, const char *option, struct error *error)
{
	struct error reason;
	int fd = file_open(path, &reason);

	if (fd < 0)
		return error_set(error, -fd,
				 "%s, from which the machine starts anew when its guest is reset: put it there, or "
				 "name it on this host with %s FILE",
				 reason.text, option);
	close(fd);
	return 0;
}

int payload_check(const struct machine_config *config, struct error *error)
{
	int result = 0;

	if (config->on_reboot != CONFIG_RESET && config->on_panic != CONFIG_RESET)
		return 0;
	if (config->kernel[0])
		result = file_check(config->kernel, "--kernel", error);
	if (!result && config->initrd[0])
		result = file_check(config->initrd, "--initrd", error);
	return result;
}
