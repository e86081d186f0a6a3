package latent

import (
	"fmt"
	"math"

	"mppm/shared/kde"
)

// Class returns the model of one class: the nets and the flows of m, with only
// those codes in the bank that are labeled with the class, and with Noise drawn
// around them. The kernel mean (Eq. 21) then leads to that class from anywhere:
// generation grows it, restoration reads it into whatever it is given. Spacing
// is still that of all codes, so that kernels keep their width.
//
// It returns an error if the bank has no labels, or no code of the class.
func (m *Model) Class(class int) (*Model, error) {
	if m.Bank.Labels == nil {
		return nil, fmt.Errorf("latent: the code bank has no labels, so there is no class %d to choose", class)
	}
	var indices []int
	for j, label := range m.Bank.Labels {
		if int(label) == class && class != Remembered {
			indices = append(indices, j)
		}
	}
	if len(indices) == 0 {
		return nil, fmt.Errorf("latent: the code bank has no code of class %d", class)
	}
	codes, err := m.Bank.Subset(indices)
	if err != nil {
		return nil, err
	}
	labels := make([]uint8, len(indices))
	for i := range labels {
		labels[i] = uint8(class)
	}
	c := *m
	c.Bank = &Bank{Bank: codes, Spacing: m.Bank.Spacing, Labels: labels}
	c.priorMean, c.priorFactor = gaussian(codes)
	return &c, nil
}

// gaussian returns the mean of the codes, and the lower triangle L of L·Lᵀ,
// their covariance.
func gaussian(b *kde.Bank) (mean, factor []float32) {
	n, dim := float64(b.Len()), b.Dim()
	square := func() [][]float64 {
		rows := make([][]float64, dim)
		for i := range rows {
			rows[i] = make([]float64, dim)
		}
		return rows
	}
	code, mu := make([]float32, dim), make([]float64, dim)
	for j := range b.Len() {
		b.Code(code, j)
		for d, v := range code {
			mu[d] += float64(v)
		}
	}
	for d := range mu {
		mu[d] /= n
	}
	cov := square()
	for j := range b.Len() {
		b.Code(code, j)
		for d, v := range code {
			for e := range d + 1 {
				cov[d][e] += float64((float64(v) - mu[d]) * (float64(code[e]) - mu[e]))
			}
		}
	}
	mean, factor = make([]float32, dim), make([]float32, dim*dim)
	// Cholesky's decomposition, row by row. A direction in which the codes do not
	// spread, as where they are fewer than dimensions, gets no noise.
	l := square()
	for d := range dim {
		mean[d] = float32(mu[d])
		for e := range d + 1 {
			s := cov[d][e] / n
			for k := range e {
				s -= float64(l[d][k] * l[e][k])
			}
			switch {
			case e == d:
				if s > 1e-9*cov[d][d]/n {
					l[d][d] = math.Sqrt(s)
				}
			case l[e][e] > 0:
				l[d][e] = s / l[e][e]
			}
			factor[d*dim+e] = float32(l[d][e])
		}
	}
	return mean, factor
}
