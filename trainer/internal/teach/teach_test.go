package teach

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"mppm/shared/ambient"
	"mppm/shared/lesson"
	"mppm/shared/rng"
	"mppm/trainer/internal/pointcloud"
	"mppm/trainer/internal/run"
	task "mppm/trainer/internal/task/ambient"
)

// moons is a task of a few steps.
func moons(n int) *lesson.Task {
	return &lesson.Task{
		ID: 9, Name: "moons.csv", Dim: 2, Points: pointcloud.TwoMoons(n, rng.New(4, 0)).Points, Seed: 2,
		Settings: lesson.Settings{Epochs: 20, Patience: 5, Batch: 10, Rate: 0.01, Denoiser: []int{8}},
	}
}

// teach returns the reports of a task. after is told of each.
func teach(ctx context.Context, t *lesson.Task, after func(r *lesson.Report)) (all []lesson.Report) {
	now := time.Time{}
	Class{
		Tell: func(r *lesson.Report) {
			all = append(all, *r)
			if after != nil {
				after(r)
			}
		},
		Rest: func(now time.Time) time.Time { return now.Add(time.Hour) }, // which is not counted
		Now:  func() time.Time { now = now.Add(60 * time.Millisecond); return now },
	}.Teach(ctx, t)
	return all
}

// TestSideBySide: methods that learn one after the other end as those that learn side by
// side, some of which stop early.
func TestSideBySide(t *testing.T) {
	lessons := moons(60)
	c, _, err := Config(lessons)
	if err != nil {
		t.Fatal(err)
	}
	whole := task.New(c, &pointcloud.Cloud{Name: lessons.Name, Dim: 2, Points: lessons.Points})
	r, err := run.New(whole, "")
	if err == nil {
		err = r.Train(t.Context(), run.Options{})
	}
	if err != nil {
		t.Fatal(err)
	}
	f, _, _, err := whole.Finish(false)
	if err != nil {
		t.Fatal(err)
	}
	want, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	all := teach(t.Context(), lessons, nil)
	last := all[len(all)-1]
	if last.State != lesson.Done || !bytes.Equal(last.Weights, want) {
		t.Errorf("the last of %d reports is %v with %d bytes, want %d", len(all), last.State, len(last.Weights), len(want))
	}
	marks, shown := map[lesson.Method]int{}, 0
	for i, r := range all {
		if r.ID != 9 || r.State.Over() != (i == len(all)-1) || r.Step > r.Steps || r.Epoch > r.Epochs {
			t.Errorf("report %d is %+v", i, r)
		}
		if r.Left > 3*20*4*0.06*2 { // rests, an hour each, do not count
			t.Errorf("report %d has %v seconds left", i, r.Left)
		}
		for _, m := range r.Marks {
			if marks[m.Method]++; m.Epoch%5 != 0 || m.Held-m.Held != 0 {
				t.Errorf("%+v", m)
			}
		}
		if len(r.Weights) > 0 {
			shown++
			if _, err := ambient.Load(r.Weights); err != nil {
				t.Errorf("report %d: %v", i, err)
			}
		}
	}
	if marks[lesson.MPPM] == 0 || marks[lesson.DDPM] != 4 || shown < 3 {
		t.Errorf("marks are %v, weights were shown %d times", marks, shown)
	}
}

// TestEnds: a task that is stopped ends with what there is, one that is dropped with
// nothing; and one may train a method alone.
func TestEnds(t *testing.T) {
	for cause, over := range map[error]bool{Stopped: true, context.Canceled: false} {
		ctx, cancel := context.WithCancelCause(t.Context())
		all := teach(ctx, moons(60), func(r *lesson.Report) {
			if len(r.Weights) > 0 {
				cancel(cause)
			}
		})
		last := all[len(all)-1]
		if last.State.Over() != over || over && (last.State != lesson.Stopped || len(last.Weights) == 0 || last.Step != last.Steps) {
			t.Errorf("%v: %+v", cause, last)
		}
	}
	alone := moons(60)
	alone.Only = []lesson.Method{lesson.DDPM}
	for _, r := range teach(t.Context(), alone, nil) {
		if r.Method != lesson.DDPM || r.Steps > 80 || r.Err != "" {
			t.Errorf("%+v", r)
		}
	}
}

// TestSays: what is wrong is said, and so is what a person should know.
func TestSays(t *testing.T) {
	if all := teach(t.Context(), func() *lesson.Task { k := moons(20); k.Batch = 200; return k }(), nil); !strings.Contains(all[0].Note, "takes 16 of them, not 200") {
		t.Errorf("few points: %q", all[0].Note)
	}
	weights := teach(t.Context(), moons(60), nil)
	from := weights[len(weights)-1].Weights
	for want, change := range map[string]func(*lesson.Task){
		"is NaN":       func(k *lesson.Task) { k.Points[3] = math.NaN() },
		"to go on":     func(k *lesson.Task) { k.From = from[:len(from)-1] },
		"other shapes": func(k *lesson.Task) { k.From, k.Latent = from, 2 },
	} {
		k := moons(60)
		change(k)
		all := teach(t.Context(), k, nil)
		if last := all[len(all)-1]; last.State != lesson.Failed || !strings.Contains(last.Err, want) || last.ID != 9 {
			t.Errorf("%s: %+v", want, last)
		}
	}
	again := moons(60)
	again.From, again.Denoiser = from, nil // as the file has it
	all := teach(t.Context(), again, nil)
	last := all[len(all)-1]
	if m, err := ambient.Load(last.Weights); err != nil || !strings.Contains(m.Meta["training"], `"from":"`) {
		t.Errorf("going on: %v, %+v", err, last)
	}
}
