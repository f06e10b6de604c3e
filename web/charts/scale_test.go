package charts

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestTicks(t *testing.T) {
	t.Parallel()
	cases := []struct {
		top   float64
		n     int
		whole bool
		want  []float64
	}{
		{0, 4, true, []float64{0, 1}},
		{1, 4, true, []float64{0, 1}},
		{1, 4, false, []float64{0, .5, 1}},
		{3, 4, true, []float64{0, 1, 2, 3}},
		{184, 4, true, []float64{0, 50, 100, 150, 200}},
		{200, 4, true, []float64{0, 50, 100, 150, 200}},
		{22400, 3, true, []float64{0, 10000, 20000, 30000}},
		{.3, 3, false, []float64{0, .1, .2, .3}},
		{3e-9, 3, false, []float64{0, 1e-9, 2e-9, 3e-9}},
		{1e12, 2, true, []float64{0, 5e11, 1e12}},
		{math.NaN(), 4, false, []float64{0, 1}},
		{-3, 4, false, []float64{0, 1}},
		{math.Inf(-1), 4, false, []float64{0, 1}},
		{10, 0, true, []float64{0, 10}},
	}
	for _, c := range cases {
		if got := ticks(c.top, c.n, c.whole); !slices.Equal(got, c.want) {
			t.Errorf("ticks(%v, %d, %v) = %v, want %v", c.top, c.n, c.whole, got, c.want)
		}
	}
}

func FuzzTicks(f *testing.F) {
	for _, top := range []float64{0, 1, 9.999999999, 1e-300, 5e-324, math.MaxFloat64, math.Inf(1), 0.1 + 0.2, 123456789} {
		f.Add(top, 4, true)
		f.Add(top, 7, false)
	}
	f.Fuzz(func(t *testing.T, top float64, n int, whole bool) {
		n = max(1, n%50)
		got := ticks(top, n, whole)
		if len(got) < 2 || len(got) > n+2 || got[0] != 0 {
			t.Fatalf("ticks(%v, %d): %v", top, n, got)
		}
		for i, v := range got {
			if !finite(v) || i > 0 && v <= got[i-1] || whole && v < 1e15 && v != math.Trunc(v) && i < len(got)-1 {
				t.Fatalf("ticks(%v, %d, %v): %v", top, n, whole, got)
			}
		}
		if last := got[len(got)-1]; finite(top) && top < 1e300 && top > 1e-290 && last < top {
			t.Fatalf("ticks(%v, %d) end at %v", top, n, last)
		}
	})
}

func TestLengths(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		values := make([]float64, 1+r.IntN(12))
		some := 0
		for i := range values {
			values[i] = []float64{0, 1, math.Floor(r.Float64() * 100), math.Floor(math.Pow(10, r.Float64()*12)), -4, math.NaN(), 1e308}[r.IntN(7)]
			some += b2i(size(values[i]) > 0)
		}
		width := 1 + r.Float64()*1000
		got, sum := lengths(values, width, 2), 0.0
		least := min(2, width/float64(max(1, some)))
		for i, w := range got {
			sum += w
			if !finite(w) || w < 0 || size(values[i]) > 0 && w < least-1e-9 || size(values[i]) == 0 && w != 0 {
				t.Fatalf("lengths(%v, %v) = %v", values, width, got)
			}
			for k := range got { // a larger value is never shorter
				if size(values[k]) < size(values[i]) && got[k] > w+1e-9 {
					t.Fatalf("lengths(%v, %v) = %v: not monotone", values, width, got)
				}
			}
		}
		if some > 0 && math.Abs(sum-width) > 1e-6 || some == 0 && sum != 0 {
			t.Fatalf("lengths(%v, %v) = %v: %v together", values, width, got, sum)
		}
	}
}

func TestLength(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ v, most, width, want float64 }{
		{0, 100, 200, 0}, {1, 1e9, 200, 2}, {100, 100, 200, 200}, {50, 100, 200, 100},
		{300, 100, 200, 200}, {-1, 100, 200, 0}, {math.NaN(), 100, 200, 0}, {5, 0, 200, 0}, {1, 1, 1, 1},
	} {
		if got := length(c.v, c.most, c.width); got != c.want {
			t.Errorf("length(%v, %v, %v) = %v, want %v", c.v, c.most, c.width, got, c.want)
		}
	}
}

func TestTimeTicks(t *testing.T) {
	t.Parallel()
	riyadh, berlin := time.FixedZone("Asia/Riyadh", 3*3600), zone(t, "Europe/Berlin")
	cases := []struct {
		name, from, to string
		zone           *time.Location
		most           int
		want           string
	}{
		{"half hours", "2026-11-22T06:00:00Z", "2026-11-22T09:55:00Z", riyadh, 8, "[09:00 09:30 10:00 10:30 11:00 11:30 12:00 12:30]"},
		{"few", "2026-11-22T06:10:00Z", "2026-11-22T09:55:00Z", riyadh, 2, "[10:00 12:00]"},
		{"seconds", "2026-11-22T06:00:07Z", "2026-11-22T06:00:31Z", riyadh, 3, "[09:00 09:00]"},
		{"days begin at local midnight", "2026-11-22T06:00:00Z", "2026-11-25T06:00:00Z", riyadh, 4, "[11-23 11-24 11-25]"},
		{"weeks begin on Sunday", "2026-11-01T00:00:00Z", "2026-11-30T00:00:00Z", time.UTC, 5, "[11-01 11-08 11-15 11-22 11-29]"},
		{"months", "2025-12-15T00:00:00Z", "2026-12-15T00:00:00Z", time.UTC, 5, "[01-01 04-01 07-01 10-01]"},
		{"an hour less", "2026-03-28T23:00:00Z", "2026-03-29T06:00:00Z", berlin, 8, "[00:00 01:00 03:00 04:00 05:00 06:00 07:00 08:00]"},
		{"an hour more", "2026-10-24T22:00:00Z", "2026-10-25T03:00:00Z", berlin, 6, "[00:00 01:00 02:00 03:00 04:00]"},
		{"one moment", "2026-11-22T06:00:00Z", "2026-11-22T06:00:00Z", riyadh, 8, "[09:00]"},
	}
	for _, c := range cases {
		from, to := moment(t, c.from), moment(t, c.to)
		ts, step := timeTicks(from, to, c.zone, c.most)
		var got []string
		for _, x := range ts {
			layout := "15:04"
			if step >= day {
				layout = "01-02"
			}
			got = append(got, x.Format(layout))
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func moment(t *testing.T, s string) time.Time {
	t.Helper()
	x, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func FuzzTimeTicks(f *testing.F) {
	f.Add(int64(1763791200), int64(3600), 8)
	f.Add(int64(-99999999999), int64(1<<40), 3)
	f.Add(int64(0), int64(0), 1)
	f.Fuzz(func(t *testing.T, start, span int64, most int) {
		from := time.Unix(start%(1<<37), 0)
		to := from.Add(time.Duration(max(0, span%(1<<33))) * time.Second)
		most = 1 + max(0, most%40)
		ts, _ := timeTicks(from, to, time.FixedZone("", 19800), most)
		if len(ts) > most {
			t.Fatalf("%d ticks, at most %d", len(ts), most)
		}
		for i, x := range ts {
			if x.Before(from) || x.After(to) || i > 0 && !x.After(ts[i-1]) {
				t.Fatalf("%v..%v: %v", from, to, ts)
			}
		}
	})
}

func TestFlipTwice(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		x, w, total := r.Float64()*100, r.Float64()*50, 200.0
		if got := flip(flip(x, w, total), w, total); math.Abs(got-x) > 1e-9 {
			t.Fatalf("flip twice: %v, want %v", got, x)
		}
	}
}

func TestFit(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "a", "No recorded opt-in", "لا توجد موافقة مسجلة", "漢字漢字漢字", "👩‍👩‍👧 family"} {
		for _, w := range []float64{0, 5, 20, 60, 400} {
			if got := fit(s, normal, w); textWidth(got, normal) > w+1e-9 {
				t.Errorf("fit(%q, %v) = %q: %v wide", s, w, got, textWidth(got, normal))
			}
		}
	}
}

func TestSettle(t *testing.T) {
	t.Parallel()
	ls, ok := settle([]label{{0, "09:00"}, {50, "10:00"}, {100, "11:00"}}, small, 0, 100, 4)
	if half := textWidth("09:00", small) / 2; ok || ls[0].at != half || ls[2].at != 100-half {
		t.Errorf("%v, %v", ls, ok)
	}
	if _, ok := settle([]label{{20, "9"}, {50, "10"}}, small, 0, 100, 10); !ok {
		t.Error("labels with room do not stand")
	}
}
