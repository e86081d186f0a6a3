package sweep

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"mppm/shared/latent"
	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/bounded"
)

// Task is what was tried.
type Task string

// The tasks of a trial.
const (
	Restore  Task = "restore"  // a flow, on damaged digits
	Generate Task = "generate" // a flow, from noise
	Baseline Task = "baseline" // the denoising autoencoder, on damaged digits
	Decode   Task = "decode"   // the model's F and G alone, on clean digits
	Train    Task = "train"    // a training run that came to nothing
)

// Trial is one thing that was tried, and how it did. What it is compared with
// are trials too.
type Trial struct {
	Subject string        `json:"subject,omitempty"` // Subject.Name
	Task    Task          `json:"task"`
	Flow    latent.Preset `json:"flow"`
	Digits  int           `json:"digits"`
	Cells   []Cell        `json:"cells,omitempty"` // one for each column
	Grown   *Grown        `json:"grown,omitempty"`
	Failed  string        `json:"failed,omitempty"` // why there are no scores
}

// key tells trials apart: those with equal keys score alike.
type key struct {
	subject string
	task    Task
	flow    latent.Preset
	digits  int
}

func (t *Trial) key() key { return key{t.Subject, t.Task, t.Flow, t.Digits} }

// Log is the file of all trials, in the order they were made. It is written anew
// after each, so that an interrupted sweep goes on where it was: what is tried
// follows from the seed and from earlier scores, and what is in the log is not
// tried again.
type Log struct {
	path string
	file logFile
	at   map[key]int
}

// LogSuffix ends the name of a log, which begins with that of the axis.
const LogSuffix = "-trials.json"

// maxLog bounds the size of a log, which has a few hundred trials of a few kB.
const maxLog = 1 << 28

type logFile struct {
	// Setup is whatever else scores depend on.
	Setup  map[string]string `json:"setup"`
	Trials []*Trial          `json:"trials"`
}

// whole reports whether a trial has the scores that its task gives.
func (t *Trial) whole(columns int) bool {
	switch t.Task {
	case Restore, Baseline:
		return len(t.Cells) == columns && columns > 0
	case Generate, Decode:
		return t.Grown != nil
	}
	return t.Task == Train
}

// OpenLog reads the log at path, if there is one, of trials on so many columns.
// It returns an error if that log is of another setup.
func OpenLog(path string, columns int, setup map[string]string) (*Log, error) {
	l := &Log{path: path, at: map[key]int{}}
	b, err := bounded.ReadFile(path, maxLog, nil)
	if errors.Is(err, fs.ErrNotExist) {
		l.file.Setup = setup
		return l, atomicfile.Writable(path)
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &l.file); err != nil {
		return nil, fmt.Errorf("%s is not a log of trials: %w", path, err)
	}
	for _, name := range slices.Sorted(maps.Keys(setup)) {
		if was, is := l.file.Setup[name], setup[name]; was != is {
			return nil, fmt.Errorf("%s is of a sweep with other settings: %s was %q and is now %q: choose another folder with --out", path, name, was, is)
		}
	}
	for i, t := range l.file.Trials {
		if t == nil || !t.whole(columns) {
			return nil, fmt.Errorf("%s: trial %d is not whole; take its line out of the file, or choose another folder with --out", path, i)
		}
		l.at[t.key()] = i
	}
	return l, nil
}

// find returns the trial like t, or nil.
func (l *Log) find(t *Trial) *Trial {
	if i, ok := l.at[t.key()]; ok {
		return l.file.Trials[i]
	}
	return nil
}

func (l *Log) add(t *Trial) error {
	l.at[t.key()] = len(l.file.Trials)
	l.file.Trials = append(l.file.Trials, t)
	return atomicfile.Write(l.path, func(w io.Writer) error {
		// A line for each trial: the file is long.
		setup, err := json.Marshal(l.file.Setup)
		if err != nil {
			return err
		}
		out := append([]byte("{\"setup\": "), setup...)
		out = append(out, ", \"trials\": ["...)
		for i, t := range l.file.Trials {
			b, err := json.Marshal(t)
			if err != nil {
				return err
			}
			if i > 0 {
				out = append(out, ',')
			}
			out = append(append(out, '\n'), b...)
		}
		_, err = w.Write(append(out, "\n]}\n"...))
		return err
	})
}
