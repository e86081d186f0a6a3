package api

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"mppm/shared/center"
	"mppm/shared/center/centertest"
	"mppm/shared/degrade"
	inks "mppm/shared/ink"
	pictures "mppm/shared/picture"
	"mppm/shared/rng"
)

const asPNG = "Content-Type: image/png"

// TestPhotographs: digits of MNIST and written ones, with a thin, a middling and a
// broad pen, are read in every scene: in uneven light, on ruled paper, among specks,
// within frames.
func TestPhotographs(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	var all, right int
	for n, s := range centertest.Scenes() {
		wrong := map[string]int{}
		total := 0
		for i := range 6 {
			r := rng.New(uint64(10*n+i+1), 7)
			label := (7*n + 3*i) % 10
			var d centertest.Digit
			if pens := []float64{0.03, 0.06, 0.1, 0.13}; i < len(pens) {
				d = centertest.Written(label, pens[i], r)
			} else {
				at := (31*n + 17*i) % service(t).digits.len()
				for {
					x, l := digit(t, at)
					if label = l; service(t).read(x)[0].digit == l {
						d = centertest.Enlarged(x, service(t).image.W)
						break
					}
					at = (at + 1) % service(t).digits.len()
				}
			}
			got := decode[restored](t, ask(t, "POST", "/api/restore?restore-steps=1", encoded(t, s.Draw(d, r)), asPNG, wantJSON))
			if total++; got.Input.Reads.Digit != label {
				wrong[fmt.Sprintf("%d as %d", label, got.Input.Reads.Digit)]++
			}
			if !got.Input.Centered || got.Input.Inverted != (s.Pen < s.Paper) {
				t.Errorf("%s: done: %q", s.Name, got.Input.Done)
			}
		}
		bad := 0
		for _, k := range wrong {
			bad += k
		}
		if all, right = all+total, right+total-bad; bad > 1 {
			t.Errorf("%s: %d of %d are misread: %v", s.Name, bad, total, wrong)
		}
	}
	t.Logf("%d of %d pictures are read right", right, all)
	if float64(right) < 0.97*float64(all) {
		t.Errorf("%d of %d pictures are read right", right, all)
	}
}

// TestOwnSize: pictures of the size of the model's. Those that are MNIST's stay as they are
// to the bit, damaged or not; their negatives, and black on transparent, become
// them; others are centered; a switch leaves all alone.
func TestOwnSize(t *testing.T) {
	send := func(query string, img image.Image) restored {
		t.Helper()
		w := ask(t, "POST", "/api/restore"+query, encoded(t, img), asPNG, wantJSON)
		got := decode[restored](t, w)
		if head, words := w.Header().Get("Mppm-Input"), strings.Join(got.Input.Done, ", "); head != words && (head != "nothing" || words != "") {
			t.Errorf("the header says %q, the answer %q", head, words)
		}
		return got
	}
	same := func(what string, got restored, want []float32, done ...string) {
		t.Helper()
		for i, v := range got.Input.Pixels {
			if math.Abs(float64(v-want[i])) > 6e-5 { // four decimals
				t.Errorf("%s: pixel %d is %v, want %v", what, i, v, want[i])
				break
			}
		}
		if !slices.Equal(got.Input.Done, done) {
			t.Errorf("%s: done %q, want %q", what, got.Input.Done, done)
		}
	}
	read, drawn := 0, 0
	for i := 0; i < service(t).digits.len(); i += 9 {
		x, label := digit(t, i)
		gray := service(t).sheet(x, 1, 1)
		same("MNIST's", send("", gray), x)
		negative, clear := image.NewGray(gray.Rect), image.NewNRGBA(gray.Rect)
		for k, v := range gray.Pix {
			negative.Pix[k] = 255 - v
			clear.Pix[4*k+3] = v
		}
		same("its negative", send("", negative), x, "inverted")
		same("black on transparent", send("", clear), x, "transparency taken as paper", "inverted")
		left := make([]float32, len(x))
		for k, v := range x {
			left[k] = 1 - v
		}
		same("its negative, left alone", send("?center=never", negative), left)
		same("its negative as light ink, left alone", send("?center=never&ink=dark", negative), x, "inverted")
		if service(t).read(x)[0].digit != label {
			continue
		}
		// In red, and as someone draws at this size: dark, not in the middle.
		red := image.NewNRGBA(gray.Rect)
		for k, v := range gray.Pix {
			red.SetNRGBA(k%gray.Stride, k/gray.Stride, color.NRGBA{v, 0, 0, 255})
		}
		got := send("", red)
		if !slices.Contains(got.Input.Done, "color made gray") || got.Input.Reads.Digit != label {
			t.Errorf("a red %d reads as %+v; done %q", label, got.Input.Reads, got.Input.Done)
		}
		r := rng.New(uint64(i), 3)
		s := centertest.Scene{W: gray.Rect.Dx(), H: gray.Rect.Dy(), Size: 1.05, X: 0.5, Y: 0.4, Paper: 0.97, Pen: 0.05}
		by := label
		got = send("", s.Draw(centertest.Written(by, 0.11, r), r))
		if drawn++; got.Input.Reads.Digit == by {
			read++
		}
		if !got.Input.Inverted || !got.Input.Centered {
			t.Errorf("a drawn %d: done %q", by, got.Input.Done)
		}
	}
	if float64(read) < 0.9*float64(drawn) {
		t.Errorf("%d of %d digits drawn dark at that size are read", read, drawn)
	}
}

// TestDamagedStays: digits that are damaged in any way are to be restored as they
// are: a PNG of one is left alone, and the negative of one that noise has hidden is
// only inverted.
func TestDamagedStays(t *testing.T) {
	for _, k := range degrade.Kinds() {
		for _, severity := range []float64{k.Mild, k.Severe} {
			for i := 0; i < service(t).digits.len(); i += 5 {
				x, _ := digit(t, i)
				y := make([]float32, len(x))
				d := degrade.Degradation{Kind: k.Kind, Severity: severity}
				if err := d.Apply(y, x, service(t).image.W, service(t).image.H, rng.New(uint64(i), 0)); err != nil {
					t.Fatal(err)
				}
				img := service(t).sheet(y, 1, 1)
				for _, negative := range []bool{false, true} {
					if negative {
						if k.Kind != degrade.Gaussian {
							break
						}
						for j, v := range img.Pix {
							img.Pix[j] = 255 - v
						}
					}
					p, err := pictures.DecodePNG(bytes.NewReader(encoded(t, img)), MaxArea)
					if err != nil {
						t.Fatal(err)
					}
					got := make([]float32, len(x))
					done, _, err := center.Digit(got, p, center.Options{})
					if err != nil || done != (center.Done{Inverted: negative}) {
						t.Errorf("%s %v, digit %d, negative %v: %s, %v", k.Kind, severity, i, negative, done, err)
					} else if !negative && !slices.Equal(got, p.Gray) {
						t.Errorf("%s %v, digit %d is changed", k.Kind, severity, i)
					}
				}
			}
		}
	}
}

// TestTurned: Exif's orientation is followed.
func TestTurned(t *testing.T) {
	r := rng.New(4, 0)
	s := centertest.Scene{W: 300, H: 300, Size: 0.8, X: 0.5, Y: 0.5, Paper: 0.95, Pen: 0.1, Turn: -90}
	b := encoded(t, s.Draw(centertest.Written(7, 0.08, r), r))
	tiff := []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00")
	c := binary.BigEndian.AppendUint32(nil, uint32(len(tiff)))
	c = append(append(c, "eXIf"...), tiff...)
	c = binary.BigEndian.AppendUint32(c, crc32.ChecksumIEEE(c[4:]))
	at := bytes.Index(b, []byte("IDAT")) - 4
	got := decode[restored](t, ask(t, "POST", "/api/restore", slices.Concat(b[:at], c, b[at:]), asPNG, wantJSON))
	if got.Input.Reads.Digit != 7 || !slices.Contains(got.Input.Done, "turned upright") {
		t.Errorf("reads as %+v; done %q", got.Input.Reads, got.Input.Done)
	}
}

// TestEmptyPages: a page without a digit is said to be empty.
func TestEmptyPages(t *testing.T) {
	blank := image.NewGray(service(t).sheet(make([]float32, service(t).image.Size()), 1, 1).Rect)
	for _, s := range centertest.Scenes()[10:20] {
		r := rng.New(8, 0)
		page := s.Draw(func(u, v float64) float64 { return 0 }, r)
		for _, img := range []image.Image{page, blank} {
			w := ask(t, "POST", "/api/restore", encoded(t, img), asPNG, wantJSON)
			if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "page is empty") {
				t.Errorf("%s: %d %.200s", s.Name, w.Code, w.Body)
			}
		}
	}
	if w := ask(t, "POST", "/api/restore?center=never", encoded(t, blank), asPNG, wantJSON); w.Code != http.StatusOK {
		t.Errorf("left alone: %d %s", w.Code, w.Body)
	}
}

// TestTwelveMegapixels: a picture as phones take them is read.
func TestTwelveMegapixels(t *testing.T) {
	const w, h = 4032, 3024
	r := rng.New(6, 0)
	s := centertest.Scene{W: w / 8, H: h / 8, Size: 0.7, X: 0.4, Y: 0.5, Paper: 0.9, Pen: 0.15, Light: centertest.Slope(0.5, 1), Grain: 0.01}
	small := s.Draw(centertest.Written(3, 0.08, r), r)
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		v := small.Pix[i/w/8*(w/8)+i%w/8]
		img.Pix[4*i], img.Pix[4*i+1], img.Pix[4*i+2], img.Pix[4*i+3] = v, v, v, 255
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	got := decode[restored](t, ask(t, "POST", "/api/restore", b.Bytes(), asPNG, wantJSON))
	if got.Input.Reads.Digit != 3 {
		t.Errorf("reads as %+v; done %q", got.Input.Reads, got.Input.Done)
	}
}

// FuzzPicture: whatever is sent as a picture, the answer is a digit or says what is
// wrong with what was sent.
func FuzzPicture(f *testing.F) {
	r := rng.New(2, 0)
	for i, s := range centertest.Scenes()[5:8] {
		s.W, s.H = 30+i, 40
		var b bytes.Buffer
		if err := png.Encode(&b, s.Draw(centertest.Written(i, 0.1, r), r)); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes(), uint8(0), uint8(0))
		f.Add(b.Bytes(), uint8(33), uint8(5))
		f.Add(b.Bytes(), uint8(2), uint8(200))
	}
	f.Fuzz(func(t *testing.T, b []byte, w, how uint8) {
		if w > 0 { // any pixels, of any size
			n := len(b) / int(w)
			if n == 0 {
				return
			}
			img := &image.Gray{Pix: b[:n*int(w)], Stride: int(w), Rect: image.Rect(0, 0, int(w), n)}
			var out bytes.Buffer
			if err := png.Encode(&out, img); err != nil {
				t.Fatal(err)
			}
			b = out.Bytes()
		}
		target := fmt.Sprintf("/api/restore?restore-steps=1&center=%s&ink=%s", center.Ways()[how%3], inks.Kinds()[how/3%3])
		if how >= 100 {
			target += fmt.Sprintf("&threshold=%.2f", float64(how-100)/155*0.9+0.05)
		}
		a := ask(t, "POST", target, b, asPNG, wantJSON)
		switch a.Code {
		case http.StatusOK:
			for i, v := range decode[restored](t, a).Input.Pixels {
				if !(v >= 0 && v <= 1) {
					t.Fatalf("pixel %d is %v", i, v)
				}
			}
		case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
		default:
			t.Fatalf("%d %s", a.Code, a.Body)
		}
	})
}
