package charts

import "html/template"

// Segment is one part of a whole.
type Segment struct {
	Label string
	Value float64 // a count; negative and missing ones draw nothing
	Class string  // c-delivered, c-read, c-failed, c-suppressed, c-waiting, c-accepted, c-1 to c-6
	Note  string  // optional, beside the value: "96.2% of accepted"
}

// Progress is one bar of segments, e.g. the messages of a campaign by outcome.
// What the segments leave of Total stays empty. Segments that add up to more
// than Total fill the bar, and a mark shows where Total lies.
type Progress struct {
	Frame    // Heads: label, value, and a third if segments have notes
	Segments []Segment
	Total    float64 // 0: the sum of the segments
	Rest     string  // the legend's word for the empty part; "" leaves it out
}

// HTML draws the bar, its legend and its table.
func (p Progress) HTML() template.HTML {
	values := make([]float64, 0, len(p.Segments)+1)
	for _, s := range p.Segments {
		values = append(values, s.Value)
	}
	_, sum := sizes(values)
	rest := max(0, size(p.Total)-sum)
	d := drawing{kind: "progress", mirror: true, empty: sum+rest == 0,
		height: func(float64) float64 { return 24 },
		table:  table{heads: []string{p.head(0, ""), p.head(1, "")}}}
	noted := len(p.Heads) > 2
	if noted {
		d.table.heads = append(d.table.heads, p.Heads[2])
	}
	add := func(s Segment) {
		d.legend = append(d.legend, key{label: s.Label, value: p.value(s.Value), note: s.Note, class: s.Class})
		row := []string{s.Label, p.value(s.Value), s.Note}
		d.table.rows = append(d.table.rows, row[:2+b2i(noted)])
	}
	for _, s := range p.Segments {
		add(s)
	}
	if p.Rest != "" && rest > 0 {
		add(Segment{Label: p.Rest, Value: rest, Class: "track"})
	}
	d.paint = func(c *canvas) { p.paint(c, append(values, rest), sum) }
	return p.html(d)
}

func (p Progress) paint(c *canvas, values []float64, sum float64) {
	const top, height, gap = 2, 20, 1.5
	c.rect("track", 0, top, c.w, height, 6)
	widths := lengths(values, c.w, 2+gap) // the gap is the segment's own
	x, last := 0.0, 0
	for i, w := range widths[:len(p.Segments)] {
		if w > 0 {
			last = i
		}
	}
	for i, s := range p.Segments {
		w := widths[i]
		trim := min(gap, w*.4)
		if i == last && widths[len(widths)-1] == 0 {
			trim = 0
		}
		if w > 0 {
			c.bar(s.Class, x, top, w-trim, height, 4)
		}
		x += w
	}
	if t := size(p.Total); t > 0 && sum > t {
		c.overrun(c.w*t/sum, 0, c.h)
	}
}
