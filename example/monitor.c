/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole monitor around the core, as small as one can be: `monitor IMAGE RECORD` boots an arm64 image with one vCPU
 * and prints what it writes to its UART. SIGUSR1 stops guest time, saves its record in the file RECORD, loads it from
 * there and goes on, as a migration would on another host. doc/embedding.md explains it.
 *
 * Policy: one thread. So nothing needs a lock, and whenever this code runs the vCPU is not in the guest, which is what
 * an edge on a private interrupt needs.
 */
#include "tree.h"

#include <seaclock/page.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Of Linux 6.4, where the headers are older. */
#ifndef KVM_ARM_SET_COUNTER_OFFSET
struct kvm_arm_counter_offset {
	__u64 counter_offset;
	__u64 reserved;
};
#define KVM_ARM_SET_COUNTER_OFFSET _IOW(KVMIO, 0xb5, struct kvm_arm_counter_offset)
#endif
#ifndef KVM_ARM_VM_SMCCC_CTRL
#define KVM_ARM_VM_SMCCC_CTRL 0
#define KVM_ARM_VM_SMCCC_FILTER 0
#define KVM_SMCCC_FILTER_FWD_TO_USER 2
struct kvm_smccc_filter {
	__u32 base;
	__u32 nr_functions;
	__u8 action;
	__u8 pad[15];
};
#endif

#define IMAGE_GPA (RAM_BASE + (2 << 20))
#define TREE_SIZE 0x10000u
#define FORWARDED 0x80000000u /* hypercalls below this reach the monitor; PSCI is above */
#define GICR_ISPENDR 0x10200u
#define GICR_ISACTIVER 0x10300u
#define RETRY_NS 50000u /* until an interrupt that is active is looked at again */
#define CORE_REG(name) (KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | KVM_REG_ARM_CORE_REG(name))

static int vm, vcpu, gic;
static struct kvm_run *run;
static uint8_t *ram;
static timer_t timer;
static struct sc_partition partition;
static uint64_t counter_offset; /* the guest's counter is the host's minus this */
static const char *record_path;
static volatile sig_atomic_t record_asked;

/* ---- KVM ---- */

static int call(int fd, unsigned long request, void *argument, const char *what)
{
	int result = ioctl(fd, request, argument);

	if (result < 0)
		err(1, "KVM: %s", what);
	return result;
}

static void attribute(int fd, unsigned long request, uint32_t group, uint64_t attr, void *value)
{
	struct kvm_device_attr argument = { .group = group, .attr = attr, .addr = (uintptr_t)value };

	call(fd, request, &argument, "device attribute");
}

static void access_register(unsigned long request, uint64_t id, uint64_t *value)
{
	struct kvm_one_reg argument = { .id = id, .addr = (uintptr_t)value };

	call(vcpu, request, &argument, "register");
}

static uint64_t get_x(uint32_t n)
{
	uint64_t value;

	access_register(KVM_GET_ONE_REG, CORE_REG(regs.regs[0]) + 2ull * n, &value);
	return value;
}

static void set_x(uint32_t n, uint64_t value)
{
	access_register(KVM_SET_ONE_REG, CORE_REG(regs.regs[0]) + 2ull * n, &value);
}

/* Guest memory; NULL if not all of it is RAM. */
static void *span(uint64_t gpa, uint64_t size)
{
	return gpa >= RAM_BASE && gpa - RAM_BASE <= RAM_SIZE - size ? ram + (gpa - RAM_BASE) : NULL;
}

/* ---- Guest time ---- */

static uint32_t host_hz(void)
{
	uint64_t hz;

	__asm__("mrs %0, cntfrq_el0" : "=r"(hz));
	return (uint32_t)hz;
}

static sc_ticks_t guest_counter(void)
{
	return sc_ticks(sc_counter_read().v - counter_offset);
}

/* The guest's counter shall read `guest` when the host's reads `host`. */
static void set_counter(sc_ticks_t host, sc_ticks_t guest)
{
	struct kvm_arm_counter_offset argument = { .counter_offset = host.v - guest.v };

	call(vm, KVM_ARM_SET_COUNTER_OFFSET, &argument, "counter offset (Linux 6.4 has it)");
	counter_offset = argument.counter_offset;
}

static void write_page(void)
{
	void *page = span(partition.reference_tsc & SC_REFERENCE_TSC_GPA_MASK, SC_HV_PAGE_SIZE);

	if (page && partition.reference_tsc & SC_REFERENCE_TSC_ENABLE)
		sc_page_write(page, &partition.clock, partition.page_sequence);
}

static void arm(uint64_t ns)
{
	struct itimerspec spec = { .it_value = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) } };

	timer_settime(timer, 0, &spec, NULL);
}

/* Makes a private interrupt pending. -EAGAIN: it is active, so the edge would be lost; -EALREADY: it is pending. */
static int latch(uint32_t intid)
{
	uint32_t active, pending;

	attribute(gic, KVM_GET_DEVICE_ATTR, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, GICR_ISACTIVER, &active);
	if (active & 1u << intid)
		return -EAGAIN;
	attribute(gic, KVM_GET_DEVICE_ATTR, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, GICR_ISPENDR, &pending);
	if (pending & 1u << intid)
		return -EALREADY;
	pending |= 1u << intid;
	attribute(gic, KVM_SET_DEVICE_ATTR, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, GICR_ISPENDR, &pending);
	return 0;
}

/* True if the expiry has reached the guest; false if it must wait for the handler to end. */
static bool deliver(const struct sc_delivery *delivery, sc_ref_t now)
{
	struct sc_stimer *stimer = &partition.vcpu[delivery->vp].timer[delivery->timer];
	struct sc_message *slot = delivery->message ? span(delivery->slot_gpa, sizeof(*slot)) : NULL, message;
	int result;

	/* The guest writes EOM when it has freed the slot, or moves its page: SC_EFFECT_SYNIC. */
	if (delivery->message && (!slot || !sc_message_slot_free(slot)))
		return true;
	result = delivery->interrupt ? latch(delivery->intid) : 0;
	if (result == -EAGAIN)
		return false;
	if (slot) {
		sc_message_fill(&message, &partition, delivery, now);
		sc_message_place(slot, &message);
	}
	if (result == -EALREADY && !slot)
		sc_stimer_merged(stimer);
	else
		sc_stimer_delivered(stimer, false);
	return true;
}

/* Delivers what is due, and has the host wake us for what is next. */
static void service(void)
{
	sc_ticks_t counter = guest_counter();
	sc_ref_t now = sc_clock_read(&partition.clock, counter), next;
	struct sc_delivery delivery;
	uint32_t cursor = 0;
	bool retry = false;

	sc_partition_expire(&partition, counter);
	while (sc_partition_pending(&partition, &cursor, &delivery))
		retry |= !deliver(&delivery, now);
	if (retry)
		arm(RETRY_NS);
	else if (sc_partition_deadline(&partition, &next))
		arm(sc_ref_until(now, next).v + 1); /* 0 would switch the host's timer off */
	else
		arm(0);
}

/* ---- The record ---- */

static void write_record(const struct sc_stop_point *stop)
{
	uint8_t bytes[SC_RECORD_MAX];
	size_t size;
	FILE *file = fopen(record_path, "wb");

	if (sc_record_save(&partition, stop, bytes, sizeof(bytes), &size))
		errx(1, "the guest's time cannot be saved");
	if (!file || fwrite(bytes, size, 1, file) != 1 || fclose(file))
		err(1, "%s", record_path);
}

static void read_record(struct sc_partition *loaded, struct sc_stop_point *stop)
{
	uint8_t bytes[SC_RECORD_MAX];
	FILE *file = fopen(record_path, "rb");
	size_t size = file ? fread(bytes, 1, sizeof(bytes), file) : 0;

	if (!file || fclose(file))
		err(1, "%s", record_path);
	if (sc_record_load(bytes, size, loaded, stop))
		errx(1, "%s: the record is damaged", record_path);
}

/*
 * Guest time stops here, and goes on from the record. On another host, the counter at which it stopped has to be
 * translated to that host's counter (sc_offset_*), and the architectural timers to its rate
 * (sc_rate_convert_deadline); here both are the same.
 */
static void go_by_record(void)
{
	sc_ticks_t stopped = sc_counter_read(), host, counter;
	struct sc_stop_point stop = sc_partition_stop(&partition, sc_ticks(stopped.v - counter_offset));
	sc_ns_t gap;

	write_record(&stop);
	read_record(&partition, &stop);
	host = sc_counter_read();
	gap = sc_rate_ticks_to_ns(host_hz(), sc_ticks(host.v - stopped.v));
	if (sc_partition_resume(&partition, &stop, host_hz(), SC_CLOCK_ADVANCE, gap, &counter))
		errx(1, "guest time cannot go on at %u Hz", host_hz());
	set_counter(host, counter);
	write_page();
	service();
}

/* ---- Exits ---- */

/* Runs a call whose input is in registers or in guest memory, which is copied: the guest must not change it meanwhile.
 */
static uint64_t carry_out(const struct sc_call *hypercall)
{
	static uint64_t input[SC_CALL_PAGE_MAX / 8], output[SC_CALL_PAGE_MAX / 8];
	uint32_t words = (uint32_t)(hypercall->input_size + 7) / 8;
	const void *from = span(hypercall->input_gpa, hypercall->input_size);
	void *to = hypercall->output_size ? span(hypercall->output_gpa, hypercall->output_size) : output;
	struct sc_call_outcome outcome;

	for (uint32_t n = 0; hypercall->fast && n < words; n++)
		input[n] = sc_call_input_is_used(hypercall, n) ? get_x(sc_call_input_register(hypercall) + n) : 0;
	if (!hypercall->fast && (!from || !to))
		return SC_HV_INVALID_PARAMETER;
	if (!hypercall->fast)
		memcpy(input, from, hypercall->input_size);
	sc_call_run(&partition, 0, hypercall, input, output, guest_counter(), &outcome);
	for (uint32_t n = 0; hypercall->fast && n < outcome.output_size / 8; n++)
		set_x(sc_call_output_register(hypercall) + n, output[n]);
	if (!hypercall->fast && outcome.output_size)
		memcpy(to, output, outcome.output_size);
	if (outcome.effects & SC_EFFECT_PAGE)
		write_page();
	if (outcome.effects & (SC_EFFECT_TIMER | SC_EFFECT_SYNIC))
		service();
	return outcome.result;
}

static void handle_hypercall(void)
{
	const uint64_t x[4] = { get_x(0), get_x(1), get_x(2), get_x(3) };
	struct sc_call hypercall;
	uint64_t result = sc_call_decode_registers(x, &hypercall);

	set_x(0, result == SC_HV_SUCCESS ? carry_out(&hypercall) : result);
}

static void handle_mmio(void)
{
	if (run->mmio.is_write && run->mmio.phys_addr == UART_BASE)
		putchar(run->mmio.data[0]);
	memset(run->mmio.data, 0, sizeof(run->mmio.data));
}

/* False when the guest has ended. */
static bool handle_exit(void)
{
	switch (run->exit_reason) {
	case KVM_EXIT_HYPERCALL:
		handle_hypercall();
		return true;
	case KVM_EXIT_MMIO:
		handle_mmio();
		return true;
	case KVM_EXIT_SYSTEM_EVENT:
		return false;
	default:
		errx(1, "an exit that this monitor does not know: %u", run->exit_reason);
	}
}

/* Ends KVM_RUN, also one that has not begun yet. */
static void kick(int number)
{
	if (number == SIGUSR1)
		record_asked = 1;
	run->immediate_exit = 1;
}

static void serve(void)
{
	for (;;) {
		if (ioctl(vcpu, KVM_RUN, NULL) == 0) {
			if (!handle_exit())
				return;
			continue;
		}
		if (errno != EINTR)
			err(1, "KVM_RUN");
		run->immediate_exit = 0;
		fflush(stdout);
		if (record_asked) {
			record_asked = 0;
			go_by_record();
		}
		service();
	}
}

/* ---- Start ---- */

static void create_machine(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	struct kvm_smccc_filter filter = { .nr_functions = FORWARDED, .action = KVM_SMCCC_FILTER_FWD_TO_USER };
	struct kvm_userspace_memory_region region = { .guest_phys_addr = RAM_BASE, .memory_size = RAM_SIZE };
	struct kvm_vcpu_init init;

	if (kvm < 0)
		err(1, "/dev/kvm");
	vm = call(kvm, KVM_CREATE_VM, NULL, "virtual machine");
	attribute(vm, KVM_SET_DEVICE_ATTR, KVM_ARM_VM_SMCCC_CTRL, KVM_ARM_VM_SMCCC_FILTER, &filter);
	ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	region.userspace_addr = (uintptr_t)ram;
	call(vm, KVM_SET_USER_MEMORY_REGION, &region, "memory");
	vcpu = call(vm, KVM_CREATE_VCPU, NULL, "vCPU");
	call(vm, KVM_ARM_PREFERRED_TARGET, &init, "vCPU");
	init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
	call(vcpu, KVM_ARM_VCPU_INIT, &init, "vCPU");
	run = mmap(NULL, (size_t)call(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "vCPU"), PROT_READ | PROT_WRITE, MAP_SHARED,
		   vcpu, 0);
	if (ram == MAP_FAILED || run == MAP_FAILED)
		err(1, "mmap");
}

static void create_gic(void)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	uint64_t gicd = GICD_BASE, gicr = GICR_BASE;

	call(vm, KVM_CREATE_DEVICE, &device, "GICv3");
	gic = (int)device.fd;
	attribute(gic, KVM_SET_DEVICE_ATTR, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &gicd);
	attribute(gic, KVM_SET_DEVICE_ATTR, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST, &gicr);
	attribute(gic, KVM_SET_DEVICE_ATTR, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
}

static void load(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint64_t entry = IMAGE_GPA;

	if (!file || !fread(span(IMAGE_GPA, 1), 1, RAM_BASE + RAM_SIZE - IMAGE_GPA, file))
		err(1, "%s", path);
	fclose(file);
	if (!tree_write(ram, TREE_SIZE))
		errx(1, "the device tree does not fit");
	access_register(KVM_SET_ONE_REG, CORE_REG(regs.pc), &entry);
	set_x(0, RAM_BASE);
}

static void start_time(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	struct sigaction action = { .sa_handler = kick };

	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	/* It goes on while the host is suspended, as the counter does. */
	if (timer_create(CLOCK_BOOTTIME, &event, &timer))
		err(1, "timer");
	if (sc_partition_init(&partition, 1, host_hz(), sc_ticks(0)))
		errx(1, "this host's counter ticks at %u Hz, which the core does not know", host_hz());
	set_counter(sc_counter_read(), sc_ticks(0));
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: monitor IMAGE RECORD");
	record_path = argv[2];
	create_machine();
	create_gic();
	load(argv[1]);
	start_time();
	serve();
	return fflush(stdout) ? 1 : 0;
}
