package cli

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/ldm"
	"mppm/shared/ldm/ldmtest"
	"mppm/shared/nn"
	"mppm/shared/safetensors"
	"mppm/shared/unet"
	"mppm/trainer/internal/infer"
	"mppm/trainer/internal/photo"
)

// colorNets are those of a small U-Net for pictures in color.
func colorNets(t *testing.T) *latent.Nets {
	t.Helper()
	nets, err := unet.New(nn.Shape{H: 24, W: 24, C: 3}, unet.Config{Channels: []int{4, 6}, Latent: latent.DigitLatent})
	if err != nil {
		t.Fatal(err)
	}
	return nets
}

// colorModel writes the weights of a small U-Net, and returns where.
func colorModel(t *testing.T) string {
	t.Helper()
	f := latenttest.FileOf(1, colorNets(t))
	f.Meta["flow.restore"] = `{"alpha":0.6,"beta":0,"sigma":0.45,"steps":3,"rounds":2,"trust":4}`
	return save(t, f)
}

func save(t *testing.T, f *safetensors.File) string {
	t.Helper()
	b, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return put(t, filepath.Join(t.TempDir(), "m.safetensors"), b)
}

// pictureFolder is a folder of pictures of all kinds, and of what is none.
func pictureFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files := photos(t, 4)
	put(t, filepath.Join(dir, "b 10.JPEG"), files[0])
	put(t, filepath.Join(dir, "b 9.jpg"), files[1])
	put(t, filepath.Join(dir, "same.jpg"), files[2])
	img, _, err := image.Decode(bytes.NewReader(files[3]))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "same.PNG"), b.Bytes())
	put(t, filepath.Join(dir, "tiny.png"), pngOf(t, make([]byte, 30), 5, 6))
	put(t, filepath.Join(dir, "broken.jpg"), files[0][:100])
	put(t, filepath.Join(dir, "notes.txt"), []byte("not a picture"))
	put(t, filepath.Join(dir, ".DS_Store"), nil)
	return dir
}

// names lists what is in a folder.
func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// colors reads a PNG in color, and returns its side and its pixels, red, green and blue
// side by side.
func colors(t *testing.T, path string) (side int, pixels []byte) {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(get(t, path)))
	if err != nil {
		t.Fatal(err)
	}
	if s := img.Bounds().Size(); s.X != s.Y {
		t.Fatalf("%s is of %v pixels", path, s)
	}
	rgba, ok := img.(*image.RGBA) // of a PNG without transparency
	if !ok {
		t.Fatalf("%s is %T, want color", path, img)
	}
	for i := 0; i < len(rgba.Pix); i += 4 {
		pixels = append(pixels, rgba.Pix[i:i+3]...)
	}
	return img.Bounds().Dx(), pixels
}

// TestRestorePictures: pictures become the squares that training takes of them, are
// restored as the model does it, and keep their names.
func TestRestorePictures(t *testing.T) {
	weights, in, out := colorModel(t), pictureFolder(t), filepath.Join(t.TempDir(), "out")
	r := must(t, "restore", "--weights", weights, "--in", in, "--out", out)
	want := []string{"b 10.png", "b 9.png", "same.jpg.png", "same.png", "tiny.png"}
	if got := names(t, out); !slices.Equal(got, want) {
		t.Errorf("written are %q, want %q", got, want)
	}
	for _, want := range []string{"passed over " + filepath.Join(in, "broken.jpg"), "1 entries of " + in, "1 of 5 images is smaller than the model's images of 24×24 pixels (" + filepath.Join(in, "tiny.png") + ": 5×6), and enlarged"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("nothing is said of %q:\n%s", want, r.stderr)
		}
	}
	m, err := latent.Load(get(t, weights))
	if err != nil {
		t.Fatal(err)
	}
	square := func(name string) []byte {
		p, err := photo.Decode(get(t, filepath.Join(in, name)))
		if err != nil {
			t.Fatal(err)
		}
		x := make([]byte, m.Pixels())
		p.Square(x, 24, 3)
		return x
	}
	for name, from := range map[string]string{"b 9.png": "b 9.jpg", "same.png": "same.PNG", "same.jpg.png": "same.jpg"} {
		whole, err := infer.Restore(t.Context(), m, m.Restore, nil, square(from), infer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if side, got := colors(t, filepath.Join(out, name)); side != 24 || !bytes.Equal(got, whole.Pixels) {
			t.Errorf("%s, of %d pixels, is not what is restored of %s", name, side, from)
		}
	}
	// Again, nothing is replaced unless it is to be.
	if r := run(t, "restore", "--weights", weights, "--in", in, "--out", out); r.code != exitFailure || !strings.Contains(r.stderr, "--force") {
		t.Errorf("written again: exit code %d, %s", r.code, r.stderr)
	}
	put(t, filepath.Join(out, "mine.txt"), []byte("mine"))
	must(t, "restore", "--weights", weights, "--in", in, "--out", out, "--force", "--rounds", "1", "--trust", "0")
	if string(get(t, filepath.Join(out, "mine.txt"))) != "mine" {
		t.Error("what else is in the folder is gone")
	}
	if r := run(t, "restore", "--weights", weights, "--in", in, "--out", in); r.code != exitFailure || !strings.Contains(r.stderr, "--force") {
		t.Errorf("written onto the input: exit code %d, %s", r.code, r.stderr)
	}
	// One picture, from a file and from standard input, to a file and to standard output.
	one := filepath.Join(t.TempDir(), "one.png")
	must(t, "restore", "--weights", weights, "--in", filepath.Join(in, "b 9.jpg"), "--out", one)
	piped := runWith(t.Context(), string(get(t, filepath.Join(in, "b 9.jpg"))), "restore", "--weights", weights, "--in", "-", "--out", "-")
	if piped.code != exitOK || piped.stdout != string(get(t, one)) {
		t.Errorf("piped: exit code %d, other bytes\n%s", piped.code, piped.stderr)
	}
}

// TestSize: pictures are enlarged for a second stage, smoothly.
func TestSize(t *testing.T) {
	weights, in := colorModel(t), pictureFolder(t)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, "restore", "--weights", weights, "--in", in, "--out", at("small"))
	must(t, "restore", "--weights", weights, "--in", in, "--out", at("large"), "--size", "96")
	if !slices.Equal(names(t, at("small")), names(t, at("large"))) {
		t.Errorf("the names are %q and %q", names(t, at("small")), names(t, at("large")))
	}
	for _, name := range names(t, at("small")) {
		_, small := colors(t, filepath.Join(at("small"), name))
		side, large := colors(t, filepath.Join(at("large"), name))
		if side != 96 {
			t.Fatalf("%s has %d pixels along an edge, want 96", name, side)
		}
		for i := range small { // the mean of what a pixel became is the pixel, nearly
			x, y, c := i/3%24, i/72, i%3
			if x == 0 || y == 0 || x == 23 || y == 23 {
				continue
			}
			sum := 0
			for k := range 16 {
				sum += int(large[((4*y+k/4)*96+4*x+k%4)*3+c])
			}
			if d := sum/16 - int(small[i]); d < -24 || d > 24 {
				t.Fatalf("%s: pixel (%d, %d) is %d, and %d enlarged", name, x, y, small[i], sum/16)
			}
		}
	}
}

// TestDegradePictures: damage in color, its scores, what was damaged, and the strip.
func TestDegradePictures(t *testing.T) {
	weights, in, dir := colorModel(t), pictureFolder(t), t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	r := must(t, "restore", "--weights", weights, "--in", in, "--out", at("out"), "--degrade", "scribble=13", "--seed", "3", "--damaged", at("damaged"), "--strip", at("strip.png"), "--every", "2")
	if !strings.Contains(r.stdout, "5 images, scribble=13, seed 3") || !strings.Contains(r.stdout, "SSIM") {
		t.Errorf("it says\n%s", r.stdout)
	}
	if !slices.Equal(names(t, at("out")), names(t, at("damaged"))) {
		t.Errorf("the names are %q and %q", names(t, at("out")), names(t, at("damaged")))
	}
	_, x := colors(t, filepath.Join(at("damaged"), "tiny.png"))
	tinted := 0
	for i := 0; i < len(x); i += 3 {
		if x[i] != x[i+1] || x[i] != x[i+2] {
			tinted++
		}
	}
	if tinted < 20 {
		t.Errorf("%d pixels of scribbles over black are in color", tinted)
	}
	img, err := png.Decode(bytes.NewReader(get(t, at("strip.png"))))
	if err != nil {
		t.Fatal(err)
	}
	// Clean, degraded, steps 0, 2, 4 and the output, with gaps of 4; five rows and a head.
	if s := img.Bounds().Size(); s != image.Pt(6*(3*24+4)+4, 5*(3*24+4)+4+14) {
		t.Errorf("the strip is of %v pixels", s)
	}
	if rgba, ok := img.(*image.RGBA); !ok {
		t.Errorf("the strip is %T", img)
	} else if c := rgba.RGBAAt(4+36, 18+36); c.R == c.G && c.G == c.B {
		t.Errorf("the first picture is gray: %v", c)
	}
	again := must(t, "restore", "--weights", weights, "--in", in, "--out", at("again"), "--degrade", "scribble=13", "--seed", "3", "--workers", "1")
	if again.stdout != r.stdout {
		t.Errorf("the same damage scores otherwise:\n%s\n%s", r.stdout, again.stdout)
	}
}

// TestGeneratePictures: pictures are grown from noise, and image i depends on i alone.
func TestGeneratePictures(t *testing.T) {
	weights, dir := colorModel(t), t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, "generate", "--weights", weights, "--n", "5", "--seed", "7", "--out", at("five"), "--grid", at("grid.png"))
	must(t, "generate", "--weights", weights, "--n", "3", "--seed", "7", "--out", at("three"))
	for i := range 3 {
		name := fmt.Sprintf("%05d.png", i)
		if !bytes.Equal(get(t, filepath.Join(at("five"), name)), get(t, filepath.Join(at("three"), name))) {
			t.Errorf("%s depends on how many there are", name)
		}
	}
	if side, _ := colors(t, filepath.Join(at("five"), "00004.png")); side != 24 {
		t.Errorf("an edge has %d pixels", side)
	}
	if c, err := png.DecodeConfig(bytes.NewReader(get(t, at("grid.png")))); err != nil || c.Width != 3*(2*24+4)+4 {
		t.Errorf("the grid is %d pixels wide: %v", c.Width, err)
	}
}

// TestPictureBaselines: the autoencoder and diffusion restore pictures too.
func TestPictureBaselines(t *testing.T) {
	in, dir := pictureFolder(t), t.TempDir()
	f := latenttest.FileOf(1, colorNets(t))
	f.Tensors = slices.DeleteFunc(f.Tensors, func(t safetensors.Tensor) bool { return strings.HasPrefix(t.Name, "distance.") })
	delete(f.Meta, "distance.activation")
	f.Meta["flow.restore"] = `{"alpha":0,"beta":0,"sigma":0.45,"steps":0}`
	f.Meta["flow.generate"] = `{"alpha":0,"beta":0.2,"sigma":0.45,"steps":3,"noise":1}`
	dae := save(t, f)

	// Diffusion between the same nets.
	g := ldmtest.File(1)
	nets := func(t safetensors.Tensor) bool {
		net, _, _ := strings.Cut(t.Name, ".")
		return slices.Contains([]string{"encoder", "decoder", "projection"}, net)
	}
	g.Tensors = slices.DeleteFunc(g.Tensors, nets)
	for _, t := range f.Tensors {
		if nets(t) {
			g.Tensors = append(g.Tensors, t)
		}
	}
	if err := latent.Describe(g.Meta, ldm.Kind, colorNets(t)); err != nil {
		t.Fatal(err)
	}
	diffusion := save(t, g)
	if r := must(t, "info", diffusion); !strings.Contains(r.stdout, "images: 24×24 in color, codes of 18 numbers") {
		t.Errorf("info says\n%s", r.stdout)
	}
	for method, weights := range map[string]string{"dae": dae, "ldm": diffusion} {
		out := filepath.Join(dir, method)
		must(t, "restore", "--method", method, "--weights", weights, "--in", in, "--out", out, "--degrade", "gaussian=0.25", "--strip", filepath.Join(dir, method+".png"))
		if n := len(names(t, out)); n != 5 {
			t.Errorf("%s: %d pictures are restored", method, n)
		}
		must(t, "generate", "--method", method, "--weights", weights, "--n", "2", "--out", filepath.Join(dir, method+"-grown"))
	}
	// Without a word of the damage diffusion starts from that of pictures.
	must(t, "restore", "--method", "ldm", "--weights", diffusion, "--in", in, "--out", filepath.Join(dir, "blind"))
	if r := run(t, "restore", "--method", "dae", "--weights", dae, "--in", in, "--out", filepath.Join(dir, "x"), "--trust", "1"); r.code == exitOK || !strings.Contains(r.stderr, "no distance net") {
		t.Errorf("trust without a distance: exit code %d, %s", r.code, r.stderr)
	}
}

// TestPictureErrors: what does not go with pictures is refused in words.
func TestPictureErrors(t *testing.T) {
	weights, in, dir := colorModel(t), pictureFolder(t), t.TempDir()
	clash := t.TempDir()
	for _, name := range []string{"a.jpg", "a.jpeg.png", "a.jpeg", "A.png"} {
		put(t, filepath.Join(clash, name), photos(t, 1)[0])
	}
	none := t.TempDir()
	put(t, filepath.Join(none, "a.jpg"), []byte("GIF89a"))
	many := pictureFolder(t)
	for i, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitUsage, "--ink is of digits", []string{"--in", in, "--out", filepath.Join(dir, "o"), "--ink", "dark"}},
		{exitUsage, "--damaged keeps what --degrade damages", []string{"--in", in, "--out", filepath.Join(dir, "o"), "--damaged", filepath.Join(dir, "d")}},
		{exitUsage, "--damaged does not go to standard output", []string{"--in", in, "--out", filepath.Join(dir, "o"), "--degrade", "sharpen=8", "--damaged", "-"}},
		{exitUsage, "not in the range", []string{"--in", in, "--out", filepath.Join(dir, "o"), "--size", "0"}},
		{exitUsage, "not in the range", []string{"--in", in, "--out", filepath.Join(dir, "o"), "--rounds", "101"}},
		{exitFailure, "would both write", []string{"--in", in, "--out", filepath.Join(dir, "o"), "--degrade", "sharpen=8", "--damaged", filepath.Join(dir, "o")}},
		{exitFailure, "not written as IDX files", []string{"--in", in, "--out", filepath.Join(dir, "o.idx")}},
		{exitFailure, "cannot be written", []string{"--in", in, "--out", filepath.Join(dir, "o.jpg")}},
		{exitFailure, "do not fit into the one PNG", []string{"--in", in, "--out", filepath.Join(dir, "o.png")}},
		{exitFailure, "takes one PNG", []string{"--in", in, "--out", "-"}},
		{exitFailure, "would both be written as a.jpeg.png", []string{"--in", clash, "--out", filepath.Join(dir, "o")}},
		{exitFailure, "no picture of " + none + " can be used", []string{"--in", none, "--out", filepath.Join(dir, "o")}},
		{exitFailure, "holds no pictures", []string{"--in", t.TempDir(), "--out", filepath.Join(dir, "o")}},
		{exitFailure, "it is no JPEG", []string{"--in", filepath.Join(many, "notes.txt"), "--out", filepath.Join(dir, "o")}},
		{exitFailure, "no such file", []string{"--in", filepath.Join(many, "nowhere"), "--out", filepath.Join(dir, "o")}},
	} {
		r := run(t, append([]string{"restore", "--weights", weights}, c.args...)...)
		if r.code != c.code || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%d: exit code %d, %s; want %q", i, r.code, r.stderr, c.want)
		}
	}
	if r := run(t, "restore", "--in", in, "--out", filepath.Join(dir, "o"), "--size", "64"); r.code != exitUsage || !strings.Contains(r.stderr, "--size is of pictures") {
		t.Errorf("--size of digits: exit code %d, %s", r.code, r.stderr)
	}
	if got := names(t, dir); len(got) > 0 {
		t.Errorf("what failed left %q", got)
	}
	two := latenttest.FileOf(1, &latent.Nets{F: nn.Must(latent.Encoder(nn.Shape{H: 16, W: 16, C: 2}, 5)), G: nn.Must(latent.Decoder(nn.Shape{H: 16, W: 16, C: 2}, 5))})
	for _, args := range [][]string{{"restore", "--in", in}, {"generate"}} {
		if r := run(t, append(args, "--weights", save(t, two), "--out", filepath.Join(dir, "o"))...); r.code != exitFailure || !strings.Contains(r.stderr, "16×16×2") {
			t.Errorf("two channels: exit code %d, %s", r.code, r.stderr)
		}
	}
}
