package lesson

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// line is a task of n points.
func line(n int) *Task {
	t := &Task{ID: 7, Name: "line.csv", Dim: 2, Seed: math.MaxUint64}
	for i := range n {
		t.Points = append(t.Points, float64(i)/3, 1e-9*float64(i))
	}
	return t
}

func report() *Report {
	return &Report{
		ID: 7, State: Training, Method: DDPM, Epoch: 3, Epochs: 1500, Step: 12, Steps: 6000, Left: -1,
		Marks:   []Mark{{MPPM, 5, 0.25, []Loss{{"λ1", 0.5}, {"", math.Inf(1)}}}, {DAE, 10, 0, nil}},
		Weights: []byte("weights"), Note: "a note", Err: "an error",
	}
}

// TestMessages: what is sent is what is read.
func TestMessages(t *testing.T) {
	task := line(30)
	task.Settings = Settings{10, 2, 16, 1e-3, 0.4, 2, []int{64, 64}, []int{16}, []int{8, 4, 2}}
	task.Only, task.From = []Method{MPPM, DDPM}, []byte{1, 2, 3}
	o, got, err := ReadOrder(task.Begin())
	if err != nil || o != Train || !reflect.DeepEqual(got, task) {
		t.Errorf("%v, %+v, %v", o, got, err)
	}
	for _, want := range []Order{Pause, GoOn, Stop} {
		if o, got, err := ReadOrder(want.Message()); o != want || got != nil || err != nil {
			t.Errorf("%d: %d, %+v, %v", want, o, got, err)
		}
	}
	for _, want := range []*Report{report(), {}} {
		if got, err := ReadReport(want.Message()); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

// TestBrokenMessages: a message that breaks off, goes on, or has a byte changed is an
// error or another message, and never a panic.
func TestBrokenMessages(t *testing.T) {
	for _, message := range [][]byte{line(20).Begin(), report().Message(), Stop.Message()} {
		both := func(b []byte) (failed bool) {
			_, _, first := ReadOrder(b)
			_, second := ReadReport(b)
			return first != nil && second != nil
		}
		for n := range message {
			if !both(message[:n]) {
				t.Errorf("%d of %d bytes are a message", n, len(message))
			}
		}
		if !both(append(slices.Clone(message), 0)) {
			t.Error("a byte too many is not seen")
		}
		for i := range message {
			for _, v := range []byte{0, 1, 0x7f, 0x80, 0xff} {
				b := slices.Clone(message)
				b[i] = v
				both(b)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(line(20).Begin())
	f.Add(report().Message())
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, task, err := ReadOrder(b); err == nil && task != nil {
			_ = task.Check()
		}
		_, _ = ReadReport(b)
	})
}

// TestCheck: what cannot be trained on is named.
func TestCheck(t *testing.T) {
	if err := line(MinPoints).Check(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Task){
		"4 coordinates":        func(t *Task) { t.Dim = 4 },
		"0 coordinates":        func(t *Task) { t.Dim = 0 },
		"no points of":         func(t *Task) { t.Points = t.Points[1:] },
		"no points yet":        func(t *Task) { t.Points = nil },
		"one point":            func(t *Task) { t.Points = t.Points[:2] },
		"3 points; give at":    func(t *Task) { t.Points = t.Points[:6] },
		"4001 points":          func(t *Task) { *t = *line(MaxPoints + 1) },
		"2 of point 3 is NaN":  func(t *Task) { t.Points[5] = math.NaN() },
		"1 of point 1 is -Inf": func(t *Task) { t.Points[0] = math.Inf(-1) },
		"is 1e+31":             func(t *Task) { t.Points[1] = 1e31 },
		"on one spot":          func(t *Task) { clear(t.Points) },
		"do not tell them apart": func(t *Task) {
			for i := range t.Points {
				t.Points[i] = 1e9 + 1e-7*float64(i%5)
			}
		},
		"a line":               func(t *Task) { t.Name = "a\nb" },
		"method 3":             func(t *Task) { t.Only = []Method{3} },
		"epochs":               func(t *Task) { t.Epochs = MaxEpochs + 1 },
		"noise is NaN":         func(t *Task) { t.Noise = math.NaN() },
		"rate":                 func(t *Task) { t.Rate = -1 },
		"D would have width 0": func(t *Task) { t.Distance = []int{3, 0} },
		"9 hidden layers":      func(t *Task) { t.Hidden = make([]int, 9) },
	} {
		task := line(30)
		change(task)
		if err := task.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestThin(t *testing.T) {
	many := line(1_000_000)
	kept, note := Thin(many.Points, 2)
	if len(kept) != 2*MaxPoints || kept[2] != many.Points[2*250] || !strings.Contains(note, "1000000") {
		t.Errorf("%d numbers, %q", len(kept), note)
	}
	few := line(30)
	if kept, note := Thin(few.Points, 2); len(kept) != 60 || note != "" {
		t.Errorf("%d numbers, %q", len(kept), note)
	}
}

// TestCommand: the command says all that the result depends on.
func TestCommand(t *testing.T) {
	task := line(2)
	if got, want := task.Command(""), "mppm train points --in line.csv --seed 18446744073709551615 --portable"; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	task.Name, task.Seed = "my eight's.csv", 1
	task.Settings = Settings{10, 2, 16, 1e-3, 0.25, 2, []int{64, 64}, []int{16}, []int{8, 4, 2}}
	task.From = []byte{1}
	want := `mppm train points --in 'my eight'\''s.csv' --seed 1 --epochs 10 --patience 2 --batch 16 --rate 0.001 --noise 0.25 --latent 2` +
		` --hidden 64,64 --distance 16 --denoiser 8,4,2 --from points.safetensors --portable`
	if got := task.Command("points.safetensors"); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got, want := string(task.CSV()), "0,0\n0.3333333333333333,1e-09\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
