/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of saved machines: refused with a sentence before there is a machine, or restored.
 *
 * Policy: the first byte says what the others are: the file as it is, what its seal seals, or the frames that are
 * compressed and sealed, since behind two checksums the fuzzer would see nothing else.
 */
#include "fuzz.h"
#include "../fake/host_fake.h"
#include "../fake/forged_file.h"

#include "machine/machine.h"
#include "snapshot/restore.h"

#include <unistd.h>

static void file_store(const char *path, const uint8_t *data, size_t size)
{
	switch (data[0] % 4) {
	case 0:
		forged_file_store(path, data + 1, size - 1);
		break;
	case 1:
		forged_file_store_raw(path, data + 1, size - 1);
		break;
	default:
		forged_file_store_frames(path, data + 1, size - 1);
	}
}

static void restore(const char *path)
{
	const struct restore_options options = { .path = path, .terms = { .force = true } };
	struct console console = { .in = -1, .out = -1 };
	uint64_t entries = fake_host_current()->entries;
	struct machine machine;
	struct error error = { .text = "" };
	int result = restore_load(&machine, &console, &options, &error);

	FUZZ_MUST(fake_host_current()->entries == entries);
	if (result) {
		FUZZ_MUST(error.text[0]);
		return;
	}
	machine_run_loaded(&machine);
	FUZZ_MUST(fake_vcpu_wait_inside(&machine.vcpus.vcpu[0].host, true));
	machine_destroy(&machine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[64];

	if (!size)
		return 0;
	if (!path[0])
		snprintf(path, sizeof(path), "/tmp/seaclock-fuzz-%d", (int)getpid());
	fake_reset();
	file_store(path, data, size);
	restore(path);
	unlink(path);
	return 0;
}
