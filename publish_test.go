package mppm_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// parse reads a YAML file into v, which has to know all of its keys, or be a map.
func parse(t *testing.T, name string, v any) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// workflow is what is used of a workflow's language.
type workflow struct {
	Name        string
	On          map[string]any
	Permissions map[string]string
	Concurrency struct {
		Group  string
		Cancel bool `yaml:"cancel-in-progress"`
	}
	Jobs map[string]job
}

type job struct {
	RunsOn      string `yaml:"runs-on"`
	Timeout     int    `yaml:"timeout-minutes"`
	Environment map[string]string
	Env         map[string]string
	Defaults    struct{ Run struct{ Shell string } }
	Strategy    struct {
		FailFast bool `yaml:"fail-fast"`
		Matrix   map[string][]string
	}
	Steps []step
}

type step struct {
	ID, Name, Uses, Run string
	With, Env           map[string]string
	Dir                 string `yaml:"working-directory"`
}

// TestWorkflows: the workflows are of the language's form, and run what there is.
func TestWorkflows(t *testing.T) {
	rules, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(".github/workflows/*")
	if err != nil || len(names) < 3 {
		t.Fatalf("%v, %v", names, err)
	}
	var systems []string
	for _, name := range names {
		var w workflow
		parse(t, name, &w)
		if w.Name == "" || len(w.On) == 0 || len(w.Permissions) == 0 || len(w.Jobs) == 0 {
			t.Errorf("%s lacks a name, a trigger, permissions or jobs", name)
		}
		for called, j := range w.Jobs {
			systems = append(append(systems, j.RunsOn), j.Strategy.Matrix["os"]...)
			if j.RunsOn == "" || len(j.Steps) == 0 {
				t.Errorf("%s: %s lacks a machine or steps", name, called)
			}
			for _, s := range j.Steps {
				if (s.Uses == "") == (s.Run == "") || s.Uses != "" && !strings.Contains(s.Uses, "@v") {
					t.Errorf("%s: %s: a step has to run one command, or use one action of some version: %+v", name, called, s)
				}
				for _, m := range regexp.MustCompile(`\bmake ([a-z-]+)`).FindAllStringSubmatch(s.Run, -1) {
					if !regexp.MustCompile(`(?m)^` + m[1] + `:`).Match(rules) {
						t.Errorf("%s: %s: there is no make %s", name, called, m[1])
					}
				}
				for _, m := range regexp.MustCompile(`\./([a-z/]+)/\.\.\.`).FindAllStringSubmatch(s.Run, -1) {
					if _, err := os.Stat(m[1]); err != nil {
						t.Errorf("%s: %s: %v", name, called, err)
					}
				}
			}
		}
	}
	for _, want := range []string{"ubuntu-latest", "macos-latest", "windows-latest", "ubuntu-24.04-arm"} {
		if !slices.Contains(systems, want) {
			t.Errorf("nothing is tested on %s", want)
		}
	}
}

// TestForms: the forms of issues have what they cannot be shown without.
func TestForms(t *testing.T) {
	for _, name := range []string{"bug", "idea"} {
		var form struct {
			Name, Description string
			Labels            []string
			Body              []struct {
				Type, ID    string
				Attributes  struct{ Label, Description string }
				Validations map[string]bool
			}
		}
		parse(t, ".github/ISSUE_TEMPLATE/"+name+".yml", &form)
		if form.Name == "" || form.Description == "" || len(form.Body) == 0 {
			t.Errorf("%s lacks a name, a description or questions", name)
		}
		for _, q := range form.Body {
			if q.Type != "textarea" || q.ID == "" || q.Attributes.Label == "" {
				t.Errorf("%s: %+v is no question", name, q)
			}
		}
	}
	var config map[string]any
	parse(t, ".github/ISSUE_TEMPLATE/config.yml", &config)
}

// TestCitation: the citation has what version 1.2.0 of its format asks for, and the
// licence is the project's.
func TestCitation(t *testing.T) {
	var c map[string]any
	parse(t, "CITATION.cff", &c)
	for _, key := range []string{"cff-version", "message", "title", "authors", "references"} {
		if c[key] == nil {
			t.Errorf("it lacks %s; it has %v", key, slices.Sorted(maps.Keys(c)))
		}
	}
	licence, err := os.ReadFile("LICENSE")
	if err != nil || c["license"] != "Apache-2.0" || !bytes.Contains(licence, []byte("Apache License")) {
		t.Errorf("the licence is %v: %v", c["license"], err)
	}
}

// TestDocuments: what the documents link to is there.
func TestDocuments(t *testing.T) {
	for _, name := range []string{"CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllSubmatch(text, -1) {
			if _, err := os.Stat(string(m[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, m := range regexp.MustCompile(`(?m)^make ([a-z-]+)`).FindAllSubmatch(text, -1) {
			rules, err := os.ReadFile("Makefile")
			if err != nil || !regexp.MustCompile(`(?m)^`+string(m[1])+`:`).Match(rules) {
				t.Errorf("%s: there is no make %s", name, m[1])
			}
		}
	}
}

// TestExamplesOfPackages: every package of shared that is not for tests shows, by an
// example that runs, what it is for.
func TestExamplesOfPackages(t *testing.T) {
	names, err := filepath.Glob("shared/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, name := range names {
		if dir := filepath.Dir(name); filepath.Base(dir) != "golden" { // which is for tests
			b, err := os.ReadFile(filepath.Join(dir, "example_test.go"))
			shown[dir] = err == nil && bytes.Contains(b, []byte("// Output:"))
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(shown)) {
		if !shown[dir] {
			t.Errorf("%s has no example_test.go whose output is compared", dir)
		}
	}
	if len(shown) < 20 {
		t.Errorf("only %d packages were found", len(shown))
	}
}
