//go:build webgpu

package webgpu

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"text/template"
)

//go:embed *.wgsl
var shaders embed.FS

var templates = template.Must(template.ParseFS(shaders, "*.wgsl"))

// stage is one shader and how often it runs: a step of the compiled program.
type stage struct {
	name   string // of the operations in it
	kernel string // the template
	args   map[string]any
	groups [3]int // workgroups

	in    []*value          // read as x0, x1, …
	extra []*value          // read as e0, e1, … by what is fused to it
	steps []string          // fused: statements that make v1, v2, … from v0
	local map[*value]string // what the statements' names stand for
	made  []*value          // those of them that are results
	size  int               // of each
	outs  []*value          // written, as y0, y1, …
}

// most is how many workgroups a grid has in a row: any device has as many.
const most = 1 << 15

// grid lays n workgroups out in rows.
func grid(n, depth int) (groups [3]int, row int) {
	row = min(n, most)
	return [3]int{row, (n + row - 1) / row, depth}, row
}

// bindings names what the shader reads and writes, in the order of values.
func (s *stage) bindings() (names []string, values []*value) {
	for i, v := range s.in {
		names, values = append(names, fmt.Sprint("x", i)), append(values, v)
	}
	for i, v := range s.extra {
		names, values = append(names, fmt.Sprint("e", i)), append(values, v)
	}
	for i, v := range s.outs {
		names, values = append(names, fmt.Sprint("y", i)), append(values, v)
	}
	return names, values
}

// source is the shader's text.
func (s *stage) source() (string, error) {
	names, _ := s.bindings()
	written := map[string]bool{}
	for i := range s.outs {
		written[fmt.Sprint("y", i)] = true
	}
	args := map[string]any{"Bindings": names, "Written": written, "Steps": s.steps, "Emits": s.local != nil}
	for k, v := range s.args {
		args[k] = v
	}
	var b strings.Builder
	if err := templates.ExecuteTemplate(&b, s.kernel, args); err != nil {
		return "", fmt.Errorf("webgpu: the shader of %s: %w", s.name, err)
	}
	return b.String(), nil
}

// operand is the name of v in the statements of s: a name of one of them, or the
// element at of a buffer.
func (s *stage) operand(v *value, at string) string {
	if v.Known {
		return literal(v.Num)
	}
	if name, ok := s.local[v]; ok {
		return name
	}
	k := slices.Index(s.extra, v)
	if k < 0 {
		k = len(s.extra)
		s.extra = append(s.extra, v)
	}
	return fmt.Sprintf("e%d[%s]", k, at)
}

// then adds a statement that makes v from the expression. v is nil if the result
// is of no use but to what follows.
func (s *stage) then(v *value, expression string) {
	name := fmt.Sprint("v", len(s.steps)+1)
	s.steps = append(s.steps, fmt.Sprintf("let %s = %s;", name, expression))
	s.names(v, name)
}

func (s *stage) names(v *value, name string) {
	if v == nil {
		return
	}
	s.local[v] = name
	s.made = append(s.made, v)
}

// literal writes a number so that the shader has the same.
func literal(f float32) string {
	t := fmt.Sprintf("%g", f)
	if !strings.ContainsAny(t, ".e") {
		t += ".0"
	}
	return t
}
