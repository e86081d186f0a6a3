package embedding

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os/exec"
	"strings"

	"mppm/shared/nn"
)

// Process is an embedding by another program, which is started once and asked as often as
// there are images. A question is a line of JSON and the images behind it, row by row, the
// channels of a pixel side by side, a byte each:
//
//	{"images":200,"height":96,"width":96,"channels":3}
//
// and the answer a line of JSON and the numbers behind it, image by image, as 32-bit
// floats, the least byte first:
//
//	{"numbers":128}
//
// What the program writes to its standard error is its own affair. At the end of its
// standard input it should end.
type Process struct {
	name  string
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
	width int // of the first answer

	killed bool
}

// question and answer are the lines of JSON.
type question struct {
	Images   int `json:"images"`
	Height   int `json:"height"`
	Width    int `json:"width"`
	Channels int `json:"channels"`
}

type answer struct {
	Numbers int `json:"numbers"`
}

// maxLine bounds the line of an answer.
const maxLine = 1 << 16

// Start starts a program by its command line, words with spaces between. Its standard
// error goes to w. The program is killed when ctx ends.
func Start(ctx context.Context, command string, w io.Writer) (*Process, error) {
	words := strings.Fields(command)
	if len(words) == 0 {
		return nil, errors.New("embedding: the command of the program is empty")
	}
	p := &Process{name: command, cmd: exec.CommandContext(ctx, words[0], words[1:]...)}
	p.cmd.Stderr = w
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("embedding: %w", err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("embedding: %w", err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("embedding: cannot start %q: %w", command, err)
	}
	p.in, p.out = in, bufio.NewReaderSize(out, maxLine)
	return p, nil
}

// Name returns the command.
func (p *Process) Name() string { return p.name }

// Embed is of Embedding.
func (p *Process) Embed(ctx context.Context, image nn.Shape, images []byte) ([]float32, error) {
	if err := drawable(image, len(images)); err != nil {
		return nil, err
	}
	e, err := p.ask(image, images)
	if err != nil {
		_ = p.cmd.Process.Kill() // it may wait for somebody to read what it writes
		p.killed = true
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("embedding: the program %q: %w", p.name, err)
	}
	return e, finite(e, p.width)
}

func (p *Process) ask(image nn.Shape, images []byte) ([]float32, error) {
	n := len(images) / image.Size()
	head, err := json.Marshal(question{n, image.H, image.W, image.C})
	if err != nil {
		return nil, err
	}
	wrote := make(chan error, 1)
	go func() { // a program may answer while it reads
		_, err := p.in.Write(append(head, '\n'))
		if err == nil {
			_, err = p.in.Write(images)
		}
		wrote <- err
	}()
	line, err := p.out.ReadSlice('\n')
	if err != nil {
		return nil, fmt.Errorf("it gave no answer (%w): what it says of that stands above", err)
	}
	var a answer
	if err := json.Unmarshal(line, &a); err != nil {
		return nil, fmt.Errorf("its answer begins with %.60q, and not with a line such as {\"numbers\":128}", line)
	}
	switch {
	case a.Numbers < 2 || a.Numbers > maxWidth:
		return nil, fmt.Errorf("it makes %d numbers of an image; want 2 to %d", a.Numbers, maxWidth)
	case p.width != 0 && p.width != a.Numbers:
		return nil, fmt.Errorf("it makes %d numbers of an image, and made %d before", a.Numbers, p.width)
	}
	p.width = a.Numbers
	b := make([]byte, 4*n*a.Numbers)
	if _, err := io.ReadFull(p.out, b); err != nil {
		return nil, fmt.Errorf("its answer ends before %d numbers for each of %d images: %w", a.Numbers, n, err)
	}
	e := make([]float32, n*a.Numbers)
	for i := range e {
		e[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return e, <-wrote
}

// Close ends the program, and returns an error if it does not end well: after an error of
// Embed, which has killed it, none.
func (p *Process) Close() error {
	p.in.Close()
	if err := p.cmd.Wait(); err != nil && !p.killed {
		return fmt.Errorf("embedding: the program %q: %w", p.name, err)
	}
	return nil
}
