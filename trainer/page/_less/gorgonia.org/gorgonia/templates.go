package gorgonia

import "io"

// exprNodeTempl would describe a node to Graphviz.
var exprNodeTempl noTemplate

type noTemplate struct{}

// ExecuteTemplate writes nothing.
func (noTemplate) ExecuteTemplate(io.Writer, string, interface{}) error { return nil }
