package e2e

import (
	"math"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"

	"mppm/site/internal/host"
)

// eight returns places of a figure eight on an element, from its middle.
func eight(m box, n int) [][2]float64 {
	var list [][2]float64
	a := 0.36 * m.H
	for i := range n + 1 {
		t := 2*math.Pi*float64(i)/float64(n) + math.Pi/2
		d := 1 + math.Sin(t)*math.Sin(t)
		list = append(list, [2]float64{m.X + m.W/2 + 2*a*math.Cos(t)/d, m.Y + m.H/2 + 2.4*a*math.Sin(t)*math.Cos(t)/d})
	}
	return list
}

// stroke draws through places with the mouse.
func (p *tab) stroke(through [][2]float64) {
	p.t.Helper()
	p.mouse(input.DispatchMouseEventTypeMousePressed, through[0][0], through[0][1])
	for _, at := range through[1:] {
		p.mouse(input.DispatchMouseEventTypeMouseMoved, at[0], at[1])
	}
	last := through[len(through)-1]
	p.mouse(input.DispatchMouseEventTypeMouseReleased, last[0], last[1])
}

// TestDrawYourOwn draws a figure eight, has it learnt, and drops points.
func TestDrawYourOwn(t *testing.T) {
	p := open(t, server(t, "/", host.Handler(dist, host.Options{}))+"#mode=manifold")
	p.rest("the ways home", home)
	p.click("draw-own")
	p.wait("an empty sheet", func(s state) bool { return s.Figure.Curve == "own" && s.Descent.Own != nil })
	m := p.reveal("#manifold")
	p.stroke(eight(m, 48))
	p.wait("a stroke", func(s state) bool { return s.Descent.Own.Strokes == 1 && s.Descent.Own.Points == 400 })
	p.click("train")
	_ = time.Second
}
