package main

import (
	"bytes"
	"encoding/binary"
	"math"
)

// Types and opcodes of WebAssembly's binary format that are used here.
const (
	i32     = 0x7f
	f32     = 0x7d
	v128    = 0x7b
	funcref = 0x70
	void    = 0x40

	blockOp, loopOp, ifOp, elseOp, endOp = 0x02, 0x03, 0x04, 0x05, 0x0b
	br, brIf, callIndirect               = 0x0c, 0x0d, 0x11
	localGet, localSet, localTee         = 0x20, 0x21, 0x22
	i32Load, f32Load, i32Store, f32Store = 0x28, 0x2a, 0x36, 0x38
	i32Const, f32Const                   = 0x41, 0x43
	i32Eqz, i32Eq, i32GeU, f32Gt, f32Ge  = 0x45, 0x46, 0x4f, 0x5e, 0x60
	i32Add, i32Sub, i32Mul, i32And       = 0x6a, 0x6b, 0x6c, 0x71
	i32Popcnt                            = 0x69
	i32Shl, i32ShrU                      = 0x74, 0x76
	f32Add, f32Mul                       = 0x92, 0x94
	simd                                 = 0xfd
)

// Operations behind simd.
const (
	vLoad, vSplatLoad, vStore, vConst                    = 0x00, 0x09, 0x0b, 0x0c
	f32x4Splat, f32x4Lane                                = 0x13, 0x1f
	f32x4Lt, f32x4Gt, f32x4Ge                            = 0x43, 0x44, 0x46
	vAndNot, vOr, vSelect, vAnyTrue                      = 0x4f, 0x50, 0x52, 0x53
	i8x16Swizzle, i32x4Splat, i32x4Replace, i32x4Bitmask = 0x0e, 0x11, 0x1c, 0xa4
	i32x4Shl, i32x4Add                                   = 0xab, 0xae
	f32x4Neg                                             = 0xe1
	f32x4Add, f32x4Sub, f32x4Mul, f32x4Div               = 0xe4, 0xe5, 0xe6, 0xe7
	f32x4Pmax                                            = 0xeb
)

// function is one function under way.
type function struct {
	name            string
	params, results []byte
	locals          []byte
	barriers        int
	bytes.Buffer
}

// param and local declare one, all parameters before all locals, and return its number.
func (f *function) param(t byte) int {
	f.params = append(f.params, t)
	return len(f.params) - 1
}

func (f *function) local(t byte) int {
	f.locals = append(f.locals, t)
	return len(f.params) + len(f.locals) - 1
}

func (f *function) several(n int, t byte) []int {
	var l []int
	for range n {
		l = append(l, f.local(t))
	}
	return l
}

// body is the function as the section of code has it.
func (f *function) body() []byte {
	var groups int
	var locals []byte
	for i := 0; i < len(f.locals); {
		j := i
		for j < len(f.locals) && f.locals[j] == f.locals[i] {
			j++
		}
		locals = append(append(locals, uleb(j-i)...), f.locals[i])
		groups++
		i = j
	}
	b := join(uleb(groups), locals, f.Bytes(), []byte{endOp})
	return join(uleb(len(b)), b)
}

// signature is the function's type.
func (f *function) signature() []byte {
	return join([]byte{0x60}, uleb(len(f.params)), f.params, uleb(len(f.results)), f.results)
}

func (f *function) op(b ...byte) { f.Write(b) }

func (f *function) u(op byte, n int) {
	f.WriteByte(op)
	f.Write(uleb(n))
}

func (f *function) get(l ...int) {
	for _, n := range l {
		f.u(localGet, n)
	}
}

func (f *function) set(n int) { f.u(localSet, n) }
func (f *function) tee(n int) { f.u(localTee, n) }

func (f *function) constant(n int) {
	f.WriteByte(i32Const)
	f.Write(sleb(n))
}

// vector writes operations on vectors.
func (f *function) vector(ops ...int) {
	for _, op := range ops {
		f.WriteByte(simd)
		f.Write(uleb(op))
	}
}

// all puts a vector of one number: in less bytes than a vector's constant.
func (f *function) all(x float32) {
	f.WriteByte(f32Const)
	f.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(x)))
	f.vector(f32x4Splat)
}

// memory is a load or store of a vector at an offset, aligned to 4 bytes.
func (f *function) memory(op, offset int) {
	f.vector(op)
	f.WriteByte(2)
	f.Write(uleb(offset))
}

// scalar is a load or store of a number at an offset.
func (f *function) scalar(op byte, offset int) {
	f.op(op, 2)
	f.Write(uleb(offset))
}

// while repeats do until a local is 0.
func (f *function) while(p int, do func()) {
	f.loop(func() { f.get(p); f.op(i32Eqz) }, do)
}

// atLeast repeats do as long as a local is no less than n.
func (f *function) atLeast(p, n int, do func()) {
	f.loop(func() { f.get(p); f.constant(n); f.op(i32GeU, i32Eqz) }, do)
}

// loop repeats do until what end puts is not 0.
func (f *function) loop(end, do func()) {
	f.op(blockOp, void, loopOp, void)
	end()
	f.u(brIf, 1)
	do()
	f.u(br, 0)
	f.op(endOp, endOp)
}

// apart keeps what comes before it from being mixed with what comes after, in the loop that
// it is in: it would leave the loop if a count of at least 0 were less. V8 moves all loads
// of a stretch of code without a branch to its beginning, and has not the registers for
// what they load.
func (f *function) apart(count int) {
	f.barriers++ // each is of a number of its own: of two that are alike, V8 would drop one
	f.get(count)
	f.constant(-f.barriers)
	f.op(i32Eq)
	f.u(brIf, 1)
}

// when does what is given if what is on top is not 0.
func (f *function) when(do func()) {
	f.op(ifOp, void)
	do()
	f.op(endOp)
}

// is puts whether a local is n.
func (f *function) is(l, n int) {
	f.get(l)
	f.constant(n)
	f.op(i32Eq)
}

// add adds a number to a local, and addLocal another local.
func (f *function) add(p, n int) {
	f.get(p)
	f.constant(n)
	f.op(i32Add)
	f.set(p)
}

func (f *function) addLocal(p, q int) {
	f.get(p, q)
	f.op(i32Add)
	f.set(p)
}

func module(sections ...[]byte) []byte {
	return append([]byte("\x00asm\x01\x00\x00\x00"), bytes.Join(sections, nil)...)
}

// section is a section with those entries.
func section(id byte, entries ...[]byte) []byte {
	content := append(uleb(len(entries)), bytes.Join(entries, nil)...)
	return join([]byte{id}, uleb(len(content)), content)
}

func text(s string) []byte { return append(uleb(len(s)), s...) }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// uleb is LEB128 of a number of at least 0.
func uleb(n int) []byte {
	var b []byte
	for {
		v := byte(n & 0x7f)
		if n >>= 7; n == 0 {
			return append(b, v)
		}
		b = append(b, v|0x80)
	}
}

// sleb is LEB128 of any number.
func sleb(n int) []byte {
	var b []byte
	for {
		v := byte(n & 0x7f)
		n >>= 7
		if n == 0 && v&0x40 == 0 || n == -1 && v&0x40 != 0 {
			return append(b, v)
		}
		b = append(b, v|0x80)
	}
}
