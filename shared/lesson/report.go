package lesson

// State is how a task stands.
type State uint8

// The states. The last three are the end of a task.
const (
	Training State = iota
	Paused
	Done    // it has come to its end
	Stopped // it was told to stop, and has what there is by then
	Failed  // Err says why
	states
)

// Over reports whether nothing more comes of the task.
func (s State) Over() bool { return s >= Done }

// Loss is one number that training makes small.
type Loss struct {
	Name  string // a few words, with the term of Eq. 16 where it is one
	Value float64
}

// Mark is how a method did after an epoch, on the points held out.
type Mark struct {
	Method Method
	Epoch  int     // of the method, from 1
	Held   float64 // the loss
	Terms  []Loss  // of Eq. 16, before their weights; nothing of the others
}

// Report is how a task stands. One comes at most some ten times a second, and one at
// the end.
type Report struct {
	ID    uint64 // of the task
	State State
	// Method is the one that is trained now, in whose epoch number Epoch of at most
	// Epochs the task is.
	Method        Method
	Epoch, Epochs int
	// Step is how many steps are done, of at most Steps, of all methods together: Steps
	// becomes less when a method stops early.
	Step, Steps int
	Left        float64 // seconds until the end, about and at most, without pauses; less than 0 where nobody knows yet
	Marks       []Mark  // since the report before
	// Weights, unless it is empty, is a whole safetensors file of package ambient: the
	// best of each method so far. It comes soon after the start, then at most some four
	// times a second, and with Done and Stopped, where it is the file that
	// `mppm train points` writes.
	Weights []byte
	Note    string // a sentence that a person should read, or ""
	Err     string // why the task failed and what to do, or ""
}

// Order is what the page asks for.
type Order uint8

// The orders. But for Train, they are for the task that is trained now, if there is one.
const (
	Train Order = iota // begin with a task; another that is under way is dropped
	Pause
	GoOn
	Stop // end with what there is
	orders
)
