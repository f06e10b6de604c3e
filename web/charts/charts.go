// Package charts draws the product's charts as inline SVG on the server, each
// with its caption, its legend and the same numbers as a table.
//
// It owns geometry, ticks, labels and charts.css; the pages of package web call
// it. It must not know what a campaign is, which language is spoken or where
// numbers come from: every word and every formatted number is the caller's.
//
// Pages run under a policy without inline style and script: presentation comes
// from classes in charts.css, geometry from SVG attributes. A chart is drawn
// for up to four widths and the stylesheet shows the one that suits its box, so
// that text stays readable from 320 px up.
package charts

import (
	_ "embed"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// Stylesheet is charts.css: the tokens (light and dark), the classes of every
// chart, legend and table. Serve it once as a file of its own.
//
//go:embed charts.css
var Stylesheet []byte

// Dir is the reading direction of the page. RTL mirrors bars, funnels, segments
// and meters, which then begin at the right; axes of time and duration run left
// to right in both.
type Dir string

const (
	LTR Dir = "ltr" // LTR is the zero value's meaning too.
	RTL Dir = "rtl" // RTL is for Arabic.
)

// Size is one drawing width in SVG units, which are CSS pixels at scale 1.
type Size int

const (
	Fluid  Size = 0    // Fluid draws all four and lets the stylesheet choose.
	Small  Size = 280  // Small suits boxes below 360 px.
	Medium Size = 420  // Medium suits 360 to 540 px.
	Large  Size = 660  // Large suits 540 to 900 px.
	Full   Size = 1080 // Full suits 900 px and more.
)

// Frame is what every chart has around its drawing. All words are in the page's
// language; they are escaped here.
type Frame struct {
	ID      string // unique on the page, [a-z0-9-]; other characters are dropped
	Title   string // also the table's caption, unless Caption is set
	Summary string // one sentence that says what the drawing shows
	Quiet   bool   // keep title and summary for screen readers only
	Dir     Dir
	Size    Size // Fluid unless the box's width is known

	Empty     string   // the sentence shown when there is nothing to draw
	ShowTable string   // "Show table"; empty leaves the table out
	Caption   string   // the table's caption, Title when empty
	Heads     []string // the table's column heads; each chart says how many it takes

	Format     func(float64) string // values in labels and tables; plain digits when nil
	FormatAxis func(float64) string // values on an axis, e.g. "1.2M"; Format when nil
}

func (f Frame) rtl() bool { return f.Dir == RTL }

// value formats a number, and a measurement that is missing as a dash.
func (f Frame) value(v float64) string {
	switch {
	case !finite(v):
		return "–"
	case f.Format != nil:
		return f.Format(v)
	case math.Abs(v) >= 1e15:
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

func (f Frame) axis(v float64) string {
	if f.FormatAxis != nil {
		return f.FormatAxis(v)
	}
	return f.value(v)
}

// head is the i-th table head, or the fallback when the caller gave fewer.
func (f Frame) head(i int, fallback string) string {
	if i < len(f.Heads) {
		return f.Heads[i]
	}
	return fallback
}

// drawing is one chart ready to be written: a height per width, a painter, a
// legend and a table.
type drawing struct {
	kind   string // class suffix: "funnel"
	empty  bool
	mirror bool // flips with the page's direction
	height func(w float64) float64
	paint  func(c *canvas)
	legend []key
	narrow bool // the legend is shown in narrow boxes only
	table  table
}

var sizeClass = map[Size]string{Small: "s", Medium: "m", Large: "l", Full: "xl"}

// html writes figure, caption, drawings, legend and table.
func (f Frame) html(d drawing) template.HTML {
	var b strings.Builder
	id := token(f.ID)
	b.WriteString(`<figure class="chart chart-` + d.kind + `"><figcaption class="chart-caption`)
	if f.Quiet {
		b.WriteString(" chart-quiet")
	}
	b.WriteString(`"><span class="chart-title" id="` + id + `-t">` + escape(f.Title) + `</span> <span class="chart-summary" id="` + id + `-d">` + escape(f.Summary) + `</span></figcaption>`)
	if d.empty {
		b.WriteString(`<p class="chart-empty">` + escape(f.Empty) + `</p></figure>`)
		return template.HTML(b.String()) // #nosec G203 -- every text went through escape
	}
	if f.Size != Fluid {
		b.WriteString(f.svg(d, id, f.Size, "chart-one"))
	} else {
		for _, s := range []Size{Small, Medium, Large, Full} {
			b.WriteString(f.svg(d, id, s, "chart-"+sizeClass[s]))
		}
	}
	writeLegend(&b, id, d.legend, d.narrow && f.Size == Fluid)
	f.writeTable(&b, id, d.table)
	b.WriteString(`</figure>`)
	return template.HTML(b.String()) // #nosec G203 -- every text went through escape
}

func (f Frame) svg(d drawing, id string, s Size, class string) string {
	w := float64(s)
	c := &canvas{id: id + "-" + strconv.Itoa(int(s)), w: w, h: d.height(w), rtl: f.rtl(), mirror: d.mirror && f.rtl()}
	d.paint(c)
	return c.svg(class, id+"-t "+id+"-d")
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// size is what can be drawn of a value: nothing for negative or missing ones.
func size(v float64) float64 {
	if !finite(v) || v < 0 {
		return 0
	}
	return math.Min(v, 1e300)
}

// sizes applies size to each value and adds them up.
func sizes(vs []float64) (drawn []float64, sum float64) {
	for _, v := range vs {
		drawn = append(drawn, size(v))
		sum += size(v)
	}
	return drawn, math.Min(sum, 1e300)
}
