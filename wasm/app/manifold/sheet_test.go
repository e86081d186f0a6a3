package manifold

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/gif"
	"math"
	"strings"
	"testing"

	"mppm/shared/columns"
	"mppm/shared/lesson"
	"mppm/shared/link"
	"mppm/wasm/app/compute"
	"mppm/wasm/app/room/roomtest"
	"mppm/weights"
)

// teacher is a program that trains and does what a test says.
type teacher struct {
	task    *lesson.Task
	orders  []lesson.Order
	receive func([]byte)
	lost    func()
	closed  bool
}

func (f *teacher) dial(receive func([]byte), lost func()) (compute.Line, error) {
	f.receive, f.lost = receive, lost
	return f, nil
}

func (f *teacher) Send(message []byte, _ compute.File) {
	o, t, err := lesson.ReadOrder(message)
	if err != nil {
		panic(err)
	}
	if t != nil {
		f.task = t
	}
	f.orders = append(f.orders, o)
}

func (f *teacher) Close() { f.closed = true }

// report reports of the last task.
func (f *teacher) report(r lesson.Report) {
	r.ID = f.task.ID
	f.receive(r.Message())
}

// withSheet returns a page with a sheet on which there is a stroke like the spiral's.
func withSheet(t *testing.T) (*page, *teacher) {
	t.Helper()
	a := withCurves(t)
	f := new(teacher)
	a.Room.TaughtBy(f.dial)
	roomtest.Must(t, a.Room.DrawOwn(), a.Room.StartFrom(link.Spiral))
	return a, f
}

// TestDrawAndLearn: what is drawn is learnt, shown as it is learnt, and is then a curve as
// the page's own are.
func TestDrawAndLearn(t *testing.T) {
	a := withCurves(t)
	f := new(teacher)
	a.Room.TaughtBy(f.dial)
	roomtest.Must(t, a.Room.DrawOwn())
	a.Settle()
	if a.Room.Ready() || a.Room.Tool() != Draw || !strings.Contains(a.Readout().Status, "draw a curve") {
		t.Errorf("an empty sheet: %q, %q", a.Room.Tool(), a.Readout().Status)
	}
	if err := a.Room.Train(); err == nil || !strings.Contains(err.Error(), "draw a stroke") {
		t.Errorf("nothing was trained on: %v", err)
	}
	e := a.Room.Eye(600, 400)
	if !a.Room.Press(e, 200, 200, 9) {
		t.Fatal("the pen does not write")
	}
	for i := range 50 {
		a.Room.Move(e, 200+4*float64(i), 200+80*math.Sin(float64(i)/8))
	}
	roomtest.Must(t, a.Room.Lift())
	if a.Room.Task().Len() != 400 || a.Figure.Drawn.Strokes == "" || !a.Room.CanUndoStroke() {
		t.Errorf("a stroke gives %d points, %q", a.Room.Task().Len(), a.Figure.Drawn.Strokes)
	}
	if a.Room.DropMiddle() == nil {
		t.Error("a point was dropped where nothing takes it home")
	}
	roomtest.Must(t, a.Room.StartFrom(link.Spiral), a.Room.SetPoints(200), a.Room.SetBlur(0.02), a.Room.SetTrainSeed(9), a.Room.SetCodes(1))
	if a.Room.Tool() != Pull {
		t.Errorf("a curve to be pulled is there, and the tool is %q", a.Room.Tool())
	}
	roomtest.Must(t, a.Room.Train())
	if f.task.Len() != 200 || f.task.Seed != 9 || f.task.Latent != 1 || f.task.Dim != 2 || len(f.task.From) > 0 {
		t.Errorf("the task is %+v", f.task)
	}
	if c := a.Room.Course(); !c.Running() || c.Heard || a.Room.Tool() != Look || a.Active() {
		t.Errorf("once begun: %+v", c)
	}
	// What was learnt so far takes a point home.
	f.report(lesson.Report{Step: 3, Steps: 30, Left: 12, Epochs: 10, Epoch: 1, Weights: weights.Spiral, Marks: []lesson.Mark{{Method: lesson.MPPM, Epoch: 5, Held: 2}}})
	a.Finish()
	if !a.Room.Ready() || a.Room.Slice() == nil || a.Room.Result().Off[link.MPPM] > 0.1 {
		t.Errorf("half way: %+v, %v", a.Room.Result(), a.Room.Err())
	}
	first := a.Room.Slice()
	f.report(lesson.Report{Step: 6, Steps: 30, Weights: weights.Moons, Marks: []lesson.Mark{{Method: lesson.MPPM, Epoch: 10, Held: 1}, {Method: lesson.DAE, Epoch: 5, Held: 0.5}}})
	a.Update(1e6)
	if a.Room.Slice() == nil || a.Room.Path(link.MPPM) == nil {
		t.Error("while more is learnt, nothing is shown")
	}
	a.Finish()
	if a.Room.Slice() == first || a.Room.Result().Off[link.MPPM] < 0.1 {
		t.Error("what was learnt further is not shown")
	}
	c := a.Room.Course()
	if g := c.Graph(lesson.MPPM); len(g) != 2 || g[0] != [2]float64{0.5, 0} || g[1][0] != 1 || g[1][1] <= 0 || g[1][1] > 1 || len(c.Graph(lesson.DAE)) != 1 || c.Graph(lesson.DDPM) != nil {
		t.Errorf("the losses are drawn as %v, %v", g, c.Graph(lesson.DAE))
	}
	a.Room.PauseTraining()
	f.report(lesson.Report{State: lesson.Paused, Step: 6, Steps: 30})
	if !strings.HasPrefix(c.Says(), "Paused") {
		t.Errorf("paused, it says %q", c.Says())
	}
	a.Room.PauseTraining()
	a.Room.StopTraining()
	if fmt.Sprint(f.orders) != fmt.Sprint([]lesson.Order{lesson.Train, lesson.Pause, lesson.GoOn, lesson.Stop}) {
		t.Errorf("the orders are %v", f.orders)
	}
	f.report(lesson.Report{State: lesson.Done, Step: 30, Steps: 30, Weights: weights.Spiral})
	a.Finish()
	if c.Running() || c.Share() != 1 || !a.Room.Learnt() {
		t.Errorf("at the end: %+v", c)
	}
	for _, x := range []float64{150, 250, 400} {
		roomtest.Must(t, a.Room.DropPoint(a.Room.Eye(600, 400), x, 210))
		a.Settle()
		if d := a.Room.Result(); !d.Ready || d.Off[link.MPPM] > 0.1 || d.Off[link.MPPM] == d.Start {
			t.Errorf("a point dropped beside what was learnt: %+v", d)
		}
	}
	// It is saved, opened again, and pulled no more.
	w, err := a.Room.Weights()
	roomtest.Must(t, err)
	if w.Name != "my-curve-1.safetensors" || !bytes.Equal(w.Data, weights.Spiral) {
		t.Errorf("%s of %d bytes is saved", w.Name, len(w.Data))
	}
	csv, err := a.Room.CSV()
	roomtest.Must(t, err)
	p, err := columns.Read(bytes.NewReader(csv.Data), columns.Either)
	if err != nil || fmt.Sprint(p.Points) != fmt.Sprint(f.task.Points) || csv.Name != f.task.Name {
		t.Errorf("%s holds other points than were trained on: %v", csv.Name, err)
	}
	film, err := a.Room.ExportTraining(figurePalette())
	roomtest.Must(t, err)
	g, err := gif.DecodeAll(bytes.NewReader(film.Data))
	if err != nil || len(g.Image) != 3 {
		t.Fatalf("the film: %v", err)
	}
	seen := image.NewRGBA(g.Image[0].Rect) // what is transparent stays as it was
	var shown []string
	for _, f := range g.Image {
		draw.Draw(seen, f.Rect, f, f.Rect.Min, draw.Over)
		shown = append(shown, string(seen.Pix))
	}
	if shown[0] == shown[1] || shown[0] != shown[2] {
		t.Error("the film does not show what was learnt")
	}
	roomtest.Must(t, a.Room.TrainOn())
	if !bytes.Equal(f.task.From, weights.Spiral) {
		t.Error("training goes on from something else")
	}
	f.report(lesson.Report{State: lesson.Done, Marks: []lesson.Mark{{Method: lesson.MPPM, Epoch: 5, Held: 0.5}}})
	if m := a.Room.Course().Marks; m[len(m)-1].Epoch != 15 {
		t.Errorf("trained on, the marks are %v", m)
	}
	a.Room.Rename("  Åre/8 ")
	roomtest.Must(t, a.Room.OpenFile(`C:\curves\saved one.safetensors`, w.Data))
	a.Finish()
	if s := a.Room.Sheet(); s.Name != "saved one" || !a.Room.Ready() || a.Room.Tool() != Look || a.Room.Result().Off[link.MPPM] > 0.05 {
		t.Errorf("opened again: %+v", a.Room.Result())
	}
	roomtest.Must(t, a.Room.ShowSheet(1))
	a.Finish()
	if s := a.Room.Sheet(); s.Name != "Åre/8" || s.file() != "re-8" || a.Figure.Drawn.Points != 200 || !a.Room.Ready() {
		t.Errorf("the first one: %q, %q, %+v", s.Name, s.file(), a.Figure.Drawn)
	}
	roomtest.Must(t, a.Room.SetCurve(link.Moons))
	a.Finish()
	if a.Room.Sheet() != nil || !a.Room.Ready() || len(a.Room.Sheets()) != 2 {
		t.Error("a curve of the page's is not shown")
	}
}

// TestLoseTeacher: a program that ends, or says what cannot be read, is told of, and
// nothing that was drawn or learnt is lost.
func TestLoseTeacher(t *testing.T) {
	a, f := withSheet(t)
	roomtest.Must(t, a.Room.Train())
	f.lost()
	if c := a.Room.Course(); c.Running() || !strings.Contains(c.Says(), "did not start") {
		t.Errorf("without a program: %q", c.Says())
	}
	roomtest.Must(t, a.Room.Train())
	f.report(lesson.Report{Step: 1, Steps: 2, Weights: weights.Spiral})
	a.Finish()
	f.lost()
	if c := a.Room.Course(); c.Running() || !strings.Contains(c.Says(), "has ended") || !a.Room.Ready() || a.Room.Task().Len() != 400 {
		t.Errorf("once the program has died: %q", c.Says())
	}
	roomtest.Must(t, a.Room.Train())
	f.receive([]byte("what is this"))
	if c := a.Room.Course(); c.Running() || c.Says() == "" || !f.closed || !a.Room.Learnt() {
		t.Errorf("of a program that says nothing that can be read: %q", c.Says())
	}
	roomtest.Must(t, a.Room.Train())
	f.report(lesson.Report{State: lesson.Failed, Err: "there is no memory left; give fewer points"})
	if c := a.Room.Course(); c.Running() || c.Says() != "There is no memory left; give fewer points." {
		t.Errorf("of a program that fails: %q", c.Says())
	}
	roomtest.Must(t, a.Room.Train())
	f.receive((&lesson.Report{ID: 1, State: lesson.Done}).Message()) // late
	roomtest.Must(t, a.Room.DrawOwn(), a.Room.StartFrom(link.Moons))
	if err := a.Room.Train(); err == nil || !strings.Contains(err.Error(), "My curve 1") {
		t.Errorf("two curves are learnt at a time: %v", err)
	}
	a.Room.TaughtBy(func(func([]byte), func()) (compute.Line, error) { return nil, errors.New("no worker") })
	roomtest.Must(t, a.Room.ShowSheet(1))
	a.Room.Remove()
	if !f.closed || a.Room.Sheet() == nil || a.Room.Sheet().ID != 2 {
		t.Error("a curve that was removed is still learnt")
	}
	if err := a.Room.Train(); err == nil || !strings.Contains(err.Error(), "no worker") {
		t.Errorf("without a worker: %v", err)
	}
	a.Room.Remove()
	if a.Room.Sheet() != nil || a.Figure.Curve != link.HalfCircle {
		t.Error("the last curve of one's own was not removed")
	}
	a.Room.Remove()
	a.Settle()
}

// TestOwnLink: a link shows the strokes and the settings, and trains by itself nothing.
func TestOwnLink(t *testing.T) {
	a, f := withSheet(t)
	roomtest.Must(t, a.Room.SetPoints(120), a.Room.SetBlur(0.01), a.Room.SetTrainSeed(4))
	a.Settle()
	l := link.Link{State: a.State, Step: -1}
	a.Room.Save(&l)
	text := a.Links.Write(l)
	b := withCurves(t)
	b.Room.TaughtBy(func(func([]byte), func()) (compute.Line, error) {
		t.Error("a link trains")
		return nil, errors.New("no")
	})
	open := func(p *page, text string) {
		t.Helper()
		l, faults := p.Links.Read(text)
		if faults != nil {
			t.Fatal(faults)
		}
		p.State = l.State
		roomtest.Must(t, p.Room.Open(&l))
		p.Settle()
	}
	open(b, text)
	if got, want := b.Room.Task().CSV(), a.Room.Task().CSV(); !bytes.Equal(got, want) || b.Figure != a.Figure {
		t.Errorf("%s shows %+v, was %+v", text, b.Figure, a.Figure)
	}
	// Opened where it is already, it is the same curve, with what has been learnt.
	roomtest.Must(t, a.Room.Train())
	f.report(lesson.Report{State: lesson.Done, Weights: weights.Spiral})
	a.Finish()
	open(a, "mode=manifold&curve=moons")
	open(a, text)
	if len(a.Room.Sheets()) != 1 || !a.Room.Ready() {
		t.Errorf("opened again, there are %d curves", len(a.Room.Sheets()))
	}
	open(a, "mode=manifold&curve=own")
	if len(a.Room.Sheets()) != 2 || !a.Room.Sheet().Empty() {
		t.Error("without strokes there is no empty sheet")
	}
	for i := range 2 * mostSheets {
		open(a, fmt.Sprintf("mode=manifold&curve=own&train-seed=%d", i+10))
	}
	if n := len(a.Room.Sheets()); n > mostSheets {
		t.Errorf("there are %d sheets", n)
	}
	// Points of a file are in no link.
	roomtest.Must(t, b.Room.OpenText("deep.csv", spring(100)))
	if b.Figure.Flat() || b.Room.Tool() != Look {
		t.Error("a curve of three coordinates is flat")
	}
	l = link.Link{State: b.State, Step: -1}
	b.Room.Save(&l)
	if got := b.Links.Write(l); got != "mode=manifold&curve=own" {
		t.Errorf("the link of a file's points is %q", got)
	}
	b.Room.Turn(10, 10)
	if s := b.Room.Sketch(300, 200, 1, 0, figurePalette()); len(s.Front) < 100 {
		t.Errorf("of 100 points %d marks are drawn", len(s.Front))
	}
}

// spring is a file of n points in space, far from 0.
func spring(n int) string {
	var b strings.Builder
	b.WriteString("x;y;z\n")
	for i := range n {
		sin, cos := math.Sincos(float64(i) / 10)
		fmt.Fprintf(&b, "%v;%v;%v\n", 1e6+100*cos, 2e6+100*sin, 30*float64(i)/float64(n))
	}
	return b.String()
}

// TestOddFiles: what is brought and is no curve is told of.
func TestOddFiles(t *testing.T) {
	a := withCurves(t)
	many := strings.Repeat("0.5,1\n1,2\n0,7\n", 5000)
	for _, c := range []struct{ name, file, want string }{
		{"empty.csv", "", "no points"},
		{"one.csv", "1,2", "one point"},
		{"same.csv", strings.Repeat("1,2\n", 60), "are the same"},
		{"few.csv", "1,2\n3,4\n5,6", "give at least 20"},
		{"wide.csv", strings.Repeat("1,2,3,4\n5,6,7,9\n", 30), "4 columns"},
		{"nan.csv", strings.Repeat("1,2\n", 20) + "NaN,4", "NaN"},
		{"text.txt", "once upon a time\nthere was", "no points"},
		{"comma.csv", strings.Repeat("0,25,0,75\n1,05,0,5\n", 15), "two ways"},
		{"cut.safetensors", string(weights.Spiral[:2000]), "is no curve"},
		{"digits.safetensors", string(weights.Classifier), "is no curve"},
		{"a.png", "\x89PNG\r\n\x1a\n\x00\x00\x00\x0d", "no points"},
	} {
		if err := a.Room.OpenFile(c.name, []byte(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if len(a.Room.Sheets()) != 0 || a.Figure.Curve != link.HalfCircle {
		t.Error("what is no curve is shown")
	}
	for _, file := range []string{many, "\xef\xbb\xbf" + many, "\xff\xfe" + strings.Join(strings.Split(many, ""), "\x00") + "\x00", many + "# \xff\n"} {
		roomtest.Must(t, a.Room.OpenFile("many.csv", []byte(file)))
		if n := a.Room.Task().Len(); n != lesson.MaxPoints || !strings.Contains(a.Room.Sheet().Note(), "15000") {
			t.Errorf("of 15000 points %d are taken: %q", n, a.Room.Sheet().Note())
		}
	}
	for _, err := range []error{
		a.Room.SetPoints(math.NaN()), a.Room.SetPoints(1e9), a.Room.SetBlur(-1), a.Room.SetCodes(0), a.Room.SetTool("axe"),
		a.Room.ShowSheet(99), a.Room.TrainOn(), a.Room.StartFrom(link.Moons),
	} {
		if err == nil {
			t.Error("what there is not was done")
		}
	}
	for len(a.Room.Sheets()) < mostSheets {
		roomtest.Must(t, a.Room.OpenFile("many.csv", []byte(many)))
	}
	if a.Room.DrawOwn() == nil {
		t.Error("there are more sheets than there may be")
	}
}

// TestFilm: of a long training a film keeps the beginning, the end, and what lies between
// at even intervals.
func TestFilm(t *testing.T) {
	var f film
	for i := range 1000 {
		f.add([]byte{byte(i), byte(i >> 8)})
	}
	last := []byte{byte(1000 & 255), 1000 >> 8}
	f.end(last)
	f.end(last)
	at := func(i int) int { return int(f.frames[i][0]) | int(f.frames[i][1])<<8 }
	n := len(f.frames)
	if n < mostFrames/2 || n > mostFrames || at(n-1) != 1000 {
		t.Fatalf("%d frames, the last of report %d", n, at(n-1))
	}
	for i := range firstFrames {
		if at(i) != i {
			t.Errorf("frame %d is of report %d", i, at(i))
		}
	}
	for i := firstFrames + 2; i < n-1; i++ {
		if at(i)-at(i-1) != f.every {
			t.Errorf("between frames %d and %d lie %d reports, want %d", i-1, i, at(i)-at(i-1), f.every)
		}
	}
}
