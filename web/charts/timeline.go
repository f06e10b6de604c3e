package charts

import (
	"html/template"
	"math"
	"slices"
	"time"
)

// Stop is a span in which nothing was meant to happen, shaded in the plot.
type Stop struct {
	From, To time.Time
	Label    string // why: "quality fell"
}

// Limit is a value not to be passed, drawn as a dashed line.
type Limit struct {
	Value float64
	Label string
}

// TimeLine is several series over time. Time runs left to right in both
// directions of reading. Some hundred times are enough for any width.
type TimeLine struct {
	Frame                       // Heads: the word for the time; the others are the series' labels
	Times           []time.Time // ascending
	Series          []Series    // values per time; NaN leaves a gap
	Stops           []Stop
	Limit           *Limit
	Fractions       bool                                         // values are not counts: the axis may have ticks between whole numbers
	Zone            *time.Location                               // ticks are round in it; UTC when nil
	FormatTick      func(t time.Time, step time.Duration) string // t is in Zone; step tells hours from days
	FormatTime      func(time.Time) string                       // in the table
	ValueAxis, Axis string
}

// HTML draws the lines, their legend and their table.
func (l TimeLine) HTML() template.HTML {
	if l.Zone == nil {
		l.Zone = time.UTC
	}
	d := drawing{kind: "timeline", empty: len(l.Times) == 0 || len(l.Series) == 0, height: l.height, paint: l.paint, narrow: true,
		table: table{heads: []string{l.head(0, "")}}}
	for _, s := range l.Series {
		d.legend = append(d.legend, key{label: s.Label, class: s.Class, line: true})
		d.table.heads = append(d.table.heads, s.Label)
	}
	for i, t := range l.Times {
		row := []string{l.time(t)}
		for _, s := range l.Series {
			row = append(row, l.value(at(s.Values, i)))
		}
		d.table.rows = append(d.table.rows, row)
	}
	for _, s := range l.Stops {
		d.table.notes = append(d.table.notes, l.time(s.From)+" – "+l.time(s.To)+": "+s.Label)
	}
	if l.Limit != nil {
		d.table.notes = append(d.table.notes, l.Limit.Label)
	}
	return l.html(d)
}

func (l TimeLine) height(w float64) float64 {
	return plotHeight(w) + 18*float64(b2i(len(l.Stops) > 0))
}

func (l TimeLine) time(t time.Time) string {
	if l.FormatTime == nil {
		return t.In(l.Zone).Format("2006-01-02 15:04")
	}
	return l.FormatTime(t.In(l.Zone))
}

func at(vs []float64, i int) float64 {
	if i < len(vs) {
		return vs[i]
	}
	return math.NaN()
}

// x places a time; those outside stay at the edge.
func (l TimeLine) x(p plot, t time.Time) float64 {
	first, last := l.Times[0], l.Times[len(l.Times)-1]
	if !last.After(first) {
		return (p.left + p.right) / 2
	}
	share := float64(t.Sub(first)) / float64(last.Sub(first))
	return p.left + max(0, min(1, share))*(p.right-p.left)
}

func (l TimeLine) paint(c *canvas) {
	most, side, direct := 0.0, 10.0, c.w >= float64(Large)
	for _, s := range l.Series {
		for _, v := range s.Values[:min(len(s.Values), len(l.Times))] {
			most = max(most, size(v))
		}
		if direct {
			side = max(side, min(textWidth(s.Label, normal), c.w/5)+30)
		}
	}
	if l.Limit != nil {
		most = max(most, size(l.Limit.Value))
	}
	p := l.newPlot(c, most, !l.Fractions, l.ValueAxis, 18*float64(b2i(len(l.Stops) > 0)), below(l.Axis), side)
	l.stops(p)
	ends := make([]point, len(l.Series))
	for i, s := range l.Series {
		ends[i] = l.series(p, s, i == 0)
	}
	for i, s := range l.Series {
		if finite(ends[i].x) {
			c.marker(s.Class, i, ends[i])
		}
	}
	if direct {
		l.names(p, ends, side-26)
	}
	l.limit(p)
	p.ticks(l.labels(p))
	p.caption(l.Axis)
}

// series draws one line, broken where a value is missing, and returns its end.
func (l TimeLine) series(p plot, s Series, filled bool) point {
	end := point{math.NaN(), math.NaN()}
	var run []point
	flush := func() {
		if len(run) == 1 {
			p.c.rect("mark "+token(s.Class), run[0].x-1.5, run[0].y-1.5, 3, 3, 1.5)
		}
		if len(run) > 1 && filled {
			area := append(slices.Clone(run), point{run[len(run)-1].x, p.bottom}, point{run[0].x, p.bottom})
			p.c.path("area "+token(s.Class), area, true)
		}
		if len(run) > 1 {
			p.c.path("series "+token(s.Class), run, false)
		}
		run = nil
	}
	for i, t := range l.Times {
		v := at(s.Values, i)
		if !finite(v) {
			flush()
			continue
		}
		end = point{l.x(p, t), p.y(v)}
		run = append(run, end)
	}
	flush()
	return end
}

// names writes each series at the end of its line, pushed apart where they meet.
func (l TimeLine) names(p plot, ends []point, room float64) {
	const apart = 18
	var order []int
	for i := range ends {
		if finite(ends[i].y) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return b2i(ends[a].y > ends[b].y) - b2i(ends[a].y < ends[b].y) })
	ys := make([]float64, len(order))
	for k, i := range order {
		ys[k] = ends[i].y + 4
		if k > 0 {
			ys[k] = max(ys[k], ys[k-1]+apart)
		}
	}
	low := p.bottom + 4
	for k := len(ys) - 1; k >= 0; k-- {
		ys[k] = min(ys[k], low)
		low = ys[k] - apart
	}
	for k, i := range order {
		p.c.marker(l.Series[i].Class, i, point{p.right + 16, ys[k] - 4})
		p.c.text("t-name", p.right+26, ys[k], begin, fit(l.Series[i].Label, normal, room))
	}
}

// stops shades the stops and names those whose labels fit above the plot.
func (l TimeLine) stops(p plot) {
	free := 0.0
	for _, s := range l.Stops {
		if s.To.Before(l.Times[0]) || s.From.After(l.Times[len(l.Times)-1]) {
			continue
		}
		from, to := l.x(p, s.From), l.x(p, s.To)
		to = min(max(to, from+2), p.c.w)
		p.c.rect("stop", from, p.top-4, to-from, p.bottom-p.top+4, 0)
		p.c.line("stop-edge", from, p.top-4, from, p.bottom)
		p.c.line("stop-edge", to, p.top-4, to, p.bottom)
		text := fit(s.Label, small, p.c.w/2)
		half := textWidth(text, small) / 2
		mid := max(half, min(p.c.w-half, (from+to)/2))
		if mid-half >= free {
			p.c.text("t-stop", mid, p.top-9, middle, text)
			free = mid + half + 10
		}
	}
}

func (l TimeLine) limit(p plot) {
	if l.Limit == nil || !finite(l.Limit.Value) {
		return
	}
	y := p.y(l.Limit.Value)
	p.c.line("limit", p.left, y, p.right, y)
	ty := y - 5
	if ty < p.top+4 {
		ty = y + 14
	}
	p.c.text("t-limit", p.left+6, ty, begin, fit(l.Limit.Label, small, p.right-p.left-6))
}

// labels takes the finest round times whose labels do not meet.
func (l TimeLine) labels(p plot) []label {
	first, last := l.Times[0], l.Times[len(l.Times)-1]
	for most := max(2, int((p.right-p.left)/60)); most > 0; most-- {
		ts, step := timeTicks(first, last, l.Zone, most)
		var ls []label
		for _, t := range ts {
			text := t.Format("15:04")
			if l.FormatTick != nil {
				text = l.FormatTick(t, step)
			} else if step >= day {
				text = t.Format(time.DateOnly)
			}
			ls = append(ls, label{l.x(p, t), text})
		}
		if ls, ok := settle(ls, small, 0, p.c.w, 14); ok && len(ls) > 0 {
			return ls
		}
	}
	return []label{{(p.left + p.right) / 2, l.time(first)}}
}
