package charts

import "html/template"

// Sparkline is the course of one number without axes, small enough for a table
// cell or a tile. Leave ShowTable empty where its numbers stand beside it.
type Sparkline struct {
	Frame  // Heads: label, value
	Values []float64
	Foot   float64  // the value at the bottom, 0 unless the course is far above it
	Labels []string // one per value, for the table
	Class  string   // c-1 when empty
}

// HTML draws the line from the first value to the last, Foot at the bottom.
func (s Sparkline) HTML() template.HTML {
	s.Size, s.Quiet = sparkWidth, true
	if s.Class == "" {
		s.Class = "c-1"
	}
	d := drawing{kind: "spark", empty: true, height: func(float64) float64 { return 32 }, paint: s.paint,
		table: table{heads: []string{s.head(0, ""), s.head(1, "")}}}
	for i, v := range s.Values {
		d.empty = d.empty && !finite(v)
		label := ""
		if i < len(s.Labels) {
			label = s.Labels[i]
		}
		d.table.rows = append(d.table.rows, []string{label, s.value(v)})
	}
	return s.html(d)
}

const sparkWidth = 120

func (s Sparkline) paint(c *canvas) {
	most := 0.0
	for _, v := range s.Values {
		most = max(most, size(v))
	}
	if most -= s.Foot; most <= 0 {
		most = 1
	}
	p := plot{c: c, left: 2, right: c.w - 6, top: 6, bottom: c.h - 4, most: most}
	c.line("axis", 0, c.h-2, c.w, c.h-2)
	var run []point
	var end *point
	flush := func() {
		if len(run) > 1 {
			area := append(append([]point{}, run...), point{run[len(run)-1].x, p.bottom}, point{run[0].x, p.bottom})
			c.path("area "+token(s.Class), area, true)
			c.path("series "+token(s.Class), run, false)
		}
		run = nil
	}
	for i, v := range s.Values {
		if !finite(v) {
			flush()
			continue
		}
		x := p.right
		if n := len(s.Values) - 1; n > 0 {
			x = p.left + (p.right-p.left)*float64(i)/float64(n)
		}
		end = &point{x, p.y(v - s.Foot)}
		run = append(run, *end)
	}
	flush()
	if end != nil {
		c.marker(s.Class, 0, *end)
	}
}
