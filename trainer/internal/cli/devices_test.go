package cli

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestDevices(t *testing.T) {
	var r devicesReport
	if err := json.Unmarshal([]byte(must(t, "devices", "--json").stdout), &r); err != nil {
		t.Fatal(err)
	}
	if r.Threads < 1 || len(r.GPUs) == 0 && r.Problem == "" {
		t.Errorf("%+v: want the CPU's threads, and GPUs or why there are none", r)
	}
	out := must(t, "devices").stdout
	if !strings.HasPrefix(out, "cpu ") || !strings.Contains(out, r.Problem) || strings.Count(out, "\ngpu ") != len(r.GPUs) {
		t.Errorf("devices writes %q; the JSON has %+v", out, r)
	}
}
