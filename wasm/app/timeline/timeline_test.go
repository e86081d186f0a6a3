package timeline

import (
	"math"
	"slices"
	"testing"
	"time"
)

func TestPlayhead(t *testing.T) {
	var p Playhead
	p.SetEnd(3)
	p.Seek(2)
	if p.Pos() != 0 || !p.Moving() {
		t.Errorf("seeking jumps to %v", p.Pos())
	}
	p.Advance(Ease/2, false)
	if pos := p.Pos(); pos <= 0 || pos >= 2 {
		t.Errorf("half way through the easing it is at %v", pos)
	}
	p.Advance(Ease/2, false)
	if p.Pos() != 2 || p.Moving() {
		t.Errorf("after the easing it is at %v, moving %v", p.Pos(), p.Moving())
	}
	p.Seek(99)
	if p.Step() != 3 {
		t.Errorf("beyond the end it is at %d", p.Step())
	}
	p.Seek(-99)
	if p.Step() != 0 {
		t.Errorf("before the start it is at %d", p.Step())
	}
	// A very slow frame shows every step all the same.
	p.Restart()
	for want := 1; want <= 3; want++ {
		p.Advance(10*time.Second, false)
		if p.Step() != want {
			t.Fatalf("a slow frame went to step %d, want %d", p.Step(), want)
		}
	}
	if p.Playing() {
		t.Error("it plays on beyond the end")
	}
	p.Play()
	if p.Step() != 0 || !p.Playing() {
		t.Errorf("playing at the end: step %d, playing %v; want it to start over", p.Step(), p.Playing())
	}
	p.SetEnd(0)
	if p.Pos() != 0 {
		t.Errorf("with one step it is at %v", p.Pos())
	}
	p.Restart()
	if p.Playing() {
		t.Error("it plays though there is one step")
	}
}

// TestBegin: a timeline plays from its start, or, for who wants nothing to move, is at
// its end at once.
func TestBegin(t *testing.T) {
	var p Playhead
	p.SetEnd(3)
	p.Begin(false)
	if p.Step() != 0 || !p.Playing() {
		t.Errorf("it begins at %d, playing %v", p.Step(), p.Playing())
	}
	p.Begin(true)
	if p.Step() != 3 || p.Moving() {
		t.Errorf("without motion it begins at %d, moving %v", p.Step(), p.Moving())
	}
}

func TestTrajectoryBlends(t *testing.T) {
	tr := Trajectory{N: 1}
	dst := make([]byte, 784)
	dst[0] = 9
	tr.At(dst, 0, 0)
	if dst[0] != 0 {
		t.Error("without any step the image is not empty")
	}
	frame := func(v float32) []byte { return slices.Repeat([]byte{Ink(v)}, 784) }
	tr.Add(frame(0), make([]float32, 18), []float32{2})
	tr.Add(frame(1), make([]float32, 18), []float32{1})
	for pos, want := range map[float64]byte{-1: 0, 0: 0, 0.5: 128, 1: 255, 7: 255, math.NaN(): 0} {
		tr.At(dst, 0, pos)
		if dst[5] != want {
			t.Errorf("at %v the ink is %d, want %d", pos, dst[5], want)
		}
	}
	if d := tr.DistanceAt(0, 0.25); d != 1.75 {
		t.Errorf("D at 0.25 is %v, want 1.75", d)
	}
	if tr.Highest() != 2 || tr.Mean(1) != 1 {
		t.Errorf("highest D is %v, mean %v", tr.Highest(), tr.Mean(1))
	}
}

func TestInk(t *testing.T) {
	for v, want := range map[float32]byte{-3: 0, 0: 0, 0.5: 128, 1: 255, 2: 255, float32(math.NaN()): 0, float32(math.Inf(1)): 255} {
		if got := Ink(v); got != want {
			t.Errorf("Ink(%v) = %d, want %d", v, got, want)
		}
	}
}

func TestFilm(t *testing.T) {
	for _, c := range []struct {
		width float64
		last  int
		tiles int
	}{
		{1000, 15, 16}, // room for all
		{320, 15, 6},   // every third
		{320, 16, 5},   // every fourth
		{320, 13, 8},   // 13 is prime: uneven
		{320, 0, 1},
		{10, 15, 2},
		{0, 15, 0},
	} {
		f := NewFilm(c.width, c.last, 38)
		if f.Tiles != c.tiles {
			t.Errorf("%v wide, %d steps: %d tiles, want %d", c.width, c.last+1, f.Tiles, c.tiles)
			continue
		}
		if c.tiles == 0 {
			continue
		}
		if f.Step(0) != 0 || f.Step(f.Tiles-1) != c.last {
			t.Errorf("%v wide: the film goes from step %d to %d, want 0 to %d", c.width, f.Step(0), f.Step(f.Tiles-1), c.last)
		}
		for s := range c.last + 1 {
			if c.tiles > 1 && f.At(f.X(float64(s))) != s {
				t.Errorf("%v wide: step %d is at %v, where step %d is", c.width, s, f.X(float64(s)), f.At(f.X(float64(s))))
			}
		}
		if f.At(-100) != 0 || f.At(1e6) != f.Step(f.Tiles-1) {
			t.Error("beside the film there is something else than its ends")
		}
	}
}

// TestSkip: where the playhead is after a time that passes at once, it is after the same
// time in frames.
func TestSkip(t *testing.T) {
	for _, d := range []time.Duration{0, Hold / 2, Hold + Beat, Hold + 3*Beat + Ease, time.Minute, -time.Second} {
		var at, by Playhead
		for _, p := range []*Playhead{&at, &by} {
			p.SetEnd(6)
			p.Restart()
		}
		at.Skip(d)
		for left := d; left > 0; left -= 16 * time.Millisecond {
			by.Advance(min(left, 16*time.Millisecond), false)
		}
		if was, is := by.Pos(), at.Pos(); math.Abs(was-is) > 0.3 || at.Playing() != by.Playing() {
			t.Errorf("after %v at once it is at %v, in frames at %v", d, is, was)
		}
	}
}
