package bundle

import (
	"fmt"
	"io"
	"maps"
	"slices"
)

// Size is how many bytes a file of the page has: as it is, and in its compressed twins.
type Size struct{ Raw, Brotli, Gzip int }

// First lists what the loader fetches before the first picture, which is a restored digit,
// in a browser with WebAssembly SIMD and workers.
func (m *Manifest) First() []File {
	return []File{m.Engine.SIMD, m.Engine.Script, m.Weights, m.Images, m.Labels} // those that there are none of have no size
}

// Then lists what is fetched next, after which the page can be used. Modes other than
// Restore have their first picture then.
func (m *Manifest) Then() []File { return []File{m.SIMD} }

// Late lists what is fetched last, but for what somebody has to ask for, as for a model of
// faces.
func (m *Manifest) Late() []File {
	files := []File{m.Classifier, m.Baselines}
	for _, name := range slices.Sorted(maps.Keys(m.Curves)) {
		files = append(files, m.Curves[name])
	}
	return files
}

// visits says what a first visit fetches until the first picture, until the page can be
// used, and in all. shell is
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
	usable := plus(first, sum(nil, m.Then()))
	say("a first visit fetches, until the first picture", first)
	say("until the page can be used", usable)
	say("and in all", plus(usable, rest))
	fmt.Fprintln(w, "the next visit, and any later one: nothing, while sw.js is the same")
}

func plus(a, b Size) Size { return Size{a.Raw + b.Raw, a.Brotli + b.Brotli, a.Gzip + b.Gzip} }
