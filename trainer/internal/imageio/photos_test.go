package imageio

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mppm/shared/nn"
)

// TestPNGNames: pictures keep their names, whatever else is beside them.
func TestPNGNames(t *testing.T) {
	for _, c := range []struct{ files, want []string }{
		{[]string{"in/a.jpg", "in/b.PNG", "in/c.d.webp"}, []string{"a.png", "b.png", "c.d.png"}},
		{[]string{"a.gif", "a.jpg", "a.png"}, []string{"a.gif.png", "a.jpg.png", "a.png"}},
		{[]string{"A.jpg", "a.jpeg"}, []string{"A.png", "a.jpeg.png"}},
		{[]string{"a.png", "A.PNG"}, nil}, // of a file system that tells them apart
		{[]string{"a.jpg", "a.png", "a.jpg.png"}, nil},
	} {
		got, err := PNGNames(c.files)
		if (err != nil) != (c.want == nil) || !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, %v; want %q", c.files, got, err, c.want)
		}
	}
}

// TestReadPictures: in gray too, and in the order that people count in.
func TestReadPictures(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"10.png", "9.png"} {
		put(t, filepath.Join(dir, name), pngOf(t, bar()))
	}
	im, err := ReadPictures(t.Context(), dir, nil, nn.Shape{H: Side, W: Side, C: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{filepath.Join(dir, "9.png"), filepath.Join(dir, "10.png")}; im.N != 2 || !slices.Equal(im.Names, want) || len(im.Notes) > 0 {
		t.Errorf("%d pictures, %q, %q", im.N, im.Names, im.Notes)
	}
	if !bytes.Equal(im.Pixels[:Pixels], bar().Pix) {
		t.Error("a picture of the model's size is not as it was")
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := ReadPictures(stopped, dir, nil, nn.Shape{H: Side, W: Side, C: 1}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	for _, shape := range []nn.Shape{{H: 8, W: 9, C: 3}, {H: 8, W: 8, C: 2}} {
		if _, err := ReadPictures(t.Context(), dir, nil, shape, nil); err == nil || !strings.Contains(err.Error(), "want squares") {
			t.Errorf("images of %v: %v", shape, err)
		}
	}
}

// FuzzReadPictures: any bytes become a whole picture, or an error.
func FuzzReadPictures(f *testing.F) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewYCbCr(image.Rect(0, 0, 9, 7), image.YCbCrSubsampleRatio420), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"))
	f.Add([]byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f"))
	f.Fuzz(func(t *testing.T, b []byte) {
		shape := nn.Shape{H: 12, W: 12, C: 3}
		im, err := ReadPictures(t.Context(), Stream, bytes.NewReader(b), shape, nil)
		if err == nil && (im.N != 1 || len(im.Pixels) != shape.Size()) {
			t.Fatalf("%d pictures of %d bytes", im.N, len(im.Pixels))
		}
	})
}
