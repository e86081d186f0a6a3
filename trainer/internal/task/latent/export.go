package latent

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"mppm/shared/latent"
	"mppm/shared/metadata"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/kmeans"
	"mppm/trainer/internal/memory"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/plane"
	"mppm/trainer/internal/run"
)

// presets are the flows that a weights file of LMPPM names. σ, τ and the noise are in
// multiples of what the codes themselves give, so they hold for any run.
var presets = map[string]latent.Preset{
	"restore":  {Alpha: 0.14, Beta: 0.4, Sigma: 0.42, Start: 0.56, Tau: 3.82, Steps: 15},
	"sharp":    {Alpha: 0.7, Beta: 0.16, Sigma: 0.13, Start: 0.48, Steps: 30},
	"faithful": {Alpha: 0.09, Beta: 0.36, Sigma: 0.42, Start: 0.56, Tau: 8, Steps: 15},
	"generate": {Alpha: 0.05, Beta: 0.07, Sigma: 0.19, Start: 1.25, Steps: 23, Noise: 1.67},
}

// presetsDAE are the flows of a model without D: restoration is G(F(x)) alone,
// and "kernel" is Ablation^dae of Table 1, Eq. 15 with α = 0.
var presetsDAE = map[string]latent.Preset{
	"restore":  {Sigma: 0.4},
	"kernel":   {Beta: 0.2, Sigma: 0.4, Steps: 15},
	"generate": {Beta: 0.2, Sigma: 0.5, Steps: 15, Noise: 1.3},
}

// Weights turns the run into a weights file: the nets, in eight bits unless
// float is set, and the code bank that those very nets give. It returns ctx's error if
// that ends first.
func (t *Task) Weights(ctx context.Context, float bool) (*safetensors.File, error) {
	f, err := t.Nets(float)
	if err != nil {
		return nil, err
	}
	codes, err := t.encodeAll(ctx, f)
	if err != nil {
		return nil, err
	}
	if err := AddBank(ctx, f, codes, t.dim(), t.set.Train.Labels, t.Config.Centers, t.Config.Seed, float); err != nil {
		return nil, err
	}
	return f, nil
}

// Nets is Weights without the code bank, which package latent needs: for what
// takes the nets alone.
func (t *Task) Nets(float bool) (*safetensors.File, error) {
	f := &safetensors.File{Meta: map[string]string{}}
	if err := latent.Describe(f.Meta, latent.Kind, t.nets.Nets); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	flows := presetsDAE
	if t.Config.Method == LMPPM {
		f.Meta["distance.activation"] = string(t.Config.Activation)
		flows = presets
	}
	if err := metadata.SetClasses(f.Meta, t.set.Classes); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	about := map[string]any{"training": t.Config, "data": map[string]any{"name": t.set.Name, "md5": t.set.Checksums}}
	for name, p := range flows {
		about["flow."+name] = p
	}
	if err := run.Describe(f, about); err != nil {
		return nil, err
	}
	if err := optim.Export(f, float, t.params); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return f, nil
}

// encodeAll returns the codes of the training images by the nets of f as they
// will be read, quantized or not.
func (t *Task) encodeAll(ctx context.Context, f *safetensors.File) ([]float32, error) {
	a, err := latent.LoadAutoencoder(f)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return Codes(ctx, a, &t.set.Train)
}

// Folded returns a file that describes nets with batch norm folded into the layers before
// it, without tensors yet, and what the tensors of f become by that. It returns an error
// if one is missing or of another shape.
func Folded(nets *latent.Nets, f *safetensors.File) (described, tensors *safetensors.File, err error) {
	folded := *nets
	for _, n := range []**nn.Net{&folded.F, &folded.G, &folded.P, &folded.L} {
		if *n == nil {
			continue
		}
		if *n, f, err = (*n).Fold(f); err != nil {
			return nil, nil, err
		}
	}
	described = &safetensors.File{Meta: map[string]string{}}
	return described, f, latent.Describe(described.Meta, latent.Kind, &folded)
}

// Codes returns F(x) of every image of a split, one after the other. It returns ctx's
// error if that ends first.
func Codes(ctx context.Context, a *latent.Autoencoder, s *dataset.Split) ([]float32, error) {
	pixels, dim := a.Pixels(), a.Latent()
	batch := memory.Together(64, pixels)
	span := 4 * batch
	codes := make([]float32, s.N*dim)
	var wg sync.WaitGroup
	work := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			run := a.Coder(batch)
			x := make([]float32, span*pixels)
			for at := range work {
				n := min(span, s.N-at)
				for i := range n {
					s.Float32(x[i*pixels:], at+i)
				}
				run.Encode(codes[at*dim:], x[:n*pixels])
			}
		})
	}
	for at := 0; at < s.N && ctx.Err() == nil && s.Err() == nil; at += span {
		work <- at
	}
	close(work)
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return codes, s.Err()
}

// AddBank adds to a file the code bank of k centers of codes of dim numbers, and the shape of the codes' cloud. labels
// are those of the codes, or nil.
func AddBank(ctx context.Context, f *safetensors.File, codes []float32, dim int, labels []byte, k int, seed uint64, float bool) error {
	const iterations = 30
	c, err := kmeans.Cluster(ctx, codes, dim, k, iterations, rng.New(seed, streamBank))
	if err != nil {
		return err
	}
	mean, factor, err := Cloud(codes, dim)
	if err != nil {
		return err
	}
	return addBankTensors(f, columns(c.Centers, dim), majority(c.Of, labels, k), Spacing(codes, dim, rng.New(seed, streamBank+1)), mean, factor, float)
}

// addBankTensors adds the bank and what belongs to it: its spacing, the shape of
// the codes' cloud, and the plane that tells their classes apart.
func addBankTensors(f *safetensors.File, rows []float32, labels []byte, spacing float32, mean, factor []float32, float bool) error {
	add := f.AddInt8
	if float {
		add = f.AddFloat32
	}
	dim := len(mean)
	err := add("bank.codes", rows, dim, len(rows)/dim)
	if err == nil && labels != nil {
		err = f.AddUint8("bank.labels", labels, len(labels))
	}
	for _, t := range []struct {
		name  string
		data  []float32
		shape []int
	}{{"bank.spacing", []float32{spacing}, []int{1}}, {"prior.mean", mean, []int{dim}}, {"prior.factor", factor, []int{dim, dim}}} {
		if err == nil {
			err = f.AddFloat32(t.name, t.data, t.shape...)
		}
	}
	if err == nil {
		err = plane.Add(f)
	}
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}

// majority returns the most frequent label of each cluster, or nil for data
// without labels.
func majority(of []int, labels []byte, k int) []byte {
	if labels == nil {
		return nil
	}
	counts := make([][dataset.MaxClasses]int, k)
	for i, j := range of {
		counts[j][labels[i]]++
	}
	out := make([]byte, k)
	for j, c := range counts {
		for l, n := range c {
			if n > c[out[j]] {
				out[j] = byte(l)
			}
		}
	}
	return out
}

// Spacing is the median distance from a code to the nearest other, over at most
// 2,000 codes drawn at random.
func Spacing(codes []float32, dim int, r *rng.Source) float32 {
	const sample = 2000
	n := len(codes) / dim
	at := r.Perm(n)[:min(n, sample)]
	near := make([]float64, len(at))
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for s := w; s < len(at); s += workers {
				p := row(codes, at[s], dim)
				least := float32(math.Inf(1))
				for j := range n {
					if j == at[s] {
						continue
					}
					var d2 float32
					for k, v := range row(codes, j, dim) {
						t := p[k] - v
						d2 += float32(t * t)
					}
					least = min(least, d2)
				}
				near[s] = math.Sqrt(float64(least))
			}
		})
	}
	wg.Wait()
	slices.Sort(near)
	if m := float32(near[len(near)/2]); m > 0 && m < float32(math.Inf(1)) {
		return m
	}
	return 1 // all codes are one: any width of kernel will do
}

// Cloud returns the mean of the codes and the lower triangle L of their
// covariance, L·Lᵀ, row by row.
func Cloud(codes []float32, dim int) (mean, factor []float32, err error) {
	n := len(codes) / dim
	data := make([]float64, len(codes))
	for i, v := range codes {
		data[i] = float64(v)
	}
	points := mat.NewDense(n, dim, data)
	var cov mat.SymDense
	if n > 1 {
		stat.CovarianceMatrix(&cov, points, nil)
	} else {
		cov = *mat.NewSymDense(dim, nil)
	}
	// A direction without any spread would leave no triangle.
	var trace float64
	for i := range dim {
		trace += cov.At(i, i)
	}
	for i := range dim {
		cov.SetSym(i, i, cov.At(i, i)+1e-6*trace/float64(dim)+1e-12)
	}
	var chol mat.Cholesky
	if !chol.Factorize(&cov) {
		return nil, nil, fmt.Errorf("export: the covariance of the codes is not positive definite; the encoder has collapsed")
	}
	var lower mat.TriDense
	chol.LTo(&lower)
	mean, factor = make([]float32, dim), make([]float32, dim*dim)
	for i := range dim {
		mean[i] = float32(stat.Mean(mat.Col(nil, i, points), nil))
		for k := range i + 1 {
			factor[i*dim+k] = float32(lower.At(i, k))
		}
	}
	return mean, factor, nil
}
