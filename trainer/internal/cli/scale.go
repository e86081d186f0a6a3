package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"mppm/trainer/internal/device"
	"mppm/trainer/internal/memory"
	"mppm/trainer/internal/progress"
	"mppm/trainer/internal/rundir"
	"mppm/trainer/internal/scale"
)

type scaleOptions struct {
	out     string
	plan    scale.Plan
	seconds float64
	memory  float64 // GB
	device  string
	quiet   bool
	cell    string
	folder  *folder
}

func scaleCommand() command {
	return command{
		name:    "scale",
		args:    "[--out DIR] [flags]",
		summary: "measure the time and memory of training steps",
		about: `
Times training steps and takes the peak of their memory, for batches of any size
and images of any side: the nets of Table 8 with the loss of Eq. 20 (lmppm) and as
a denoising autoencoder (dae), which is measured at other sides than 28 too, its
linear layers widened to fit; and the U-Net of Table 9 (unet), for color images,
with its skip connections and batch norm, and ReLU for LeakyReLU, which costs the
same. Each is measured in a process of its own. What needs more memory than --memory
is left out, and the table says so. The folder gets the tables (scale.md, scale.csv)
and plots of time and memory over the batch and over the side.

The steps are on random images. To have numbers that mean something, leave the
machine to it.`,
		examples: []string{
			"scale",
			"scale --out runs/scale --batches 8,64,512 --sides 28,64 --unet-batches 1",
			"scale --cell dae:28:128",
		},
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			o := scaleOptions{out: "runs/scale", plan: scale.DefaultPlan(), seconds: 2, device: string(device.CPU)}
			list := func(p *[]int, name, help string) {
				f.add(flagDef{name: name, arg: "N,N,...", help: help, initial: widths(*p), set: func(s string) (err error) {
					if s == "none" {
						*p = nil
						return nil
					}
					*p, err = parseNumbers(s)
					return err
				}})
			}
			f.text(&o.out, "out", "DIR", "folder for the tables and the plots")
			list(&o.plan.Batches, "batches", "images in a step of lmppm and dae, of side 28; or none")
			list(&o.plan.Sides, "sides", "sides of the images of dae and unet; or none")
			f.integer(&o.plan.Batch, "batch", "N", "images in a step of dae, for --sides", 1, scale.MaxBatch)
			list(&o.plan.UNet, "unet-batches", fmt.Sprintf("images in a step of unet, for those of --sides from %d on; or none", o.plan.LeastFor))
			f.number(&o.seconds, "seconds", "X", "time steps for so long: two steps at least, after one that is not timed", 0, 3600)
			f.number(&o.memory, "memory", "X", "GB of memory that may be taken (default: nine tenths of what is free)", 0, 1e6).initial = ""
			f.text(&o.device, "device", "NAME", "what trains: auto, cpu, gpu or a part of a GPU's name (see devices); memory is that of the host").values = deviceNames
			f.toggle(&o.quiet, "quiet", "show no progress")
			f.text(&o.cell, "cell", "NET:SIDE:BATCH", "measure this alone, in this process, and write it as JSON; --out is not used")
			o.folder = f.owns("out", &o.out, func() rundir.Use { return rundir.Use{Command: "scale", Names: scale.Files(), Marks: scale.Files()[:2]} })
			return func(ctx context.Context, e env, _ []string) error { return o.run(ctx, e) }
		},
	}
}

// parseNumbers reads a list of whole numbers such as 8,16,32.
func parseNumbers(s string) ([]int, error) {
	n, err := parseWidths(s)
	if err != nil {
		return nil, fmt.Errorf("%q is not a list of whole numbers such as 8,16,32, nor none", s)
	}
	return n, nil
}

func (o *scaleOptions) run(ctx context.Context, e env) error {
	if o.cell != "" {
		return o.one(ctx, e)
	}
	cells, err := o.plan.Cells()
	if err != nil {
		return usageError{err}
	}
	if err := os.MkdirAll(o.out, 0o777); err != nil { // it stays, even if nothing is measured
		return err
	}
	release, err := o.folder.claim(e)
	if err != nil {
		return err
	}
	defer release()
	bar := progress.New(progressOf(e, o.quiet), "measuring", len(cells), progress.Options{Unit: "cells"})
	defer bar.Finish()
	var r scale.Report
	for _, c := range cells {
		bar.Note("%v", c)
		bar.Add(0) // shows it
		row, err := o.child(ctx, c)
		if err != nil {
			return err
		}
		r.Rows = append(r.Rows, row)
		bar.Add(1)
	}
	bar.Note("")
	bar.Finish()
	if err := r.Save(o.out); err != nil {
		return err
	}
	if !o.quiet {
		_, err = fmt.Fprintf(e.stdout, "measured to %s; look at it and at the plots beside it\n", filepath.Join(o.out, "scale.md"))
	}
	return err
}

// limit returns the bytes of memory that a cell may take, 0 for any.
func (o *scaleOptions) limit() int64 {
	if o.memory > 0 {
		return int64(o.memory * 1e9)
	}
	return memory.Available() / 10 * 9
}

// one measures the cell of --cell. What cannot be measured for want of memory is a
// result, too.
func (o *scaleOptions) one(ctx context.Context, e env) error {
	c, err := scale.ParseCell(o.cell)
	if err != nil {
		return usagef("--cell: %w", err)
	}
	row, err := scale.Measure(ctx, c, scale.Options{Seconds: o.seconds, Memory: o.limit(), Device: device.Choice(o.device)})
	if errors.Is(err, scale.ErrMemory) {
		row.Note, err = err.Error(), nil
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(e.stdout).Encode(row)
}

// child measures a cell in a process of its own, so that its memory is its own.
func (o *scaleOptions) child(ctx context.Context, c scale.Cell) (scale.Row, error) {
	exe, err := os.Executable()
	if err != nil {
		return scale.Row{}, err
	}
	cmd := exec.CommandContext(ctx, exe, "scale", "--cell", c.String(), "--seconds", fmt.Sprint(o.seconds), "--memory", fmt.Sprint(o.memory), "--device", o.device)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = 5 * time.Second
	err = cmd.Run()
	if ctx.Err() != nil {
		return scale.Row{}, ctx.Err()
	}
	row := scale.Row{}
	if err == nil {
		err = json.Unmarshal(stdout.Bytes(), &row)
	} else if why := strings.TrimPrefix(strings.TrimSpace(stderr.String()), "error: scale: "); why != "" {
		err = fmt.Errorf("%s (%w)", why, err)
	}
	if err != nil {
		return row, fmt.Errorf("measuring %v: %w", c, err)
	}
	return row, nil
}
