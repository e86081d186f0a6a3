package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"mppm/shared/idx"
	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/nn"
	"mppm/shared/unet"
	"mppm/site/internal/bundle"
	"mppm/site/internal/host"
)

// clothes are the names of a model's ten classes.
const clothes = "t-shirt\ntrousers\npullover\ndress\ncoat\nsandal\nshirt\nsneaker\nbag\nboot"

// ownWeights returns the weights of a small model of images of side × side pixels.
func ownWeights(t *testing.T, side int) []byte {
	t.Helper()
	image := nn.Shape{H: side, W: side, C: 1}
	n := latent.Nets{F: nn.Must(latent.Encoder(image, 6)), G: nn.Must(latent.Decoder(image, 6))}
	f := latenttest.FileOf(5, &n)
	f.Meta["classes"] = clothes
	b, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// drop drops a file on the page.
func (p *tab) drop(name string, content []byte) {
	p.t.Helper()
	eval[bool](p, fmt.Sprintf(`(() => {
		const bytes = Uint8Array.from(atob(%q), (c) => c.charCodeAt(0));
		const d = new DataTransfer();
		d.items.add(new File([bytes], %q));
		return window.dispatchEvent(new DragEvent("drop", {bubbles: true, cancelable: true, dataTransfer: d}));
	})()`, base64.StdEncoding.EncodeToString(content), name))
}

// TestOwnModel drops weights of other images on the page: it restores, grows and maps
// those, by their names, in words of images; what is no model is called so, and changes
// nothing; a click brings the digits back as they were, and a link to the model says that
// it was of another.
func TestOwnModel(t *testing.T) {
	t.Parallel()
	url := server(t, "/", host.Handler(dist, host.Options{}))
	p := open(t, url+"#digit=5&seed=3")
	p.rest("the first restoration", func(s state) bool {
		return s.Step == s.Steps && s.Steps > 0 && s.LDM != nil && s.LDM.Done == s.LDM.Total
	})
	digest := func() string { return eval[string](p, `window.mppm.computed().digest`) }
	before := digest()
	good := ownWeights(t, 20)
	bad := map[string][]byte{
		"empty.safetensors":   nil,
		"words.safetensors":   []byte("these are words about a model, and no model"),
		"broken.safetensors":  good[:len(good)/2],
		"Picture.SAFETENSORS": []byte("\x89PNG\r\n\x1a\n and more of it"),
	}
	for name, content := range bad {
		p.drop(name, content)
		p.wait("words for "+name, func(s state) bool { return strings.Contains(s.Status, fmt.Sprintf("%q is not opened", name)) })
	}
	if got := digest(); got != before {
		t.Errorf("after files that are no models another image is restored: %s, before %s", got, before)
	}
	says := func(id string) string {
		return eval[string](p, fmt.Sprintf(`document.getElementById(%q).textContent`, id))
	}
	shown := func(id string) bool {
		return eval[bool](p, fmt.Sprintf(`document.getElementById(%q).checkVisibility()`, id))
	}

	p.drop("clothes.safetensors", good)
	p.do(chromedp.WaitVisible("#opened"))
	s := p.rest("the model's first image", func(s state) bool { return s.Step == s.Steps && s.Steps == 15 })
	if names := strings.Split(clothes, "\n"); !strings.HasPrefix(says("original-note"), names[s.Label]+",") {
		t.Errorf("the original is called %q, its class is %s", says("original-note"), names[s.Label])
	}
	if !shown("opened") || !strings.Contains(says("opened-words"), "clothes: gray images of 20 × 20 pixels") || shown("rivals") || shown("reads-before") {
		t.Errorf("%q; compared: %v, read: %v", says("opened-words"), shown("rivals"), shown("reads-before"))
	}
	for _, mode := range []string{"restore", "generate", "map"} {
		p.click("tab-" + mode)
		p.rest("the mode "+mode, func(s state) bool { return s.Mode == mode && s.Steps > 0 && !s.Active && s.Error == "" })
		words := eval[string](p, `(() => {
			const own = [...document.querySelectorAll("[aria-label], [title]")].filter((e) => e.checkVisibility()).map((e) => e.getAttribute("aria-label") + " " + e.getAttribute("title"));
			return document.body.innerText + own.join(" ");
		})()`)
		for _, line := range strings.Split(words, "\n") {
			if low := strings.ToLower(strings.ReplaceAll(line, "Back to the digits", "")); strings.Contains(low, "digit") || strings.Contains(low, "mnist") {
				t.Errorf("%s speaks of digits: %q", mode, line)
			}
		}
	}
	if key := says("classes"); key != strings.ReplaceAll(clothes, "\n", "") {
		t.Errorf("the map's key is %q", key)
	}
	if _, bright, colored := shares(p.picture("#map")); bright+colored < 0.01 {
		t.Errorf("the map is empty: %.3f bright, %.3f colored", bright, colored)
	}
	p.click("tab-restore")
	p.rest("Restore again", func(s state) bool { return s.Mode == "restore" })
	pad := p.reveal("#pad")
	p.drag([2]float64{pad.X + pad.W*0.3, pad.Y + pad.H*0.2}, [2]float64{pad.X + pad.W*0.6, pad.Y + pad.H*0.8})
	p.rest("the drawing", func(s state) bool { return s.Source == "drawing" && s.Undo })
	link := eval[string](p, `location.hash`)
	for end := 0; !strings.Contains(link, "drawing=") && end < 100; end++ {
		p.do(chromedp.Sleep(50 * time.Millisecond))
		link = eval[string](p, `location.hash`)
	}

	p.click("opened-back")
	p.rest("the digit of before", func(s state) bool { return s.Source == "digit" && s.Digit == 5 && s.Seed == 3 && s.Step == s.Steps })
	if got := digest(); got != before || shown("opened") || !shown("rivals") || !strings.Contains(says("original-note"), "from MNIST") {
		t.Errorf("the digit that is back is restored as %s, before as %s; %q", got, before, says("original-note"))
	}

	// Its file opened once more, and its link, which opens what was drawn.
	path := filepath.Join(t.TempDir(), "clothes.safetensors")
	if err := os.WriteFile(path, good, 0o644); err != nil {
		t.Fatal(err)
	}
	p.do(chromedp.SetUploadFiles("#model-file", []string{path}))
	p.do(chromedp.WaitVisible("#opened"))
	eval[bool](p, fmt.Sprintf(`(location.hash = %q, true)`, link))
	p.rest("the drawing of the link", func(s state) bool { return s.Source == "drawing" })

	other := open(t, url+link)
	s = other.rest("a page without that model", func(s state) bool { return s.Steps > 0 })
	if !strings.Contains(s.Status, "another model") {
		t.Errorf("the link of another model opens with the words %q", s.Status)
	}
}

// TestOwnPictures drops weights of pictures in color: they are in the tab of faces, which
// is called otherwise, until they are sent away.
func TestOwnPictures(t *testing.T) {
	t.Parallel()
	n, err := unet.New(nn.Shape{H: 16, W: 16, C: 3}, unet.Config{Channels: []int{4, 6}, Latent: 9})
	if err != nil {
		t.Fatal(err)
	}
	b, err := latenttest.FileOf(1, n).Encode()
	if err != nil {
		t.Fatal(err)
	}
	p := open(t, server(t, "/", host.Handler(dist, host.Options{})))
	p.rest("the first restoration", func(s state) bool { return s.Step == s.Steps && s.Steps > 0 })
	p.drop("cats.safetensors", b)
	p.rest("a picture of the model", func(s state) bool { return s.Mode == "faces" && s.Steps > 0 && s.Face != nil && s.Face.After != nil })
	says := eval[string](p, `document.getElementById("tab-faces").textContent + ", " + document.getElementById("face-model").selectedOptions[0].textContent + ", " + document.querySelector("h2[data-for=faces]").textContent`)
	if says != "Pictures, cats, Spoil a picture. Watch it heal." {
		t.Errorf("the page says %q", says)
	}
	p.click("opened-back")
	p.until("the tab to have its own name again", `document.getElementById("tab-faces").textContent === "Faces"`)
}

// TestBuiltAround: a page that is built around a model of one's own, without a classifier
// and without models to compare with, is about its images from the start.
func TestBuiltAround(t *testing.T) {
	t.Parallel()
	const side, n = 20, 3
	images, err := idx.New(bytes.Repeat([]byte{0, 255}, n*side*side/2), n, side, side)
	if err != nil {
		t.Fatal(err)
	}
	labels, err := idx.New([]byte{7, 255, 0}, n)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	file := func(name string, content []byte) bundle.File {
		files["/"+name] = content
		sum := sha256.Sum256(content)
		return bundle.File{Name: name, Size: len(content), SHA256: hex.EncodeToString(sum[:])}
	}
	m := manifest(t, dist)
	was, err := json.Marshal(entry(t, dist))
	if err != nil {
		t.Fatal(err)
	}
	m.Classifier, m.Baselines, m.Faces, m.Samples = bundle.File{}, bundle.File{}, nil, "clothes"
	m.Weights, m.Images, m.Labels = file("assets/own.safetensors", ownWeights(t, side)), file("assets/own-images.idx", images.Encode()), file("assets/own-labels.idx", labels.Encode())
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	is, err := json.Marshal(file("assets/own-manifest.json", text))
	if err != nil {
		t.Fatal(err)
	}
	index, err := os.ReadFile(filepath.Join(dist, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	page := strings.Replace(string(index), html.EscapeString(string(was)), html.EscapeString(string(is)), 1)
	if page == string(index) {
		t.Fatal("the page does not name its manifest")
	}
	rest := host.Handler(dist, host.Options{})
	url := server(t, "/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch content, ok := files[r.URL.Path]; {
		case ok:
			w.Header().Set("X-Unpacked", "1") // there are no packed twins
			_, _ = w.Write(content)
		case r.URL.Path == "/":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, page)
		default:
			rest.ServeHTTP(w, r)
		}
	}))
	p := open(t, url)
	s := p.rest("the first image", func(s state) bool { return s.Step == s.Steps && s.Steps > 0 && !s.Active })
	says := eval[string](p, `["original-note", "another", "classes"].map((id) => document.getElementById(id).textContent).join(" | ")`)
	if want := "sneaker, from clothes | Another image | " + strings.ReplaceAll(clothes, "\n", ""); says != want || s.Label != 7 || s.Reads.Confidence != 0 {
		t.Errorf("the page says %q, want %q; label %d, read with %v", says, want, s.Label, s.Reads.Confidence)
	}
	for id, want := range map[string]bool{"opened": false, "rivals": false, "tab-map": true, "tab-faces": false, "open-model": true} {
		if got := eval[bool](p, fmt.Sprintf(`document.getElementById(%q).checkVisibility()`, id)); got != want {
			t.Errorf("%s is seen: %v", id, got)
		}
	}
	p.click("another")
	p.rest("an image without a class", func(s state) bool { return s.Label == -1 && s.Step == s.Steps })
	if says := eval[string](p, `document.getElementById("original-note").textContent`); says != "from clothes" {
		t.Errorf("an image without a class is called %q", says)
	}
}

// entry returns by what name and checksum a built page knows its manifest.
func entry(t *testing.T, dir string) bundle.File {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "assets", "manifest.*.json"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	content, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	return bundle.File{Name: "assets/" + filepath.Base(found[0]), Size: len(content), SHA256: hex.EncodeToString(sum[:])}
}
