package cli

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"mppm/trainer/internal/imageio"
	"mppm/trainer/internal/overlap"
	"mppm/trainer/internal/rundir"
)

// A command declares, flag by flag, what it reads and what it writes. Before it
// runs, what it would destroy by that is found, in one place for all commands.

// role adds to paths the places that the path of a flag stands for.
type role func(paths *overlap.Paths, flag, path string)

// declared is the role of a flag.
type declared struct {
	flag string
	path *string
	role role
}

// reads declares what is read at the path that a flag gives.
func (f *flagSet) reads(flag string, path *string, what role) {
	f.places = append(f.places, declared{flag, path, what})
}

// writes declares what is written at the path that a flag gives.
func (f *flagSet) writes(flag string, path *string, what role) {
	f.places = append(f.places, declared{flag, path, what})
}

// overwrites lets a command write to what it reads, if force is set.
func (f *flagSet) overwrites(force *bool, write, read string) {
	f.forced = append(f.forced, forced{force, write, read})
}

type forced struct {
	force       *bool
	write, read string
}

// apart returns an error if the command would write to what it reads, or twice to
// one place.
func (f *flagSet) apart() error {
	paths := new(overlap.Paths)
	for _, d := range f.places {
		if *d.path != "" {
			d.role(paths, d.flag, *d.path)
		}
	}
next:
	for _, o := range paths.Check() {
		for _, a := range f.forced {
			if o.Read && o.Write == a.write && o.Other == a.read {
				if *a.force {
					continue next
				}
				return fmt.Errorf("%w, or replace it with --force", o)
			}
		}
		return o
	}
	return nil
}

// The roles of flags.
func readsFile(p *overlap.Paths, flag, path string)  { p.Reads(flag, path) }
func writesFile(p *overlap.Paths, flag, path string) { p.Writes(flag, path) }

// readsImages is of what package imageio reads.
func readsImages(p *overlap.Paths, flag, path string) {
	switch {
	case path == imageio.Stream:
	case isFolder(path):
		p.ReadsIn(flag, path, imageio.IsPicture)
	default:
		p.Reads(flag, path)
	}
}

// writesImages is of what package imageio writes.
func writesImages(p *overlap.Paths, flag, path string) {
	switch {
	case path == imageio.Stream:
	case imageio.IsFolder(path):
		p.WritesIn(flag, path, []string{"00000.png"}, imageio.Numbered)
	default:
		p.Writes(flag, path)
	}
}

// readsFolder is of a folder with all that is below it.
func readsFolder(p *overlap.Paths, flag, path string) { p.ReadsBelow(flag, path) }

// readsData is of the data that is trained on: files in a folder, folders of images
// in it, or one file.
func readsData(p *overlap.Paths, flag, path string) {
	entries, err := os.ReadDir(path)
	if err != nil {
		p.Reads(flag, path)
		return
	}
	p.ReadsIn(flag, path, func(name string) bool { return strings.Contains(strings.ToLower(name), "ubyte") })
	for _, e := range entries {
		name := strings.ToLower(e.Name())
		for _, of := range []string{"train", "test", "val", "mnist", "emnist", "data", "raw", "gzip"} {
			// What else lies there, such as the folder of a run, is not read.
			if in := filepath.Join(path, e.Name()); strings.HasPrefix(name, of) && isFolder(in) && !isRun(in) {
				p.ReadsBelow(flag, in)
				break
			}
		}
	}
}

// Files of a run that others read.
var runFiles = []string{checkpointFile, "autoencoder.safetensors"}

const checkpointFile = "checkpoint.safetensors"

// readsRun is of the folder of a run.
func readsRun(p *overlap.Paths, flag, path string) {
	for _, name := range runFiles {
		p.Reads(flag, filepath.Join(path, name))
	}
}

// readsFileOrRun is of a weights file, or the folder of a run.
func readsFileOrRun(p *overlap.Paths, flag, path string) {
	if isFolder(path) {
		readsRun(p, flag, path)
	} else {
		p.Reads(flag, path)
	}
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func isRun(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, checkpointFile))
	return err == nil
}

// folder is the folder that a command has to itself while it works.
type folder struct {
	path *string
	use  func() rundir.Use
}

// owns declares that the folder which a flag gives is the command's own, and what
// the command does there.
func (f *flagSet) owns(flag string, path *string, use func() rundir.Use) *folder {
	f.writes(flag, path, func(p *overlap.Paths, flag, path string) {
		if names := use().Names; names != nil {
			p.WritesIn(flag, path, names, nil)
		}
	})
	return &folder{path, use}
}

// claim takes the folder, and returns what gives it back. While it is held, a pipe
// that is closed at its other end does not end the process: the work is worth more
// than what it says.
func (o *folder) claim(e env) (release func(), err error) {
	use := o.use()
	taken, err := rundir.Claim(*o.path, use)
	if err != nil {
		return nil, err
	}
	if taken.Unlocked {
		fmt.Fprintf(e.stderr, "note: the file system of %s has no locks: see to it that nothing else writes there\n", *o.path)
	}
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	before := onClaim(*o.path)
	return func() {
		before(use)
		signal.Stop(broken)
		if err := taken.Release(); err != nil {
			fmt.Fprintf(e.stderr, "note: %v\n", err)
		}
	}, nil
}

// onClaim is told of a folder that is claimed, and returns what is told of its
// release. Tests look there for files that are not declared.
var onClaim = func(string) func(rundir.Use) { return func(rundir.Use) {} }

// ofRun returns the use of a folder by a training run that leaves its weights under
// the given name, and these files besides.
func ofRun(command string, weights func() string, more ...string) func() rundir.Use {
	return func() rundir.Use {
		return rundir.Use{Command: command, Names: append([]string{checkpointFile, "loss.png", weights()}, more...), Marks: []string{checkpointFile}}
	}
}

// stopSignals are the signals that have a command save what it has and end, but
// for those that the process was started to ignore, as nohup has it ignore SIGHUP.
func stopSignals() []os.Signal {
	var all []os.Signal
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			all = append(all, s)
		}
	}
	return all
}
