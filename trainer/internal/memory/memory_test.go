package memory

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// machine writes the files of a system.
func machine(t *testing.T, files map[string]string) system {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return system{root}
}

func TestSystem(t *testing.T) {
	if processLimit() != 0 {
		t.Skip("the tests run under a limit of their own")
	}
	const meminfo = "MemTotal:       16000000 kB\nMemFree: 1 kB\nMemAvailable:    9000000 kB\n"
	const kb = 1024
	for name, c := range map[string]struct {
		files            map[string]string
		limit, available int64
	}{
		"no group": {map[string]string{"proc/meminfo": meminfo}, 16000000 * kb, 9000000 * kb},
		"no bound": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/user\n", "sys/fs/cgroup/user/memory.max": "max\n"}, 16000000 * kb, 9000000 * kb},
		"version 2, bounded above": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n",
			"sys/fs/cgroup/a/memory.max": "4000000000\n", "sys/fs/cgroup/a/memory.current": "3000000000\n", "sys/fs/cgroup/a/memory.stat": "anon 5\ninactive_file 500000000\n",
			"sys/fs/cgroup/a/b/memory.max": "max\n",
		}, 4000000000, 1500000000},
		"a container that sees itself at the root": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "2000000000\n", "sys/fs/cgroup/memory.current": "2500000000\n",
		}, 2000000000, 1},
		"version 1, with the path on the host": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "8:cpu,memory:/docker/0123\n1:name=systemd:/x\n0::/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "3000000000\n", "sys/fs/cgroup/memory/memory.usage_in_bytes": "1000000000\n",
		}, 3000000000, 2000000000},
		"version 1, no bound": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		}, 16000000 * kb, 9000000 * kb},
		"nonsense": {map[string]string{"proc/meminfo": "MemTotal: 16000000 kB\nMemAvailable: x", "proc/self/cgroup": "a\n0::/../..\n"}, 16000000 * kb, 16000000 * kb},
	} {
		s := machine(t, c.files)
		if got := s.limit(); got != c.limit {
			t.Errorf("%s: the limit is %d, want %d", name, got, c.limit)
		}
		if got := s.available(); got != c.available {
			t.Errorf("%s: %d are available, want %d", name, got, c.available)
		}
	}
}

func TestThisSystem(t *testing.T) {
	limit, free := Limit(), Available()
	switch runtime.GOOS {
	case "linux", "darwin", "windows":
		if limit < 1<<24 || free < 1 || free > limit {
			t.Errorf("the limit is %d, %d are available", limit, free)
		}
	}
	if limit == 0 {
		return
	}
	if err := Check("a little", 1<<20); err != nil {
		t.Error(err)
	}
	if err := Check("a step of 60000 images", 2*limit); err == nil || !strings.Contains(err.Error(), "a step of 60000 images needs about") || !strings.Contains(err.Error(), Size(limit)) {
		t.Errorf("twice the limit: %v", err)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "1 MB", 1: "1 MB", 12_400_000: "12 MB", 994_000_000: "994 MB", 1_240_000_000: "1.2 GB", 9_940_000_000: "9.9 GB", 37_600_000_000: "38 GB"} {
		if got := Size(n); got != want {
			t.Errorf("%d bytes are %q, want %q", n, got, want)
		}
	}
}
