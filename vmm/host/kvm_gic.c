/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KVM's GICv3: creation, its state as bytes, and the pending latch of a PPI.
 *
 * Policy: one walk over all registers serves saving and loading, so the two cannot disagree. The order is KVM's
 * (Documentation/virt/kvm/devices/arm-vgic-v3.rst): the distributor's control word, redistributors, distributor, CPU
 * interfaces. ISPENDR gives the latch only, so line levels travel beside it.
 */
#include "host/host.h"

#include "base/busy.h"
#include "host/kvm_api.h"
#include "base/layout.h"

#include <errno.h>
#include <string.h>

#define GICD_CTLR 0x0000u
#define GICD_IIDR 0x0008u
#define GICD_IROUTER 0x6000u
#define GICR_CTLR 0x0000u
#define GICR_WAKER 0x0014u
#define GICR_SGI 0x10000u
#define GIC_IGROUPR 0x0080u
#define GIC_ISENABLER 0x0100u
#define GIC_ISPENDR 0x0200u
#define GIC_ISACTIVER 0x0300u
#define GIC_IPRIORITYR 0x0400u
#define GIC_ICFGR 0x0c00u

/* From a register that sets bits to its twin that clears them. */
#define GIC_TO_CLEAR 0x0080u

#define SYSREG(op0, op1, crn, crm, op2)                                                                                \
	((uint64_t)(op0) << 14 | (uint64_t)(op1) << 11 | (uint64_t)(crn) << 7 | (uint64_t)(crm) << 3 | (op2))
#define ICC_PMR SYSREG(3, 0, 4, 6, 0)
#define ICC_BPR0 SYSREG(3, 0, 12, 8, 3)
#define ICC_AP0R(n) SYSREG(3, 0, 12, 8, 4 + (n))
#define ICC_AP1R(n) SYSREG(3, 0, 12, 9, (n))
#define ICC_BPR1 SYSREG(3, 0, 12, 12, 3)
#define ICC_CTLR SYSREG(3, 0, 12, 12, 4)
#define ICC_SRE SYSREG(3, 0, 12, 12, 5)
#define ICC_IGRPEN0 SYSREG(3, 0, 12, 12, 6)
#define ICC_IGRPEN1 SYSREG(3, 0, 12, 12, 7)
#define ICC_CTLR_PRIORITY_BITS(ctlr) (((ctlr) >> 8 & 7) + 1)

#define IRQS_PER_WORD 32u
#define GIC_PPIS 16u	      /* from here on; KVM starts them as levels, all others as edges */
#define GIC_EDGES 0xaaaaaaaau /* in ICFGR */
#define GIC_SGIS 0xffffu      /* always enabled in KVM's GICv3, whose interrupts are all of group 1 (vgic-init.c) */

/* A walk over the GIC's registers: to a buffer, from a cursor, or to set them as at power-on. */
struct gic_walk {
	int gic;
	bool fresh;
	struct buffer *to;
	struct cursor *from;
	int result;
	uint32_t group; /* of the register that failed */
	uint64_t attribute;
};

/* One access; KVM locks all vCPUs for those to registers. */
struct gic_attempt {
	int gic;
	bool set;
	struct kvm_device_attr attr;
};

static int gic_attempt(void *context)
{
	struct gic_attempt *attempt = context;

	return kvm_call(attempt->gic, attempt->set ? KVM_SET_DEVICE_ATTR : KVM_GET_DEVICE_ATTR, &attempt->attr);
}

static struct gic_attempt gic_attempt_make(int gic, bool set, uint32_t group, uint64_t attribute, void *value)
{
	return (struct gic_attempt){ gic, set, { .group = group, .attr = attribute, .addr = (uintptr_t)value } };
}

static int gic_access(int gic, bool set, uint32_t group, uint64_t attribute, void *value)
{
	struct gic_attempt attempt = gic_attempt_make(gic, set, group, attribute, value);

	return busy_retry(gic_attempt, &attempt);
}

/* For those who have something better to do than to wait. */
static int gic_access_once(int gic, bool set, uint32_t group, uint64_t attribute, void *value)
{
	struct gic_attempt attempt = gic_attempt_make(gic, set, group, attribute, value);

	return gic_attempt(&attempt);
}

static bool walk_try(struct gic_walk *walk, bool set, uint32_t group, uint64_t attribute, void *value)
{
	if (walk->result)
		return false;
	walk->group = group;
	walk->attribute = attribute;
	walk->result = gic_access(walk->gic, set, group, attribute, value);
	return !walk->result;
}

/* `fresh` is what the register holds at power-on. */
static void walk_u32_fresh(struct gic_walk *walk, uint32_t group, uint64_t attribute, uint32_t fresh)
{
	uint32_t value = fresh;

	if (walk->fresh) {
		walk_try(walk, true, group, attribute, &value);
	} else if (walk->from) {
		value = cursor_u32(walk->from);
		walk_try(walk, true, group, attribute, &value);
	} else if (walk_try(walk, false, group, attribute, &value)) {
		buffer_put_u32(walk->to, value);
	}
}

static void walk_u32(struct gic_walk *walk, uint32_t group, uint64_t attribute)
{
	walk_u32_fresh(walk, group, attribute, 0);
}

static uint64_t walk_u64(struct gic_walk *walk, uint32_t group, uint64_t attribute)
{
	uint64_t value = 0;

	if (walk->fresh) {
		walk_try(walk, true, group, attribute, &value);
	} else if (walk->from) {
		value = cursor_u64(walk->from);
		walk_try(walk, true, group, attribute, &value);
	} else if (walk_try(walk, false, group, attribute, &value)) {
		buffer_put_u64(walk->to, value);
	}
	return value;
}

/* A register whose ones set bits: to load it, all bits are cleared first. */
static void walk_bits(struct gic_walk *walk, uint32_t group, uint64_t attribute, uint32_t fresh)
{
	uint32_t all = UINT32_MAX;

	if (walk->from || walk->fresh)
		walk_try(walk, true, group, attribute + GIC_TO_CLEAR, &all);
	walk_u32_fresh(walk, group, attribute, fresh);
}

static void walk_levels(struct gic_walk *walk, uint64_t affinity, uint32_t first)
{
	uint64_t info = (uint64_t)VGIC_LEVEL_INFO_LINE_LEVEL << KVM_DEV_ARM_VGIC_LINE_LEVEL_INFO_SHIFT;

	walk_u32(walk, KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO, affinity | info | first);
}

/* The registers of 32 interrupts; `base` is the frame, `first` the lowest INTID. */
static void walk_word(struct gic_walk *walk, uint32_t group, uint64_t base, uint32_t first)
{
	uint64_t word = base + first / IRQS_PER_WORD * sizeof(uint32_t);

	walk_u32_fresh(walk, group, word + GIC_IGROUPR, UINT32_MAX);
	for (uint32_t n = 0; n < IRQS_PER_WORD; n += 4)
		walk_u32(walk, group, base + GIC_IPRIORITYR + first + n);
	for (uint32_t n = 0; n < IRQS_PER_WORD; n += 16)
		walk_u32_fresh(walk, group, base + GIC_ICFGR + (first + n) / 4, first + n == GIC_PPIS ? 0 : GIC_EDGES);
	walk_bits(walk, group, word + GIC_ISENABLER, first ? 0 : GIC_SGIS);
	walk_u32(walk, group, word + GIC_ISPENDR);
	walk_bits(walk, group, word + GIC_ISACTIVER, 0);
}

static void walk_redistributor(struct gic_walk *walk, uint64_t affinity)
{
	const uint32_t group = KVM_DEV_ARM_VGIC_GRP_REDIST_REGS;

	walk_u32(walk, group, affinity | GICR_CTLR);
	walk_u32(walk, group, affinity | GICR_WAKER);
	walk_levels(walk, affinity, 0);
	walk_word(walk, group, affinity | GICR_SGI, 0);
}

/* A word that KVM reads as zero and ignores when it is written: part of the stream, but never accessed. */
static void walk_zero(struct gic_walk *walk)
{
	if (walk->from)
		cursor_u32(walk->from);
	else if (walk->to)
		buffer_put_u32(walk->to, 0);
}

/* KVM has no affinity level 3, which is all that the upper word of a router holds (vgic-mmio-v3.c). */
static void walk_router(struct gic_walk *walk, uint32_t intid)
{
	walk_u32(walk, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_IROUTER + 8ull * intid);
	walk_zero(walk);
}

static void walk_distributor(struct gic_walk *walk)
{
	const uint32_t group = KVM_DEV_ARM_VGIC_GRP_DIST_REGS;

	for (uint32_t first = IRQS_PER_WORD; first < LAYOUT_INTERRUPTS; first += IRQS_PER_WORD) {
		walk_levels(walk, 0, first);
		walk_word(walk, group, 0, first);
	}
	for (uint32_t intid = IRQS_PER_WORD; intid < LAYOUT_INTERRUPTS; intid++)
		walk_router(walk, intid);
}

/* Power-on leaves as they are the registers that say what the GIC can do: a kernel may not write others. */
static uint32_t walk_cpu_control(struct gic_walk *walk, uint64_t affinity)
{
	const uint32_t group = KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS;
	uint64_t control = 0;

	if (walk->fresh) {
		walk_try(walk, false, group, affinity | ICC_CTLR, &control);
	} else {
		control = walk_u64(walk, group, affinity | ICC_CTLR);
		walk_u64(walk, group, affinity | ICC_SRE);
	}
	return ICC_CTLR_PRIORITY_BITS(control);
}

static void walk_cpu_interface(struct gic_walk *walk, uint64_t affinity)
{
	static const uint64_t plain[] = { ICC_PMR, ICC_BPR0, ICC_BPR1, ICC_IGRPEN0, ICC_IGRPEN1 };
	const uint32_t group = KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS;
	uint32_t bits = walk_cpu_control(walk, affinity);
	uint32_t active = bits > 6 ? 4 : bits > 5 ? 2 : 1;

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		walk_u64(walk, group, affinity | plain[i]);
	for (uint32_t n = 0; n < active; n++) {
		walk_u64(walk, group, affinity | ICC_AP0R(n));
		walk_u64(walk, group, affinity | ICC_AP1R(n));
	}
}

/* The affinity of a vCPU where the device wants it. KVM gives vCPU n affinity 0.0.0.n up to 15. */
static uint64_t vcpu_affinity(uint32_t vcpu)
{
	return (uint64_t)vcpu << 32;
}

static void walk_all(struct gic_walk *walk, uint32_t vcpus)
{
	if (!walk->fresh)
		walk_u32(walk, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_IIDR);
	walk_u32(walk, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_CTLR);
	for (uint32_t n = 0; n < vcpus; n++)
		walk_redistributor(walk, vcpu_affinity(n));
	walk_distributor(walk);
	for (uint32_t n = 0; n < vcpus; n++)
		walk_cpu_interface(walk, vcpu_affinity(n));
}

static int walk_finish(const struct gic_walk *walk, struct error *error)
{
	if (walk->from && walk->from->failed)
		return error_set(error, EPROTO, "the state of the interrupt controller in the stream is damaged");
	if (walk->to && buffer_failed(walk->to))
		return error_set(error, ENOMEM, "no memory for the state of the interrupt controller");
	if (walk->result)
		return error_set(error, -walk->result,
				 "this host's KVM refuses GIC register group %u, attribute 0x%llx (%s)", walk->group,
				 (unsigned long long)walk->attribute, strerror(-walk->result));
	return 0;
}

int host_gic_save(struct host_vm *vm, uint32_t vcpus, struct buffer *state, struct error *error)
{
	struct gic_walk walk = { .gic = vm->gic, .to = state };

	walk_all(&walk, vcpus);
	return walk_finish(&walk, error);
}

int host_gic_load(struct host_vm *vm, uint32_t vcpus, struct cursor *state, struct error *error)
{
	struct gic_walk walk = { .gic = vm->gic, .from = state };

	walk_all(&walk, vcpus);
	return walk_finish(&walk, error);
}

int host_gic_reset(struct host_vm *vm, uint32_t vcpus, struct error *error)
{
	struct gic_walk walk = { .gic = vm->gic, .fresh = true };

	walk_all(&walk, vcpus);
	return walk_finish(&walk, error);
}

static int gic_set_address(int gic, uint64_t type, uint64_t address)
{
	return gic_access(gic, true, KVM_DEV_ARM_VGIC_GRP_ADDR, type, &address);
}

static int gic_configure(int gic)
{
	uint32_t interrupts = LAYOUT_INTERRUPTS;
	int result = gic_set_address(gic, KVM_VGIC_V3_ADDR_TYPE_DIST, LAYOUT_GICD_BASE);

	if (!result)
		result = gic_set_address(gic, KVM_VGIC_V3_ADDR_TYPE_REDIST, LAYOUT_GICR_BASE);
	if (!result)
		result = gic_access(gic, true, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &interrupts);
	if (!result)
		result = gic_access(gic, true, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
	return result;
}

int host_gic_create(struct host_vm *vm, struct error *error)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	int result = kvm_call(vm->vm, KVM_CREATE_DEVICE, &device);

	if (result < 0)
		return error_set(error, -result, "this host's KVM has no GICv3 for guests (%s)", strerror(-result));
	vm->gic = (int)device.fd;
	result = gic_configure(vm->gic);
	if (result)
		return error_set(error, -result, "KVM refuses the GICv3 as this machine needs it (%s)",
				 strerror(-result));
	return 0;
}

static int gic_latch(struct host_vm *vm, uint32_t vcpu, uint32_t intid)
{
	const uint32_t group = KVM_DEV_ARM_VGIC_GRP_REDIST_REGS;
	uint64_t base = vcpu_affinity(vcpu) | GICR_SGI;
	uint32_t active, pending;
	int result = gic_access_once(vm->gic, false, group, base + GIC_ISACTIVER, &active);

	if (result)
		return result;
	if (active & 1u << intid)
		return -EAGAIN;
	result = gic_access_once(vm->gic, false, group, base + GIC_ISPENDR, &pending);
	if (result)
		return result;
	if (pending & 1u << intid)
		return -EALREADY;
	/* Zero bits clear other latches, hence read, modify, write. */
	pending |= 1u << intid;
	return gic_access_once(vm->gic, true, group, base + GIC_ISPENDR, &pending);
}

int host_gic_latch_ppi(struct host_vm *vm, uint32_t vcpu, uint32_t intid)
{
	int result = gic_latch(vm, vcpu, intid);

	/* KVM locks all vCPUs for this, and does not wait for a thread that reads the registers of one. */
	return result == -EBUSY ? -EAGAIN : result;
}
