package rundir

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// holder names the folder that a child process of the tests is to claim.
const holder = "MPPM_TEST_CLAIM"

func TestMain(m *testing.M) {
	dir := os.Getenv(holder)
	if dir == "" {
		os.Exit(m.Run())
	}
	if _, err := Claim(dir, Use{Command: "child"}); err != nil {
		os.Stdout.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	os.Stdout.WriteString("claimed\n")
	os.Stdin.Read(make([]byte, 1)) // until it is killed, or the test ends
}

func claim(t *testing.T, dir string, u Use) *Folder {
	t.Helper()
	f, err := Claim(dir, u)
	if err != nil {
		t.Fatal(err)
	}
	if f.Unlocked {
		t.Skip("the file system of temporary files has no locks")
	}
	return f
}

func put(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestClaimIsExclusive(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "runs", "a")
	first := claim(t, dir, Use{Command: "train"})
	put(t, filepath.Join(dir, "weights"))
	link := filepath.Join(t.TempDir(), "link")
	paths := []string{dir, filepath.Join(dir, "..", "a")}
	if err := os.Symlink(dir, link); err == nil {
		paths = append(paths, link)
	}
	for _, path := range paths {
		if _, err := Claim(path, Use{Command: "eval"}); !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), path) {
			t.Errorf("a second claim of %s: %v", path, err)
		}
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	if err := claim(t, dir, Use{Command: "eval"}).Release(); err != nil {
		t.Fatal(err)
	}
}

// TestClaimEndsWithTheProcess: a process that is killed leaves no lock, and one
// that lives keeps others out.
func TestClaimEndsWithTheProcess(t *testing.T) {
	dir := t.TempDir()
	if err := claim(t, dir, Use{Command: "train"}).Release(); err != nil { // or skip
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), holder+"="+dir)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "claimed\n" {
		t.Fatalf("the child says %q (%v)", line, err)
	}
	if _, err := Claim(dir, Use{Command: "train"}); !errors.Is(err, ErrBusy) {
		t.Errorf("while the child lives: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // says that it was killed
	if err := claim(t, dir, Use{Command: "train"}).Release(); err != nil {
		t.Error(err)
	}
}

// TestClaimReplacesNothing: files that a command would write are its own, or it
// is refused the folder.
func TestClaimReplacesNothing(t *testing.T) {
	dir := t.TempDir()
	table, log := filepath.Join(dir, "table.md"), filepath.Join(dir, "log")
	u := Use{Command: "eval mnist", Names: []string{"table.csv", "table.md", "log"}, Marks: []string{"log"}}
	put(t, table)
	put(t, filepath.Join(dir, "notes.txt"))
	for range 2 { // a claim that is refused leaves nothing that the next takes for its own
		if _, err := Claim(dir, u); err == nil || !strings.Contains(err.Error(), table+" is there") {
			t.Errorf("a file of somebody: %v", err)
		}
	}
	if err := os.Remove(table); err != nil {
		t.Fatal(err)
	}
	// Work that ended early has left a file, but no mark.
	f := claim(t, dir, u)
	put(t, table)
	if err := f.Release(); err != nil {
		t.Fatal(err)
	}
	f = claim(t, dir, u)
	put(t, log)
	if err := f.Release(); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
		t.Errorf("work that came to its end leaves %v (%v)", entries, err)
	}
	if err := claim(t, dir, u).Release(); err != nil {
		t.Fatal(err)
	}
	// To another command the files are not its own.
	if _, err := Claim(dir, Use{Command: "sweep", Names: []string{"table.md"}, Marks: []string{"trials"}}); err == nil || !strings.Contains(err.Error(), "not of an earlier sweep") {
		t.Errorf("a file of another command: %v", err)
	}
	if err := claim(t, dir, Use{Command: "sweep", Names: []string{"trials"}}).Release(); err != nil {
		t.Errorf("beside another command's files: %v", err)
	}
	if _, err := Claim(log, u); err == nil || !strings.Contains(err.Error(), "is a file") {
		t.Errorf("a file: %v", err)
	}
	if _, err := Claim(filepath.Join(log, "run"), u); err == nil {
		t.Error("a folder in a file was claimed")
	}
}

// TestLockIsTakenAway: a process that locks a file which its holder takes away at
// that moment holds nothing, and tries again.
func TestLockIsTakenAway(t *testing.T) {
	dir := t.TempDir()
	f := claim(t, dir, Use{})
	if err := os.Remove(filepath.Join(dir, lockName)); err != nil {
		t.Skipf("a locked file cannot be taken away here: %v", err)
	}
	if f.held() {
		t.Error("the lock of a file that is gone is held")
	}
	put(t, filepath.Join(dir, lockName))
	if f.held() {
		t.Error("the lock of another file is held")
	}
	if err := claim(t, dir, Use{}).Release(); err != nil {
		t.Error(err)
	}
}

// TestReleaseLeavesNothing: work that comes to nothing leaves no folder behind,
// and takes none away that was there.
func TestReleaseLeavesNothing(t *testing.T) {
	top := t.TempDir()
	if err := claim(t, filepath.Join(top, "runs", "a"), Use{Command: "train"}).Release(); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(top); err != nil || len(entries) != 0 {
		t.Errorf("left %v (%v)", entries, err)
	}
	if err := claim(t, top, Use{Command: "train"}).Release(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(top); err != nil {
		t.Error(err)
	}
}
