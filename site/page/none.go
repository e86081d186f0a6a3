//go:build !page

package page

import "io/fs"

// carried returns the page that the program carries: none.
func carried() (fs.FS, error) { return nil, ErrNone }
