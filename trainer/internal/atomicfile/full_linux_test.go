package atomicfile

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// fullDir names the folder in which a child process of the tests has to fail.
const fullDir = "MPPM_TEST_FULL_DIR"

// TestMain lets the test binary be its own child under a limit on file sizes,
// the nearest thing to a full disk that needs no privileges.
func TestMain(m *testing.M) {
	dir := os.Getenv(fullDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	signal.Ignore(syscall.SIGXFSZ) // so that the write fails instead of the process
	limit := syscall.Rlimit{Cur: 4096, Max: 4096}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		panic(err)
	}
	big := make([]byte, 100_000)
	report := func(what string, err error) {
		if err == nil {
			os.Stdout.WriteString(what + ": no error\n")
		} else {
			os.Stdout.WriteString(what + ": " + err.Error() + "\n")
		}
	}
	report("new", WriteBytes(filepath.Join(dir, "new"), big))
	report("old", WriteBytes(filepath.Join(dir, "old"), big))
	report("dir", WriteDir(filepath.Join(dir, "folder"), false, func(d string) error {
		if err := os.WriteFile(filepath.Join(d, "a"), []byte("fits"), 0o666); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(d, "b"), big, 0o666)
	}))
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "old"), "old")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^$")
	cmd.Env = append(os.Environ(), fullDir+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 3 {
		t.Fatalf("child said %q", out)
	}
	for _, line := range lines {
		if !strings.Contains(line, "nothing was written: free some space") || strings.Contains(line, tempSuffix) {
			t.Errorf("unclear message: %s", line)
		}
	}
	if got := listing(t, dir); len(got) != 1 || read(t, filepath.Join(dir, "old")) != "old" {
		t.Errorf("folder holds %q", got)
	}
}

func TestDevFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	err := WriteBytes("/dev/full", []byte("x"))
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "free some space") {
		t.Errorf("error %v", err)
	}
	if err := WriteBytes("/dev/null", []byte("x")); err != nil {
		t.Error(err)
	}
	if err := Write("/dev/null", func(io.Writer) error { return io.ErrUnexpectedEOF }); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
}
