/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The head of a bare guest: the header that makes it a bootable arm64 kernel image (Linux,
 * Documentation/arch/arm64/booting.rst), what must happen before C can run, and the exception vectors.
 *
 * Policy: the image runs where it was put, so it applies its own relocations. Memory is mapped one to one in blocks of
 * 1 GiB: devices below the block that the image is in, ordinary memory from there on.
 */
#define FLAGS_4K_PAGES (1 << 1)
#define FLAGS_ANY_PLACE (1 << 3)
#define R_AARCH64_RELATIVE 1027

#define BLOCK_BITS 30
#define BLOCK_COUNT 512
#define BLOCK_DEVICE 0x0060000000000401	/* not executable, accessed, attribute 0 */
#define BLOCK_MEMORY 0x0000000000000705	/* accessed, inner shareable, attribute 1 */
#define MAIR 0xff00			/* 0: nGnRnE; 1: write-back */
#define TCR 0x200803519			/* 39 bits from 4 KiB pages, write-back walks, 40 bits out, no TTBR1 */
#define SCTLR 0x30d01805		/* MMU, caches, and what must be one */

#define FRAME_SIZE 272

	.section .head, "ax"
	.global head
head:
	b	start
	.long	0
	.quad	0				/* offset in RAM */
	.quad	image_size
	.quad	FLAGS_4K_PAGES | FLAGS_ANY_PLACE
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

start:
	msr	daifset, #0xf
	mov	x20, x0				/* the device tree */
	adrp	x19, head

	adrp	x1, bss_start
	add	x1, x1, :lo12:bss_start
	adrp	x2, bss_end
	add	x2, x2, :lo12:bss_end
1:	stp	xzr, xzr, [x1], #16
	cmp	x1, x2
	b.lo	1b

	adrp	x1, rela_start
	add	x1, x1, :lo12:rela_start
	adrp	x2, rela_end
	add	x2, x2, :lo12:rela_end
2:	cmp	x1, x2
	b.hs	3f
	ldp	x3, x4, [x1], #16		/* offset, type */
	ldr	x5, [x1], #8			/* addend */
	cmp	w4, #R_AARCH64_RELATIVE
	b.ne	2b
	add	x5, x5, x19
	str	x5, [x3, x19]
	b	2b

3:	adrp	x1, map				/* one table of level 1 */
	mov	x2, #0
	lsr	x3, x19, #BLOCK_BITS
	ldr	x6, =BLOCK_DEVICE
	ldr	x7, =BLOCK_MEMORY
4:	cmp	x2, x3
	csel	x4, x6, x7, lo
	orr	x4, x4, x2, lsl #BLOCK_BITS
	str	x4, [x1, x2, lsl #3]
	add	x2, x2, #1
	cmp	x2, #BLOCK_COUNT
	b.lo	4b

	/* What was written past the caches must not be hidden by what they hold. */
	dmb	sy
	adrp	x1, image_end
5:	sub	x1, x1, #16
	dc	ivac, x1
	cmp	x1, x19
	b.hi	5b
	dsb	sy

	bl	mmu_enable
	adrp	x1, boot_stack_end
	mov	sp, x1
	mov	x0, x20
	mov	x29, xzr
	mov	x30, xzr
	b	bare_start

/* x0: struct cpu, whose first member is the end of its stack */
	.global	secondary_start
secondary_start:
	msr	daifset, #0xf
	bl	mmu_enable
	ldr	x1, [x0]
	mov	sp, x1
	mov	x29, xzr
	mov	x30, xzr
	b	cpu_main

mmu_enable:
	ldr	x9, =MAIR
	msr	mair_el1, x9
	ldr	x9, =TCR
	msr	tcr_el1, x9
	adrp	x9, map
	msr	ttbr0_el1, x9
	adrp	x9, vectors
	add	x9, x9, :lo12:vectors
	msr	vbar_el1, x9
	isb
	tlbi	vmalle1
	ic	iallu
	dsb	sy
	isb
	ldr	x9, =SCTLR
	msr	sctlr_el1, x9
	isb
	ret

	.macro	vector handler
	.balign	0x80
	sub	sp, sp, #FRAME_SIZE
	stp	x0, x1, [sp]
	adr	x1, \handler
	b	trap
	.endm

	.balign	0x800
vectors:
	.rept	4
	vector	trap_unexpected
	.endr
	vector	trap_synchronous
	vector	trap_interrupt
	.rept	10
	vector	trap_unexpected
	.endr

trap:
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x29, x30, [sp, #160]
	mrs	x2, elr_el1
	mrs	x3, spsr_el1
	stp	x2, x3, [sp, #176]
	mov	x0, sp
	blr	x1
	ldp	x2, x3, [sp, #176]
	msr	elr_el1, x2
	msr	spsr_el1, x3
	ldp	x29, x30, [sp, #160]
	ldp	x18, x19, [sp, #144]
	ldp	x16, x17, [sp, #128]
	ldp	x14, x15, [sp, #112]
	ldp	x12, x13, [sp, #96]
	ldp	x10, x11, [sp, #80]
	ldp	x8, x9, [sp, #64]
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp]
	add	sp, sp, #FRAME_SIZE
	eret
	.ltorg

	.section .map, "aw", %nobits
	.balign	4096
map:	.skip	BLOCK_COUNT * 8
	.section .note.GNU-stack, "", %progbits
