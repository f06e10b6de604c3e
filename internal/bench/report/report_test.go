package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
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
	f := Sum("g", "n", "a", []Pair{{50, 100}, {60, 100}, {12, 20}, {1, 0}})
	if f.Ours != 31 || f.Ceiling != 60 || f.Ratio != 0.6 || f.Rounds != 4 {
		t.Errorf("got %+v", f)
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
		if r := (&Report{Rates: []Fidelity{f}}); r.Missed() == c.met {
			t.Errorf("%s: Missed = %t", c.name, r.Missed())
		}
	}
}

func TestGrowth(t *testing.T) {
	t.Parallel()
	moments := func(ms float64, pages int64) []Moment {
		return []Moment{{"old plans", 1, 10}, {"start", 1, 10}, {"middle", ms / 2, pages / 2}, {"end", ms, pages}}
	}
	for _, c := range []struct {
		ms    float64
		pages int64
		bad   bool
	}{{1.5, 12, false}, {80, 9000, true}, {80, 20, false}} { // much time for the same pages is a busy machine
		s := Statement{Name: "x", Moments: moments(c.ms, c.pages)}
		if s.Grown(); len(s.Faults) > 0 != c.bad {
			t.Errorf("%v ms, %d pages: %q", c.ms, c.pages, s.Faults)
		}
	}
}

func TestMergeOfMoments(t *testing.T) {
	t.Parallel()
	a := []Statement{{Name: "x", Moments: []Moment{{Moment: "start"}}, Faults: []string{"f"}}}
	got := Merge(Merge(nil, a), []Statement{{Name: "x", Moments: []Moment{{Moment: "end"}}, Faults: []string{"f", "g"}}})
	if len(got) != 1 || len(got[0].Moments) != 2 || len(got[0].Faults) != 2 {
		t.Errorf("got %+v", got)
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
		if got := Whole(v); got != want {
			t.Errorf("Whole(%v) = %s, want %s", v, got, want)
		}
	}
}
