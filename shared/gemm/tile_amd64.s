//go:build !purego

#include "textflag.h"

// EXACT multiplies one element of A by a row of B's panel (B0, B1), rounds, and
// adds to one row of C (C0, C1). X and T are clobbered.
#define EXACT(A, X, T, B0, B1, C0, C1) \
	VBROADCASTSS A, X          \
	VMULPS       B0, X, T      \
	VMULPS       B1, X, X      \
	VADDPS       T, C0, C0     \
	VADDPS       X, C1, C1

// FUSED is EXACT without rounding the products; it needs no T.
#define FUSED(A, X, B0, B1, C0, C1) \
	VBROADCASTSS A, X          \
	VFMADD231PS  B0, X, C0     \
	VFMADD231PS  B1, X, C1

// func cpuid(leaf, sub uint32) (a, b, c, d uint32)
TEXT ·cpuid(SB), NOSPLIT, $0-24
	MOVL leaf+0(FP), AX
	MOVL sub+4(FP), CX
	CPUID
	MOVL AX, a+8(FP)
	MOVL BX, b+12(FP)
	MOVL CX, c+16(FP)
	MOVL DX, d+20(FP)
	RET

// func xgetbv() uint32
TEXT ·xgetbv(SB), NOSPLIT, $0-4
	XORL CX, CX
	XGETBV
	MOVL AX, ret+0(FP)
	RET

// func tile6x32(k int, a *float32, ar, ac int, b *float32, br int, c *float32, ldc int, acc, fused bool)
TEXT ·tile6x32(SB), NOSPLIT, $0-66
	MOVQ k+0(FP), CX
	MOVQ a+8(FP), SI
	MOVQ ar+16(FP), R8
	MOVQ ac+24(FP), R9
	MOVQ b+32(FP), DI
	MOVQ br+40(FP), R13
	MOVQ c+48(FP), DX
	MOVQ ldc+56(FP), R10
	SHLQ $2, R8
	SHLQ $2, R9
	SHLQ $2, R10
	SHLQ $2, R13
	LEAQ (SI)(R8*2), R11
	ADDQ R8, R11            // row 3 of A
	LEAQ (DX)(R10*2), R12
	ADDQ R10, R12           // row 3 of C
	CMPB acc+64(FP), $0
	JEQ  zero
	VMOVUPS (DX), Z4
	VMOVUPS 64(DX), Z5
	VMOVUPS (DX)(R10*1), Z6
	VMOVUPS 64(DX)(R10*1), Z7
	VMOVUPS (DX)(R10*2), Z8
	VMOVUPS 64(DX)(R10*2), Z9
	VMOVUPS (R12), Z10
	VMOVUPS 64(R12), Z11
	VMOVUPS (DX)(R10*4), Z12
	VMOVUPS 64(DX)(R10*4), Z13
	VMOVUPS (R12)(R10*2), Z14
	VMOVUPS 64(R12)(R10*2), Z15
	JMP  start

zero:
	VXORPS X4, X4, X4       // clears the whole of the register
	VXORPS X5, X5, X5
	VXORPS X6, X6, X6
	VXORPS X7, X7, X7
	VXORPS X8, X8, X8
	VXORPS X9, X9, X9
	VXORPS X10, X10, X10
	VXORPS X11, X11, X11
	VXORPS X12, X12, X12
	VXORPS X13, X13, X13
	VXORPS X14, X14, X14
	VXORPS X15, X15, X15

start:
	CMPB fused+65(FP), $0
	JNE  fuse

exact:
	VMOVUPS (DI), Z0
	VMOVUPS 64(DI), Z1
	EXACT((SI), Z2, Z3, Z0, Z1, Z4, Z5)
	EXACT((SI)(R8*1), Z2, Z3, Z0, Z1, Z6, Z7)
	EXACT((SI)(R8*2), Z2, Z3, Z0, Z1, Z8, Z9)
	EXACT((R11), Z2, Z3, Z0, Z1, Z10, Z11)
	EXACT((SI)(R8*4), Z2, Z3, Z0, Z1, Z12, Z13)
	EXACT((R11)(R8*2), Z2, Z3, Z0, Z1, Z14, Z15)
	ADDQ R9, SI
	ADDQ R9, R11
	ADDQ R13, DI
	DECQ CX
	JNZ  exact
	JMP  done

fuse:
	VMOVUPS (DI), Z0
	VMOVUPS 64(DI), Z1
	FUSED((SI), Z2, Z0, Z1, Z4, Z5)
	FUSED((SI)(R8*1), Z2, Z0, Z1, Z6, Z7)
	FUSED((SI)(R8*2), Z2, Z0, Z1, Z8, Z9)
	FUSED((R11), Z2, Z0, Z1, Z10, Z11)
	FUSED((SI)(R8*4), Z2, Z0, Z1, Z12, Z13)
	FUSED((R11)(R8*2), Z2, Z0, Z1, Z14, Z15)
	ADDQ R9, SI
	ADDQ R9, R11
	ADDQ R13, DI
	DECQ CX
	JNZ  fuse

done:
	VMOVUPS Z4, (DX)
	VMOVUPS Z5, 64(DX)
	VMOVUPS Z6, (DX)(R10*1)
	VMOVUPS Z7, 64(DX)(R10*1)
	VMOVUPS Z8, (DX)(R10*2)
	VMOVUPS Z9, 64(DX)(R10*2)
	VMOVUPS Z10, (R12)
	VMOVUPS Z11, 64(R12)
	VMOVUPS Z12, (DX)(R10*4)
	VMOVUPS Z13, 64(DX)(R10*4)
	VMOVUPS Z14, (R12)(R10*2)
	VMOVUPS Z15, 64(R12)(R10*2)
	VZEROUPPER
	RET

// func tile4x16(k int, a *float32, ar, ac int, b *float32, br int, c *float32, ldc int, acc, fused bool)
TEXT ·tile4x16(SB), NOSPLIT, $0-66
	MOVQ k+0(FP), CX
	MOVQ a+8(FP), SI
	MOVQ ar+16(FP), R8
	MOVQ ac+24(FP), R9
	MOVQ b+32(FP), DI
	MOVQ br+40(FP), R13
	MOVQ c+48(FP), DX
	MOVQ ldc+56(FP), R10
	SHLQ $2, R8
	SHLQ $2, R9
	SHLQ $2, R10
	SHLQ $2, R13
	LEAQ (SI)(R8*2), R11
	ADDQ R8, R11            // row 3 of A
	LEAQ (DX)(R10*2), R12
	ADDQ R10, R12           // row 3 of C
	CMPB acc+64(FP), $0
	JEQ  zero
	VMOVUPS (DX), Y4
	VMOVUPS 32(DX), Y5
	VMOVUPS (DX)(R10*1), Y6
	VMOVUPS 32(DX)(R10*1), Y7
	VMOVUPS (DX)(R10*2), Y8
	VMOVUPS 32(DX)(R10*2), Y9
	VMOVUPS (R12), Y10
	VMOVUPS 32(R12), Y11
	JMP  start

zero:
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	VXORPS Y8, Y8, Y8
	VXORPS Y9, Y9, Y9
	VXORPS Y10, Y10, Y10
	VXORPS Y11, Y11, Y11

start:
	CMPB fused+65(FP), $0
	JNE  fuse

exact:
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	EXACT((SI), Y2, Y3, Y0, Y1, Y4, Y5)
	EXACT((SI)(R8*1), Y2, Y3, Y0, Y1, Y6, Y7)
	EXACT((SI)(R8*2), Y2, Y3, Y0, Y1, Y8, Y9)
	EXACT((R11), Y2, Y3, Y0, Y1, Y10, Y11)
	ADDQ R9, SI
	ADDQ R9, R11
	ADDQ R13, DI
	DECQ CX
	JNZ  exact
	JMP  done

fuse:
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	FUSED((SI), Y2, Y0, Y1, Y4, Y5)
	FUSED((SI)(R8*1), Y2, Y0, Y1, Y6, Y7)
	FUSED((SI)(R8*2), Y2, Y0, Y1, Y8, Y9)
	FUSED((R11), Y2, Y0, Y1, Y10, Y11)
	ADDQ R9, SI
	ADDQ R9, R11
	ADDQ R13, DI
	DECQ CX
	JNZ  fuse

done:
	VMOVUPS Y4, (DX)
	VMOVUPS Y5, 32(DX)
	VMOVUPS Y6, (DX)(R10*1)
	VMOVUPS Y7, 32(DX)(R10*1)
	VMOVUPS Y8, (DX)(R10*2)
	VMOVUPS Y9, 32(DX)(R10*2)
	VMOVUPS Y10, (R12)
	VMOVUPS Y11, 32(R12)
	VZEROUPPER
	RET
