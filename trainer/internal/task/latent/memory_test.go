package latent

import (
	"testing"

	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/run"
)

// TestMemory: the estimate grows with the batch along a line, and takes no memory
// itself.
func TestMemory(t *testing.T) {
	for _, c := range []Config{Default(), DefaultDAE()} {
		need := func(batch int) int64 {
			c.Batch = batch
			r, err := run.New(New(c, &dataset.Set{Train: dataset.Split{N: 60_000}}), "")
			if err != nil {
				t.Fatal(err)
			}
			n, err := r.Memory()
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		before := optim.Held()
		one, some, most := need(1), need(1024), need(60_000)
		if grown := optim.Held() - before; grown > 100<<20 {
			t.Errorf("%q: the estimate itself holds %d bytes", c.Method, grown)
		}
		// Measured at 1,024 images: 0.33 GB, and 0.27 GB of the autoencoder alone.
		measured := map[Method]int64{LMPPM: 330_000_000, DAE: 270_000_000}[c.Method]
		if some < measured/10*8 || some > measured/10*15 {
			t.Errorf("%q: 1,024 images are said to take %d bytes, and take %d", c.Method, some, measured)
		}
		if one < 1<<20 || one > some/3 || most < 50*some/2 || most > 70*some {
			t.Errorf("%q: 1, 1,024 and 60,000 images take %d, %d and %d bytes", c.Method, one, some, most)
		}
	}
}
