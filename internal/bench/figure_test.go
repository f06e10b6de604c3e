//go:build unix

package bench

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 3}, 2.5}} {
		if got := median(c.values); got != c.want {
			t.Errorf("median(%v) = %v, want %v", c.values, got, c.want)
		}
	}
}

func TestFigureTakesTheMedianOfTheRatios(t *testing.T) {
	t.Parallel()
	// The third round ran on a busy machine: both fell, the ratio did not.
	f := figure("g", "n", "a", []pair{{50, 100}, {60, 100}, {12, 20}, {1, 0}})
	if f.Ours != 31 || f.Ceiling != 60 || f.Ratio != 0.6 || f.Rounds != 4 {
		t.Errorf("got %+v", f)
	}
}

// at makes instants from milliseconds.
func at(ms ...int) []time.Time {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	out := make([]time.Time, len(ms))
	for i, m := range ms {
		out[i] = start.Add(time.Duration(m) * time.Millisecond)
	}
	return out
}

func TestMostInASlidingSecond(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ms   []int
		want int
	}{
		{nil, 0},
		{[]int{0}, 1},
		{[]int{0, 999}, 2},
		{[]int{0, 1000}, 1},              // exactly a second apart are two seconds
		{[]int{900, 950, 1100, 1850}, 4}, // over a full second's border
		{[]int{0, 500, 1000, 1500}, 2},   //
		{[]int{0, 0, 0, 2000, 2100}, 3},  //
		{[]int{0, 400, 800, 1200, 1300}, 4} /* from 400 on */} {
		if got := most(at(c.ms...)); got != c.want {
			t.Errorf("most(%v) = %d, want %d", c.ms, got, c.want)
		}
	}
}

func TestPerSecondAndWithin(t *testing.T) {
	t.Parallel()
	list := at(0, 100, 200, 300, 400)
	if got := perSecond(list); got != 10 {
		t.Errorf("perSecond = %v, want 10", got)
	}
	if got := perSecond(list[:1]); got != 0 {
		t.Errorf("perSecond of one = %v, want 0", got)
	}
	if got := perSecond(at(5, 5)); !math.IsInf(got, 1) {
		t.Errorf("perSecond of one instant = %v, want infinity", got)
	}
	if got := within(list, list[1], 200*time.Millisecond); len(got) != 2 || !got[0].Equal(list[1]) {
		t.Errorf("within = %v, want the second and third", got)
	}
}

func TestDemands(t *testing.T) {
	t.Parallel()
	good := Fidelity{PerSecond: 80, Percent: 95, Most: 80}
	for _, c := range []struct {
		name   string
		change func(*Fidelity)
		met    bool
	}{
		{"met", func(*Fidelity) {}, true},
		{"too slow", func(f *Fidelity) { f.Percent = 94.9 }, false},
		{"above Meta's rate", func(f *Fidelity) { f.Most = 81 }, false},
		{"refused", func(f *Fidelity) { f.Throttled = 1 }, false},
	} {
		f := good
		c.change(&f)
		if r := (&Report{Rates: []Fidelity{f}}); r.missed() == c.met {
			t.Errorf("%s: missed = %t", c.name, r.missed())
		}
	}
}

func TestReportPrints(t *testing.T) {
	t.Parallel()
	r := &Report{Machine: "m", Figures: []Figure{{Group: "g", Name: "n", Ours: 1234567, Ceiling: 2000000, Ratio: 0.62, Against: "bare"}},
		CPU:   []CPU{{Run: "r", Processes: map[string]float64{"api": 10, "worker": 20}}},
		Rates: []Fidelity{{PerSecond: 80, Effective: 72, Sent: 71, Percent: 98.6, Most: 78}},
		Plans: []Statement{{Name: "claim", Moments: []Moment{{"start", 1.25, 40}}, Faults: []string{"reads all"}}}}
	var table, doc bytes.Buffer
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1,234,567", "0.62", "98.6%", "PASS", "1.2 (40)", "FAIL", "reads all", "       30"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table has no %q:\n%s", want, table.String())
		}
	}
	if err := r.WriteJSON(&doc); err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(doc.Bytes(), &back); err != nil || back.Figures[0].Ours != 1234567 || back.Plans[0].Faults[0] != "reads all" {
		t.Errorf("the JSON came back as %+v, %v", back, err)
	}
}

func TestWhole(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0: "0", 999.6: "1,000", 123456: "123,456", -1234: "-1,234"} {
		if got := whole(v); got != want {
			t.Errorf("whole(%v) = %s, want %s", v, got, want)
		}
	}
}

func TestPartsAreKnown(t *testing.T) {
	t.Parallel()
	c := Config{Parts: []string{"claim"}}
	if err := c.defaults(); err == nil {
		t.Error("an unknown part was taken")
	}
	c = Config{}
	if err := c.defaults(); err != nil || len(c.Parts) != 4 || c.Rounds != 3 {
		t.Errorf("got %+v, %v", c, err)
	}
}
