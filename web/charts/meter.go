package charts

import (
	"html/template"
	"math"
)

// Meter is how much of a limit is used, e.g. people reached in 24 hours.
// More used than the limit allows is drawn past a mark at the limit.
type Meter struct {
	Frame // Heads: label, value

	Used, Limit float64 // in the same unit; a limit of 0 is an empty state
	Reserve     float64 // the end of the limit kept free, 0 for none

	UsedLabel, LimitLabel, ReserveLabel string // the words before the numbers

	Class string // of the used part; c-1 when empty
}

// HTML draws the meter and its table.
func (m Meter) HTML() template.HTML {
	d := drawing{kind: "meter", mirror: true, empty: size(m.Limit) == 0, paint: m.paint,
		height: func(float64) float64 { return 46 + 22*float64(b2i(size(m.Reserve) > 0)) },
		table: table{heads: []string{m.head(0, ""), m.head(1, "")},
			rows: [][]string{{m.UsedLabel, m.value(m.Used)}, {m.LimitLabel, m.value(m.Limit)}}}}
	if size(m.Reserve) > 0 {
		d.table.rows = append(d.table.rows, []string{m.ReserveLabel, m.value(m.Reserve)})
	}
	if m.Class == "" {
		m.Class = "c-1"
		d.paint = m.paint
	}
	return m.html(d)
}

func (m Meter) paint(c *canvas) {
	const top, height = 24, 18
	used, limit := size(m.Used), size(m.Limit)
	most := math.Max(used, limit)
	end := limit / most * c.w
	value, bound := m.UsedLabel+" "+m.value(m.Used), m.LimitLabel+" "+m.value(m.Limit)
	c.text("t-value", 0, 15, begin, fit(value, normal*1.08, c.w*.6))
	// The limit's name ends at the limit, unless the used value's is there.
	if w := textWidth(value, normal*1.08) + textWidth(bound, small) + 12; w <= c.w {
		c.text("t-note", max(end, w), 15, finish, bound)
	}
	c.rect("track", 0, top, c.w, height, 5)
	reserve := min(size(m.Reserve), limit)
	from := end - reserve/most*c.w
	if reserve > 0 {
		c.rect("reserve", from, top, end-from, height, 3, "fill", c.pattern("rise"))
	}
	if used > 0 {
		c.bar(m.Class, 0, top, length(used, most, c.w), height, 5)
	}
	if reserve > 0 {
		c.line("reserve-mark", from, top-3, from, top+height+6)
		text := fit(m.ReserveLabel+" "+m.value(m.Reserve), small, c.w)
		half := textWidth(text, small) / 2
		c.text("t-note", max(half, min(c.w-half, (from+end)/2)), top+height+20, middle, text)
	}
	if used > limit {
		c.overrun(end, top-4, top+height+4)
	}
}
