package faces_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/ldm"
	"mppm/shared/ldm/ldmtest"
	"mppm/shared/link"
	"mppm/shared/nn"
	"mppm/shared/unet"
	"mppm/wasm/app/faces"
	"mppm/wasm/app/room"
	"mppm/wasm/app/room/roomtest"
)

// side is the side of the models' images.
const side = 20

var (
	image = nn.Shape{H: side, W: side, C: 3}
	sizes = unet.Config{Channels: []int{4, 6}, Latent: 9}
)

func model(t *testing.T, seed uint64) *latent.Model {
	t.Helper()
	n := nets(t)
	var err error
	n.L, err = unet.Local(image, sizes)
	roomtest.Must(t, err)
	return latenttest.ModelOf(seed, n)
}

func nets(t *testing.T) *latent.Nets {
	t.Helper()
	n, err := unet.New(image, sizes)
	roomtest.Must(t, err)
	return n
}

// page is a page that shows the room, with what it fetched.
type page struct {
	*roomtest.Page[*faces.Room]
	fetched []string
}

func newPage(t *testing.T) *page {
	t.Helper()
	flow := roomtest.Preset
	p := new(page)
	r := new(roomtest.Reader)
	s := room.NewSession(link.New(2, link.Model{Pixels: roomtest.Pixels, Latent: roomtest.Latent, Classes: r.Classes(), Faces: []string{"faces", "drawn"}, Restore: flow, Generate: flow}), new(roomtest.Engine), r, roomtest.About)
	s.Mode = link.Faces
	p.Page = roomtest.New(t, s, faces.New(s, func(name string) { p.fetched = append(p.fetched, name) }))
	return p
}

// arrives brings a model.
func (p *page) arrives(name string, m *latent.Model) {
	p.Models.Faces = map[string]*latent.Runner{name: m.Runner(1)}
	p.Room.Arrive(name, nil)
}

// ready is a page whose model has come, and whose first face is restored.
func ready(t *testing.T) *page {
	t.Helper()
	p := newPage(t)
	p.Update(time.Millisecond)
	p.arrives("faces", model(t, 3))
	p.Settle()
	return p
}

// reopen opens the page's link in another one.
func reopen(t *testing.T, p *page) *page {
	t.Helper()
	l := link.Link{State: p.State, Step: -1}
	p.Room.Save(&l)
	text := p.Links.Write(l)
	q := newPage(t)
	read, faults := q.Links.Read(text)
	if len(faults) > 0 {
		t.Fatalf("%s: %v", text, faults)
	}
	q.State = read.State
	roomtest.Must(t, q.Room.Open(&read))
	q.Update(time.Millisecond)
	q.arrives(q.State.Faces.Model, model(t, 3))
	q.Settle()
	return q
}

func last(p *page) []byte { return p.Path().Frame(p.Path().Steps()-1, 0) }

// TestFetch: a model is fetched once, when the room is shown, and again where it did not
// come.
func TestFetch(t *testing.T) {
	p := newPage(t)
	if len(p.fetched) > 0 {
		t.Error("a model is fetched before the room is shown")
	}
	p.Update(time.Millisecond)
	p.Update(time.Millisecond)
	if !slices.Equal(p.fetched, []string{"faces"}) || !p.Busy() {
		t.Errorf("fetched %q, busy %v", p.fetched, p.Busy())
	}
	p.Room.Progress("faces", 0.43)
	if s := p.Readout().Status; !strings.Contains(s, "43 %") {
		t.Errorf("on the way it says %q", s)
	}
	p.Room.Arrive("faces", errors.New("no network"))
	p.Update(time.Millisecond)
	if s := p.Readout(); s.Error != "no network" || p.Busy() {
		t.Errorf("it says %+v", s)
	}
	p.Room.Retry()
	p.Update(time.Millisecond)
	if len(p.fetched) != 2 {
		t.Errorf("fetched %q", p.fetched)
	}
	p.arrives("faces", latenttest.Model(1)) // gray
	p.Settle()
	if p.Readout().Error != "" || p.Path().Steps() == 0 {
		t.Error("a gray model does not restore")
	}
}

// TestHeal: a face is made, damaged and restored as the model does it, a step a frame at least.
func TestHeal(t *testing.T) {
	p := newPage(t)
	p.Update(time.Millisecond)
	m := model(t, 3)
	p.arrives("faces", m)
	p.Settle()
	x := p.Room.Damaged()
	if slices.Equal(x, p.Room.Original()) {
		t.Error("the face is not damaged")
	}
	seq, err := m.Runner(1).Restoration(x, m.Restore)
	roomtest.Must(t, err)
	for f := range seq {
		want := f.Image()
		got := p.Path().Frame(f.Index, 0)
		for i, v := range want {
			if got[i] != byte(min(max(v, 0), 1)*255+.5) {
				t.Fatalf("step %d is not the model's", f.Index)
			}
		}
	}
	if r := p.Room.Result(); r.Before == nil || r.After == nil || r.DAE != nil || len(p.Room.Scores()) != p.Path().Steps() {
		t.Errorf("the result is %+v", r)
	}
	p.Models.Rivals = map[string]*ldm.Runner{"faces": ldmtest.ModelOf(4, nets(t)).Runner(1)}
	p.Room.ArriveRivals("faces")
	p.Settle()
	if r := p.Room.Result(); r.DAE == nil || r.LDM == nil || len(p.Room.DAE()) != m.Pixels() || len(p.Room.LDM()) != m.Pixels() {
		t.Errorf("with baselines the result is %+v", r)
	}
	p.Models.Rivals["faces"] = ldmtest.Model(1).Runner(1)
	p.Room.ArriveRivals("faces")
	if p.Settle(); p.Err() == nil || p.Room.Result().Rivals {
		t.Error("baselines of other images are taken")
	}
}

// TestPaint: every brush changes the face where it went alone, the eraser brings the
// original back, and undo, redo and clear go back and forth.
func TestPaint(t *testing.T) {
	p := ready(t)
	roomtest.Must(t, p.Room.SetKind(link.None))
	p.Settle()
	original := slices.Clone(p.Room.Original())
	at := func(x, y int) []float32 { return p.Room.Damaged()[(y*side+x)*3:][:3] }
	stroke := func(tool faces.Tool) {
		t.Helper()
		p.Room.PenDown(tool, [3]byte{0, 255, 0}, 20, 0.5, 0.5)
		p.Room.PenMove(0.8, 0.5)
		p.Room.PenUp()
		p.Settle()
		if !slices.Equal(at(1, 1), original[(side+1)*3:][:3]) {
			t.Fatalf("brush %d changes what it did not touch", tool)
		}
	}
	stroke(faces.Scribble)
	if !slices.Equal(at(10, 10), []float32{0, 1, 0}) {
		t.Errorf("a scribble in green is %v", at(10, 10))
	}
	stroke(faces.Patch)
	if !slices.Equal(at(10, 10), []float32{0, 0, 0}) {
		t.Errorf("a patch is %v", at(10, 10))
	}
	stroke(faces.Eraser)
	if !slices.Equal(at(10, 10), original[(10*side+10)*3:][:3]) {
		t.Error("the eraser does not bring the original back")
	}
	painted := slices.Clone(p.Room.Damaged())
	stroke(faces.Noise)
	noisy := slices.Clone(p.Room.Damaged())
	if slices.Equal(noisy, painted) {
		t.Error("the noise brush does nothing")
	}
	for range 4 {
		p.Room.Undo()
	}
	p.Settle()
	if !slices.Equal(p.Room.Damaged(), original) || p.Room.Result().Undo {
		t.Error("undo leaves something")
	}
	for range 4 {
		p.Room.Redo()
	}
	p.Settle()
	if !slices.Equal(p.Room.Damaged(), noisy) {
		t.Error("redo brings something else")
	}
	p.Room.Unpaint()
	p.Settle()
	if !slices.Equal(p.Room.Damaged(), original) {
		t.Error("clearing leaves something")
	}
	p.Room.Undo()
	p.Settle()
	if !slices.Equal(p.Room.Damaged(), noisy) {
		t.Error("clearing cannot be undone")
	}
	if q := reopen(t, p); !slices.Equal(q.Room.Damaged(), noisy) {
		t.Error("the link has other paint")
	}
	p.Room.PenDown(faces.Patch, [3]byte{}, 20, 0.1, 0.1)
	p.Room.PenCancel()
	p.Settle()
	if !slices.Equal(p.Room.Damaged(), noisy) {
		t.Error("a stroke that was taken away is there")
	}
}

// TestLink: a link opens the same face, damage, flow and task.
func TestLink(t *testing.T) {
	p := ready(t)
	l := link.Link{State: p.State, Step: -1}
	if p.Room.Save(&l); p.Links.Write(l) != "mode=faces" {
		t.Errorf("the first link is %s", p.Links.Write(l))
	}
	p.Room.SetFace(77)
	roomtest.Must(t, p.Room.SetKind(degrade.Missing), p.Room.SetSeverity(0.3))
	p.Room.SetSeed(5)
	if p.Room.Where() != nil {
		t.Error("the distance at each pixel is there, and the flow does not ask for it")
	}
	roomtest.Must(t, p.Set(link.Trust, 1.5), p.Set(link.Rounds, 2), p.Set(link.Alpha, 0.4), p.Set(link.Local, 0.3), p.Set(link.Keep, 0.1))
	p.Settle()
	if len(p.Room.Where()) != side*side {
		t.Errorf("the distance is of %d pixels", len(p.Room.Where()))
	}
	q := reopen(t, p)
	if !slices.Equal(last(q), last(p)) || q.State.Faces != p.State.Faces {
		t.Errorf("the link opens %+v, was %+v", q.State.Faces, p.State.Faces)
	}
	roomtest.Must(t, p.Room.SetTask(link.Grow), p.Room.Choose(3), p.Room.SetTask(link.Pass), p.Room.Choose(5))
	p.Settle()
	if q = reopen(t, p); !slices.Equal(last(q), last(p)) {
		t.Error("the link of a walk opens another one")
	}
	if l, faults := p.Links.Read("mode=faces&face-heal=0.4_0_0.5_0_3_1.5_2"); len(faults) > 0 || l.Faces.Heal != (latent.Preset{Alpha: 0.4, Sigma: 0.5, Steps: 3, Trust: 1.5, Rounds: 2}) {
		t.Errorf("a link from before there was a distance at each pixel opens %+v: %v", l.Faces.Heal, faults)
	}
	if _, faults := p.Links.Read("mode=faces&face-heal=1_2&face-damage=elastic&faces=no"); len(faults) != 3 {
		t.Errorf("what cannot be is %v", faults)
	}
	bad := l
	bad.Faces.Paint = "AAAA"
	if p.Room.Open(&bad) == nil {
		t.Error("paint that is none is taken")
	}
}

// TestGrow: faces grow, one is seen growing, it can be taken to be restored, and a walk
// begins and ends at faces of the grid.
func TestGrow(t *testing.T) {
	p := ready(t)
	roomtest.Must(t, p.Room.SetTask(link.Grow), p.Room.Choose(4))
	roomtest.Must(t, p.Set(link.Alpha, 0), p.Set(link.Beta, 0)) // this model's flow ends in one place
	p.Settle()
	grown := p.Room.Grown()
	if len(grown) != link.GrownFaces || !slices.Equal(last(p), grown[4]) {
		t.Error("the face that is enlarged is not that of the grid")
	}
	code := slices.Clone(p.Path().Code(0, 0))
	roomtest.Must(t, p.Room.Choose(5))
	p.Settle()
	if slices.Equal(code, p.Path().Code(0, 0)) {
		t.Error("two faces grow from the same noise")
	}
	roomtest.Must(t, p.Room.Choose(4), p.Room.SetTask(link.Pass), p.Room.Choose(7))
	p.Settle()
	if !slices.Equal(p.Path().Frame(0, 0), grown[4]) || !slices.Equal(last(p), grown[7]) {
		t.Error("the walk does not lead from the one to the other")
	}
	p.Room.SetFace(0)
	roomtest.Must(t, p.Room.TakeGrown())
	p.Settle()
	if p.State.Faces.Task != link.Heal || p.State.Faces.Face != link.GrownFaces+4 {
		t.Errorf("the face that is restored is %d, in %s", p.State.Faces.Face, p.State.Faces.Task)
	}
	if p.Room.Choose(9) == nil || p.Room.SetTask("no") == nil || p.Room.SetModel("no") == nil || p.Room.SetKind(degrade.Elastic) == nil {
		t.Error("what there is not is taken")
	}
	roomtest.Must(t, p.Room.SetModel("drawn"))
	p.Update(time.Millisecond)
	if !slices.Equal(p.fetched, []string{"faces", "drawn"}) {
		t.Errorf("fetched %q", p.fetched)
	}
}

// TestPhoto: with its eyes marked, a photo is turned and scaled so that they lie where
// they should, whichever was marked first; without marks it is the middle.
func TestPhoto(t *testing.T) {
	p := ready(t)
	const w, h = 300, 200
	photo := &faces.Photo{W: w, H: h, RGBA: slices.Repeat([]byte{128, 128, 128, 255}, w*h)}
	dot := func(at faces.Point, c [3]byte) {
		for y := int(at.Y) - 5; y <= int(at.Y)+5; y++ {
			for x := int(at.X) - 5; x <= int(at.X)+5; x++ {
				copy(photo.RGBA[4*(y*w+x):], c[:])
			}
		}
	}
	left, right := faces.Point{X: 100, Y: 80}, faces.Point{X: 150, Y: 110} // a head that is tilted
	dot(left, [3]byte{255, 0, 0})
	dot(right, [3]byte{0, 0, 255})
	for _, marks := range [][]faces.Point{{left, right}, {right, left}} {
		roomtest.Must(t, p.Room.TakePhoto(photo, marks))
		p.Settle()
		at := func(x, y float64) []float32 { return p.Room.Original()[(int(y*side)*side+int(x*side))*3:][:3] }
		if l, r := at(0.335, 0.4), at(0.665, 0.4); l[0] < .7 || l[2] > .3 || r[2] < .7 || r[0] > .3 {
			t.Errorf("where the eyes should be is %v and %v", l, r)
		}
	}
	l := link.Link{State: p.State, Step: -1}
	if p.Room.Save(&l); !p.Room.HasPhoto() || p.Links.Write(l) != "mode=faces" {
		t.Errorf("a link with a photo is %s", p.Links.Write(l))
	}
	roomtest.Must(t, p.Room.TakePhoto(photo, nil))
	p.Room.Another()
	if p.Room.HasPhoto() {
		t.Error("the photo stays")
	}
	for _, c := range []struct {
		photo *faces.Photo
		marks []faces.Point
	}{
		{photo, []faces.Point{left}}, {photo, []faces.Point{left, left}},
		{&faces.Photo{W: 5, H: 5}, nil}, {&faces.Photo{W: 0, H: 0}, nil}, {&faces.Photo{W: 9999, H: 1, RGBA: make([]byte, 4*9999)}, nil},
	} {
		if p.Room.TakePhoto(c.photo, c.marks) == nil {
			t.Errorf("a picture of %d × %d with marks %v is taken", c.photo.W, c.photo.H, c.marks)
		}
	}
}
