//go:build !purego

#include "textflag.h"

// EXACT multiplies the next element of one row of A by a row of B's panel (V0,
// V1), rounds, and adds to that row of C (C0, C1). V2, V3 and V4 are clobbered.
#define EXACT(A, C0, C1) \
	VLD1R.P (A)(R3), [V2.S4]      \
	VFMUL   V0.S4, V2.S4, V3.S4   \
	VFMUL   V1.S4, V2.S4, V4.S4   \
	VFADD   V3.S4, C0.S4, C0.S4   \
	VFADD   V4.S4, C1.S4, C1.S4

// FUSED is EXACT without rounding the products.
#define FUSED(A, C0, C1) \
	VLD1R.P (A)(R3), [V2.S4]      \
	VFMLA   V0.S4, V2.S4, C0.S4   \
	VFMLA   V1.S4, V2.S4, C1.S4

// func tile8x8(k int, a *float32, ar, ac int, b *float32, br int, c *float32, ldc int, acc, fused bool)
TEXT ·tile8x8(SB), NOSPLIT, $0-66
	MOVD  k+0(FP), R0
	MOVD  a+8(FP), R8
	MOVD  ar+16(FP), R2
	MOVD  ac+24(FP), R3
	MOVD  b+32(FP), R4
	MOVD  br+40(FP), R5
	MOVD  c+48(FP), R6
	MOVD  ldc+56(FP), R7
	LSL   $2, R2
	LSL   $2, R3
	LSL   $2, R5
	LSL   $2, R7
	ADD   R2, R8, R9        // R8 to R15: the rows of A
	ADD   R2, R9, R10
	ADD   R2, R10, R11
	ADD   R2, R11, R12
	ADD   R2, R12, R13
	ADD   R2, R13, R14
	ADD   R2, R14, R15
	MOVBU acc+64(FP), R16
	CBZ   R16, zero
	MOVD  R6, R17
	VLD1.P (R17)(R7), [V16.S4, V17.S4]
	VLD1.P (R17)(R7), [V18.S4, V19.S4]
	VLD1.P (R17)(R7), [V20.S4, V21.S4]
	VLD1.P (R17)(R7), [V22.S4, V23.S4]
	VLD1.P (R17)(R7), [V24.S4, V25.S4]
	VLD1.P (R17)(R7), [V26.S4, V27.S4]
	VLD1.P (R17)(R7), [V28.S4, V29.S4]
	VLD1.P (R17)(R7), [V30.S4, V31.S4]
	JMP    start

zero:
	VEOR V16.B16, V16.B16, V16.B16
	VEOR V17.B16, V17.B16, V17.B16
	VEOR V18.B16, V18.B16, V18.B16
	VEOR V19.B16, V19.B16, V19.B16
	VEOR V20.B16, V20.B16, V20.B16
	VEOR V21.B16, V21.B16, V21.B16
	VEOR V22.B16, V22.B16, V22.B16
	VEOR V23.B16, V23.B16, V23.B16
	VEOR V24.B16, V24.B16, V24.B16
	VEOR V25.B16, V25.B16, V25.B16
	VEOR V26.B16, V26.B16, V26.B16
	VEOR V27.B16, V27.B16, V27.B16
	VEOR V28.B16, V28.B16, V28.B16
	VEOR V29.B16, V29.B16, V29.B16
	VEOR V30.B16, V30.B16, V30.B16
	VEOR V31.B16, V31.B16, V31.B16

start:
	MOVBU fused+65(FP), R16
	CBNZ  R16, fuse

exact:
	VLD1.P (R4)(R5), [V0.S4, V1.S4]
	EXACT(R8, V16, V17)
	EXACT(R9, V18, V19)
	EXACT(R10, V20, V21)
	EXACT(R11, V22, V23)
	EXACT(R12, V24, V25)
	EXACT(R13, V26, V27)
	EXACT(R14, V28, V29)
	EXACT(R15, V30, V31)
	SUB    $1, R0
	CBNZ   R0, exact
	JMP    done

fuse:
	VLD1.P (R4)(R5), [V0.S4, V1.S4]
	FUSED(R8, V16, V17)
	FUSED(R9, V18, V19)
	FUSED(R10, V20, V21)
	FUSED(R11, V22, V23)
	FUSED(R12, V24, V25)
	FUSED(R13, V26, V27)
	FUSED(R14, V28, V29)
	FUSED(R15, V30, V31)
	SUB    $1, R0
	CBNZ   R0, fuse

done:
	VST1.P [V16.S4, V17.S4], (R6)(R7)
	VST1.P [V18.S4, V19.S4], (R6)(R7)
	VST1.P [V20.S4, V21.S4], (R6)(R7)
	VST1.P [V22.S4, V23.S4], (R6)(R7)
	VST1.P [V24.S4, V25.S4], (R6)(R7)
	VST1.P [V26.S4, V27.S4], (R6)(R7)
	VST1.P [V28.S4, V29.S4], (R6)(R7)
	VST1.P [V30.S4, V31.S4], (R6)(R7)
	RET
