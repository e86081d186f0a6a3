package link

import (
	"slices"
	"strings"
	"testing"
)

// codeOf returns a code of 18 numbers on the grain.
func codeOf(first float32) []float32 {
	z := make([]float32, 18)
	for i := range z {
		z[i] = first + float32(i)/4
	}
	return z
}

// TestMemory: what is remembered and forgotten is in the link, to the bit, and what is
// read is the very codes.
func TestMemory(t *testing.T) {
	p := page()
	l, _ := p.Read("mode=map")
	for i := range 3 {
		var err error
		if l.Memory, err = p.Remember(l.Memory, codeOf(float32(i))); err != nil {
			t.Fatal(err)
		}
	}
	if was, err := p.Remember(l.Memory, codeOf(1)); err == nil || was != l.Memory {
		t.Errorf("a code is remembered twice: %v", err)
	}
	for _, class := range []int{4, 0} {
		var err error
		if l.Memory, err = p.ForgetClass(l.Memory, class, true); err != nil {
			t.Fatal(err)
		}
	}
	l.Memory.Weight = 250
	text := p.Write(l)
	again, faults := p.Read(text)
	if again != l || faults != nil {
		t.Fatalf("%q is read as %+v, with %v", text, again.Memory, faults)
	}
	teach, err := p.Taught(again.Memory)
	if want := slices.Concat(codeOf(0), codeOf(1), codeOf(2)); err != nil || !slices.Equal(teach.Codes, want) || teach.Weight != 250 || !slices.Equal(teach.Forget, []int{0, 4}) {
		t.Errorf("%q teaches %+v, %v", text, teach, err)
	}
	if l.Memory, err = p.ForgetCode(l.Memory, 1); err != nil {
		t.Fatal(err)
	}
	if l.Memory, err = p.ForgetClass(l.Memory, 4, false); err != nil {
		t.Fatal(err)
	}
	teach, err = p.Taught(l.Memory)
	if err != nil || !slices.Equal(teach.Codes, slices.Concat(codeOf(0), codeOf(2))) || !slices.Equal(teach.Forget, []int{0}) {
		t.Errorf("the second code and class 4 gone: %+v, %v", teach, err)
	}
	if l.Memory, err = p.ForgetCodes(l.Memory); err != nil || p.Remembered(l.Memory) != 0 {
		t.Errorf("all codes gone: %+v, %v", l.Memory, err)
	}
	if first, faults := p.Read("seed=3"); faults != nil || first.Memory != p.First().Memory {
		t.Errorf("a link of before teaches %+v", first.Memory)
	}
}

// TestMemoryFull: as many codes as a link holds, and no more; their field has room.
func TestMemoryFull(t *testing.T) {
	p := page()
	l, _ := p.Read("")
	var err error
	for i := range MaxRemembered {
		if l.Memory, err = p.Remember(l.Memory, codeOf(float32(i))); err != nil {
			t.Fatal(err)
		}
	}
	was := l.Memory
	if l.Memory, err = p.Remember(l.Memory, codeOf(99)); err == nil || l.Memory != was {
		t.Errorf("one more is taken: %v", err)
	}
	if _, faults := p.Read(p.Write(l)); faults != nil || len(l.Memory.Codes) != p.Field("bank-add").Length {
		t.Errorf("%d letters of %d: %v", len(l.Memory.Codes), p.Field("bank-add").Length, faults)
	}
}

// TestMemoryLeavesSomething: something stays in the bank, whatever is forgotten.
func TestMemoryLeavesSomething(t *testing.T) {
	p := page() // of classes 0 to 4
	m := p.First().Memory
	var err error
	for class := range 4 {
		if m, err = p.ForgetClass(m, class, true); err != nil {
			t.Fatal(err)
		}
	}
	if was, err := p.ForgetClass(m, 4, true); err == nil || was != m || !strings.Contains(err.Error(), "everything would be forgotten") {
		t.Errorf("all classes are forgotten: %v, %v", was, err)
	}
	if m, err = p.Remember(m, codeOf(1)); err != nil {
		t.Fatal(err)
	}
	if m, err = p.ForgetClass(m, 4, true); err != nil {
		t.Fatal(err)
	}
	if was, err := p.ForgetCode(m, 0); err == nil || was != m {
		t.Errorf("the last code is forgotten: %v", was)
	}
	if was, err := p.ForgetCodes(m); err == nil || was != m {
		t.Errorf("all codes are forgotten: %v", was)
	}
	for _, i := range []int{-1, 1} {
		if was, err := p.ForgetCode(m, i); err == nil || was != m {
			t.Errorf("code %d is forgotten", i)
		}
	}
	for _, class := range []int{-1, 5, 10} {
		if was, err := p.ForgetClass(m, class, true); err == nil || was != m {
			t.Errorf("class %d is forgotten", class)
		}
	}
}

// TestMemoryFaults: what cannot be taught is named.
func TestMemoryFaults(t *testing.T) {
	p, code := page(), PackCode(codeOf(1))
	for came, want := range map[string]string{
		"bank-add=AQAQ":                       "bank-add=AQAQ is left out: it takes 1 to 8 codes, of 48 letters each",
		"bank-add=":                           `bank-add="" is left out: it takes 1 to 8 codes, of 48 letters each`,
		"bank-add=" + code + code[1:]:         "it takes 1 to 8 codes, of 48 letters each",
		"bank-add=" + strings.Repeat(code, 9): "it takes 1 to 8 codes, of 48 letters each",
		"bank-add=" + code[1:] + ".":          "it takes 1 to 8 codes, of 48 letters each",
		"bank-weight=0":                       "bank-weight=0 is left out: it takes a whole number from 1 to 500",
		"bank-weight=2.5":                     "bank-weight=2.5 is left out: it takes a whole number from 1 to 500",
		"forget=seven":                        "forget=seven is left out: it takes whole numbers from 0 to 9, with _ between them",
		"forget=":                             `forget="" is left out: it takes whole numbers from 0 to 9, with _ between them`,
		"forget=7":                            "forget=7 is left out: there is no class 7 to forget",
		"forget=10":                           "forget=10 is left out: there is no class 10 to forget",
		"forget=-1":                           "forget=-1 is left out: it takes whole numbers from 0 to 9, with _ between them",
		"class=3&forget=3":                    "forget=3 is left out: class=3 has that class grow alone",
		"forget=0_1_2_3_4":                    "everything would be forgotten",
	} {
		l, faults := p.Read("seed=8&" + came)
		if len(faults) != 1 || !strings.Contains(faults.String(), want) {
			t.Errorf("%q: %q, want %q", came, faults, want)
		}
		if l.Seed != 8 || l.Memory != p.First().Memory {
			t.Errorf("%q teaches %+v", came, l.Memory)
		}
	}
	for came, says := range map[string]string{
		"forget=4_0_4": "forget=0_4", "FORGET=_3_": "forget=3", "forget=03": "forget=3",
		"bank-add=" + code + "&forget=4_3_2_1_0": "bank-add=" + code + "&forget=0_1_2_3_4",
		"bank-weight=100":                        "",
	} {
		if l, faults := p.Read(came); p.Write(l) != says || faults != nil {
			t.Errorf("%q is read as %q, with %v", came, p.Write(l), faults)
		}
	}
}
