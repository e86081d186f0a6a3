//go:build goexperiment.simd && amd64 && !purego

package vec

import (
	"fmt"
	"os"
	"os/exec"
	"simd"
	"strings"
	"testing"
)

// bits is the environment's name for the width that a process is told to use.
const bits = "MPPM_VEC_BITS"

// TestWidths holds the functions to their definitions at every width of vectors
// that the processor has, each in a process of its own; but for the widest, which
// all other tests use.
func TestWidths(t *testing.T) {
	if os.Getenv(bits) != "" {
		t.Skip("this is the process of one width")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	widest := simd.BroadcastFloat32s(0).Len() * 32
	for width := 128; width < widest; width *= 2 {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			c := exec.Command(exe, "-test.v", "-test.run", "^(TestTwins|TestChannels|TestMax|TestReLU|TestWidth|TestAtLeast|TestSum)$")
			c.Env = append(os.Environ(), fmt.Sprintf("GODEBUG=simd=%d", width), fmt.Sprintf("%s=%d", bits, width))
			out, err := c.CombinedOutput()
			if err != nil || strings.Count(string(out), "\n--- PASS") != 7 {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestWidth: the width is the one that was asked for.
func TestWidth(t *testing.T) {
	got := fmt.Sprint(simd.BroadcastFloat32s(0).Len() * 32)
	if want := os.Getenv(bits); want != "" && got != want {
		t.Errorf("vectors have %s bits, want %s", got, want)
	}
}
