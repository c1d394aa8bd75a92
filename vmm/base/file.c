/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that a user names: see the header. */
#include "base/file.h"

#include "base/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_SIZE_MAX (1ll << 30)

/* Between two pieces of a file it is seen that an order to end has come. */
#define FILE_PIECE (1u << 20)

bool file_descriptor_parse(const char *text, int *fd)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long value = strtoul(text, NULL, 10);

	*fd = (int)value;
	return digits && digits < sizeof("2147483647") && !text[digits] && value <= INT_MAX;
}

int file_path(const char *path, char *place, size_t size, struct error *error)
{
	char folder[PATH_MAX] = "";
	int length;

	if (!path[0])
		return error_set(error, EINVAL, "a path is empty: a file has a name");
	if (path[0] != '/' && !getcwd(folder, sizeof(folder)))
		return error_set(error, errno, "the working folder has no path (%s)", strerror(errno));
	length = snprintf(place, size, "%s%s%s", folder, path[0] == '/' ? "" : "/", path);
	if ((size_t)length >= size)
		return error_set(error, ENAMETOOLONG, "the path of %.100s... has %d bytes; at most %zu are possible",
				 path, length, size - 1);
	return 0;
}

int file_path_in(const char *folder, const char *name, char *place, size_t size, struct error *error)
{
	if ((size_t)snprintf(place, size, "%s/%s", folder, name) >= size)
		return error_set(error, ENAMETOOLONG, "the path of %.100s... is too long for a file", folder);
	return 0;
}

static int file_look(int fd, const char *path, struct stat *facts, struct error *error)
{
	if (fstat(fd, facts))
		return error_set(error, errno, "cannot look at %s (%s)", path, strerror(errno));
	return S_ISREG(facts->st_mode) ? 0 : error_set(error, EINVAL, "%s is not a file", path);
}

int file_open(const char *path, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat facts;
	int result;

	if (fd < 0)
		return error_set(error, errno, "cannot open %s (%s)", path, strerror(errno));
	result = file_look(fd, path, &facts, error);
	if (!result)
		return fd;
	close(fd);
	return result;
}

static int file_measure(int fd, const char *path, size_t *size, struct error *error)
{
	struct stat facts;
	int result = file_look(fd, path, &facts, error);

	if (result)
		return result;
	if (facts.st_size > FILE_SIZE_MAX)
		return error_set(error, EFBIG, "%s has %lld bytes; at most %lld are read", path,
				 (long long)facts.st_size, FILE_SIZE_MAX);
	*size = (size_t)facts.st_size;
	return 0;
}

static int file_fill(int fd, const char *path, uint8_t *data, size_t size, struct error *error)
{
	size_t filled = 0;

	while (filled < size) {
		size_t left = size - filled;
		ssize_t done = read(fd, data + filled, left < FILE_PIECE ? left : FILE_PIECE);
		int result = signals_check(error);

		if (result)
			return result;
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return error_set(error, EIO, "cannot read the %zu bytes of %s", size, path);
		filled += (size_t)done;
	}
	return 0;
}

static int file_load(int fd, const char *path, void **data, size_t size, struct error *error)
{
	void *place = malloc(size ? size : 1);
	int result;

	if (!place)
		return error_set(error, ENOMEM, "no memory for the %zu bytes of %s", size, path);
	result = file_fill(fd, path, place, size, error);
	if (result)
		free(place);
	else
		*data = place;
	return result;
}

int file_read_open(int fd, const char *path, void **data, size_t *size, struct error *error)
{
	int result = file_measure(fd, path, size, error);

	return result ? result : file_load(fd, path, data, *size, error);
}

int file_read(const char *path, void **data, size_t *size, struct error *error)
{
	int fd = file_open(path, error);
	int result;

	if (fd < 0)
		return fd;
	result = file_read_open(fd, path, data, size, error);
	close(fd);
	return result;
}
