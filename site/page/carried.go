//go:build page

package page

import (
	"archive/zip"
	_ "embed"
	"fmt"
	"io/fs"
	"strings"
)

// packed is what the command pack makes of a built page.
//
//go:embed page.zip
var packed string

// carried returns the page that the program carries.
func carried() (fs.FS, error) {
	z, err := zip.NewReader(strings.NewReader(packed), int64(len(packed)))
	if err != nil {
		return nil, fmt.Errorf("the page in this program: %w", err)
	}
	return z, nil
}
