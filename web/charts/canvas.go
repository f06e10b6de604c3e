package charts

import (
	"math"
	"strconv"
	"strings"
)

// canvas collects the shapes of one SVG. Callers draw as if reading left to
// right; a mirrored canvas flips every x, and text anchors stay logical.
type canvas struct {
	b      strings.Builder
	id     string
	w, h   float64
	rtl    bool // texts are right to left
	mirror bool // x runs from the right
	hatch  map[string]bool
}

type point struct{ x, y float64 }

// anchor says which side of a text sits at x, in drawing order.
type anchor int

const (
	begin anchor = iota
	middle
	finish
)

// hatched are the classes that carry a pattern besides their colour.
var hatched = map[string]string{"c-failed": "stripe", "c-suppressed": "dots"}

// num writes a coordinate with at most two decimals.
func num(v float64) string { return strconv.FormatFloat(round2(v), 'f', -1, 64) }

func round2(v float64) float64 {
	r := math.Round(v*100) / 100
	if r == 0 { // no "-0"
		return 0
	}
	return r
}

// flip mirrors the span that begins at x and is w wide inside a width of total;
// twice is the identity.
func flip(x, w, total float64) float64 { return total - x - w }

func (c *canvas) attrs(pairs ...any) {
	for i := 0; i+1 < len(pairs); i += 2 {
		v := ""
		switch t := pairs[i+1].(type) {
		case float64:
			v = num(t)
		case string:
			v = escape(t)
		}
		c.b.WriteString(" " + pairs[i].(string) + `="` + v + `"`)
	}
}

func (c *canvas) rect(class string, x, y, w, h, r float64, more ...any) {
	x, y, w, h = round2(x), round2(y), round2(w), round2(h)
	if c.mirror {
		x = flip(x, w, c.w)
	}
	c.b.WriteString("<rect")
	c.attrs("class", class, "x", x, "y", y, "width", w, "height", h)
	if r = min(r, w/2, h/2); r > 0 {
		c.attrs("rx", r)
	}
	c.attrs(more...)
	c.b.WriteString("/>")
}

// bar is a filled rectangle of a colour class, with that class's pattern.
func (c *canvas) bar(class string, x, y, w, h, r float64, more ...any) {
	if w <= 0 || h <= 0 {
		return
	}
	class = token(class)
	c.rect("mark "+class, x, y, w, h, r, more...)
	if p := hatched[class]; p != "" {
		c.rect("hatch", x, y, w, h, r, append(more, "fill", c.pattern(p))...)
	}
}

// column is a bar that stands on the axis: its top corners are round.
func (c *canvas) column(class string, x, y, w, h float64) {
	if w <= 0 || h <= 0 {
		return
	}
	r := min(3, w/3, h)
	d := "M" + num(x) + " " + num(y+h) + "V" + num(y+r) + "Q" + num(x) + " " + num(y) + " " + num(x+r) + " " + num(y) +
		"H" + num(x+w-r) + "Q" + num(x+w) + " " + num(y) + " " + num(x+w) + " " + num(y+r) + "V" + num(y+h) + "Z"
	c.b.WriteString("<path")
	c.attrs("class", "mark "+token(class), "d", d)
	c.b.WriteString("/>")
	if p := hatched[token(class)]; p != "" {
		c.b.WriteString("<path")
		c.attrs("class", "hatch", "d", d, "fill", c.pattern(p))
		c.b.WriteString("/>")
	}
}

func (c *canvas) pattern(name string) string {
	if c.hatch == nil {
		c.hatch = map[string]bool{}
	}
	c.hatch[name] = true
	return "url(#" + c.id + "-" + name + ")"
}

func (c *canvas) line(class string, x1, y1, x2, y2 float64) {
	if c.mirror {
		x1, x2 = flip(x1, 0, c.w), flip(x2, 0, c.w)
	}
	c.b.WriteString("<line")
	c.attrs("class", class, "x1", x1, "y1", y1, "x2", x2, "y2", y2)
	c.b.WriteString("/>")
}

// overrun marks where a whole ends inside the bar that is longer than it.
func (c *canvas) overrun(x, top, bottom float64) {
	c.line("overrun-halo", x, top, x, bottom)
	c.line("overrun", x, top, x, bottom)
}

// path joins points by straight lines.
func (c *canvas) path(class string, ps []point, closed bool) {
	var d strings.Builder
	for i, p := range ps {
		if c.mirror {
			p.x = flip(p.x, 0, c.w)
		}
		d.WriteString([]string{"L", "M"}[b2i(i == 0)] + num(p.x) + " " + num(p.y))
	}
	if closed {
		d.WriteString("Z")
	}
	c.b.WriteString("<path")
	c.attrs("class", class, "d", d.String())
	c.b.WriteString("/>")
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// text writes s at x. In a right-to-left text SVG's "start" is the right side,
// so a mirrored canvas keeps the anchor and an unmirrored one swaps it.
func (c *canvas) text(class string, x, y float64, a anchor, s string) {
	if s == "" {
		return
	}
	x = round2(x)
	if c.mirror {
		x = flip(x, 0, c.w)
	} else if c.rtl {
		a = finish - a
	}
	c.b.WriteString("<text")
	c.attrs("class", class, "x", x, "y", y)
	if a != begin {
		c.attrs("text-anchor", []string{"start", "middle", "end"}[a])
	}
	c.b.WriteString(">" + escape(s) + "</text>")
}

// number writes s into a column that ends at x. Digits run left to right in both
// directions, so the units stand below each other on the column's right side,
// which on a mirrored canvas is its beginning.
func (c *canvas) number(class string, x, column, y float64, s string) {
	if c.mirror {
		c.text(class, x-column, y, begin, s)
		return
	}
	c.text(class, x, y, finish, s)
}

// marker draws the i-th shape: lines are told apart by it besides colour.
func (c *canvas) marker(class string, i int, p point) {
	const r = 4
	class = "marker " + token(class)
	switch i % 4 {
	case 0:
		c.rect(class, p.x-r, p.y-r, 2*r, 2*r, r)
	case 1:
		c.rect(class, p.x-r+.5, p.y-r+.5, 2*r-1, 2*r-1, 0)
	case 2:
		c.path(class, []point{{p.x, p.y - r - .5}, {p.x + r + .5, p.y + r - .5}, {p.x - r - .5, p.y + r - .5}}, true)
	default:
		c.path(class, []point{{p.x, p.y - r - 1}, {p.x + r + 1, p.y}, {p.x, p.y + r + 1}, {p.x - r - 1, p.y}}, true)
	}
}

// svg closes the drawing. labels are the ids of title and summary.
func (c *canvas) svg(class, labels string) string {
	dir := "ltr"
	if c.rtl {
		dir = "rtl"
	}
	var b strings.Builder
	b.WriteString(`<svg class="chart-svg ` + class + `" viewBox="0 0 ` + num(c.w) + " " + num(c.h) + `" width="` + num(c.w) + `" height="` + num(c.h) + `" direction="` + dir + `" role="img"`)
	if labels != "" {
		b.WriteString(` aria-labelledby="` + labels + `"`)
	}
	b.WriteString(">")
	c.writeDefs(&b)
	b.WriteString(c.b.String() + "</svg>")
	return b.String()
}

func (c *canvas) writeDefs(b *strings.Builder) {
	if len(c.hatch) == 0 {
		return
	}
	b.WriteString("<defs>")
	if c.hatch["stripe"] {
		b.WriteString(`<pattern id="` + c.id + `-stripe" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-ink" width="2" height="6"/></pattern>`)
	}
	if c.hatch["dots"] {
		b.WriteString(`<pattern id="` + c.id + `-dots" width="5" height="5" patternUnits="userSpaceOnUse"><rect class="hatch-ink" x="1" y="1" width="2" height="2" rx="1"/></pattern>`)
	}
	if c.hatch["rise"] {
		b.WriteString(`<pattern id="` + c.id + `-rise" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)"><rect class="reserve-ink" width="2" height="6"/></pattern>`)
	}
	b.WriteString("</defs>")
}
