//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package memory

import "golang.org/x/sys/unix"

// physical returns the bytes of memory of the machine, or 0.
func physical() int64 {
	for _, name := range []string{"hw.memsize", "hw.physmem64", "hw.physmem"} {
		if n, err := unix.SysctlUint64(name); err == nil && n < 1<<62 {
			return int64(n)
		}
	}
	return 0
}

func processLimit() int64 { return 0 }
