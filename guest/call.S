/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypercall itself, in both conventions: a block of sixteen registers in and out (TLFS, hypercall interface, arm64).
 *
 * Policy: all sixteen are loaded and stored, also what a call does not use, so that the caller sees what it leaves.
 */

/* uint64_t sc_guest_call(convention, control, block): w0, x1, x2 */
	.text
	.balign	16
	.global	sc_guest_call
	.type	sc_guest_call, %function
sc_guest_call:
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	str	x19, [sp, #16]
	mov	x19, x2
	cbnz	w0, older

	ldr	w0, =0x46000001			/* SC_HVC_FUNCTION_ID */
	ldp	x2, x3, [x19]
	ldp	x4, x5, [x19, #16]
	ldp	x6, x7, [x19, #32]
	ldp	x8, x9, [x19, #48]
	ldp	x10, x11, [x19, #64]
	ldp	x12, x13, [x19, #80]
	ldp	x14, x15, [x19, #96]
	ldp	x16, x17, [x19, #112]
	hvc	#0
	stp	x2, x3, [x19]
	stp	x4, x5, [x19, #16]
	stp	x6, x7, [x19, #32]
	stp	x8, x9, [x19, #48]
	stp	x10, x11, [x19, #64]
	stp	x12, x13, [x19, #80]
	stp	x14, x15, [x19, #96]
	stp	x16, x17, [x19, #112]
	b	done

older:	mov	x0, x1
	ldp	x1, x2, [x19]
	ldp	x3, x4, [x19, #16]
	ldp	x5, x6, [x19, #32]
	ldp	x7, x8, [x19, #48]
	ldp	x9, x10, [x19, #64]
	ldp	x11, x12, [x19, #80]
	ldp	x13, x14, [x19, #96]
	ldp	x15, x16, [x19, #112]
	hvc	#1
	stp	x1, x2, [x19]
	stp	x3, x4, [x19, #16]
	stp	x5, x6, [x19, #32]
	stp	x7, x8, [x19, #48]
	stp	x9, x10, [x19, #64]
	stp	x11, x12, [x19, #80]
	stp	x13, x14, [x19, #96]
	stp	x15, x16, [x19, #112]

done:	ldr	x19, [sp, #16]
	ldp	x29, x30, [sp], #32
	ret
	.size	sc_guest_call, . - sc_guest_call
	.ltorg
	.section .note.GNU-stack, "", %progbits
