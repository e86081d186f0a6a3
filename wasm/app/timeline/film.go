package timeline

import "math"

// Film is a strip of tiles under the timeline, one for each step, or for every
// few where there is no room. The plot of D shares its axis.
type Film struct {
	Tiles int     // how many tiles, 0 where there is no step
	Last  int     // the last step
	Width float64 // of the strip
}

const (
	// LeastTile is the least width of a tile of the film, in pixels of the page.
	LeastTile = 38
	// Gap is the space between the cells of the grid and of the film, in pixels of
	// the page.
	Gap = 3
	// Ahead is how strongly the tiles are drawn that the playhead has not come to.
	Ahead = 0.42
)

// Strip returns the edge of a tile on a film of height h, how far down the tiles begin, and
// the height of the bars below them. unit is how many pixels one of the page has.
func (f Film) Strip(h, unit float64) (side, y, bar float64) {
	bar = math.Round(3 * unit)
	side = math.Floor(min(f.Pitch()-Gap*unit, h-2*bar))
	return side, math.Round((h - 2*bar - side) / 2), bar
}

// NewFilm lays out the steps 0 … last over a width, in tiles no narrower than
// least.
func NewFilm(width float64, last int, least float64) Film {
	if !(width > 0) || last < 0 {
		return Film{Last: max(last, 0)}
	}
	tiles := min(last+1, max(int(width/least), 2))
	// Better some tiles fewer than steps of uneven length between them.
	for t := tiles; t > tiles/2 && t > 1; t-- {
		if last%(t-1) == 0 {
			tiles = t
			break
		}
	}
	return Film{Tiles: tiles, Last: last, Width: width}
}

// Pitch is the distance from tile to tile.
func (f Film) Pitch() float64 { return f.Width / float64(max(f.Tiles, 1)) }

// Step returns the step that a tile shows.
func (f Film) Step(tile int) int {
	if f.Tiles < 2 {
		return 0
	}
	return int(math.Round(float64(tile*f.Last) / float64(f.Tiles-1)))
}

// X returns where on the strip a place of the timeline lies.
func (f Film) X(pos float64) float64 {
	if f.Tiles < 2 {
		return f.Width / 2
	}
	return f.Pitch() * (0.5 + pos/float64(f.Last)*float64(f.Tiles-1))
}

// At returns the step nearest to a place on the strip.
func (f Film) At(x float64) int {
	if f.Tiles < 2 {
		return 0
	}
	pos := (x/f.Pitch() - 0.5) / float64(f.Tiles-1) * float64(f.Last)
	return min(max(int(math.Round(pos)), 0), f.Last)
}
