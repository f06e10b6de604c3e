package charts_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"bareed/web/charts"
)

const hostile = "<script>alert('x')</script>\" onload=\"x&amp;\x00\x1b\u202e\xff]]>"

// wellFormed reads the whole chart as XML, and refuses what the pages' policy
// would: scripts, styles, handlers; and coordinates that are no numbers.
func wellFormed(t *testing.T, name string, h template.HTML) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(string(h)))
	ids := map[string]bool{}
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, h)
		}
		e, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		if e.Name.Local == "script" || e.Name.Local == "style" {
			t.Fatalf("%s: <%s> in %s", name, e.Name.Local, h)
		}
		for _, a := range e.Attr {
			if n := a.Name.Local; n == "style" || strings.HasPrefix(n, "on") || strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
				t.Errorf("%s: <%s %s=%q>", name, e.Name.Local, n, a.Value)
			}
			switch a.Name.Local {
			case "id":
				if ids[a.Value] {
					t.Errorf("%s: id %s twice", name, a.Value)
				}
				ids[a.Value] = true
			case "width", "height", "rx":
				if v, err := strconv.ParseFloat(a.Value, 64); err != nil || v < 0 {
					t.Errorf("%s: <%s %s=%q>", name, e.Name.Local, a.Name.Local, a.Value)
				}
			}
		}
	}
	for _, m := range regexp.MustCompile(`(?:aria-labelledby="|url\(#)([^")]+)`).FindAllStringSubmatch(string(h), -1) {
		for _, id := range strings.Fields(m[1]) {
			if !ids[id] {
				t.Errorf("%s: nothing has the id %s", name, id)
			}
		}
	}
}

func TestSamples(t *testing.T) {
	t.Parallel()
	for _, w := range []words{english, arabic} {
		for _, dir := range []charts.Dir{charts.LTR, charts.RTL} {
			for _, c := range samples(w, dir, charts.Fluid) {
				h := c.HTML()
				wellFormed(t, fmt.Sprintf("%T", c), h)
				if s := string(h); strings.Contains(s, "<svg") && !strings.Contains(s, `role="img" aria-labelledby="`) {
					t.Errorf("%T: the drawing has no name", c)
				}
			}
		}
	}
}

func TestHostileWords(t *testing.T) {
	t.Parallel()
	w := words{}
	for k := range english {
		w[k] = hostile
	}
	for _, c := range samples(w, charts.RTL, charts.Fluid) {
		h := c.HTML()
		wellFormed(t, fmt.Sprintf("%T", c), h)
		if strings.Contains(string(h), "<script") || strings.Contains(string(h), `" onload`) {
			t.Errorf("%T lets markup through:\n%s", c, h)
		}
	}
	h := charts.Progress{Frame: charts.Frame{ID: `"><b>`}, Segments: []charts.Segment{{Value: 1, Class: `x" onclick="y`}}}.HTML()
	wellFormed(t, "id and class", h)
}

// strange are the values a chart may meet on its worst day.
var strange = [][]float64{nil, {}, {0}, {0, 0, 0}, {1}, {math.NaN()}, {math.Inf(1), 1}, {-5, 3}, {math.MaxFloat64, math.MaxFloat64, 1}, {5e-324}, {1e-9, 1e9}, {1, 1, 1, 1, 1, 1, 1, 1e7}}

func TestStrangeValues(t *testing.T) {
	t.Parallel()
	day := func(i int) time.Time { return time.Date(2026, 3, 1+i, 0, 0, 0, 0, time.UTC) }
	for _, vs := range strange {
		f := charts.Frame{ID: "x", Title: "x", Empty: "nothing", ShowTable: "table"}
		var segments []charts.Segment
		var steps []charts.Step
		var items []charts.Item
		var bins []charts.Bin
		var times []time.Time
		for i, v := range vs {
			segments = append(segments, charts.Segment{Value: v, Class: "c-failed"})
			steps = append(steps, charts.Step{Value: v, Class: "c-1"})
			items = append(items, charts.Item{Value: v, Class: "c-suppressed"})
			bins = append(bins, charts.Bin{From: float64(i), To: float64(i + 1), Count: v})
			times = append(times, day(i))
		}
		series := []charts.Series{{Label: "a", Class: "c-1", Values: vs}, {Label: "short", Class: "c-2"}, {Label: "long", Values: append([]float64{2, 2, 2}, vs...)}}
		for _, dir := range []charts.Dir{charts.LTR, charts.RTL} {
			f.Dir = dir
			for _, c := range []drawn{
				charts.Progress{Frame: f, Segments: segments}, charts.Progress{Frame: f, Segments: segments, Total: 2},
				charts.Funnel{Frame: f, Steps: steps}, charts.Reasons{Frame: f, Items: items},
				charts.Columns{Frame: f, Days: times, Series: series}, charts.Columns{Frame: f, Days: times},
				charts.TimeLine{Frame: f, Times: times, Series: series, Limit: &charts.Limit{Value: math.NaN()}, Stops: []charts.Stop{{From: day(-9), To: day(99)}}},
				charts.Histogram{Frame: f, Bins: bins, Marks: []charts.Mark{{At: .5}, {At: math.NaN()}, {At: 99}}},
				charts.Sparkline{Frame: f, Values: vs},
			} {
				wellFormed(t, fmt.Sprintf("%T of %v", c, vs), c.HTML())
			}
			for _, a := range vs {
				for _, b := range []float64{0, 1, math.Inf(1), math.MaxFloat64} {
					wellFormed(t, fmt.Sprint("meter", a, b), charts.Meter{Frame: f, Used: a, Limit: b, Reserve: a}.HTML())
				}
			}
		}
	}
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	f := charts.Frame{ID: "x", Empty: "nothing <yet>"}
	for _, c := range []drawn{charts.Progress{Frame: f}, charts.Funnel{Frame: f, Steps: []charts.Step{{Value: 0}}}, charts.Reasons{Frame: f}, charts.Columns{Frame: f},
		charts.TimeLine{Frame: f}, charts.Histogram{Frame: f}, charts.Meter{Frame: f}, charts.Sparkline{Frame: f}} {
		h := string(c.HTML())
		if !strings.Contains(h, `<p class="chart-empty">nothing &lt;yet&gt;</p>`) || strings.Contains(h, "<svg") {
			t.Errorf("%T: %s", c, h)
		}
	}
}

type span struct{ x, w float64 }

var rects = regexp.MustCompile(`<rect class="(?:mark [^"]*|track|hatch|reserve)" x="([^"]+)" y="[^"]+" width="([^"]+)"`)

func spans(h template.HTML) (out []span) {
	for _, m := range rects.FindAllStringSubmatch(strings.Split(string(h), "<ul")[0], -1) {
		x, _ := strconv.ParseFloat(m[1], 64)
		w, _ := strconv.ParseFloat(m[2], 64)
		out = append(out, span{x, w})
	}
	return out
}

// TestMirror: a right-to-left drawing is the left-to-right one flipped, except
// where time or duration runs along the axis.
func TestMirror(t *testing.T) {
	t.Parallel()
	plain, flipped := samples(english, charts.LTR, charts.Medium), samples(english, charts.RTL, charts.Medium)
	for i, c := range plain {
		a, b := spans(c.HTML()), spans(flipped[i].HTML())
		mirrors := false
		switch c.(type) {
		case charts.Progress, charts.Funnel, charts.Reasons, charts.Meter:
			mirrors = true
		}
		if len(a) != len(b) {
			t.Fatalf("%T: %d and %d shapes", c, len(a), len(b))
		}
		for k := range a {
			want := a[k]
			if mirrors {
				want.x = float64(charts.Medium) - want.x - want.w
			}
			if math.Abs(b[k].x-want.x) > .011 || b[k].w != want.w {
				t.Errorf("%T shape %d: %v right to left, want %v", c, k, b[k], want)
			}
		}
	}
}

// TestInside: no bar leaves the drawing, and segments do not overlap.
func TestInside(t *testing.T) {
	t.Parallel()
	for _, vs := range strange {
		var p charts.Progress
		for _, v := range vs {
			p.Segments = append(p.Segments, charts.Segment{Value: v, Class: "c-1"})
		}
		p.ID, p.Size = "p", charts.Small
		end, drawn, some := 0.0, 0, 0
		for i, s := range spans(p.HTML()) {
			if i == 0 { // the track
				continue
			}
			if drawn++; s.x < end-.011 || s.w < 2 || s.x+s.w > float64(charts.Small)+.011 {
				t.Errorf("%v: segment %d at %v", vs, i, s)
			}
			end = s.x + s.w
		}
		for _, v := range vs {
			if v > 0 && !math.IsInf(v, 0) {
				some++
			}
		}
		if drawn != some {
			t.Errorf("%v: %d segments drawn, want %d", vs, drawn, some)
		}
	}
}

// TestHonest: what does not add up is not hidden.
func TestHonest(t *testing.T) {
	t.Parallel()
	over := charts.Progress{Frame: charts.Frame{ID: "p", Size: charts.Small}, Total: 50, Segments: []charts.Segment{{Value: 100, Class: "c-1"}}}
	if h := string(over.HTML()); !strings.Contains(h, `<line class="overrun" x1="140"`) {
		t.Errorf("more than the total has no mark: %s", h)
	}
	m := charts.Meter{Frame: charts.Frame{ID: "m", Size: charts.Small}, Used: 200, Limit: 100}
	if h := string(m.HTML()); !strings.Contains(h, `<line class="overrun" x1="140"`) {
		t.Errorf("more than the limit has no mark: %s", h)
	}
	f := charts.Funnel{Frame: charts.Frame{ID: "f", Size: charts.Small}, FormatShare: func(r float64) string { return fmt.Sprint(r) },
		Steps: []charts.Step{{Value: 10, Class: "c-1"}, {Value: 20, Class: "c-2"}, {Value: 0, Class: "c-3"}, {Value: 1, Class: "c-4"}}}
	h := string(f.HTML())
	for _, want := range []string{">2</text>", ">0</text>", ">–</text>", `class="mark c-1" x="0" y="22" width="140"`} {
		if !strings.Contains(h, want) {
			t.Errorf("no %s in %s", want, h)
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	h := string(timeLine(english, charts.Frame{ID: "l", Title: "Pace", ShowTable: "Show", Heads: []string{"Time"}, Format: grouped}).HTML())
	for _, want := range []string{`<summary>Show</summary>`, `<caption id="l-c">Pace</caption>`, `<th scope="col">Time</th><th scope="col">Accepted</th>`,
		`<th scope="row">09:00</th><td>140</td>`, `<li>11:00 – 11:25: quality fell</li>`, `<li>paced limit 180</li>`} {
		if !strings.Contains(h, want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for i, c := range samples(arabic, charts.RTL, charts.Small)[:3] {
		name := filepath.Join("testdata", []string{"progress", "timeline", "funnel"}[i]+".svg.html")
		got := strings.ReplaceAll(string(c.HTML()), "><", ">\n<") + "\n"
		if *update {
			if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s changed; look at the gallery, then run with -update:\n%s", name, got)
		}
	}
}
