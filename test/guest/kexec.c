// SPDX-License-Identifier: BSD-2-Clause
/*
 * Starts another kernel in place of the running one: `kexec now IMAGE INITRD COMMANDLINE`; or has it ready in case the
 * running one panics: `kexec crash ...`.
 *
 * Policy: by kexec_load(2), since stock arm64 cloud kernels have no kexec_file_load(2). The new kernel gets the device
 * tree that this one got, so the same EFI tables, with a command line and an initial RAM disk of its own. It is put
 * in the middle of the memory, or in what crashkernel= has set aside, where it stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libfdt.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PLACE_ALIGN (2ull << 20) /* of the kernel, by the boot protocol; good for everything else */
#define PAGE_SIZE 4096u
#define FDT_SIZE 8192u
#define IMAGE_TEXT_OFFSET 8u /* fields of a kernel image's header, 64 bits each */
#define IMAGE_SIZE 16u

struct range {
	uint64_t start;
	uint64_t end; /* just past the last byte */
};

enum {
	SEGMENT_KERNEL,
	SEGMENT_INITRD,
	SEGMENT_FDT,
	SEGMENT_ENTRY,
	SEGMENTS
};

/* kexec enters this with the MMU off; a kernel wants the device tree's address in x0, and zeroes in x1 to x3. */
struct entry {
	uint32_t code[6];
	uint64_t fdt;
	uint64_t kernel;
};

static const uint32_t entry_code[] = {
	0x580000c0, /* ldr x0, fdt */
	0x580000e4, /* ldr x4, kernel */
	0xaa1f03e1, /* mov x1, xzr */
	0xaa1f03e2, /* mov x2, xzr */
	0xaa1f03e3, /* mov x3, xzr */
	0xd61f0080, /* br x4 */
};

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "kexec: %s: %s\n", what, strerror(errno));
	exit(1);
}

static _Noreturn void fail_fdt(int err)
{
	fprintf(stderr, "kexec: the device tree: %s\n", fdt_strerror(err));
	exit(1);
}

/* All of a file; the memory is freed when the process ends. */
static uint8_t *file_read(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat stat;
	uint8_t *data;

	if (fd < 0 || fstat(fd, &stat))
		fail(path);
	data = malloc((size_t)stat.st_size);
	if (!data)
		fail(path);
	for (*size = 0; *size < (size_t)stat.st_size;) {
		ssize_t got = read(fd, data + *size, (size_t)stat.st_size - *size);

		if (got <= 0)
			fail(path);
		*size += (size_t)got;
	}
	close(fd);
	return data;
}

/* ---- Where it goes ---- */

static uint64_t align_up(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) / unit * unit;
}

/* The largest range of that name; ranges within others are indented. */
static struct range memory_find(const char *name)
{
	FILE *file = fopen("/proc/iomem", "re");
	struct range found = { 0 };
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		const char *text = strstr(line, " : ");
		struct range range;
		char *end;

		range.start = strtoull(line, &end, 16);
		if (*end != '-' || !text || strncmp(text + 3, name, strlen(name)) != 0)
			continue;
		range.end = strtoull(end + 1, NULL, 16) + 1;
		if (range.end - range.start > found.end - found.start)
			found = range;
	}
	if (file)
		fclose(file);
	return found;
}

static struct range place_choose(bool crash)
{
	struct range range = memory_find(crash ? "Crash kernel" : "System RAM");

	if (!crash)
		range.start += (range.end - range.start) / 2;
	range.start = align_up(range.start, PLACE_ALIGN);
	return range;
}

/* ---- What goes there ---- */

static uint64_t image_field(const uint8_t *image, size_t place)
{
	uint64_t value;

	memcpy(&value, image + place, sizeof(value));
	return value;
}

/* Puts a segment at *place and advances *place past it. */
static void segment_put(struct kexec_segment *segment, void *data, size_t size, uint64_t memory, uint64_t *place)
{
	*segment = (struct kexec_segment){
		.buf = data,
		.bufsz = size,
		.mem = (void *)*place,
		.memsz = align_up(memory, PAGE_SIZE),
	};
	*place = align_up(*place + segment->memsz, PLACE_ALIGN);
}

static void fdt_check(int err)
{
	if (err)
		fail_fdt(err);
}

/* The running kernel's device tree for the new one. A kernel that dumps this one must stay in its own memory. */
static void *fdt_make(const char *command_line, const struct kexec_segment *initrd, const struct range *memory)
{
	const uint64_t start = (uint64_t)initrd->mem;
	size_t size;
	uint8_t *old = file_read("/sys/firmware/fdt", &size);
	void *fdt = malloc(FDT_SIZE);
	int chosen;

	if (!fdt)
		fail("no memory");
	fdt_check(fdt_open_into(old, fdt, FDT_SIZE));
	chosen = fdt_path_offset(fdt, "/chosen");
	if (chosen < 0)
		fail_fdt(chosen);
	fdt_check(fdt_setprop_string(fdt, chosen, "bootargs", command_line));
	fdt_check(fdt_setprop_u64(fdt, chosen, "linux,initrd-start", start));
	fdt_check(fdt_setprop_u64(fdt, chosen, "linux,initrd-end", start + initrd->bufsz));
	if (memory) {
		fdt_check(fdt_setprop_u64(fdt, chosen, "linux,usable-memory-range", memory->start));
		fdt_check(fdt_appendprop_u64(fdt, chosen, "linux,usable-memory-range", memory->end - memory->start));
	}
	free(old);
	return fdt;
}

static void kernel_load(const char *image_path, const char *initrd_path, const char *command_line, bool crash)
{
	struct kexec_segment segments[SEGMENTS];
	struct range memory = place_choose(crash);
	uint64_t place = memory.start;
	size_t image_size, initrd_size;
	uint8_t *image = file_read(image_path, &image_size), *initrd = file_read(initrd_path, &initrd_size);
	struct entry entry;
	void *fdt;

	segment_put(&segments[SEGMENT_INITRD], initrd, initrd_size, initrd_size, &place);
	fdt = fdt_make(command_line, &segments[SEGMENT_INITRD], crash ? &memory : NULL);
	segment_put(&segments[SEGMENT_FDT], fdt, fdt_totalsize(fdt), FDT_SIZE, &place);
	place += image_field(image, IMAGE_TEXT_OFFSET);
	segment_put(&segments[SEGMENT_KERNEL], image, image_size, image_field(image, IMAGE_SIZE), &place);
	entry.fdt = (uint64_t)segments[SEGMENT_FDT].mem;
	entry.kernel = (uint64_t)segments[SEGMENT_KERNEL].mem;
	memcpy(entry.code, entry_code, sizeof(entry.code));
	segment_put(&segments[SEGMENT_ENTRY], &entry, sizeof(entry), sizeof(entry), &place);
	if (place > memory.end) {
		errno = ENOSPC;
		fail("the kernel and its initial RAM disk");
	}
	if (syscall(SYS_kexec_load, segments[SEGMENT_ENTRY].mem, (unsigned long)SEGMENTS, segments,
		    KEXEC_ARCH_AARCH64 | (crash ? KEXEC_ON_CRASH : 0ul)))
		fail("kexec_load");
}

int main(int argc, char **argv)
{
	bool crash = argc == 5 && !strcmp(argv[1], "crash");

	if (argc != 5 || (!crash && strcmp(argv[1], "now") != 0)) {
		fprintf(stderr, "usage: kexec now|crash IMAGE INITRD COMMANDLINE\n");
		return 2;
	}
	kernel_load(argv[2], argv[3], argv[4], crash);
	if (crash)
		return 0;
	sync();
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
	fail("reboot");
}
