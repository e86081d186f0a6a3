package cli

import (
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// asRefiner makes the test binary a second stage, as docs/faces.md puts DiffBIR after
// this program.
const asRefiner = "MPPM_TEST_REFINER"

// refine stands in for the programs of DiffBIR. Like them it reads a folder of PNGs in
// color, and writes one of each name; unlike them it is strict about what it reads, and
// darkens pictures in place of refining them. It returns the exit code.
func refine(args []string) int {
	program, args := args[0], args[1:]
	f := flag.NewFlagSet(program, flag.ContinueOnError)
	in, out := f.String("input", "", ""), f.String("output", "", "")
	size := f.Int("image_size", 0, "")
	second := f.Bool("disable_preprocess_model", false, "")
	for _, name := range []string{"config", "ckpt", "color_fix_type", "steps", "sr_scale", "device"} {
		f.String(name, "", "")
	}
	f.Bool("has_aligned", false, "")
	if err := f.Parse(args); err != nil || f.NArg() > 0 {
		fmt.Fprintln(os.Stderr, err, f.Args())
		return 2
	}
	to := *out
	if program == "inference_face.py" {
		to = filepath.Join(to, "restored_faces")
	}
	err := func() error {
		if err := os.MkdirAll(to, 0o777); err != nil {
			return err
		}
		entries, err := os.ReadDir(*in)
		if err != nil {
			return err
		}
		for _, e := range entries {
			file, err := os.Open(filepath.Join(*in, e.Name()))
			if err != nil {
				return err
			}
			img, err := png.Decode(file)
			file.Close()
			if err != nil {
				return fmt.Errorf("%s: %w", e.Name(), err)
			}
			rgba, ok := img.(*image.RGBA)
			if !ok || img.Bounds() != image.Rect(0, 0, *size, *size) {
				return fmt.Errorf("%s is %T of %v", e.Name(), img, img.Bounds())
			}
			for i, v := range rgba.Pix {
				if i%4 < 3 && *second {
					rgba.Pix[i] = v / 2
				}
			}
			file, err = os.Create(filepath.Join(to, e.Name()))
			if err != nil {
				return err
			}
			if err := png.Encode(file, rgba); err != nil {
				return err
			}
			if err := file.Close(); err != nil {
				return err
			}
		}
		return nil
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestSecondStage runs the commands of docs/faces.md, those of a second stage by a
// process that stands in for it.
func TestSecondStage(t *testing.T) {
	text, err := os.ReadFile("../../../docs/faces.md")
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	weights, photos := get(t, colorModel(t)), pictureFolder(t)
	t.Chdir(t.TempDir())
	if err := os.MkdirAll("runs/images", 0o777); err != nil {
		t.Fatal(err)
	}
	put(t, "runs/images/images.safetensors", weights)
	if err := os.CopyFS("photos", os.DirFS(photos)); err != nil {
		t.Fatal(err)
	}
	ran := map[string]int{}
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(text, -1) {
		for line := range strings.Lines(string(block[1])) {
			program, args := strings.Fields(line)[0], strings.Fields(line)[1:]
			if program == "bin/mppm" && args[0] == "train" {
				continue // TestExamples runs those, and here are the weights
			}
			switch ran[program]++; program {
			case "bin/mppm":
				must(t, args...)
			case "python":
				c := exec.Command(exe, append([]string{filepath.Base(args[0])}, args[1:]...)...)
				c.Env = append(os.Environ(), asRefiner+"=1")
				if out, err := c.CombinedOutput(); err != nil {
					t.Fatalf("%s: %v\n%s", line, err, out)
				}
			}
		}
	}
	if ran["bin/mppm"] < 4 || ran["python"] != 3 {
		t.Errorf("the commands of docs/faces.md that were run: %v", ran)
	}
	want := names(t, "healed")
	for _, dir := range []string{"scored", "lmppm", "damaged", "lmppm-stage2/restored_faces", "diffbir-stage1", "diffbir/restored_faces"} {
		if got := names(t, dir); !slices.Equal(got, want) {
			t.Errorf("%s holds %q, want %q", dir, got, want)
		}
	}
	// What the second stage got is what was restored; what the first got, what was damaged.
	at := func(dir string) color.RGBA {
		_, pixels := colors(t, filepath.Join(dir, "b 9.png"))
		i := 3 * (200*512 + 300)
		return color.RGBA{pixels[i], pixels[i+1], pixels[i+2], 255}
	}
	restored := at("lmppm")
	if got := at("lmppm-stage2/restored_faces"); got != (color.RGBA{restored.R / 2, restored.G / 2, restored.B / 2, 255}) {
		t.Errorf("the second stage makes %v of %v", got, restored)
	}
	if at("diffbir-stage1") != at("damaged") || at("diffbir/restored_faces") != at("damaged") {
		t.Error("DiffBIR alone does not get what was damaged")
	}
}
