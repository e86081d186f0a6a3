package dataset

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mppm/shared/metadata"
)

// idxTree is a data set of IDX files with these labels, three to train on and two to test.
func idxTree(below string, labels ...byte) map[string][]byte {
	return map[string][]byte{
		below + "train-images-idx3-ubyte": rawIDX(ramp(3), 3, 28, 28), below + "train-labels-idx1-ubyte": rawIDX(labels[:3], 3),
		below + "t10k-images-idx3-ubyte": rawIDX(ramp(2), 2, 28, 28), below + "t10k-labels-idx1-ubyte": rawIDX(labels[3:], 2),
	}
}

// TestKnown: a set is found by its name where systems keep them, and its classes have
// their names however it is called; what is not there is said where to get.
func TestKnown(t *testing.T) {
	system := writeTree(t, idxTree("fashion-mnist/", 0, 9, 7, 1, 2))
	was := places
	places = []string{filepath.Join(system, "nowhere"), system}
	defer func() { places = was }()
	t.Chdir(t.TempDir())
	set, err := Load(t.Context(), "fashion-mnist")
	if err != nil {
		t.Fatal(err)
	}
	if set.Name != "fashion-mnist" || set.Count() != 10 || set.Classes[7] != "sneaker" || set.Train.N != 3 {
		t.Errorf("Fashion-MNIST is %q of %d images, with the classes %q", set.Name, set.Train.N, set.Classes)
	}
	held, err := set.HoldOut(1)
	if err != nil || !slices.Equal(held.Classes, set.Classes) {
		t.Errorf("held out, it has the classes %q, %v", held.Classes, err)
	}
	for _, k := range all[1:] {
		if _, err := Load(t.Context(), k.name); err == nil || !strings.Contains(err.Error(), k.get) {
			t.Errorf("%s, which is not there: %v", k.name, err)
		}
		if err := metadata.CheckClasses(k.classes); err != nil {
			t.Errorf("%s: %v", k.name, err)
		}
	}
	if n := len(byName("emnist-balanced").classes); n != 47 {
		t.Errorf("EMNIST's balanced set has %d classes, not 47", n)
	}
	for _, c := range []struct {
		below, asked string
		labels       []byte
		want         []byte // of the images trained on
		class        string // of the first
	}{
		{"FashionMNIST/raw/", "FashionMNIST", []byte{7, 0, 9, 1, 2}, []byte{7, 0, 9}, "sneaker"},
		{"data/kmnist/", "data", []byte{1, 0, 9, 1, 2}, []byte{1, 0, 9}, "ki"},
		{"gzip/emnist-letters-", "gzip/emnist-letters", []byte{1, 2, 26, 1, 2}, []byte{0, 1, 25}, "a"},
		{"mine/", "mine", []byte{1, 2, 3, 1, 2}, []byte{1, 2, 3}, ""},
	} {
		dir := writeTree(t, idxTree(c.below, c.labels...))
		set, err := Load(t.Context(), filepath.Join(dir, filepath.FromSlash(c.asked)))
		if err != nil {
			t.Errorf("%s: %v", c.asked, err)
			continue
		}
		class := ""
		if set.Classes != nil {
			class = set.Classes[set.Train.Labels[0]]
		}
		if !bytes.Equal(set.Train.Labels, c.want) || class != c.class {
			t.Errorf("%s has the labels %v, the first of them %q; want %v and %q", c.asked, set.Train.Labels, class, c.want, c.class)
		}
	}
	dir := writeTree(t, idxTree("emnist-letters-", 0, 1, 2, 3, 4))
	if _, err := Load(t.Context(), filepath.Join(dir, "emnist-letters")); err == nil || !strings.Contains(err.Error(), "label 0 is 0, the classes of emnist-letters are 1 to 26") {
		t.Errorf("a letter before the first: %v", err)
	}
	t.Chdir(filepath.Join(writeTree(t, idxTree("gzip/emnist-letters-", 1, 2, 26, 1, 2)), "gzip"))
	if set, err := Load(t.Context(), "emnist-letters"); err != nil || set.Count() != 26 {
		t.Errorf("by what the files here begin with: %v", err)
	}
	if _, err := Load(t.Context(), "kmnits"); err == nil || !strings.Contains(err.Error(), "kmnits") || !strings.Contains(err.Error(), "known are mnist, fashion-mnist, kmnist") {
		t.Errorf("a name that none has: %v", err)
	}
}

// TestClassesFile: the names in classes.txt are those of labels, any number of them.
func TestClassesFile(t *testing.T) {
	tree := idxTree("", 0, 11, 3, 1, 2)
	dir := writeTree(t, tree)
	if _, err := Load(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "classes.txt") {
		t.Errorf("a label of 11 without names: %v", err)
	}
	var names []string
	for i := range 12 {
		names = append(names, fmt.Sprintf("class %d", i))
	}
	tree[classesFile] = []byte(strings.Join(names, "\r\n") + "\r\n")
	set, err := Load(t.Context(), writeTree(t, tree))
	if err != nil || !slices.Equal(set.Classes, names) || set.Count() != 12 {
		t.Errorf("the classes are %q, %v", set.Classes, err)
	}
}

// TestNamedFolders: folders of other names than digits are classes, in order.
func TestNamedFolders(t *testing.T) {
	img := pngOf(t, grayOf(1))
	for _, c := range []struct{ folders, want []string }{
		{[]string{"zebra", "ant", "Cat"}, []string{"Cat", "ant", "zebra"}},
		{[]string{"10", "9", "11"}, []string{"9", "10", "11"}},
		{[]string{"7", "0"}, nil},
	} {
		tree := map[string][]byte{"test/" + c.folders[0] + "/x.png": img}
		for _, f := range c.folders {
			tree["train/"+f+"/x.png"] = img
		}
		set, err := Open(t.Context(), writeTree(t, tree))
		if err != nil || !slices.Equal(set.Classes, c.want) {
			t.Errorf("folders %q are the classes %q, %v", c.folders, set.Classes, err)
			continue
		}
		if got := set.Train.Labels; c.want != nil && !bytes.Equal(got, []byte{0, 1, 2}) || c.want == nil && !bytes.Equal(got, []byte{0, 7}) {
			t.Errorf("folders %q have the labels %v", c.folders, got)
		}
	}
	tree := map[string][]byte{"train/3/x.png": img, "test/3/x.png": img, classesFile: []byte("a\nb\nc\nd\n")}
	set, err := Open(t.Context(), writeTree(t, tree))
	if err != nil || set.Classes[set.Train.Labels[0]] != "d" {
		t.Errorf("folders of labels with names: %q, %v", set.Classes, err)
	}
}
