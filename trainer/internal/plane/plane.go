// Package plane finds the plane on which the codes of ten kinds of digits lie apart:
// that of the map, which the weights carry, so that no one who reads them has to look
// for it.
package plane

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"mppm/shared/kde"
	"mppm/shared/project"
	"mppm/shared/safetensors"
	"mppm/shared/vec"
)

// Add adds to a file the plane on which the codes of its bank overlap least by class:
// map.mean (dim) and map.axes (2 × dim), both F32. It is that of the codes as they are
// read, in eight bits or not. A bank without labels, or with less than three classes,
// has none, and the file stays as it is.
func Add(f *safetensors.File) error {
	t, ok := f.Lookup("bank.codes")
	if !ok || len(t.Shape) != 2 {
		return fmt.Errorf("plane: tensor bank.codes is missing or not of shape [dimensions, codes]")
	}
	if _, ok := f.Lookup("bank.labels"); !ok {
		return nil
	}
	dim, n := t.Shape[0], t.Shape[1]
	labels, err := f.Uint8("bank.labels", n)
	if err != nil {
		return fmt.Errorf("plane: %w", err)
	}
	columns, err := f.Float32("bank.codes", dim, n)
	if err != nil {
		return fmt.Errorf("plane: %w", err)
	}
	bank, err := kde.New(columns, dim)
	if err != nil {
		return fmt.Errorf("plane: %w", err)
	}
	codes := make([]float32, n*dim)
	for i := range n {
		bank.Code(codes[i*dim:(i+1)*dim], i)
	}
	p, err := Separate(codes, dim, labels)
	if err != nil {
		return nil // the classes cannot be told apart: no plane is better than another
	}
	if err := f.AddFloat32("map.mean", p.Mean(), dim); err != nil {
		return fmt.Errorf("plane: %w", err)
	}
	return f.AddFloat32("map.axes", p.Axes(), 2, dim)
}

// least is how many codes a class must have to count.
const least = 2

// width is the squared distance, in multiples of the variance within classes, at
// which two classes' overlap has fallen to 1/e. Of 1 to 6, it leaves most of the
// codes of the shipped bank among their own kind.
const width = 3

// Separate returns the plane on which n codes (n × dim, row by row) with the
// given classes overlap least: it has the least sum, over all pairs of classes,
// of exp(−d²/width), d being how far their means are from each other on the
// plane in standard deviations of a class (Mahalanobis). From the plane of
// pairwise linear discriminants (Loog, Duin and Haeb-Umbach 2001) it descends by
// rotations, one coordinate at a time.
//
// It returns an error if the lengths do not agree, or if less than three classes
// have codes that differ.
func Separate(codes []float32, dim int, labels []uint8) (*project.Plane, error) {
	n := len(labels)
	if dim < 2 || n == 0 || len(codes) != n*dim {
		return nil, fmt.Errorf("plane: %d numbers for %d labels of codes of %d dimensions", len(codes), n, dim)
	}
	all, mean := mat.NewDense(n, dim, nil), make([]float64, dim)
	for i, v := range codes {
		if v-v != 0 {
			return nil, fmt.Errorf("plane: coordinate %d of code %d is %v; codes must be finite", i%dim, i/dim, v)
		}
		all.Set(i/dim, i%dim, float64(v))
		mean[i%dim] += float64(v) / float64(n)
	}
	means, within := moments(all, labels)
	if len(means) < 3 {
		return nil, fmt.Errorf("plane: there are %d classes of %d codes or more; want 3", len(means), least)
	}
	whiten, err := inverseRoot(within)
	if err != nil {
		return nil, err
	}
	for i, m := range means {
		means[i] = times(whiten, m)
	}
	basis, err := discriminants(means)
	if err != nil {
		return nil, err
	}
	descend(basis, means)
	// Back from the whitened space, and orthonormal there.
	x, y := times(whiten, basis[0]), times(whiten, basis[1])
	floats.Scale(1/floats.Norm(x, 2), x)
	floats.AddScaled(y, -floats.Dot(x, y), x)
	floats.Scale(1/floats.Norm(y, 2), y)
	return project.New(narrow(mean), narrow(append(x, y...)))
}

// moments returns the means of the classes that have enough codes (the rows of all),
// and the covariance within those classes.
func moments(all *mat.Dense, labels []uint8) (means [][]float64, within *mat.SymDense) {
	_, dim := all.Dims()
	within = mat.NewSymDense(dim, nil)
	var classes [256][]float64
	for i, l := range labels {
		classes[l] = append(classes[l], all.RawRowView(i)...)
	}
	total := 0
	for _, rows := range classes {
		n := len(rows) / dim
		if n < least {
			continue
		}
		class := mat.NewDense(n, dim, rows)
		mean := make([]float64, dim)
		for k := range mean {
			mean[k] = stat.Mean(mat.Col(nil, k, class), nil)
		}
		means = append(means, mean)
		var c mat.SymDense
		stat.CovarianceMatrix(&c, class, nil)
		c.ScaleSym(float64(n-1), &c)
		within.AddSym(within, &c)
		total += n
	}
	within.ScaleSym(1/float64(max(total, 1)), within)
	return means, within
}

// inverseRoot returns W^(−1/2) of a covariance.
func inverseRoot(w *mat.SymDense) (*mat.Dense, error) {
	values, vectors, err := eigen(w)
	if err != nil {
		return nil, err
	}
	// A direction in which classes do not vary at all would count without bound.
	floor := 1e-6 * values[0]
	if !(floor > 0) {
		return nil, fmt.Errorf("plane: the codes of each class are all equal")
	}
	root := mat.NewSymDense(len(values), nil)
	for k, v := range vectors {
		root.SymRankOne(root, 1/math.Sqrt(max(values[k], floor)), mat.NewVecDense(len(v), v))
	}
	return mat.DenseCopyOf(root), nil
}

// eigen returns the eigenvalues of a, descending, and its eigenvectors in that order,
// the largest component of each positive, so that equal input gives equal output.
func eigen(a *mat.SymDense) (values []float64, vectors [][]float64, err error) {
	var e mat.EigenSym
	if !e.Factorize(a, true) {
		return nil, nil, fmt.Errorf("plane: the eigenvalues of the codes' covariance were not found")
	}
	var v mat.Dense
	e.VectorsTo(&v)
	values = e.Values(nil)
	slices.Reverse(values)
	for k := range values {
		column := mat.Col(nil, len(values)-1-k, &v)
		if slices.Max(column) < -slices.Min(column) {
			floats.Scale(-1, column)
		}
		vectors = append(vectors, column)
	}
	return values, vectors, nil
}

// discriminants returns an orthonormal basis of the whitened space whose first
// two directions are the pairwise linear discriminants.
func discriminants(means [][]float64) ([][]float64, error) {
	dim := len(means[0])
	between := mat.NewSymDense(dim, nil)
	d := make([]float64, dim)
	for i, p := range means {
		for _, q := range means[:i] {
			// What two classes at this distance add to the share of codes that a line
			// between them sets apart: nearly 1/d² once it is large.
			floats.SubTo(d, p, q)
			between.SymRankOne(between, 1/(4+floats.Dot(d, d)), mat.NewVecDense(dim, d))
		}
	}
	_, basis, err := eigen(between)
	return basis, err
}

// descend rotates the first two directions of a basis, each against one of the
// others at a time, until no rotation lessens the overlap of the classes.
func descend(basis, means [][]float64) {
	overlap := func() (sum float64) {
		at := make([][2]float64, len(means))
		for i, m := range means {
			at[i] = [2]float64{floats.Dot(basis[0], m), floats.Dot(basis[1], m)}
			for _, q := range at[:i] {
				dx, dy := at[i][0]-q[0], at[i][1]-q[1]
				// In 32 bits, with which the shipped planes were found: another rounding
				// can lead to another minimum.
				sum += float64(vec.Exp1(float32(-(dx*dx + dy*dy) / width)))
			}
		}
		return sum
	}
	best := overlap()
	for t := 0.25; t > 1e-3; {
		better := false
		for k := range 2 {
			for j := 2; j < len(basis); j++ {
				for _, half := range []float64{t, -t} {
					turn(basis[k], basis[j], half)
					if now := overlap(); now < best-1e-6 {
						best, better = now, true
					} else {
						turn(basis[k], basis[j], -half)
					}
				}
			}
		}
		if !better {
			t /= 2
		}
	}
}

// turn rotates two directions towards each other, by an angle the tangent of whose
// half is given.
func turn(a, b []float64, half float64) {
	square := half * half
	c, s := (1-square)/(1+square), 2*half/(1+square)
	for i := range a {
		a[i], b[i] = c*a[i]+s*b[i], c*b[i]-s*a[i]
	}
}

func times(a mat.Matrix, v []float64) []float64 {
	var out mat.VecDense
	out.MulVec(a, mat.NewVecDense(len(v), v))
	return out.RawVector().Data
}

func narrow(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x)
	}
	return out
}
