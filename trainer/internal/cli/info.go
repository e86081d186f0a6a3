package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"mppm/shared/ambient"
	"mppm/shared/classifier"
	"mppm/shared/latent"
	"mppm/shared/ldm"
	"mppm/shared/metadata"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/embedding"
)

type infoOptions struct{ json bool }

func infoCommand() command {
	return command{
		name:    "info",
		args:    "[FILE] [--json]",
		summary: "say what a weights file holds",
		about: `
Says what a safetensors file holds: its tensors with type, shape and size, and
its metadata: the kind of model, the flows, how it was trained, how well it does.
Without FILE it describes the embedded weights.`,
		examples: []string{"info", "info runs/mnist/mnist.safetensors --json"},
		operands: 1,
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			var o infoOptions
			f.toggle(&o.json, "json", "write JSON, for programs")
			return func(_ context.Context, e env, operands []string) error { return o.run(e, operands) }
		},
	}
}

// report is what info tells, as its JSON has it.
type report struct {
	Name       string                     `json:"name"`
	Bytes      int                        `json:"bytes"` // of the whole file
	Kind       string                     `json:"kind"`
	Images     *imagesReport              `json:"images,omitempty"` // of what is of other images than digits
	Loads      bool                       `json:"loads"`            // this program can run it
	Problem    string                     `json:"problem,omitempty"`
	Parameters int                        `json:"parameters"` // elements of all tensors but scales
	Types      map[string]typeTotal       `json:"types"`
	Tensors    []tensorReport             `json:"tensors"`
	Metadata   map[string]json.RawMessage `json:"metadata"` // values that are JSON as such, others as strings
}

// imagesReport says what images a model is of.
type imagesReport struct {
	Width    int `json:"width"`
	Height   int `json:"height"`
	Channels int `json:"channels"`
	Code     int `json:"code"` // numbers of a code
}

func (r *imagesReport) String() string {
	kind := fmt.Sprintf("in %d channels", r.Channels)
	switch r.Channels {
	case 1:
		kind = "in gray"
	case 3:
		kind = "in color"
	}
	return fmt.Sprintf("%d×%d %s, codes of %d numbers", r.Width, r.Height, kind, r.Code)
}

type typeTotal struct {
	Tensors int `json:"tensors"`
	Bytes   int `json:"bytes"`
}

type tensorReport struct {
	Name  string `json:"name"`
	DType string `json:"dtype"`
	Shape []int  `json:"shape"`
	Bytes int    `json:"bytes"`
}

func (o *infoOptions) run(e env, operands []string) error {
	path := ""
	if len(operands) > 0 {
		if path = operands[0]; path == "" {
			return usagef("the name of the file is empty")
		}
	}
	b, name, err := readWeights(path)
	if err != nil {
		return err
	}
	f, err := safetensors.Parse(b)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r := describe(f, name, len(b))
	coder, err := loads(b, r.Kind)
	if err != nil {
		r.Problem = err.Error()
	} else {
		r.Loads = true
	}
	if coder != nil && coder.Image() != latent.Digit {
		image := coder.Image()
		r.Images = &imagesReport{image.W, image.H, image.C, coder.Latent()}
	}
	if o.json {
		enc := json.NewEncoder(e.stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	}
	return r.print(e.stdout)
}

// loads returns an error if this program cannot run the weights b, and their autoencoder
// if they have one.
func loads(b []byte, kind string) (coder *latent.Autoencoder, err error) {
	switch k, _ := strings.CutSuffix(kind, "-28x28"); k {
	case classifier.Kind:
		_, err = classifier.Load(b)
	case embedding.Kind:
		_, err = embedding.Load(b, "the file", embedding.Options{})
	case ldm.Kind:
		var m *ldm.Model
		if m, err = ldm.Load(b); err == nil {
			coder = m.Autoencoder
		}
	case ambient.Kind:
		_, err = ambient.Load(b)
	default:
		var m *latent.Model
		if m, err = latent.Load(b); err == nil {
			coder = m.Autoencoder
		}
	}
	return coder, err
}

func describe(f *safetensors.File, name string, size int) *report {
	r := &report{Name: name, Bytes: size, Kind: f.Meta["kind"], Types: map[string]typeTotal{}, Tensors: []tensorReport{}, Metadata: map[string]json.RawMessage{}}
	for _, t := range f.Tensors {
		shape := append([]int{}, t.Shape...)
		r.Tensors = append(r.Tensors, tensorReport{t.Name, string(t.DType), shape, len(t.Data)})
		total := r.Types[string(t.DType)]
		total.Tensors++
		total.Bytes += len(t.Data)
		r.Types[string(t.DType)] = total
		if strings.HasSuffix(t.Name, ".scale") {
			continue
		}
		n := 1
		for _, d := range t.Shape {
			n *= d
		}
		r.Parameters += n
	}
	for key, value := range f.Meta {
		raw := json.RawMessage(value)
		if names, err := metadata.Classes(f.Meta); key == metadata.ClassesKey && err == nil {
			raw, _ = json.Marshal(names)
		} else if !json.Valid(raw) {
			raw, _ = json.Marshal(value) // a string always has a form
		}
		r.Metadata[key] = raw
	}
	return r
}

func (r *report) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", r.Name, size(r.Bytes))
	kind := r.Kind
	if kind == "" {
		kind = "not said"
	}
	fmt.Fprintf(&b, "kind of model: %s\n", kind)
	if r.Images != nil {
		fmt.Fprintf(&b, "images: %v\n", r.Images)
	}
	if !r.Loads {
		fmt.Fprintf(&b, "this program cannot run it: %s\n", r.Problem)
	}
	fmt.Fprintf(&b, "\n%d tensors, %d numbers (scales apart)\n", len(r.Tensors), r.Parameters)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, tensor := range foldScales(r.Tensors) {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", printable(tensor.Name), tensor.DType, shape(tensor.Shape), size(tensor.Bytes))
	}
	all := 0
	for _, name := range slices.Sorted(maps.Keys(r.Types)) {
		all += r.Types[name].Bytes
		fmt.Fprintf(t, "  total of %s\t%d tensors\t\t%s\n", name, r.Types[name].Tensors, size(r.Types[name].Bytes))
	}
	fmt.Fprintf(t, "  total\t%d tensors\t\t%s\n", len(r.Tensors), size(all))
	if err := t.Flush(); err != nil {
		return err
	}
	if len(r.Metadata) > 0 {
		b.WriteString("\nmetadata\n")
		for _, key := range slices.Sorted(maps.Keys(r.Metadata)) {
			printValue(&b, "  ", printable(key), r.Metadata[key])
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// foldScales sorts tensors by name and counts each scale to the tensor it
// belongs to: to a person the two are one.
func foldScales(tensors []tensorReport) []tensorReport {
	var list []tensorReport
	scales := map[string]int{}
	for _, t := range tensors {
		base, ok := strings.CutSuffix(t.Name, ".scale")
		if ok && slices.ContainsFunc(tensors, func(o tensorReport) bool { return o.Name == base }) {
			scales[base] = t.Bytes
			continue
		}
		list = append(list, t)
	}
	for i := range list {
		if bytes, ok := scales[list[i].Name]; ok {
			list[i].Bytes += bytes
			list[i].DType += " with scales"
		}
	}
	slices.SortFunc(list, func(a, b tensorReport) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// printValue writes a value of the metadata: objects with a line for each
// member, anything else on one line.
func printValue(b *strings.Builder, indent, key string, raw json.RawMessage) {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) == nil && object != nil {
		fmt.Fprintf(b, "%s%s:\n", indent, key)
		for _, k := range slices.Sorted(maps.Keys(object)) {
			printValue(b, indent+"  ", printable(k), object[k])
		}
		return
	}
	text := string(raw)
	var s string
	if json.Unmarshal(raw, &s) == nil {
		text = s
	}
	fmt.Fprintf(b, "%s%s: %s\n", indent, key, printable(text))
}

// printable keeps what a file says from commanding the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return '·'
		}
		return r
	}, s)
}

func shape(s []int) string {
	if len(s) == 0 {
		return "scalar"
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(s), " ", "×"), "[]")
}

func size(n int) string {
	switch {
	case n >= 1_000_000:
		return fmt.Sprintf("%.2f MB", float64(n)/1e6)
	case n >= 10_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d bytes", n)
}
