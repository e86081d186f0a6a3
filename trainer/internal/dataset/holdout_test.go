package dataset

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
)

// numbered returns a set whose image i and label tell i, and which has no test
// images at all.
func numbered(n int) *Set {
	s := &Set{Name: "numbers", Train: Split{N: n}, Checksums: map[string]string{trainImages: "a", trainLabels + ".gz": "b", testImages: "c", testLabels + ".gz": "d"}}
	for i := range n {
		s.Train.Images = append(s.Train.Images, bytes.Repeat([]byte{byte(i)}, Pixels)...)
		s.Train.Labels = append(s.Train.Labels, byte(i%Classes))
	}
	return s
}

func numbers(t *testing.T, s *Split) []int {
	t.Helper()
	var all []int
	if len(s.Images) != s.N*Pixels || len(s.Labels) != s.N {
		t.Fatalf("%d images have %d bytes and %d labels", s.N, len(s.Images), len(s.Labels))
	}
	for i := range s.N {
		k := int(s.Image(i)[Pixels-1])
		if int(s.Labels[i]) != k%Classes {
			t.Errorf("image %d has label %d", k, s.Labels[i])
		}
		all = append(all, k)
	}
	return all
}

// TestHoldOut: the two parts are all training digits, once each; a smaller part
// is in a larger one; and the test digits go nowhere.
func TestHoldOut(t *testing.T) {
	const n = 200
	set := numbered(n)
	before := maps.Clone(set.Checksums)
	var last []int
	for _, k := range []int{1, 7, 50, n - 1} {
		split, err := set.HoldOut(k)
		if err != nil {
			t.Fatal(err)
		}
		train, held := numbers(t, &split.Train), numbers(t, &split.Test)
		if len(held) != k || !slices.IsSorted(train) || k > 10 && slices.IsSorted(held) {
			t.Errorf("%d held out: %v, rest %v", k, held, train)
		}
		if !slices.Equal(held[:len(last)], last) {
			t.Errorf("%v were held out, and are not the first of %v", last, held)
		}
		last = held
		all := slices.Sorted(slices.Values(slices.Concat(train, held)))
		for i, v := range all {
			if len(all) != n || v != i {
				t.Fatalf("%d held out: the parts are %v", k, all)
			}
		}
		if !strings.HasPrefix(split.Name, set.Name+",") || len(split.Checksums) != 3 || split.Checksums[trainImages] != "a" || split.Checksums[trainLabels+".gz"] != "b" {
			t.Errorf("%q has the checksums %v", split.Name, split.Checksums)
		}
	}
	if set.Train.N != n || !maps.Equal(set.Checksums, before) {
		t.Error("the set itself has changed")
	}
	a, _ := set.HoldOut(20)
	set.Train.Images[int(a.Test.Image(0)[0])*Pixels]++
	if b, _ := set.HoldOut(20); maps.Equal(a.Checksums, b.Checksums) {
		t.Error("another digit held out has the same checksum")
	}
	for _, k := range []int{-1, 0, n, n + 1} {
		if _, err := set.HoldOut(k); err == nil {
			t.Errorf("%d of %d held out: no error", k, n)
		}
	}
}
