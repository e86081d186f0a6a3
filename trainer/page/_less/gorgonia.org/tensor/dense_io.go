package tensor

import (
	"errors"
	"io"
)

var errLeftOut = errors.New("tensor: this program was built without what stores and exchanges tensors")

// GobEncode is left out.
func (t *Dense) GobEncode() ([]byte, error) { return nil, errLeftOut }

// GobDecode is left out.
func (t *Dense) GobDecode([]byte) error { return errLeftOut }

// WriteNpy is left out.
func (t *Dense) WriteNpy(io.Writer) error { return errLeftOut }

// ReadNpy is left out.
func (t *Dense) ReadNpy(io.Reader) error { return errLeftOut }
