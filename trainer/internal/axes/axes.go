// Package axes puts the axes of arrays in another order, as one program's weights have
// them and another's do not.
package axes

// Turned returns an array of these dimensions with its axes in another order: axis k of
// the result is axis order[k].
func Turned[T any](data []T, dims []int, order ...int) []T {
	stride := make([]int, len(dims))
	for i, n := len(dims)-1, 1; i >= 0; i-- {
		stride[i], n = n, n*dims[i]
	}
	out := make([]T, 0, len(data))
	at := make([]int, len(dims))
	for range data {
		from := 0
		for k, axis := range order {
			from += at[k] * stride[axis]
		}
		out = append(out, data[from])
		for k := len(at) - 1; k >= 0; k-- {
			if at[k]++; at[k] < dims[order[k]] {
				break
			}
			at[k] = 0
		}
	}
	return out
}
