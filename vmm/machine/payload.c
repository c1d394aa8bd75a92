/* SPDX-License-Identifier: BSD-2-Clause */
/* What a machine boots from: see the header. */
#include "machine/payload.h"

#include "base/file.h"
#include "base/layout.h"
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

int payload_read_kernel(const char *path, void **kernel, size_t *size, struct error *error)
{
	int result = file_read(path, kernel, size, error);

	return result ? result : kernel_expand(kernel, size, error);
}

/* What is put into a bank of flash. */
static int bank_read(const char *path, const void **data, size_t *size, struct error *error)
{
	void *bytes = NULL;
	int result = file_read(path, &bytes, size, error);

	*data = bytes;
	if (result || *size <= LAYOUT_FLASH_BANK_SIZE)
		return result;
	return error_set(error, EFBIG, "%s has %zu bytes; at most %llu fit into the flash", path, *size,
			 LAYOUT_FLASH_BANK_SIZE);
}

static int firmware_read(struct boot_source *payload, const struct machine_config *config, struct error *error)
{
	int result = bank_read(config->firmware, &payload->firmware, &payload->firmware_size, error);

	if (!result && !payload->firmware_size)
		result = error_set(error, EINVAL, "%s is empty, and no firmware", config->firmware);
	if (result)
		payload_free(payload);
	return result;
}

int payload_read_variables(struct boot_source *payload, const struct machine_config *config, struct error *error)
{
	int result;

	if (!config->variables[0])
		return 0;
	result = bank_read(config->variables, &payload->variables, &payload->variables_size, error);
	return result == -ENOENT ? 0 : result;
}

int payload_read(struct boot_source *payload, const struct machine_config *config, struct error *error)
{
	void *kernel = NULL, *initrd = NULL;
	int result;

	*payload = (struct boot_source){ .command_line = config->command_line };
	if (config->firmware[0])
		return firmware_read(payload, config, error);
	if (!config->kernel[0])
		return error_set(error, ENODATA, "its description names no kernel");
	result = payload_read_kernel(config->kernel, &kernel, &payload->kernel_size, error);
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
	free((void *)payload->firmware);
	free((void *)payload->variables);
	free((void *)payload->kernel);
	free((void *)payload->initrd);
	payload->firmware = payload->variables = payload->kernel = payload->initrd = NULL;
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
	if (config->firmware[0])
		result = file_check(config->firmware, "--firmware", error);
	if (!result && config->kernel[0])
		result = file_check(config->kernel, "--kernel", error);
	if (!result && config->initrd[0])
		result = file_check(config->initrd, "--initrd", error);
	return result;
}
