package app

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// linkFigure adds what was chosen in Manifold to a link.
func (a *App) linkFigure(add func(key, value string), number func(key string, v, first float64)) {
	f, first := &a.Figure, &a.first.Figure
	if f.Curve != first.Curve {
		add("curve", string(f.Curve))
	}
	if info, _ := FindCurve(f.Curve); f.At != info.first {
		var at []string
		for _, v := range f.At[:info.dim()] {
			at = append(at, strconv.FormatFloat(v, 'f', -1, 64))
		}
		add("at", strings.Join(at, "_"))
	}
	number("point-seed", float64(f.Seed), float64(first.Seed))
	number("azimuth", f.Camera.Azimuth, first.Camera.Azimuth)
	number("elevation", f.Camera.Elevation, first.Camera.Elevation)
	number("closeness", f.Camera.Zoom, first.Camera.Zoom)
	number("view-x", f.Camera.X, first.Camera.X)
	number("view-y", f.Camera.Y, first.Camera.Y)
	var without []string
	for _, m := range Methods() {
		if !f.Shows(m) {
			without = append(without, string(m))
		}
	}
	if without != nil {
		add("without", strings.Join(without, "_"))
	}
	if !f.Slice {
		add("slice", "off")
	}
	if f.Construction {
		add("construction", "on")
	}
	for _, d := range FigureDials() {
		number("manifold-"+string(d.Parameter), FigureValue(f.Flow, d.Parameter), FigureValue(first.Flow, d.Parameter))
	}
}

// open reads what linkFigure wrote.
func (f *Figure) open(
	take func(key string, set func(value string) error),
	number func(key string, lo, hi float64, set func(float64)),
	whole func(key string, lo, hi float64, set func(int)),
	fail func(error),
) {
	take("curve", func(value string) error {
		if f.Curve = Curve(value); !slices.ContainsFunc(Curves(), func(i CurveInfo) bool { return i.Curve == f.Curve }) {
			return errors.New("there is no such curve")
		}
		return nil
	})
	info, _ := FindCurve(f.Curve)
	f.At = info.first
	take("at", func(value string) error {
		at := strings.Split(value, "_")
		if len(at) != info.dim() {
			return fmt.Errorf("a point of this curve has %d coordinates", info.dim())
		}
		for k, text := range at {
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return errors.New("these are not numbers")
			}
			if !(v >= -farthest && v <= farthest) {
				return fmt.Errorf("out of range: %v to %v", -farthest, farthest)
			}
			f.At[k] = onGrain(v, pointGrain)
		}
		return nil
	})
	whole("point-seed", 0, maxSeed, func(v int) { f.Seed = uint64(v) })
	number("azimuth", -180, 180, func(v float64) { f.Camera.Azimuth = v })
	number("elevation", -90, 90, func(v float64) { f.Camera.Elevation = v })
	number("closeness", MinCloseness, MaxCloseness, func(v float64) { f.Camera.Zoom = v })
	number("view-x", -farthestView, farthestView, func(v float64) { f.Camera.X = v })
	number("view-y", -farthestView, farthestView, func(v float64) { f.Camera.Y = v })
	f.Camera = f.Camera.onGrain()
	take("without", func(value string) error {
		for m := range strings.SplitSeq(value, "_") {
			if !slices.Contains(Methods(), Method(m)) {
				return errors.New("there is no such method")
			}
			*f.shown(Method(m)) = false
		}
		return nil
	})
	take("slice", func(value string) error {
		if f.Slice = value != "off"; f.Slice {
			return errors.New("give off, or leave it out")
		}
		return nil
	})
	take("construction", func(value string) error {
		if f.Construction = value == "on"; !f.Construction {
			return errors.New("give on, or leave it out")
		}
		return nil
	})
	for _, d := range FigureDials() {
		number("manifold-"+string(d.Parameter), d.Min, d.Max, func(v float64) { f.Flow = putFigure(f.Flow, d, v) })
	}
	if sum := FigureValue(f.Flow, Alpha) + FigureValue(f.Flow, Beta); sum > highestSum+1e-6 {
		fail(fmt.Errorf("α + β is %.2f; it must stay below 1", sum))
	}
}
