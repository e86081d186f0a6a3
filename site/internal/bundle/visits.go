package bundle

import (
	"fmt"
	"io"
	"maps"
	"slices"
)

// Size is how many bytes a file of the page has: as it is, and in its compressed twins.
type Size struct{ Raw, Brotli, Gzip int }

// First lists what the loader fetches before the first picture, in a browser with
// WebAssembly SIMD.
func (m *Manifest) First() []File {
	return []File{m.SIMD, m.Engine.SIMD, m.Engine.Script, m.Weights, m.Classifier, m.Images, m.Labels} // those that there are none of have no size
}

// Late lists what is fetched once the picture is there, but for what somebody has to ask
// for, as for a model of faces.
func (m *Manifest) Late() []File {
	files := []File{m.Baselines}
	for _, name := range slices.Sorted(maps.Keys(m.Curves)) {
		files = append(files, m.Curves[name])
	}
	return files
}

// visits says what a first visit fetches until the first picture, and in all. shell is
// what the browser takes by itself, and late is what is kept for the next visit beside
// what the loader fetches. The next visit asks only whether there is a newer page.
func visits(w io.Writer, m *Manifest, sizes map[string]Size, shell, late []string) {
	sum := func(names []string, files []File) (s Size) {
		for _, f := range files {
			names = append(names, f.Name)
		}
		for _, name := range names {
			s.Raw, s.Brotli, s.Gzip = s.Raw+sizes[name].Raw, s.Brotli+sizes[name].Brotli, s.Gzip+sizes[name].Gzip
		}
		return s
	}
	first := sum(slices.Clone(shell), m.First())
	rest := sum(slices.Clone(late), m.Late())
	say := func(what string, s Size) {
		fmt.Fprintf(w, "%s: %.2f MB in brotli, %.2f in gzip, %.2f unpacked\n", what, float64(s.Brotli)/1e6, float64(s.Gzip)/1e6, float64(s.Raw)/1e6)
	}
	say("a first visit fetches, until the first picture", first)
	say("and in all", Size{first.Raw + rest.Raw, first.Brotli + rest.Brotli, first.Gzip + rest.Gzip})
	fmt.Fprintln(w, "the next visit, and any later one: nothing, while sw.js is the same")
}
