package charts

import (
	"html/template"
	"math"
)

// Bin is one class of a histogram: From <= x < To. To is +Inf in the last one
// when it is open.
type Bin struct {
	From, To float64
	Count    float64
	Label    string // in the table: "5 to 10 s"
}

// Mark is a value pointed out on a histogram, e.g. the median.
type Mark struct {
	At    float64 // in the unit of the bins
	Label string  // "median 8 s"
}

// Histogram is counts by class, e.g. seconds to delivery. Classes are equally
// wide whatever they span, and the axis says where each begins. It runs from
// left to right in both directions of reading.
type Histogram struct {
	Frame           // Heads: class, count
	Bins            []Bin
	Marks           []Mark
	Class           string               // c-delivered when empty
	FormatEdge      func(float64) string // a bin's From, short: "5 s"
	ValueAxis, Axis string
}

// HTML draws the histogram and its table.
func (h Histogram) HTML() template.HTML {
	if h.Class == "" {
		h.Class = "c-delivered"
	}
	d := drawing{kind: "histogram", empty: true, height: plotHeight, paint: h.paint,
		table: table{heads: []string{h.head(0, ""), h.head(1, "")}}}
	for _, b := range h.Bins {
		d.empty = d.empty && size(b.Count) == 0
		d.table.rows = append(d.table.rows, []string{b.Label, h.value(b.Count)})
	}
	for _, m := range h.Marks {
		d.table.notes = append(d.table.notes, m.Label)
	}
	return h.html(d)
}

func (h Histogram) edge(v float64) string {
	if h.FormatEdge == nil {
		return h.value(v)
	}
	return h.FormatEdge(v)
}

func (h Histogram) paint(c *canvas) {
	most := 0.0
	for _, b := range h.Bins {
		most = max(most, size(b.Count))
	}
	above := 16 * float64(len(h.Marks))
	p := h.newPlot(c, most, true, h.ValueAxis, above, below(h.Axis), 0)
	pitch := (p.right - p.left) / float64(len(h.Bins))
	for i, b := range h.Bins {
		tall := length(b.Count, p.most, p.bottom-p.top)
		c.column(h.Class, p.left+pitch*float64(i)+1, p.bottom-tall, pitch-2, tall)
	}
	for every := 1; ; every++ {
		var ls []label
		for i := 0; i < len(h.Bins); i += every {
			ls = append(ls, label{p.left + pitch*float64(i), h.edge(h.Bins[i].From)})
		}
		if last := h.Bins[len(h.Bins)-1]; every == 1 && finite(last.To) {
			ls = append(ls, label{p.right, h.edge(last.To)})
		}
		if ls, ok := settle(ls, small, 0, c.w, 8); ok || every >= len(h.Bins) {
			p.ticks(ls)
			break
		}
	}
	h.marks(p, pitch)
	p.caption(h.Axis)
}

// marks draws a line per mark with its label in a row of its own.
func (h Histogram) marks(p plot, pitch float64) {
	for i, m := range h.Marks {
		at, ok := h.place(m.At)
		if !ok {
			continue
		}
		x, y := p.left+pitch*at, p.top-float64(len(h.Marks)-i)*16+4
		p.c.line("mark-line", x, y-8, x, p.bottom)
		text := fit(m.Label, small, p.c.w/2)
		if x+6+textWidth(text, small) > p.c.w {
			p.c.text("t-mark", x-6, y, finish, text)
		} else {
			p.c.text("t-mark", x+6, y, begin, text)
		}
	}
}

// place finds a value among the bins, in bins from the left.
func (h Histogram) place(v float64) (float64, bool) {
	for i, b := range h.Bins {
		if !(v >= b.From && v <= b.To) || !finite(v) {
			continue
		}
		if span := b.To - b.From; span > 0 && !math.IsInf(span, 0) {
			return float64(i) + (v-b.From)/span, true
		}
		return float64(i) + .5, true
	}
	return 0, false
}
