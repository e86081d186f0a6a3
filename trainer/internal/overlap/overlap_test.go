package overlap

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func put(t *testing.T, path string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(path), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func png(name string) bool { return strings.HasSuffix(strings.ToLower(name), ".png") }

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	at := func(parts ...string) string { return filepath.Join(append([]string{dir}, parts...)...) }
	in := put(t, at("in.png"))
	put(t, at("scans", "a.png"))
	put(t, at("scans", "deep", "b.png"))
	for from, to := range map[string]string{"link.png": "in.png", "folder": "scans", "dangling.png": "new.png", "deeper": filepath.Join("scans", "deep")} {
		if err := os.Symlink(to, at(from)); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	if err := os.Link(in, at("hard.png")); err != nil {
		t.Skipf("no hard links here: %v", err)
	}
	if err := os.Link(at("scans", "a.png"), at("outside.png")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	scans := func(p *Paths) { p.ReadsIn("in", at("scans"), png) }
	numbers := func(path string) func(*Paths) {
		return func(p *Paths) {
			p.WritesIn("out", path, []string{"00000.png"}, func(name string) bool { return name[0] <= '9' && png(name) })
		}
	}
	reads := func(path string) func(*Paths) { return func(p *Paths) { p.Reads("in", path) } }
	writes := func(path string) func(*Paths) { return func(p *Paths) { p.Writes("strip", path) } }
	also := func(path string) func(*Paths) { return func(p *Paths) { p.Writes("out", path) } }
	below := func(path string) func(*Paths) { return func(p *Paths) { p.ReadsBelow("data", path) } }
	for name, c := range map[string]struct {
		want  string // in the error; none if it is empty
		parts []func(*Paths)
	}{
		"nothing":                    {"", nil},
		"no path":                    {"", []func(*Paths){reads(""), writes("")}},
		"apart":                      {"", []func(*Paths){reads(in), writes(at("out.png")), scans}},
		"the same path":              {"--strip would write to", []func(*Paths){reads(in), writes(in)}},
		"relative and absolute":      {"which --in reads", []func(*Paths){reads(in), writes(filepath.Join(".", "scans", "..", "in.png"))}},
		"a symbolic link":            {"link.png", []func(*Paths){reads(in), writes(at("link.png"))}},
		"a symbolic link to it":      {"--in reads", []func(*Paths){reads(at("link.png")), writes(in)}},
		"a hard link":                {"hard.png", []func(*Paths){reads(in), writes(at("hard.png"))}},
		"in the folder":              {"strip.png", []func(*Paths){scans, writes(at("scans", "strip.png"))}},
		"in the folder, by a link":   {"strip.png", []func(*Paths){scans, writes(at("folder", "strip.png"))}},
		"not what is read there":     {"", []func(*Paths){scans, writes(at("scans", "out.idx"))}},
		"in a folder there":          {"", []func(*Paths){scans, writes(at("scans", "deep", "strip.png"))}},
		"hard link out of a folder":  {"a.png", []func(*Paths){scans, writes(at("outside.png"))}},
		"below":                      {"c.png", []func(*Paths){below(at("scans")), writes(at("scans", "deep", "c.png"))}},
		"below, by a link":           {"c.png", []func(*Paths){below(at("scans")), writes(at("deeper", "c.png"))}},
		"below, not there yet":       {"new", []func(*Paths){below(at("scans")), numbers(at("scans", "new", "newer"))}},
		"beside":                     {"", []func(*Paths){below(at("scans")), writes(at("scans.png"))}},
		"hard link out of below":     {"a.png", []func(*Paths){below(at("scans")), writes(at("outside.png"))}},
		"twice, not there yet":       {"--strip and --out would both write to", []func(*Paths){writes(at("x.png")), also(at("scans", "..", "x.png"))}},
		"twice, by a dangling link":  {"would both", []func(*Paths){writes(at("new.png")), also(at("dangling.png"))}},
		"an image of a new folder":   {"would both", []func(*Paths){numbers(at("new")), writes(at("new", "12345.png"))}},
		"not an image of the folder": {"", []func(*Paths){numbers(at("new")), writes(at("new", "strip.png"))}},
		"what is read is an image":   {"which --in reads", []func(*Paths){numbers(at("new")), reads(at("new", "00000.png"))}},
		"into the folder":            {"00000.png", []func(*Paths){scans, numbers(at("folder"))}},
		"into a folder of it":        {"", []func(*Paths){scans, numbers(at("scans", "deep"))}},
		"no files":                   {"", []func(*Paths){reads(os.DevNull), writes(os.DevNull), also(os.DevNull)}},
		"another case":               {"", []func(*Paths){writes(at("x.png")), also(at("X.PNG"))}},
	} {
		p := new(Paths)
		for _, part := range c.parts {
			part(p)
		}
		var err error
		if all := p.Check(); all != nil {
			err = all[0]
		}
		if c.want == "" && err != nil && !(name == "another case" && caseless(dir)) {
			t.Errorf("%s: %v", name, err)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestCase: where names differ in case alone, the file system is asked.
func TestCase(t *testing.T) {
	dir := t.TempDir()
	was := caseless
	defer func() { caseless = was }()
	for _, answer := range []bool{false, true} {
		caseless = func(d string) bool {
			if real, err := filepath.EvalSymlinks(dir); err != nil || d != real {
				t.Errorf("asked of %s, want %s (%v)", d, real, err)
			}
			return answer
		}
		p := new(Paths)
		p.Writes("out", filepath.Join(dir, "Digits.png"))
		p.Writes("grid", filepath.Join(dir, "digits.PNG"))
		if all := p.Check(); (all != nil) != answer {
			t.Errorf("where case is no matter (%v): %v", answer, all)
		}
	}
	// What asks leaves nothing behind.
	was(dir)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left %v (%v)", entries, err)
	}
}
