/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The head of a bare guest: the header that makes it a bootable arm64 kernel image (Linux,
 * Documentation/arch/arm64/booting.rst), a stack, and the way out through PSCI when guest_main returns. MMU and
 * interrupts stay off.
 */
#define FLAGS_4K_PAGES (1 << 1)
#define FLAGS_ANY_PLACE (1 << 3)
#define PSCI_SYSTEM_OFF 0x84000008

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
	adrp	x9, stack_top
	add	x9, x9, :lo12:stack_top
	mov	sp, x9
	bl	guest_main
	ldr	w0, =PSCI_SYSTEM_OFF
	hvc	#0
1:	wfi
	b	1b
