/* SPDX-License-Identifier: BSD-2-Clause */
/* Compressed kernels, as any bytes: refused with a sentence, or expanded below the limit to what is then judged. */
#include "fuzz.h"

#include "boot/expand.h"
#include "boot/image.h"

#include <errno.h>

#define LIMIT 100000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error error = { .text = "" };
	struct buffer kernel = { 0 };
	struct image image;
	int result = expand_kernel(data, size, LIMIT, &kernel, &error);

	if (result) {
		FUZZ_MUST(result == -EINVAL || result == -EFBIG);
		FUZZ_MUST(error.text[0] && !kernel.data);
		return 0;
	}
	FUZZ_MUST(kernel.size < LIMIT);
	if (kernel.data && image_parse(kernel.data, kernel.size, &image, &error))
		FUZZ_MUST(error.text[0]);
	buffer_free(&kernel);
	return 0;
}
