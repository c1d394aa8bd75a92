/* SPDX-License-Identifier: BSD-2-Clause */
/* A block device's requests: see the header. */
#include "dev/disk/request.h"

#include <errno.h>

void disk_request_put(struct disk_request_list *list, struct disk_request *request)
{
	request->next = NULL;
	if (list->first)
		list->last->next = request;
	else
		list->first = request;
	list->last = request;
}

void disk_request_put_back(struct disk_request_list *list, struct disk_request *request)
{
	request->next = list->first;
	if (!list->first)
		list->last = request;
	list->first = request;
}

struct disk_request *disk_request_take(struct disk_request_list *list)
{
	struct disk_request *request = list->first;

	if (request)
		list->first = request->next;
	return request;
}

bool disk_request_writes(const struct disk_request *request)
{
	return request->operation != DISK_READ && request->operation != DISK_FLUSH;
}

int disk_request_check(const struct disk *disk, const struct disk_request *request)
{
	if (disk_request_writes(request) && disk->readonly)
		return -EROFS;
	if (disk_request_writes(request) && !__atomic_load_n(&disk->owned, __ATOMIC_ACQUIRE))
		return -EPERM;
	if ((request->operation == DISK_DISCARD && !disk->can_discard) ||
	    (request->operation == DISK_WRITE_ZEROES && !disk->can_write_zeroes))
		return -EOPNOTSUPP;
	if (request->operation == DISK_FLUSH)
		return 0;
	if (request->offset % DISK_SECTOR_SIZE || request->length % DISK_SECTOR_SIZE || request->offset > disk->size ||
	    request->length > disk->size - request->offset)
		return -EIO;
	return 0;
}

void disk_request_hand_over(const struct disk *disk, struct disk_request_list *list)
{
	struct disk_request *request;

	while ((request = disk_request_take(list)))
		disk->done(disk->context, request);
}
