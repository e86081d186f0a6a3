//go:build unix

package atomicfile

import (
	"errors"
	"syscall"
)

// isFull reports whether an error says that there is no room: on the disk, in
// the user's quota, or under the process' limit for one file.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// isIOError reports whether a failed sync means lost data, and not just a file
// system that has no such operation.
func isIOError(err error) bool {
	return isFull(err) || errors.Is(err, syscall.EIO)
}
