package e2e

import (
	"fmt"
	"image"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"mppm/site/internal/host"
)

// apart returns the mean difference of two pictures of the same size, of 255 at most.
func apart(a, b image.Image) float64 {
	if a.Bounds() != b.Bounds() {
		return 255
	}
	sum, r := 0.0, a.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			ar, ag, ab, _ := a.At(x, y).RGBA()
			br, bg, bb, _ := b.At(x, y).RGBA()
			for _, d := range [3]int{int(ar>>8) - int(br>>8), int(ag>>8) - int(bg>>8), int(ab>>8) - int(bb>>8)} {
				sum += float64(max(d, -d))
			}
		}
	}
	return sum / float64(3*r.Dx()*r.Dy())
}

// TestFirstPicture: while the program is on its way, the first restoration is there, in the
// places and as the program then draws it, whatever a link says of it; and nothing on the
// page moves when the program takes over.
func TestFirstPicture(t *testing.T) {
	t.Parallel()
	const phone = "phone"
	for _, c := range []struct{ name, link, theme string }{
		{"plain", "", "dark"},
		{"light", "", "light"},
		{"digit", "#digit=17&kind=missing&severity=0.3&seed=5&step=4", "dark"},
		{"pen", "#draw=AUAAQCAg", "dark"}, // what of it cannot be read, the program says
		{phone, "", "dark"},
	} {
		t.Run(c.name, func(t *testing.T) {
			program := make(chan struct{})
			page := host.Handler(dist, host.Options{})
			url := server(t, "/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/assets/mppm") {
					<-program
				}
				page.ServeHTTP(w, r)
			}))
			p := blank(t)
			p.do(chromedp.EmulateViewport(1280, 900, chromedp.EmulateScale(1))) // at less, pictures are blurred
			if c.name == phone {
				p.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateScale(2), chromedp.EmulateMobile, chromedp.EmulateTouch))
			}
			p.prefers(c.theme, still)
			p.do(chromedp.Navigate(url + c.link))
			p.until("the first picture", `document.getElementById("work").dataset.first !== undefined && document.querySelectorAll(".place > canvas").length === 4`)
			places := []string{"original", "degraded", "restored", "film"}
			at := func() (boxes []box) {
				for _, name := range places {
					boxes = append(boxes, p.box(fmt.Sprintf("[data-place=%q]", name)))
				}
				return boxes
			}
			pictures := func() (list []image.Image) {
				for _, name := range places {
					list = append(list, p.picture(fmt.Sprintf("[data-place=%q]", name)))
				}
				return list
			}
			before, early := at(), pictures()
			if got := eval[string](p, `document.getElementById("work").dataset.state`); got != "loading" {
				t.Errorf("the page is %s without its program", got)
			}
			close(program)
			p.ready()
			p.until("the program's own pictures", `document.querySelectorAll(".place > canvas").length === 0`)
			p.rest("the restoration", func(s state) bool { return s.Steps > 0 })
			after, late := at(), pictures()
			for i, name := range places {
				if was, is := before[i], after[i]; math.Abs(was.X-is.X) > 0.2 || math.Abs(was.Y-is.Y) > 0.2 || was.W != is.W || was.H != is.H {
					t.Errorf("%s was at %v, and is at %v", name, before[i], after[i])
				}
				most := 8.0          // of 255; on a machine with nothing else to do it is less than 4
				if c.name == phone { // where notes that come to the captions move pictures by a pixel of the screen
					most = 12
				}
				if d := apart(early[i], late[i]); d > most {
					t.Errorf("%s is drawn %.1f apart from what it was", name, d)
				} else {
					t.Logf("%s: %.2f apart", name, d)
				}
			}
		})
	}
}
