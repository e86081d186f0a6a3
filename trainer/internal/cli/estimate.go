package cli

import (
	"fmt"
	"os"
	"runtime/debug"

	"mppm/trainer/internal/device"
	"mppm/trainer/internal/memory"
)

// estimate says, before long work, how much memory a run takes, and refuses one
// that takes more than there is: the machine would stand still, and then end
// whatever it likes.
func estimate(e env, quiet bool, d device.Choice, r interface{ Memory() (int64, error) }) error {
	if !d.OnCPU() { // there the host has little to hold
		return nil
	}
	need, err := r.Memory()
	if err != nil {
		return err
	}
	if err := memory.Check("training", need); err != nil {
		return fmt.Errorf("%w: give a smaller --batch, or narrower layers", err)
	}
	if limit := memory.Limit(); limit > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit / 10 * 9) // garbage is collected before it is what is too much
	}
	free := memory.Available()
	switch short := free > 0 && need > free; {
	case short:
		fmt.Fprintf(e.stderr, "warning: training takes about %s of memory, and %s are free now\n", memory.Size(need), memory.Size(free))
	case !quiet:
		fmt.Fprintf(e.stderr, "training takes about %s of memory\n", memory.Size(need))
	}
	return nil
}

// roomFor refuses work on n images of so many numbers that are held in memory together
// if they are more than there is: as they come, as they go, and as they are written.
func roomFor(n, size int) error {
	const copies = 4
	return memory.Check(count(n), copies*int64(size)*int64(n))
}
