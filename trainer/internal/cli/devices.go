package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"text/tabwriter"

	"mppm/trainer/internal/device"
	"mppm/trainer/internal/webgpu"
)

type devicesOptions struct{ json bool }

func devicesCommand() command {
	return command{
		name:    "devices",
		args:    "[--json]",
		summary: "list what can train: the CPU and the GPUs",
		about: `
Lists what training can run on. A GPU is named by its driver; a part of the name
is enough for --device. Timed GPUs can say how long each part of a step takes. A
software GPU is the CPU in disguise: good for tests, too slow for anything else.`,
		examples: []string{"devices", "devices --json"},
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			var o devicesOptions
			f.toggle(&o.json, "json", "write JSON, for programs")
			return func(_ context.Context, e env, _ []string) error { return o.run(e) }
		},
	}
}

// deviceNames are what a shell completes for --device.
func deviceNames() []string {
	return []string{string(device.Auto), string(device.CPU), string(device.GPU)}
}

// devicesReport is what devices tells, as its JSON has it.
type devicesReport struct {
	Threads int              `json:"threads"` // of the CPU, as Go uses them
	GPUs    []webgpu.Adapter `json:"gpus"`
	Problem string           `json:"problem,omitempty"` // why no GPU is listed
}

func (o *devicesOptions) run(e env) error {
	r := devicesReport{Threads: runtime.GOMAXPROCS(0)}
	var err error
	if r.GPUs, err = device.Adapters(); err == nil && len(r.GPUs) == 0 {
		err = errors.New("no driver shows a GPU; install its Vulkan driver (on Debian and Ubuntu, mesa-vulkan-drivers has most, and a software GPU)")
	}
	if err != nil {
		r.Problem = err.Error()
	}
	if o.json {
		b, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "%s\n", b)
		return err
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "cpu\t%s, %d threads\n", runtime.GOARCH, r.Threads)
	for _, a := range r.GPUs {
		times := "not timed"
		if a.Times {
			times = "timed"
		}
		fmt.Fprintf(w, "gpu\t%s\t%s\t%s\t%s\tbuffers up to %d MB\n", a.Name, a.Kind, a.Backend, times, a.Buffer>>20)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if r.Problem != "" {
		_, err = fmt.Fprintf(e.stdout, "No GPU: %s.\n", r.Problem)
		return err
	}
	return nil
}
