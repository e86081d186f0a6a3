package cli

import (
	"context"
	"io"

	"mppm/trainer/internal/device"
	"mppm/trainer/internal/plots"
	train "mppm/trainer/internal/run"
)

// runFlags is what the commands that train have in common.
type runFlags struct {
	out        string
	resume     bool
	checkpoint int // epochs between checkpoints
	quiet      bool
	device     string
	settings   []*flagDef // the flags that a run which is resumed has from its checkpoint
	folder     *folder
}

// flags adds the flags of any run, those of its data among them. what is resumed with
// the run's settings may be more.
func (o *runFlags) flags(f *flagSet, data func(), more string) {
	f.text(&o.out, "out", "DIR", "folder of the run")
	data()
	f.toggle(&o.resume, "resume", "go on from the last checkpoint in the folder, with the settings"+more+" of that run")
	f.integer(&o.checkpoint, "checkpoint", "N", "epochs between checkpoints", 1, 100_000)
	f.toggle(&o.quiet, "quiet", "show no progress")
	if o.device == "" {
		o.device = string(device.Auto)
	}
	f.text(&o.device, "device", "NAME", "what trains: auto, cpu, gpu or a part of a GPU's name (see devices); no two round alike").values = deviceNames
}

// check returns an error if a flag would change a run that is resumed.
func (o *runFlags) check() error {
	for _, d := range o.settings {
		if o.resume && d.given {
			return usagef("--%s cannot change a run that is resumed: leave it out, or start a new run in another folder", d.name)
		}
	}
	return nil
}

// open begins the run of a task, or opens that which is resumed.
func (o *runFlags) open(t train.Task) (*train.Run, error) {
	if o.resume {
		return train.Open(t, o.out)
	}
	return train.New(t, o.out)
}

// train goes on to the end of a run.
func (o *runFlags) train(ctx context.Context, e env, r *train.Run) error {
	on := device.Choice(o.device)
	if err := estimate(e, o.quiet, on, r); err != nil {
		return err
	}
	return r.Train(ctx, train.Options{Every: o.checkpoint, Device: on, Progress: progressOf(e, o.quiet), Draw: plots.Curves})
}

// progressOf is where progress is shown, or nil.
func progressOf(e env, quiet bool) io.Writer {
	if quiet {
		return nil
	}
	return e.stderr
}
