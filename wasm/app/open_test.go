package app

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mppm/shared/classifier"
	"mppm/shared/ink"
	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/link"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/shared/unet"
	"mppm/wasm/app/compute"
	"mppm/wasm/app/restore"
	"mppm/wasm/app/room/roomtest"
)

// clothes are the names of a model's ten classes.
var clothes = strings.Split("t-shirt,trousers,pullover,dress,coat,sandal,shirt,sneaker,bag,boot", ",")

// weightsOf returns a small model of gray images of side × side pixels.
func weightsOf(t testing.TB, side, codes int, change func(*safetensors.File)) []byte {
	t.Helper()
	image := nn.Shape{H: side, W: side, C: 1}
	f, err := latent.Encoder(image, codes)
	roomtest.Must(t, err)
	g, err := latent.Decoder(image, codes)
	roomtest.Must(t, err)
	file := latenttest.FileOf(7, &latent.Nets{F: f, G: g})
	if change != nil {
		change(file)
	}
	return encoded(t, file)
}

func named(f *safetensors.File) { f.Meta["classes"] = strings.Join(clothes, "\n") }

// unlabeled takes the classes of a model's codes away.
func unlabeled(f *safetensors.File) {
	f.Tensors = slices.DeleteFunc(f.Tensors, func(t safetensors.Tensor) bool { return t.Name == "bank.labels" })
}

func encoded(t testing.TB, f *safetensors.File) []byte {
	t.Helper()
	b, err := f.Encode()
	roomtest.Must(t, err)
	return b
}

// reads is a classifier of images of side × side pixels.
func reads(t testing.TB, side, classes int) []byte {
	t.Helper()
	n, err := classifier.Net(nn.Shape{H: side, W: side, C: 1}, classes)
	roomtest.Must(t, err)
	f := &safetensors.File{Meta: map[string]string{}}
	roomtest.Must(t, classifier.Describe(f.Meta, n))
	for _, s := range n.Specs() {
		x := make([]float32, s.Size())
		rng.New(3, 0).FillNorm(x, 0.1)
		roomtest.Must(t, f.AddFloat32(s.Name, x, s.Shape...))
	}
	return encoded(t, f)
}

// opens opens files in an app.
func opens(t testing.TB, a *App, files ...ModelFile) {
	t.Helper()
	m, err := a.Read(files)
	roomtest.Must(t, err)
	roomtest.Must(t, a.Use(m))
}

// drawn draws a stroke on the pad.
func drawn(a *App) {
	a.Restore.PenDown(8, 5, 1)
	a.Restore.PenMove(15, 20, 1)
	a.Restore.PenUp()
}

// TestOpenModel: a model of other images takes the place of the page's, of any side, with
// the names of its classes, and goes again, and then all is as it was.
func TestOpenModel(t *testing.T) {
	for name, c := range map[string]struct {
		side, codes int
		reader      bool
	}{"as digits": {28, 18, true}, "smaller": {16, 5, false}, "larger": {40, 30, true}} {
		t.Run(name, func(t *testing.T) {
			a := newApp(t, &roomtest.Engine{})
			drawn(a)
			roomtest.Must(t, a.Restore.SetKind("gaussian"))
			settle(t, a)
			was, digest := a.Link(), a.Restore.Path().Digest()
			files := []ModelFile{{"clothes.safetensors", compute.Raw(weightsOf(t, c.side, c.codes, named))}}
			if c.reader {
				files = append(files, ModelFile{"reads.safetensors", compute.Raw(reads(t, c.side, 10))})
			}
			opens(t, a, files...)
			settle(t, a)
			if a.Err() != nil || !a.Opened() || a.About.Digits || a.About.Name != "clothes" || a.About.Class(7) != "sneaker" {
				t.Fatalf("opened: %v, %+v", a.Err(), a.About)
			}
			if n := len(a.Restore.Original()); n != c.side*c.side {
				t.Errorf("the original has %d numbers, want %d × %d", n, c.side, c.side)
			}
			r := a.Readout()
			if read := strings.Contains(r.Status, "reads as "+a.About.Class(r.Reads.Digit)); read != c.reader {
				t.Errorf("the page says %q", r.Status)
			}
			if a.Compares() || a.Restore.Result().DAE != nil {
				t.Error("it is compared with what is of other images")
			}
			if l := a.Restore.Label(); l < 0 || l > 9 {
				t.Errorf("the first image is of class %d", l)
			}
			drawn(a)
			settle(t, a)
			if ink := slices.Max(a.Restore.Original()); ink < 0.9 {
				t.Errorf("what is drawn has ink of up to %v", ink)
			}
			for _, m := range []link.Mode{link.Generate, link.Map} {
				roomtest.Must(t, a.SetMode(m))
				settle(t, a)
				if a.Err() != nil {
					t.Fatalf("%s: %v", m, a.Err())
				}
			}
			if p, _ := a.Path(); p.Steps() == 0 || a.Map.Atlas() == nil {
				t.Error("the map shows nothing")
			}
			foreign := a.Link()
			if !strings.HasPrefix(foreign, "model="+a.About.Print+"&") {
				t.Errorf("the link %q does not begin with the model", foreign)
			}
			if faults := a.Open(foreign); len(faults) > 0 || a.Link() != foreign {
				t.Errorf("%q opens as %q: %v", foreign, a.Link(), faults)
			}

			roomtest.Must(t, a.SetMode(link.Restore))
			a.Back()
			settle(t, a)
			if a.Opened() || a.Link() != was || a.Restore.Path().Digest() != digest {
				t.Errorf("afterwards the page shows %q, before %q", a.Link(), was)
			}
			if !a.Restore.CanUndo() {
				t.Error("the drawing cannot be taken back any more")
			}
			// The link of the other model says that it is of another.
			faults := a.Open(foreign)
			if len(faults) == 0 || !strings.Contains(faults.String(), "another model") {
				t.Errorf("the link of another model is opened with %q", faults)
			}
			settle(t, a)
		})
	}
}

// TestOpenGoesBack: a link without a model is about the page's own.
func TestOpenGoesBack(t *testing.T) {
	a := newApp(t, &roomtest.Engine{})
	opens(t, a, ModelFile{"clothes.safetensors", compute.Raw(weightsOf(t, 28, 18, named))})
	if faults := a.Open("digit=1"); len(faults) > 0 || a.Opened() || a.State.Digit != 1 {
		t.Errorf("digit=1 shows image %d, of another model: %v (%v)", a.State.Digit, a.Opened(), faults)
	}
}

// TestOpenUnlabeled: a model that knows no classes has no map of them, and grows none
// alone.
func TestOpenUnlabeled(t *testing.T) {
	a := newApp(t, &roomtest.Engine{})
	roomtest.Must(t, a.SetMode(link.Map))
	opens(t, a, ModelFile{"things.safetensors", compute.Raw(weightsOf(t, 16, 6, unlabeled))})
	if a.Mode == link.Map || slices.Contains(a.Links.Modes(), link.Map) || a.SetMode(link.Map) == nil {
		t.Error("there is a map without classes")
	}
	settle(t, a)
	if a.Err() != nil || a.Restore.Label() != -1 || a.About.Classes != 0 {
		t.Errorf("%v, label %d, %d classes", a.Err(), a.Restore.Label(), a.About.Classes)
	}
	if a.Generate.SetClass(0) == nil {
		t.Error("a class grows that is not known")
	}
}

// TestOpenDigits: another model of digits is read as the page's own, and called so.
func TestOpenDigits(t *testing.T) {
	a := newApp(t, &roomtest.Engine{})
	opens(t, a, ModelFile{"mine.safetensors", compute.Raw(weightsOf(t, 28, 12, func(f *safetensors.File) { f.Meta["data"] = `{"name":"mnist"}` }))})
	settle(t, a)
	if !a.About.Digits || !a.Reads() || !strings.Contains(a.Readout().Status, "reads as") {
		t.Errorf("%+v, %q", a.About, a.Readout().Status)
	}
}

// TestReadRefuses: whatever else is opened, a sentence says what is wrong with it, and
// nothing changes.
func TestReadRefuses(t *testing.T) {
	good := weightsOf(t, 28, 18, named)
	tall := latenttest.FileOf(1, &latent.Nets{F: nn.Must(latent.Encoder(nn.Shape{H: 32, W: 16, C: 1}, 4)), G: nn.Must(latent.Decoder(nn.Shape{H: 32, W: 16, C: 1}, 4))})
	file := func(b []byte) []ModelFile { return []ModelFile{{"it.safetensors", compute.Raw(b)}} }
	meta := func(kind string) []byte {
		f := &safetensors.File{Meta: map[string]string{"kind": kind}}
		roomtest.Must(t, f.AddFloat32("x", []float32{1}, 1))
		return encoded(t, f)
	}
	a := newApp(t, &roomtest.Engine{})
	settle(t, a)
	state := a.State
	for name, c := range map[string]struct {
		files []ModelFile
		want  string
	}{
		"nothing":             {nil, "no file of a model"},
		"empty":               {file(nil), "no whole file of weights"},
		"a picture":           {file([]byte("\x89PNG\r\n\x1a\n............")), "no whole file of weights"},
		"words":               {file([]byte("not a model, but words about one")), "no whole file of weights"},
		"broken off":          {file(good[:len(good)-100]), ""},
		"a huge header":       {file(append(bytes.Repeat([]byte{0xff}, 8), good...)), ""},
		"of nobody":           {file(meta("")), "import"},
		"of points":           {file(meta("mppm-points")), `"mppm-points"`},
		"without tensors":     {file(meta("lmppm")), ""},
		"not square":          {file(encoded(t, tall)), "square"},
		"tiny":                {file(weightsOf(t, 4, 2, nil)), "8 to 256"},
		"a label too many":    {file(weightsOf(t, 28, 18, func(f *safetensors.File) { f.Meta["classes"] = "one\ntwo" })), "bank.labels"},
		"a classifier alone":  {file(reads(t, 28, 10)), "open that first"},
		"another classifier":  {append(file(good), ModelFile{"c.safetensors", compute.Raw(reads(t, 16, 10))}), `"c.safetensors" is not opened`},
		"too few are read":    {append(file(good), ModelFile{"c.safetensors", compute.Raw(reads(t, 28, 3))}), "tells 3 classes apart"},
		"two models at once":  {append(file(good), ModelFile{"two.safetensors", compute.Raw(good)}), "one model at a time"},
		"a number not finite": {file(weightsOf(t, 28, 18, func(f *safetensors.File) { f.Meta["flow.restore"] = `{"alpha":2,"sigma":1,"steps":3}` })), "α"},
	} {
		_, err := a.Read(c.files)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if !reflect.DeepEqual(a.State, state) || a.Opened() {
		t.Error("a refusal changed something")
	}
	if err := a.Use(Model{Samples: new(restore.Own)}); err == nil || a.Opened() {
		t.Errorf("a model without flows is shown: %v", err)
	}
}

// TestOpenPicture: a picture for a model of other images is the square in its middle, in
// the model's size, as light or dark as the model's images are.
func TestOpenPicture(t *testing.T) {
	a := newApp(t, &roomtest.Engine{})
	opens(t, a, ModelFile{"clothes.safetensors", compute.Raw(weightsOf(t, 16, 5, named))})
	rgba := make([]byte, 4*64*32)
	for i := range 64 * 32 {
		v := byte(255)
		if x, y := i%64, i/64; x < 16 || x >= 48 || y >= 8 && y < 24 && x >= 24 && x < 40 { // beside the square, and in its middle
			v = 0
		}
		copy(rgba[4*i:], []byte{v, v, v, 255})
	}
	roomtest.Must(t, a.Restore.OfferPicture(rgba, 64, 32))
	ends := func() (middle, corner byte) { return a.Restore.Offered().Ink[8*16+8], a.Restore.Offered().Ink[0] }
	a.Restore.LookAgain(func(l *restore.Look) { l.Ink = ink.Light })
	if middle, corner := ends(); middle != 0 || corner != 255 {
		t.Errorf("as it is, its middle is %d and its corner %d", middle, corner)
	}
	a.Restore.LookAgain(func(l *restore.Look) { l.Ink = ink.Dark })
	if middle, corner := ends(); middle != 255 || corner != 0 || !strings.Contains(a.Restore.Offered().Words, "16 × 16, inverted") {
		t.Errorf("inverted, its middle is %d and its corner %d: %s", middle, corner, a.Restore.Offered().Words)
	}
	a.Restore.TakeOffer()
	settle(t, a)
	if a.Err() != nil || a.Source != link.Picture || a.Restore.Original()[8*16+8] != 1 {
		t.Errorf("what is taken: %v, from a %s", a.Err(), a.Source)
	}
}

// TestOpenPictures: a model of pictures in color goes to Faces, whether the page has
// models of faces or not, and leaves the digits alone.
func TestOpenPictures(t *testing.T) {
	image := nn.Shape{H: 16, W: 16, C: 3}
	n, err := unet.New(image, unet.Config{Channels: []int{4, 6}, Latent: 9})
	roomtest.Must(t, err)
	color := encoded(t, latenttest.FileOf(1, n))
	for name, own := range map[string][]string{"beside faces": {"faces"}, "alone": nil} {
		t.Run(name, func(t *testing.T) {
			fetched := 0
			a, err := New(theModel(t, &roomtest.Engine{}), Faces{Models: own, Fetch: func(string) { fetched++ }})
			roomtest.Must(t, err)
			settle(t, a)
			digest, was := a.Restore.Path().Digest(), a.Links.Modes()
			opens(t, a, ModelFile{"Cats.safetensors", compute.Raw(color)})
			settle(t, a)
			as, called := a.Pictured()
			if a.Err() != nil || a.Mode != link.Faces || a.OfFaces() || called != "Cats" || a.Faces.Image() != image || a.Faces.Path().Steps() == 0 || fetched > 0 {
				t.Fatalf("%v, mode %s, %q shown as %v in %d steps, %d fetched", a.Err(), a.Mode, called, a.Faces.Image(), a.Faces.Path().Steps(), fetched)
			}
			if faults := a.Open(a.Link()); len(faults) > 0 || a.State.Faces.Model != as {
				t.Errorf("its own link opens with %q", faults)
			}
			if !strings.Contains(a.Words(), "Cats is in the tab Pictures") {
				t.Errorf("%q", a.Words())
			}
			settle(t, a)
			a.Back()
			if a.Opened() || !a.OfFaces() || !slices.Equal(a.Links.Modes(), was) || a.Restore.Path().Digest() != digest {
				t.Errorf("afterwards: opened %v, modes %q", a.Opened(), a.Links.Modes())
			}
			if want := map[bool]link.Mode{true: link.Faces, false: link.Restore}[own != nil]; a.Mode != want {
				t.Errorf("afterwards the mode is %s", a.Mode)
			}
			a.Update(0)
			if fetched != len(own) {
				t.Errorf("afterwards %d models are fetched", fetched)
			}
		})
	}
	a := newApp(t, &roomtest.Engine{})
	if a.SetMode(link.Faces) == nil {
		t.Error("a page without models of faces shows them")
	}
	if _, err := a.Read([]ModelFile{{"Cats.safetensors", compute.Raw(color)}, {"c.safetensors", compute.Raw(reads(t, 16, 10))}}); err == nil {
		t.Error("a model in color has a classifier")
	}
}
