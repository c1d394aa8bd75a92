/* SPDX-License-Identifier: BSD-2-Clause */
/* Where frames go: see the header. */
#include "transfer/sink.h"

#include <errno.h>

int sink_put_buffer(struct sink *sink, enum frame_type type, struct buffer *buffer, struct error *error)
{
	int result;

	if (buffer_failed(buffer))
		result = error_set(error, ENOMEM, "no memory for %s", frame_name(type));
	else
		result = sink->put(sink, type, buffer->data, buffer->size, NULL, 0, error);
	buffer_free(buffer);
	return result;
}
