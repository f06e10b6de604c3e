package charts

// plot is the inside of a chart with axes: values upwards, time or classes
// from left to right.
type plot struct {
	c                        *canvas
	left, right, top, bottom float64
	most                     float64 // the value at the top
}

// plotHeight grows with the width, slower.
func plotHeight(w float64) float64 { return 200 + w/10 }

// newPlot draws grid and value axis; the gutter is as wide as its labels need.
// above is the room kept over the plot, below the room under it.
func (f Frame) newPlot(c *canvas, top float64, whole bool, unit string, above, below, side float64) plot {
	p := plot{c: c, right: c.w - side, top: above + 8, bottom: c.h - below}
	if unit != "" {
		c.text("t-note", 0, 12, begin, fit(unit, small, c.w))
		p.top += 20
	}
	ts := ticks(top, int(max(2, (p.bottom-p.top)/42)), whole)
	p.most = ts[len(ts)-1]
	texts := make([]string, len(ts))
	for i, t := range ts {
		texts[i] = f.axis(t)
	}
	p.left = min(widest(small, texts...), c.w/3) + 8
	for i, t := range ts {
		y := p.y(t)
		class := "grid"
		if i == 0 {
			class = "axis"
		}
		c.line(class, p.left, y, p.right, y)
		c.text("t-tick", p.left-8, y+4, finish, fit(texts[i], small, p.left-7))
	}
	return p
}

// y places a value; those above the top or below zero stay at the edge.
func (p plot) y(v float64) float64 {
	return p.bottom - min(1, size(v)/p.most)*(p.bottom-p.top)
}

// ticks writes labels under the axis where they were settled.
func (p plot) ticks(ls []label) {
	for _, l := range ls {
		p.c.text("t-tick", l.at, p.bottom+17, middle, l.text)
	}
}

// caption names the horizontal axis, under its labels.
func (p plot) caption(s string) {
	if s != "" {
		p.c.text("t-note", (p.left+p.right)/2, p.bottom+36, middle, fit(s, small, p.c.w))
	}
}

// below is the room for tick labels and the axis's name.
func below(axis string) float64 {
	if axis == "" {
		return 24
	}
	return 44
}
