package charts

import "html/template"

// Step is one stage of a funnel.
type Step struct {
	Label string
	Value float64 // a count
	Class string
}

// Funnel is bars from the widest step to the last, each with its share of the
// step before. A step larger than the one before is drawn so.
type Funnel struct {
	Frame       // Heads: step, value, share
	Steps       []Step
	FormatShare func(ratio float64) string // ratio 1 is everything; may exceed it
	ShareNote   string                     // over the shares: "of the step before"
}

// HTML draws the funnel and its table.
func (f Funnel) HTML() template.HTML {
	rows := make([]barRow, len(f.Steps))
	d := drawing{kind: "funnel", table: table{heads: []string{f.head(0, ""), f.head(1, ""), f.head(2, f.ShareNote)}}}
	for i, s := range f.Steps {
		rows[i] = barRow{label: s.Label, v: s.Value, value: f.value(s.Value), class: s.Class}
		share := ""
		if i > 0 {
			share = "–"
			if before := size(f.Steps[i-1].Value); before > 0 && finite(s.Value) && f.FormatShare != nil {
				share = f.FormatShare(size(s.Value) / before)
			}
		}
		rows[i].side = share
		d.table.rows = append(d.table.rows, []string{s.Label, rows[i].value, share})
	}
	return f.bars(d, barRows{rows: rows, flow: true, note: f.ShareNote})
}

// Item is one reason with its number.
type Item struct {
	Label string
	Value float64
	Class string // one class for all is usual: c-suppressed, c-failed
	Note  string // optional, beside the value: its share, or Meta's code
}

// Reasons is horizontal bars with their values, in the caller's order.
type Reasons struct {
	Frame // Heads: reason, value, and a third if items have notes
	Items []Item
}

// HTML draws the bars and their table.
func (r Reasons) HTML() template.HTML {
	rows := make([]barRow, len(r.Items))
	d := drawing{kind: "reasons", table: table{heads: []string{r.head(0, ""), r.head(1, "")}}}
	noted := len(r.Heads) > 2
	if noted {
		d.table.heads = append(d.table.heads, r.Heads[2])
	}
	for i, it := range r.Items {
		rows[i] = barRow{label: it.Label, v: it.Value, value: r.value(it.Value), side: it.Note, class: it.Class}
		d.table.rows = append(d.table.rows, []string{it.Label, rows[i].value, it.Note}[:2+b2i(noted)])
	}
	return r.bars(d, barRows{rows: rows})
}

type barRow struct {
	label, value, side, class string
	v                         float64
}

// barRows is what funnel and reasons share: label, bar, value, side note.
type barRows struct {
	rows []barRow
	flow bool // join each bar's end to the next one's
	note string
	most float64
}

// Heights of a row: in one line with its bar, or with the bar below the words.
const (
	wideRow   = 36.0
	narrowRow = 50.0
	noteRow   = 22.0
)

func (f Frame) bars(d drawing, b barRows) template.HTML {
	for _, r := range b.rows {
		b.most = max(b.most, size(r.v))
	}
	d.mirror, d.empty = true, b.most == 0
	d.height = func(w float64) float64 {
		h := noteRow * float64(b2i(b.note != ""))
		if b.stacked(w) {
			return h + narrowRow*float64(len(b.rows)) - 8
		}
		return h + wideRow*float64(len(b.rows))
	}
	d.paint = b.paint
	return f.html(d)
}

func (b barRows) paint(c *canvas) {
	top := 0.0
	if b.note != "" {
		c.text("t-note", c.w, 13, finish, fit(b.note, small, c.w))
		top = noteRow
	}
	if b.stacked(c.w) {
		b.narrow(c, top)
		return
	}
	label, value, side := b.columns()
	left := label + 14
	value, side = min(value, c.w*.25), min(side, c.w*.2)
	end := c.w - side - 14*float64(b2i(side > 0))
	b.bars(c, left, top+6, end-value-12-left, 24, wideRow)
	for i, r := range b.rows {
		y := top + wideRow*float64(i) + 23
		c.text("t-label", 0, y, begin, fit(r.label, normal, left-10))
		c.number("t-value", end, value, y, fit(r.value, normal*1.08, value+1))
		c.number("t-note", c.w, side, y, fit(r.side, small, side+1))
	}
}

// stacked says whether the words stand over the bars: on small drawings, and
// where a label would take too much of the line.
func (b barRows) stacked(w float64) bool {
	label, _, _ := b.columns()
	return w < float64(Medium) || label+14 > w*.42
}

// narrow puts the words of each row over its bar.
func (b barRows) narrow(c *canvas, top float64) {
	b.bars(c, 0, top+22, c.w, 16, narrowRow)
	_, value, side := b.columns()
	value, side = min(value, c.w*.3), min(side, c.w*.3)
	end := c.w - side - 10*float64(b2i(side > 0))
	for i, r := range b.rows {
		y := top + narrowRow*float64(i) + 15
		c.text("t-label", 0, y, begin, fit(r.label, normal, end-value-10))
		c.number("t-value", end, value, y, fit(r.value, normal*1.08, value+1))
		c.number("t-note", c.w, side, y, fit(r.side, small, side+1))
	}
}

// columns are the widths the longest texts need.
func (b barRows) columns() (label, value, side float64) {
	for _, r := range b.rows {
		label = max(label, textWidth(r.label, normal))
		value = max(value, textWidth(r.value, normal*1.08)) // bold
		side = max(side, textWidth(r.side, small))
	}
	return label, value, side
}

// bars draws the tracks, the flow between bars, then the bars.
func (b barRows) bars(c *canvas, x, y, width, height, pitch float64) {
	for i, r := range b.rows {
		top, w := y+pitch*float64(i), length(r.v, b.most, width)
		c.rect("track", x, top, width, height, 4)
		if b.flow && i+1 < len(b.rows) && pitch == wideRow {
			next := length(b.rows[i+1].v, b.most, width)
			if w > 0 && next > 0 {
				c.path("flow "+token(r.class), []point{{x, top + height}, {x + w - 2, top + height}, {x + next - 2, top + pitch}, {x, top + pitch}}, true)
			}
		}
		c.bar(r.class, x, top, w, height, 4)
	}
}
