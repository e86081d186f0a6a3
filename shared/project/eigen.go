package project

import "math"

// sweeps bounds Jacobi's method, which needs about ten for matrices of this size.
const sweeps = 60

// eigen returns the eigenvalues of the symmetric matrix a (n × n, which it
// destroys), descending, and its orthonormal eigenvectors as rows in that order:
// Jacobi's cyclic rotations. Each eigenvector's largest component is positive, so
// that equal input gives equal output on every platform.
func eigen(a []float64, n int) (values []float64, vectors [][]float64) {
	v := make([]float64, n*n)
	for i := range n {
		v[i*n+i] = 1
	}
	for range sweeps {
		var off, all float64
		for i, x := range a {
			all += float64(x * x)
			if i/n != i%n {
				off += float64(x * x)
			}
		}
		if off <= 1e-28*all {
			break
		}
		for p := range n {
			for q := p + 1; q < n; q++ {
				rotate(a, v, n, p, q)
			}
		}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
		for k := i; k > 0 && a[order[k]*n+order[k]] > a[order[k-1]*n+order[k-1]]; k-- {
			order[k], order[k-1] = order[k-1], order[k]
		}
	}
	for _, c := range order {
		row, largest := make([]float64, n), 0.0
		for i := range n {
			if row[i] = v[i*n+c]; math.Abs(row[i]) > math.Abs(largest)+1e-9 {
				largest = row[i]
			}
		}
		if largest < 0 {
			for i := range row {
				row[i] = -row[i]
			}
		}
		values, vectors = append(values, a[c*n+c]), append(vectors, row)
	}
	return values, vectors
}

// rotate makes a[p][q] zero and turns the columns p and q of v likewise.
func rotate(a, v []float64, n, p, q int) {
	apq := a[p*n+q]
	if apq == 0 {
		return
	}
	theta := (a[q*n+q] - a[p*n+p]) / (2 * apq)
	t := 1 / (math.Abs(theta) + math.Sqrt(float64(theta*theta)+1))
	if theta < 0 {
		t = -t
	}
	c := 1 / math.Sqrt(float64(t*t)+1)
	s := float64(t * c)
	turn := func(m []float64, x, y int) {
		g, h := m[x], m[y]
		m[x] = float64(c*g) - float64(s*h)
		m[y] = float64(s*g) + float64(c*h)
	}
	for k := range n {
		turn(a, k*n+p, k*n+q)
	}
	for k := range n {
		turn(a, p*n+k, q*n+k)
	}
	for k := range n {
		turn(v, k*n+p, k*n+q)
	}
}
