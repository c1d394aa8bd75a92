/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The contract between an arm64 guest and the hypervisor: hypercalls, registers, the reference TSC page.
 *
 * Policy: this file is freestanding C99 and holds numbers and layouts only, no code. Everything here is guest visible
 * and little-endian; a value that has been released never changes its meaning. Sources: the Hypervisor Top Level
 * Functional Specification (TLFS) and, for what the specification leaves open, doc/abi.md.
 */
#ifndef SEACLOCK_ABI_H
#define SEACLOCK_ABI_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
#endif

/* Fails to compile where a layout differs from the one on the wire (C99 has no _Static_assert). */
#define SC_ABI_ASSERT(name, condition) typedef char sc_abi_assert_##name[(condition) ? 1 : -1]

/* ---- Detection (TLFS, feature discovery) ---- */

/* ACPI FADT, offset 268: hypervisor vendor identity. */
#define SC_FADT_VENDOR "MsHyperV"
#define SC_FADT_VENDOR_OFFSET 268

/* ---- Hypercalls (TLFS, hypercall interface, arm64) ---- */

/* HVC #0, X0: function identifier; X1: control word. HVC #1 has the control word in X0. */
#define SC_HVC_FUNCTION_ID 0x46000001u

/* Control word. */
#define SC_CALL_CODE_MASK 0x000000000000ffffull
#define SC_CALL_FAST 0x0000000000010000ull
#define SC_CALL_VARHEAD_MASK 0x0000000007fe0000ull
#define SC_CALL_RESERVED_MASK 0xf000f00078000000ull
#define SC_CALL_NESTED 0x0000000080000000ull
#define SC_CALL_REP_COUNT_SHIFT 32
#define SC_CALL_REP_START_SHIFT 48
#define SC_CALL_REP_MASK 0xfffull

#define SC_HVCALL_GET_VP_REGISTERS 0x0050u
#define SC_HVCALL_SET_VP_REGISTERS 0x0051u

/* The control words that Linux uses: fast, one repetition. */
#define SC_CALL_GET_ONE (SC_CALL_FAST | (1ull << SC_CALL_REP_COUNT_SHIFT) | SC_HVCALL_GET_VP_REGISTERS)
#define SC_CALL_SET_ONE (SC_CALL_FAST | (1ull << SC_CALL_REP_COUNT_SHIFT) | SC_HVCALL_SET_VP_REGISTERS)

/* Result word: status in bits 15:0, repetitions completed in bits 43:32. */
#define SC_RESULT_STATUS_MASK 0xffffull
#define SC_RESULT_REPS_SHIFT 32

enum sc_hv_status {
	SC_HV_SUCCESS = 0x0000,
	SC_HV_INVALID_HYPERCALL_CODE = 0x0002,
	SC_HV_INVALID_HYPERCALL_INPUT = 0x0003,
	SC_HV_INVALID_ALIGNMENT = 0x0004,
	SC_HV_INVALID_PARAMETER = 0x0005,
	SC_HV_ACCESS_DENIED = 0x0006,
	SC_HV_INVALID_PARTITION_ID = 0x000d,
	SC_HV_INVALID_VP_INDEX = 0x000e,
	SC_HV_INVALID_REGISTER_VALUE = 0x0050,
	SC_HV_UNKNOWN_REGISTER_NAME = 0x0087,
};

/* Input header of GET and SET; 16 bytes. */
struct sc_vp_registers_header {
	uint64_t partition_id;
	uint32_t vp_index;
	uint8_t input_vtl;
	uint8_t reserved[3];
};
SC_ABI_ASSERT(vp_registers_header, sizeof(struct sc_vp_registers_header) == 16);

/* One repetition of SET; 32 bytes. A repetition of GET is a uint32_t name in and 16 bytes of value out. */
struct sc_set_vp_register {
	uint32_t name;
	uint32_t reserved[3];
	uint64_t value_low;
	uint64_t value_high;
};
SC_ABI_ASSERT(set_vp_register, sizeof(struct sc_set_vp_register) == 32);

#define SC_PARTITION_ID_SELF 0xffffffffffffffffull
#define SC_VP_INDEX_SELF 0xfffffffeu

/* ---- Registers (TLFS, HV_REGISTER_NAME, arm64) ---- */

#define SC_REG_HYPERVISOR_VERSION 0x00000100u
#define SC_REG_PRIVILEGES_AND_FEATURES 0x00000200u
#define SC_REG_FEATURES_INFO 0x00000201u
#define SC_REG_IMPLEMENTATION_LIMITS 0x00000202u
#define SC_REG_HARDWARE_FEATURES 0x00000203u
#define SC_REG_GUEST_CRASH_P0 0x00000210u
#define SC_REG_GUEST_CRASH_P4 0x00000214u
#define SC_REG_GUEST_CRASH_CTL 0x00000215u
#define SC_REG_GUEST_OS_ID 0x00090002u
#define SC_REG_VP_INDEX 0x00090003u
#define SC_REG_TIME_REF_COUNT 0x00090004u
#define SC_REG_REFERENCE_TSC 0x00090017u
#define SC_REG_SINT0 0x000a0000u
#define SC_REG_SINT15 0x000a000fu
#define SC_REG_SCONTROL 0x000a0010u
#define SC_REG_SVERSION 0x000a0011u
#define SC_REG_SIEFP 0x000a0012u
#define SC_REG_SIMP 0x000a0013u
#define SC_REG_EOM 0x000a0014u
#define SC_REG_STIMER0_CONFIG 0x000b0000u
#define SC_REG_STIMER0_COUNT 0x000b0001u
#define SC_REG_STIMER3_COUNT 0x000b0007u

/* PrivilegesAndFeatures, as two 64-bit halves. */
#define SC_PRIVILEGE_REFERENCE_COUNTER (1ull << 1)
#define SC_PRIVILEGE_SYNIC (1ull << 2)
#define SC_PRIVILEGE_SYNTHETIC_TIMERS (1ull << 3)
#define SC_PRIVILEGE_HYPERCALL (1ull << 5)
#define SC_PRIVILEGE_VP_INDEX (1ull << 6)
#define SC_PRIVILEGE_REFERENCE_TSC (1ull << 9)
#define SC_PRIVILEGE_VP_REGISTERS (1ull << 49)
#define SC_FEATURE_CRASH_REGISTERS (1ull << (72 - 64))
#define SC_FEATURE_SINT_POLLING (1ull << (76 - 64))
#define SC_FEATURE_DIRECT_TIMERS (1ull << (77 - 64))

/* GuestCrashCtl. */
#define SC_CRASH_NOTIFY (1ull << 63)
#define SC_CRASH_MESSAGE (1ull << 62)

/* ReferenceTsc: guest page frame number in 4 KiB units in bits 63:12, 11:1 preserved. */
#define SC_REFERENCE_TSC_ENABLE 1ull
#define SC_REFERENCE_TSC_GPA_MASK 0xfffffffffffff000ull

/* ---- Reference TSC page (TLFS, timers) ---- */

/*
 * Reference time is ((counter * scale) >> 64) + offset, in units of 100 ns, where counter is CNTVCT_EL0. Valid while
 * sequence is not 0; a change of sequence between two reads means: read again.
 */
struct sc_reference_tsc_page {
	uint32_t sequence;
	uint32_t reserved;
	uint64_t scale;
	int64_t offset;
};
SC_ABI_ASSERT(reference_tsc_page, sizeof(struct sc_reference_tsc_page) == 24);

#define SC_PAGE_SEQUENCE_INVALID 0u
#define SC_HV_PAGE_SIZE 4096u

/* Reference time counts 100 ns units. */
#define SC_REF_HZ 10000000u
#define SC_REF_NS 100u

/* ---- Synthetic timers (TLFS, timers) ---- */

#define SC_STIMER_COUNT 4u

#define SC_STIMER_ENABLE (1ull << 0)
#define SC_STIMER_PERIODIC (1ull << 1)
#define SC_STIMER_LAZY (1ull << 2)
#define SC_STIMER_AUTO_ENABLE (1ull << 3)
#define SC_STIMER_INTID_SHIFT 4
#define SC_STIMER_INTID_MASK 0xffull
#define SC_STIMER_DIRECT (1ull << 12)
#define SC_STIMER_SINT_SHIFT 16
#define SC_STIMER_SINT_MASK 0xfull
#define SC_STIMER_RESERVED_MASK 0xfffffffffff0e000ull

/* The shortest time between two expiries of a periodic timer: a shorter period expires at its multiples. 100 us. */
#define SC_STIMER_PERIOD_MIN 1000u

/* Private peripheral interrupts: the INTIDs that a direct timer may name. */
#define SC_PPI_FIRST 16u
#define SC_PPI_LAST 31u

/* The INTID that Linux guests have used since Hyper-V on arm64 first had synthetic timers. */
#define SC_STIMER0_INTID 31u

/* ---- Synthetic interrupt controller (TLFS, inter-partition communication), as far as timers need it ---- */

#define SC_SINT_COUNT 16u

/* SINTn; the vector is the INTID of a private peripheral interrupt. */
#define SC_SINT_INTID_MASK 0xffull
#define SC_SINT_MASKED (1ull << 16)
#define SC_SINT_AUTO_EOI (1ull << 17) /* not on arm64 */
#define SC_SINT_POLLING (1ull << 18)
#define SC_SINT_AS_INTERCEPT (1ull << 19) /* for parents of other partitions */
#define SC_SINT_PROXY (1ull << 20)	  /* the same */
#define SC_SINT_RESET SC_SINT_MASKED

#define SC_SCONTROL_ENABLE 1ull
#define SC_SVERSION_VALUE 1ull
/* SIMP and SIEFP: guest page frame number in 4 KiB units in bits 63:12, 11:1 preserved. */
#define SC_SIMP_ENABLE 1ull
#define SC_SIMP_GPA_MASK 0xfffffffffffff000ull

/* One slot of the message page for each SINT; free while type is 0. */
struct sc_message {
	uint32_t type;
	uint8_t payload_size;
	uint8_t flags;
	uint16_t reserved;
	uint64_t origination;
	uint64_t payload[30];
};
SC_ABI_ASSERT(message, sizeof(struct sc_message) == 256);

#define SC_MESSAGE_NONE 0u
#define SC_MESSAGE_TIMER_EXPIRED 0x80000010u
#define SC_MESSAGE_PENDING 0x01u /* flags: another message waits; write EOM after freeing the slot */

/* Payload of SC_MESSAGE_TIMER_EXPIRED; 24 bytes. */
struct sc_timer_message {
	uint32_t timer_index;
	uint32_t reserved;
	uint64_t expiration_time; /* reference time */
	uint64_t delivery_time;
};
SC_ABI_ASSERT(timer_message, sizeof(struct sc_timer_message) == 24);

/* ---- Seaclock's own registers (doc/abi.md); absent on other hypervisors: a GET answers with a failing status ---- */

/* GET: low half SC_SEACLOCK_MAGIC, high half the SC_SEACLOCK_HAS_* bits. */
#define SC_REG_SEACLOCK 0x5ea00000u
#define SC_SEACLOCK_MAGIC 0x6b636f6c63616573ull /* "seaclock" */
#define SC_SEACLOCK_HAS_GUEST_CLOCK (1ull << 0)
/* SC_REG_MIGRATION, SC_REG_HOLD, and in SC_REG_GUEST_CLOCK the bit HOLDS and the rate. */
#define SC_SEACLOCK_HAS_HOLD (1ull << 1)

/* GET and SET: what the guest declares of itself, SC_GUEST_CLOCK_*; 0 at reset. */
#define SC_REG_GUEST_CLOCK 0x5ea00001u
/* The current clocksource is the reference TSC page, and sched_clock is on it as well. */
#define SC_GUEST_CLOCK_ON_PAGE (1ull << 0)
/* The handler of a direct timer always rewrites COUNT or CONFIG: the interrupt may stay asserted until then. */
#define SC_GUEST_CLOCK_REWRITES_TIMER (1ull << 1)
/* The declarer is a driver: without ON_PAGE its guest is not on the page, whatever the page register says. */
#define SC_GUEST_CLOCK_DECLARED (1ull << 2)
/* The driver does what SC_REG_MIGRATION asks: prepare, then hold. */
#define SC_GUEST_CLOCK_HOLDS (1ull << 3)
/*
 * Bits 63:32: the current clocksource is the raw counter, taken to tick at so many Hz; 0: it is not. Refused unless
 * that is the counter's rate and nothing is asked.
 */
#define SC_GUEST_CLOCK_RAW_HZ_SHIFT 32
#define SC_GUEST_CLOCK_RAW_HZ_MASK 0xffffffff00000000ull
#define SC_GUEST_CLOCK_MASK (0xfull | SC_GUEST_CLOCK_RAW_HZ_MASK)

/*
 * GET. Low half: bits 1:0 what is asked of the guest, SC_ASK_*; bits 63:32 the counter's rate in Hz. High half: the
 * INTID of the shared peripheral interrupt, an edge, that tells that the low half has changed.
 */
#define SC_REG_MIGRATION 0x5ea00002u
#define SC_ASK_MASK 0x3ull
#define SC_ASK_NOTHING 0ull
#define SC_ASK_PREPARE 1ull /* put the clock on the page, and leave it there */
#define SC_ASK_HOLD 2ull    /* that, then stop all CPUs and read SC_REG_HOLD */
#define SC_MIGRATION_HZ_SHIFT 32
#define SC_MIGRATION_INTID 34u

/*
 * GET, in the fast form of HVC #0 and with one repetition only: returns when the machine goes on, here or on another
 * host; at once if no hold is asked. Low half: the counter's rate in Hz as it is now. High half: SC_HOLD_*.
 */
#define SC_REG_HOLD 0x5ea00003u
#define SC_HOLD_CALLED_OFF 0ull /* nothing has happened */
#define SC_HOLD_MOVED 1ull	/* perhaps to another counter: what rests on its rate needs repair */

#endif
