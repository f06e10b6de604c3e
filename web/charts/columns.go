package charts

import (
	"html/template"
	"time"
)

// Series is one kind of number over days or times.
type Series struct {
	Label  string
	Class  string
	Values []float64 // one per day or time; a missing measurement is NaN
}

// Columns is stacked columns, one per day; the first series stands on the axis.
// Days run left to right in both directions of reading.
type Columns struct {
	Frame           // Heads: the word for the day; the others are the series' labels
	Days            []time.Time
	Series          []Series
	FormatDay       func(time.Time) string // on the axis and in the table
	ValueAxis, Axis string                 // what the values are; what the days are, with the zone
	OldestFirst     bool                   // the table begins with the first day; else with the last
}

// HTML draws the columns, their legend and their table.
func (k Columns) HTML() template.HTML {
	d := drawing{kind: "columns", empty: true, height: plotHeight, paint: k.paint, table: table{heads: []string{k.head(0, "")}}}
	for _, s := range k.Series {
		d.legend = append(d.legend, key{label: s.Label, class: s.Class})
		d.table.heads = append(d.table.heads, s.Label)
	}
	for i := range k.Days {
		at := len(k.Days) - 1 - i
		if k.OldestFirst {
			at = i
		}
		row := []string{k.day(at)}
		for _, v := range k.stack(at) {
			row = append(row, k.value(v))
			d.empty = d.empty && size(v) == 0
		}
		d.table.rows = append(d.table.rows, row)
	}
	return k.html(d)
}

func (k Columns) day(i int) string {
	if k.FormatDay == nil {
		return k.Days[i].Format(time.DateOnly)
	}
	return k.FormatDay(k.Days[i])
}

func (k Columns) stack(day int) []float64 {
	vs := make([]float64, len(k.Series))
	for i, s := range k.Series {
		vs[i] = at(s.Values, day)
	}
	return vs
}

func (k Columns) paint(c *canvas) {
	most := 0.0
	for i := range k.Days {
		_, sum := sizes(k.stack(i))
		most = max(most, sum)
	}
	p := k.newPlot(c, most, true, k.ValueAxis, 0, below(k.Axis), 0)
	pitch := (p.right - p.left) / float64(len(k.Days))
	width := min(pitch*.76, 48)
	for i := range k.Days {
		k.column(p, p.left+pitch*(float64(i)+.5)-width/2, width, k.stack(i))
	}
	p.ticks(k.labels(p, pitch))
	p.caption(k.Axis)
}

// column stacks one day; each part that is not zero is at least 2 high.
func (k Columns) column(p plot, x, width float64, vs []float64) {
	_, sum := sizes(vs)
	some, top := 0, -1
	for i, v := range vs {
		if size(v) > 0 {
			some++
			top = i
		}
	}
	total := max(p.bottom-p.y(sum), 2*float64(some))
	y := p.bottom
	for i, h := range lengths(vs, total, 2) {
		if h == 0 {
			continue
		}
		y -= h
		if i == top {
			p.c.column(k.Series[i].Class, x, y, width, h)
			continue
		}
		gap := min(1, h/3)
		p.c.bar(k.Series[i].Class, x, y+gap, width, h-gap, 0)
	}
}

// labels takes every n-th day, the last one always, with the smallest n at
// which they fit.
func (k Columns) labels(p plot, pitch float64) []label {
	n := len(k.Days)
	for _, every := range []int{1, 2, 5, 7, 10, 15, 30, 90, n} {
		var ls []label
		for i := (n - 1) % every; i < n; i += every {
			ls = append(ls, label{p.left + pitch*(float64(i)+.5), k.day(i)})
		}
		if ls, ok := settle(ls, small, 0, p.c.w, 12); ok || every >= n {
			return ls
		}
	}
	return nil
}
