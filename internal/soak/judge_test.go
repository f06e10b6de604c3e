//go:build unix

package soak

import (
	"math"
	"testing"
	"time"
)

func grown(n int, of func(minute float64) float64) (list []point) {
	for i := range n {
		at := time.Duration(i) * every
		list = append(list, point{at, of(at.Minutes())})
	}
	return list
}

func TestSlope(t *testing.T) {
	t.Parallel()
	for _, want := range []float64{0, 2.5, -1} {
		if got := slope(grown(100, func(m float64) float64 { return 40 + want*m })); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v, want %v", got, want)
		}
	}
	if got := slope(grown(1, func(float64) float64 { return 7 })); got != 0 {
		t.Errorf("of one point: %v", got)
	}
}

// What grows is found, what only warms up or wavers is not.
func TestJudge(t *testing.T) {
	t.Parallel()
	const minutes = 20
	steady := func(m float64) float64 { return 60 + 3*math.Sin(5*m) }
	for _, tt := range []struct {
		name string
		what string
		of   func(m float64) float64
		good bool
	}{
		{"memory that wavers", memory, steady, true},
		{"memory that warms up", memory, func(m float64) float64 { return 60 + 40*math.Min(m, 4) }, true},
		{"memory that leaks", memory, func(m float64) float64 { return 60 + 2*m }, false},
		{"a heap that leaks", heap, func(m float64) float64 { return 20 + 2*m }, false},
		{"goroutines that stay", goroutines, steady, true},
		{"goroutines that leak", goroutines, func(m float64) float64 { return 60 + 5*m }, false},
		{"connections that leak", connections, func(m float64) float64 { return 20 + 3*m }, false},
		{"keys, one a campaign", keys, func(m float64) float64 { return 60 + 2*m }, true},
		{"keys, one a message", keys, func(m float64) float64 { return 60 + 5000*m }, false},
	} {
		r := judge(series{thing{"x", tt.what}: grown(minutes*12, tt.of)}, minutes*time.Minute, 1)
		if r.Good() != tt.good {
			t.Errorf("%s: %+v", tt.name, r.Lines)
		}
	}
	if short := judge(series{thing{"x", memory}: grown(36, func(m float64) float64 { return 60 + 9*m })}, 3*time.Minute, 1); !short.Good() || short.Lines[0].Judged {
		t.Errorf("three minutes: %+v", short.Lines)
	}
	if judge(series{}, time.Minute, 0).Good() {
		t.Error("nothing seen is good")
	}
}
