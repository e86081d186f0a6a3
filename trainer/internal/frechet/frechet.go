// Package frechet measures how far one set of images is from another by the
// Fréchet distance between their embeddings (Sec. 5.1; Heusel et al. 2017): each
// set is taken for a Gaussian, and the distance is
//
//	‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½).
//
// Its scale is the embedding's own, so a distance means something beside another
// in the same embedding, and beside the floor: that of real images from real
// ones.
package frechet

import (
	"errors"
	"fmt"
	"math"
	"sync"

	"gonum.org/v1/gonum/mat"
)

// Gaussian is the mean and the covariance of a set of embeddings.
type Gaussian struct {
	N    int // embeddings
	Mean []float64
	Cov  *mat.SymDense // over N−1

	once sync.Once
	half *mat.Dense // the root of Cov
	err  error
}

// root returns the symmetric root of the covariance, which is taken once: a reference is
// compared with many sets.
func (g *Gaussian) root() (*mat.Dense, error) {
	g.once.Do(func() { g.half, g.err = squareRoot(g.Cov) })
	return g.half, g.err
}

// Variance returns the trace of the covariance: the mean square of the distance from the
// mean.
func (g *Gaussian) Variance() float64 { return mat.Trace(g.Cov) }

// Fit returns the Gaussian of n ≥ 2 embeddings e (n × dim). It returns an error
// if there are fewer or a number is not finite.
func Fit(e []float32, dim int) (*Gaussian, error) {
	if dim < 1 || len(e)%dim != 0 {
		return nil, fmt.Errorf("frechet: %d numbers are not a whole number of embeddings of %d", len(e), dim)
	}
	n := len(e) / dim
	if n < 2 {
		return nil, fmt.Errorf("frechet: %d embeddings have no covariance; give at least 2", n)
	}
	g := &Gaussian{N: n, Mean: make([]float64, dim)}
	for i, v := range e {
		if v-v != 0 {
			return nil, fmt.Errorf("frechet: number %d of embedding %d is %v", i%dim, i/dim, v)
		}
		g.Mean[i%dim] += float64(v)
	}
	for k := range g.Mean {
		g.Mean[k] /= float64(n)
	}
	const block = 1024 // embeddings that are centered and multiplied at a time
	centered := mat.NewDense(min(n, block), dim, nil)
	sum, part := mat.NewDense(dim, dim, nil), mat.NewDense(dim, dim, nil)
	for first := 0; first < n; first += block {
		m := min(block, n-first)
		rows := centered.Slice(0, m, 0, dim).(*mat.Dense)
		for i := range m {
			row := rows.RawRowView(i)
			for k, v := range e[(first+i)*dim : (first+i+1)*dim] {
				row[k] = float64(v) - g.Mean[k]
			}
		}
		part.Mul(rows.T(), rows)
		sum.Add(sum, part)
	}
	g.Cov = symmetric(sum, 1/float64(n-1))
	return g, nil
}

// symmetric returns the mean of m and its transpose, times scale.
func symmetric(m *mat.Dense, scale float64) *mat.SymDense {
	n, _ := m.Dims()
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			s.SetSym(i, j, scale*(m.At(i, j)+m.At(j, i))/2)
		}
	}
	return s
}

var errEigen = errors.New("frechet: a covariance has no eigen decomposition; its numbers are out of range")

// Distance returns the squared Fréchet distance of one Gaussian from another of its
// dimension, ≥ 0. The trace of (Σ₁Σ₂)^½ is that of (Σ₂^½Σ₁Σ₂^½)^½, whose
// argument is symmetric: unlike that of the product's own root it exists for
// singular covariances too, and its eigenvalues are real. It takes half as long for a b
// that it was asked for before.
func Distance(a, b *Gaussian) (float64, error) {
	if len(a.Mean) != len(b.Mean) {
		return 0, fmt.Errorf("frechet: embeddings of %d and of %d numbers do not compare", len(a.Mean), len(b.Mean))
	}
	root, err := b.root()
	if err != nil {
		return 0, err
	}
	var left, product mat.Dense
	left.Mul(root, a.Cov)
	product.Mul(&left, root)
	// With the vectors, although only the values are needed: without, gonum
	// v0.16.0 takes another way (Dsterf), which panics where a covariance of few
	// images splits into small parts.
	var eigen mat.EigenSym
	if !eigen.Factorize(symmetric(&product, 1), true) {
		return 0, errEigen
	}
	d := mat.Trace(a.Cov) + mat.Trace(b.Cov)
	for _, v := range eigen.Values(nil) {
		d -= 2 * math.Sqrt(max(v, 0)) // below 0 by rounding alone
	}
	for i, m := range a.Mean {
		d += (m - b.Mean[i]) * (m - b.Mean[i])
	}
	return max(d, 0), nil
}

// squareRoot returns the symmetric root of a positive semidefinite matrix.
func squareRoot(s *mat.SymDense) (*mat.Dense, error) {
	var eigen mat.EigenSym
	if !eigen.Factorize(s, true) {
		return nil, errEigen
	}
	var v, scaled, root mat.Dense
	eigen.VectorsTo(&v)
	values := eigen.Values(nil)
	scaled.Apply(func(_, j int, x float64) float64 { return x * math.Sqrt(max(values[j], 0)) }, &v)
	root.Mul(&scaled, v.T())
	return &root, nil
}

// Reference is a set that others are compared with: the Gaussian of all its
// embeddings, and of those of each class.
type Reference struct {
	All     *Gaussian
	Classes []*Gaussian // nil for a class with fewer than two members
}

// NewReference fits n embeddings e (n × dim) that were each read as one of so many
// classes.
func NewReference(e []float32, read []uint8, classes, dim int) (*Reference, error) {
	all, err := Fit(e, dim)
	if err != nil {
		return nil, err
	}
	if len(read) != all.N {
		return nil, fmt.Errorf("frechet: %d classes for %d embeddings", len(read), all.N)
	}
	r := &Reference{All: all, Classes: make([]*Gaussian, classes)}
	members := make([][]float32, classes)
	for i, c := range read {
		if int(c) >= classes {
			return nil, fmt.Errorf("frechet: embedding %d is of class %d; classes are 0 to %d", i, c, classes-1)
		}
		members[c] = append(members[c], e[i*dim:(i+1)*dim]...)
	}
	for c, m := range members {
		if len(m) < 2*dim {
			continue
		}
		if r.Classes[c], err = Fit(m, dim); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Distances are the Fréchet distances between two sets.
type Distances struct {
	Overall float64 `json:"overall"`
	// ClassMean is the mean over the classes that both sets have at least two
	// members of; fewer have no covariance. Compared says how many those are: a
	// mean over fewer than all must not stand beside one over all without a word,
	// for a set that lost its hardest classes would look the better for it. It is
	// 0 where no class compares.
	ClassMean float64 `json:"class_mean"`
	Compared  int     `json:"compared"`
}

// Between returns the distances between two sets.
func Between(a, b *Reference) (Distances, error) {
	var d Distances
	var err error
	if d.Overall, err = Distance(a.All, b.All); err != nil {
		return d, err
	}
	for c, g := range a.Classes {
		if g == nil || b.Classes[c] == nil {
			continue
		}
		v, err := Distance(g, b.Classes[c])
		if err != nil {
			return d, err
		}
		d.ClassMean += v
		d.Compared++
	}
	if d.Compared > 0 {
		d.ClassMean /= float64(d.Compared)
	}
	return d, nil
}
