//go:build !unix

package atomicfile

import "strings"

func isFull(err error) bool {
	return strings.Contains(err.Error(), "not enough space") || strings.Contains(err.Error(), "disk is full")
}

func isIOError(error) bool { return false }
