package memory

import "golang.org/x/sys/unix"

// physical is for systems without the files that Linux has.
func physical() int64 { return 0 }

// processLimit returns the bytes of address space that the process may have, or 0
// if there is no bound.
func processLimit() int64 {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_AS, &r); err != nil || r.Cur > 1<<62 {
		return 0
	}
	return int64(r.Cur)
}
