package latent_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
)

// TestClass: the model of a class has the codes of that class and no others, in
// the file's order, and the rest of the model as it is.
func TestClass(t *testing.T) {
	m := latenttest.Model(1)
	total := 0
	for class := range 10 {
		c, err := m.Class(class)
		if err != nil {
			t.Fatal(err)
		}
		total += c.Bank.Len()
		got, want := make([]float32, latent.DigitLatent), make([]float32, latent.DigitLatent)
		i := 0
		for j, label := range m.Bank.Labels {
			if int(label) != class {
				continue
			}
			m.Bank.Code(want, j)
			c.Bank.Code(got, i)
			if !slices.Equal(got, want) || int(c.Bank.Labels[i]) != class {
				t.Fatalf("class %d: code %d, of label %d, is not code %d of the whole bank", class, i, c.Bank.Labels[i], j)
			}
			i++
		}
		if i != c.Bank.Len() || c.Bank.Spacing != m.Bank.Spacing || c.Generate != m.Generate {
			t.Errorf("class %d: %d codes for %d labels, spacing %v, flow %+v", class, c.Bank.Len(), i, c.Bank.Spacing, c.Generate)
		}
		// Ten codes do not span the 18 dimensions: their covariance has no inverse.
		z := make([]float32, 50*latent.DigitLatent)
		c.Runner(1).Noise(z, c.Generate, rng.New(1, 0))
		for _, v := range z {
			if !(math.Abs(float64(v)) < 50) {
				t.Fatalf("class %d: a start is at %v", class, v)
			}
		}
	}
	if total != m.Bank.Len() {
		t.Errorf("the classes have %d codes together, the bank has %d", total, m.Bank.Len())
	}
}

// TestClassNoise holds the starts of a class to the mean and the covariance of
// its codes.
func TestClassNoise(t *testing.T) {
	f := latenttest.File(2)
	const codes, n = 400, 40_000
	// Two classes, 10 apart in the first dimension; the second one is stretched
	// along the sum of dimensions 1 and 2, and has no spread in dimension 3.
	x := make([]float32, latent.DigitLatent*codes)
	rng.New(3, 0).FillNorm(x, 1)
	labels := make([]byte, codes)
	for j := range codes {
		if j%2 == 0 {
			continue
		}
		labels[j] = 1
		x[j] += 10
		x[2*codes+j] = 0.8*x[codes+j] + 0.6*x[2*codes+j]
		x[3*codes+j] = 5
	}
	drop := func(name string) {
		f.Tensors = slices.DeleteFunc(f.Tensors, func(t safetensors.Tensor) bool {
			return t.Name == name || t.Name == name+".scale"
		})
	}
	drop("bank.codes")
	drop("bank.labels")
	if err := f.AddFloat32("bank.codes", x, latent.DigitLatent, codes); err != nil {
		t.Fatal(err)
	}
	if err := f.AddUint8("bank.labels", labels, codes); err != nil {
		t.Fatal(err)
	}
	m, err := latent.New(f)
	if err != nil {
		t.Fatal(err)
	}
	moments := func(z []float32) (mean [4]float64, cov [4][4]float64) {
		n := float64(len(z) / latent.DigitLatent)
		for i := 0; i < len(z); i += latent.DigitLatent {
			for d := range mean {
				mean[d] += float64(z[i+d]) / n
			}
		}
		for i := 0; i < len(z); i += latent.DigitLatent {
			for d := range mean {
				for e := range mean {
					cov[d][e] += (float64(z[i+d]) - mean[d]) * (float64(z[i+e]) - mean[e]) / n
				}
			}
		}
		return mean, cov
	}
	for class := range 2 {
		c, err := m.Class(class)
		if err != nil {
			t.Fatal(err)
		}
		own := make([]float32, c.Bank.Len()*latent.DigitLatent)
		for j := range c.Bank.Len() {
			c.Bank.Code(own[j*latent.DigitLatent:], j)
		}
		z := make([]float32, n*latent.DigitLatent)
		c.Runner(1).Noise(z, c.Generate, rng.New(7, 0))
		wantMean, wantCov := moments(own)
		gotMean, gotCov := moments(z)
		spread := float64(c.Generate.Noise * c.Generate.Noise)
		for d := range wantMean {
			if math.Abs(gotMean[d]-wantMean[d]) > 0.03 {
				t.Errorf("class %d: the starts' mean[%d] is %.3f, the codes' %.3f", class, d, gotMean[d], wantMean[d])
			}
			for e := range wantMean {
				if want := spread * wantCov[d][e]; math.Abs(gotCov[d][e]-want) > 0.06 {
					t.Errorf("class %d: the starts' covariance[%d][%d] is %.3f, the codes' %.3f", class, d, e, gotCov[d][e], want)
				}
			}
		}
	}
}

// TestClassLeads: where the kernel alone moves points, they end among the codes
// of the class, even from the middle of another one.
func TestClassLeads(t *testing.T) {
	m := latenttest.Model(4)
	p := latent.Preset{Beta: 0.5, Sigma: 0.05, Steps: 40}
	c, err := m.Class(3)
	if err != nil {
		t.Fatal(err)
	}
	z := make([]float32, m.Bank.Len()*latent.DigitLatent)
	for j := range m.Bank.Len() {
		m.Bank.Code(z[j*latent.DigitLatent:], j)
	}
	r := c.Runner(8)
	steps, err := r.Flow(z, p)
	if err != nil {
		t.Fatal(err)
	}
	for range steps {
	}
	mean := make([]float32, len(z))
	m.Runner(1).Mean(mean, z, p.Sigma)
	for i := 0; i < len(z); i += latent.DigitLatent {
		// The mean over all codes at this point is that over the class: those of no
		// other class are near.
		for d := range latent.DigitLatent {
			if math.Abs(float64(mean[i+d]-z[i+d])) > 1e-3 {
				t.Fatalf("point %d did not end among the codes of its class", i/latent.DigitLatent)
			}
		}
		if at := nearest(m, z[i:i+latent.DigitLatent]); m.Bank.Labels[at] != 3 {
			t.Errorf("point %d ended near a code of class %d", i/latent.DigitLatent, m.Bank.Labels[at])
		}
	}
}

func nearest(m *latent.Model, z []float32) (at int) {
	code := make([]float32, latent.DigitLatent)
	best := math.Inf(1)
	for j := range m.Bank.Len() {
		m.Bank.Code(code, j)
		sum := 0.0
		for d, v := range code {
			sum += float64(v-z[d]) * float64(v-z[d])
		}
		if sum < best {
			best, at = sum, j
		}
	}
	return at
}

func TestClassErrors(t *testing.T) {
	m := latenttest.Model(1)
	for _, class := range []int{-1, 10, 255, 256} {
		if _, err := m.Class(class); err == nil || !strings.Contains(err.Error(), "no code of class") {
			t.Errorf("class %d: %v", class, err)
		}
	}
	m.Bank.Labels = nil
	if _, err := m.Class(1); err == nil || !strings.Contains(err.Error(), "no labels") {
		t.Errorf("without labels: %v", err)
	}
}
