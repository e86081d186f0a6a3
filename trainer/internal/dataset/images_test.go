package dataset

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mppm/shared/nn"
	"mppm/shared/rng"
)

// blobs is a picture of smooth blobs that a seed draws, as unlike others as faces are.
func blobs(w, h int, seed uint64, mirror bool) *image.NRGBA {
	r := rng.New(seed, 0)
	type blob struct{ x, y, r, red, green, blue float64 }
	var all []blob
	for range 12 {
		all = append(all, blob{r.Float64(), r.Float64(), 0.1 + 0.2*r.Float64(), r.Float64(), r.Float64(), r.Float64()})
	}
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			u, v := (float64(x)+0.5)/float64(w), (float64(y)+0.5)/float64(h)
			if mirror {
				u = 1 - u
			}
			var c [3]float64
			for _, b := range all {
				share := math.Exp(-((u-b.x)*(u-b.x) + (v-b.y)*(v-b.y)) / (b.r * b.r))
				for k, to := range [3]float64{b.red, b.green, b.blue} {
					c[k] += share * (to - c[k])
				}
			}
			img.SetNRGBA(x, y, color.NRGBA{byte(255 * c[0]), byte(255 * c[1]), byte(255 * c[2]), 255})
		}
	}
	return img
}

func jpegOf(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func openImages(t *testing.T, dir string, o ImageOptions) *Set {
	t.Helper()
	set, err := OpenImages(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestImages: pictures of any kind become squares of one shape; what cannot be used is
// passed over with a line that names it.
func TestImages(t *testing.T) {
	files := map[string][]byte{
		"tiny.png": pngOf(t, blobs(7, 40, 1, false)), "broken.jpg": jpegOf(t, blobs(40, 40, 2, false))[:300],
		"page.jpg": []byte("<!doctype html><p>not found"), "readme.txt": []byte("hello"), ".hidden.png": {1}, "empty.webp": {},
	}
	for i := range 20 {
		name := fmt.Sprintf("a/%02d.png", i)
		b := pngOf(t, blobs(40+i, 60-i, uint64(10+i), false))
		if i%3 == 0 {
			name, b = fmt.Sprintf("b/c/%02d.JPEG", i), jpegOf(t, blobs(40+i, 60-i, uint64(10+i), false))
		}
		files[name] = b
	}
	dir := writeTree(t, files)
	o := ImageOptions{Side: 16, Share: 0.25, Seed: 1}
	set := openImages(t, dir, o)
	if set.Train.N != 15 || set.Test.N != 5 || set.Train.Shape != (nn.Shape{H: 16, W: 16, C: 3}) || set.Train.Pixels() != 768 {
		t.Fatalf("%d and %d images of %v", set.Train.N, set.Test.N, set.Train.Shape)
	}
	notes := strings.Join(set.Notes, "\n")
	for _, want := range []string{"1 files are no pictures by their names (readme.txt)", "tiny.png: it has 7 × 40 pixels", "broken.jpg: it is broken", "page.jpg: it is an HTML page", "empty.webp: it is empty"} {
		if !strings.Contains(notes, want) {
			t.Errorf("the notes say nothing of %q:\n%s", want, notes)
		}
	}
	// What is kept in memory is what is read anew.
	kept := make([]float32, 3*768)
	set.Train.Fill(kept, []int{4, 0, 9})
	clear(set.Train.files.(*photos).crops)
	anew := make([]float32, 3*768)
	set.Train.Fill(anew, []int{4, 0, 9})
	if !slices.Equal(kept, anew) || set.Train.Err() != nil {
		t.Errorf("read anew the images are others: %v", set.Train.Err())
	}
	// The same folder gives the same set, another seed another.
	again, other := openImages(t, dir, o), openImages(t, dir, ImageOptions{Side: 16, Share: 0.25, Seed: 2})
	if again.Checksums[namesAndSizes+testFolder] != set.Checksums[namesAndSizes+testFolder] || other.Checksums[namesAndSizes+testFolder] == set.Checksums[namesAndSizes+testFolder] {
		t.Error("what is held out does not follow from the seed")
	}
	gray := openImages(t, dir, ImageOptions{Side: 16, Gray: true, Share: 0.25, Seed: 1})
	rgb, luma := set.Test.Image(0), gray.Test.Image(0)
	for i, v := range luma {
		if want := (299*float64(rgb[3*i]) + 587*float64(rgb[3*i+1]) + 114*float64(rgb[3*i+2])) / 1000; math.Abs(float64(v)-want) > 1 {
			t.Fatalf("pixel %d is %d in gray, %v in color", i, v, rgb[3*i:3*i+3])
		}
	}
	// Data that changes is an error of whoever reads it.
	name := set.Train.files.(*photos).names[0]
	if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), pngOf(t, blobs(50, 50, 99, false)), 0o666); err != nil {
		t.Fatal(err)
	}
	set.Train.Image(0)
	if err := set.Train.Err(); err == nil || !strings.Contains(err.Error(), "another size") {
		t.Errorf("a picture that changed: %v", err)
	}
}

// TestAlike: near-duplicates, in a mirror too, are on one side.
func TestAlike(t *testing.T) {
	files := map[string][]byte{}
	for i := range 15 {
		files[fmt.Sprintf("%02d-a.png", i)] = pngOf(t, blobs(60, 60, uint64(i), false))
		files[fmt.Sprintf("%02d-b.jpg", i)] = jpegOf(t, blobs(80, 80, uint64(i), i%2 == 1))
	}
	dir := writeTree(t, files)
	for seed := range uint64(5) {
		set := openImages(t, dir, ImageOptions{Side: 32, Share: 0.3, Seed: seed})
		if set.Train.N != 21 && set.Train.N != 22 {
			t.Errorf("seed %d: %d images are trained on", seed, set.Train.N)
		}
		held := map[string]int{}
		for _, name := range set.Test.files.(*photos).names {
			held[name[:2]]++
		}
		for name, n := range held {
			if n != 2 {
				t.Errorf("seed %d: %d of the two images %s are held out", seed, n, name)
			}
		}
	}
}

// TestLayouts: data sets as they come unpacked.
func TestLayouts(t *testing.T) {
	pic := func(seed uint64) []byte { return pngOf(t, blobs(32, 32, seed, false)) }
	for name, c := range map[string]struct {
		files       map[string][]byte
		train, test []string
		note        string
	}{
		"SCUT-FBP5500": {map[string][]byte{
			"SCUT-FBP5500_v2/Images/a.png": pic(1), "SCUT-FBP5500_v2/Images/b.png": pic(2), "SCUT-FBP5500_v2/Images/c.png": pic(3), "SCUT-FBP5500_v2/Images/d.png": pic(4),
			"SCUT-FBP5500_v2/" + scutLists + "/train.txt": []byte("a.png 2.5\nc.png 3\n"), "SCUT-FBP5500_v2/" + scutLists + "/test.txt": []byte("b.png 4.5\n"),
		}, []string{"a.png", "c.png"}, []string{"b.png"}, "SCUT-FBP5500"},
		"train and val": {map[string][]byte{
			"train/female/a.png": pic(1), "train/male/b.png": pic(2), "val/male/c.png": pic(3),
		}, []string{"train/female/a.png", "train/male/b.png"}, []string{"val/male/c.png"}, "folders train and val"},
		"CelebAMask-HQ": {map[string][]byte{
			"CelebAMask-HQ/CelebA-HQ-img/0.png": pic(1), "CelebAMask-HQ/CelebA-HQ-img/1.png": pic(2), "CelebAMask-HQ/CelebA-HQ-img/2.png": pic(3),
			"CelebAMask-HQ/CelebAMask-HQ-mask-anno/0_hair.png": pic(9),
		}, nil, nil, "CelebAMask-HQ"},
	} {
		set := openImages(t, writeTree(t, c.files), ImageOptions{Side: 16, Share: 0.3, Seed: 1})
		train, test := set.Train.files.(*photos).names, set.Test.files.(*photos).names
		if c.train != nil && (!slices.Equal(train, c.train) || !slices.Equal(test, c.test)) {
			t.Errorf("%s: %v and %v", name, train, test)
		}
		if set.Train.N+set.Test.N != 3 || !strings.Contains(strings.Join(set.Notes, "\n"), c.note) {
			t.Errorf("%s: %d and %d images, %q", name, set.Train.N, set.Test.N, set.Notes)
		}
	}
}

// TestImagesErrors: a folder that cannot be trained on says why.
func TestImagesErrors(t *testing.T) {
	one := writeTree(t, map[string][]byte{"a.png": pngOf(t, blobs(32, 32, 1, false))})
	bad := writeTree(t, map[string][]byte{"a.png": {1, 2, 3}})
	for name, c := range map[string]struct {
		dir  string
		o    ImageOptions
		want string
	}{
		"no folder": {filepath.Join(one, "none"), ImageOptions{Side: 16, Share: 0.2}, "there is no folder"},
		"nothing":   {t.TempDir(), ImageOptions{Side: 16, Share: 0.2}, "holds no pictures"},
		"all bad":   {bad, ImageOptions{Side: 16, Share: 0.2}, "can be used"},
		"one":       {one, ImageOptions{Side: 16, Share: 0.2}, "to train on"},
		"side":      {one, ImageOptions{Side: 4, Share: 0.2}, "give 8 to 1024"},
		"share":     {one, ImageOptions{Side: 16, Share: 1}, "less than 1"},
	} {
		if _, err := OpenImages(t.Context(), c.dir, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}

// TestAllAlike: where all pictures are alike, those that are nearly the same are still
// told from the others, and the others from each other.
func TestAllAlike(t *testing.T) {
	r := rng.New(1, 0)
	var thumbs []thumb
	for range 300 {
		var u thumb // within alike of the others
		for i := range u {
			u[i] = alike / 3 * float32(r.Norm())
		}
		thumbs = append(thumbs, u)
	}
	for i := range 20 { // and again in a mirror, nearly
		u := thumbs[i].mirrored()
		for k := range u {
			u[k] += alike / 20 * float32(r.Norm())
		}
		thumbs = append(thumbs, u)
	}
	members := map[int]int{}
	for _, g := range groups(thumbs) {
		members[g]++
	}
	got := map[int]int{}
	for _, n := range members {
		got[n]++
	}
	if got[1] != 280 || got[2] != 20 {
		t.Errorf("groups of so many, so often: %v; want 280 of one and 20 of two", got)
	}
}

// TestScaledIDX: IDX files are pictures too, scaled, and a set by its name; transposed
// where they are EMNIST's.
func TestScaledIDX(t *testing.T) {
	dir := writeTree(t, idxTree("fashion-mnist/", 0, 9, 7, 1, 2))
	was := places
	places = []string{dir}
	defer func() { places = was }()
	t.Chdir(t.TempDir())
	set := openImages(t, "fashion-mnist", ImageOptions{Side: 28, Gray: true, Share: 0.5})
	plain, err := Load(t.Context(), "fashion-mnist")
	if err != nil {
		t.Fatal(err)
	}
	if set.Train.N != 3 || set.Classes[7] != "sneaker" || !bytes.Equal(set.Train.Labels, plain.Train.Labels) || !bytes.Equal(set.Train.Image(1), plain.Train.Image(1)) {
		t.Errorf("%d images, the classes %q, labels %v", set.Train.N, set.Classes, set.Train.Labels)
	}
	color := openImages(t, "fashion-mnist", ImageOptions{Side: 56, Share: 0.5})
	if x := color.Test.Image(1); len(x) != 56*56*3 || color.Test.Err() != nil {
		t.Errorf("in color an image has %d numbers", len(x))
	}
	if all := openImages(t, "fashion-mnist", ImageOptions{Side: 32, All: true}); all.Test.N != 5 || all.Train.N != 0 || len(all.Test.Labels) != 5 {
		t.Errorf("%d of all images are to test", all.Test.N)
	}
	lying := writeTree(t, idxTree("emnist-letters-", 1, 2, 26, 3, 4))
	letters := openImages(t, filepath.Join(lying, "emnist-letters"), ImageOptions{Side: 28, Gray: true, Share: 0.5})
	raw, err := Load(t.Context(), filepath.Join(lying, "emnist-letters"))
	if err != nil {
		t.Fatal(err)
	}
	if raw.Transpose(); !bytes.Equal(letters.Train.Image(2), raw.Train.Image(2)) || letters.Classes[letters.Train.Labels[2]] != "z" {
		t.Errorf("letters are read as %q", letters.Classes)
	}
	if _, err := OpenImages(t.Context(), "kmnist", ImageOptions{Side: 28, Share: 0.5}); err == nil || !strings.Contains(err.Error(), "Kuzushiji") {
		t.Errorf("a set that is not here: %v", err)
	}
}

// TestImageClasses: pictures in folders of their classes have labels, but only if all have
// one.
func TestImageClasses(t *testing.T) {
	tree := map[string][]byte{}
	for i, name := range []string{"train/cat/a.jpg", "train/cat/b.jpg", "train/dog/a.jpg", "test/dog/c.jpg"} {
		tree[name] = jpegOf(t, blobs(32, 32, uint64(i), false))
	}
	o := ImageOptions{Side: 16, Share: 0.5}
	set := openImages(t, writeTree(t, tree), o)
	if !slices.Equal(set.Classes, []string{"cat", "dog"}) || !bytes.Equal(set.Train.Labels, []byte{0, 0, 1}) || !bytes.Equal(set.Test.Labels, []byte{1}) {
		t.Errorf("the classes are %q, labels %v and %v", set.Classes, set.Train.Labels, set.Test.Labels)
	}
	before := bytes.Clone(set.Train.Image(0))
	set.Transpose()
	if bytes.Equal(before, set.Train.Image(0)) {
		t.Error("transposed, an image is as it was")
	}
	tree["train/e.jpg"] = tree["train/cat/a.jpg"]
	if set := openImages(t, writeTree(t, tree), o); set.Classes != nil || set.Train.Labels != nil {
		t.Errorf("with one beside the folders there are the classes %q", set.Classes)
	}
}
