// Package memory says how much memory there is, and refuses work that needs more:
// a machine that swaps or kills for want of memory loses more than the work.
package memory

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Limit returns the bytes of memory that this process can have at most: those of
// the machine, or less if a control group or a limit of the process says so. It
// returns 0 where the system does not say.
func Limit() int64 { return system{"/"}.limit() }

// Available returns the bytes of memory that are free for programs now, those of
// caches included, within Limit. It returns 0 where the system does not say.
func Available() int64 { return system{"/"}.available() }

// Together returns how many images of size numbers are to go through nets together: at
// most so many, and fewer of large ones. What a U-Net makes of an image is some twenty
// times as large as the image.
func Together(most, size int) int {
	const numbers = 1 << 19
	return max(1, min(most, numbers/size))
}

// Check returns an error if what is to be done needs more bytes than Limit. what
// names it: "a step of 60000 images".
func Check(what string, need int64) error {
	if limit := Limit(); limit > 0 && need > limit {
		return fmt.Errorf("%s needs about %s of memory, and there are %s", what, Size(need), Size(limit))
	}
	return nil
}

// Size writes a number of bytes for a person, with two figures that matter.
func Size(n int64) string {
	switch {
	case n >= 9_950_000_000:
		return fmt.Sprintf("%.0f GB", float64(n)/1e9)
	case n >= 995_000_000:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%d MB", max(1, (n+500_000)/1_000_000))
}

// system is the files in which Linux says how much memory there is, below root.
// Elsewhere there are none.
type system struct{ root string }

func (s system) limit() int64 {
	all := []int64{processLimit()}
	if n, ok := s.meminfo("MemTotal:"); ok {
		all = append(all, n)
	} else {
		all = append(all, physical())
	}
	for _, g := range s.groups() {
		all = append(all, g.limit)
	}
	return least(all)
}

func (s system) available() int64 {
	all := []int64{s.limit()}
	if n, ok := s.meminfo("MemAvailable:"); ok {
		all = append(all, n)
	}
	for _, g := range s.groups() {
		all = append(all, max(1, g.limit-g.used))
	}
	return least(all)
}

// least returns the least of the numbers that are more than 0, or 0.
func least(all []int64) int64 {
	all = slices.DeleteFunc(all, func(n int64) bool { return n <= 0 })
	if len(all) == 0 {
		return 0
	}
	return slices.Min(all)
}

// meminfo reads a line of the kernel's account of memory.
func (s system) meminfo(name string) (int64, bool) {
	kb, ok := Field(filepath.Join(s.root, "proc/meminfo"), name)
	return kb << 10, ok
}

// Field returns the number that follows a name at the start of a line of one of
// the kernel's files.
func Field(path, name string) (int64, bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(b) {
		if f := strings.Fields(string(line)); len(f) >= 2 && f[0] == name {
			n, err := strconv.ParseInt(f[1], 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// group is a control group that bounds memory.
type group struct {
	limit, used int64 // used without what could be dropped at once
}

// groups returns the control groups that this process is in, of both versions of
// them, and those above.
func (s system) groups() []group {
	b, err := os.ReadFile(filepath.Join(s.root, "proc/self/cgroup"))
	if err != nil {
		return nil
	}
	var all []group
	for line := range strings.Lines(string(b)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3) // number, controllers, path
		if len(f) != 3 {
			continue
		}
		base, limit, used := "sys/fs/cgroup", "memory.max", "memory.current"
		if f[1] != "" { // version 1: a tree for each controller
			if !slices.Contains(strings.Split(f[1], ","), "memory") {
				continue
			}
			base, limit, used = "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
		}
		// A container may see the path of its group on the host, and its group at the
		// root of the tree: whatever is there on the way up counts.
		for dir := filepath.Join("/", f[2]); ; dir = filepath.Dir(dir) {
			at := filepath.Join(s.root, base, dir)
			if n, ok := number(filepath.Join(at, limit)); ok { // "max" is no number
				g := group{limit: n}
				g.used, _ = number(filepath.Join(at, used))
				cache, _ := Field(filepath.Join(at, "memory.stat"), "inactive_file")
				g.used -= cache
				all = append(all, g)
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return all
}

func number(path string) (int64, bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	return n, err == nil
}
