//go:build unix

package soak

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

const (
	// warm is the part of the time that is not judged: pools fill, caches too.
	warm = 0.25
	// slopes are judged when so long a time is left; before, a collector's rhythm
	// looks like growth.
	slopes = 10 * time.Minute
	// steepest is how many megabytes a minute a process may grow by.
	steepest = 1.0
)

// Line is one thing as it was: the medians of the first and the last third of
// the time that counts, and the growth a minute by least squares.
type Line struct {
	Of, What      string
	First, Last   float64
	PerMinute     float64
	Allowed       string
	Grows, Judged bool
}

// Report is a soak.
type Report struct {
	Length time.Duration
	Sent   int
	Lines  []Line
}

// Good tells whether nothing grows.
func (r Report) Good() bool {
	return len(r.Lines) > 0 && !slices.ContainsFunc(r.Lines, func(l Line) bool { return l.Judged && l.Grows })
}

func judge(s series, length time.Duration, sent int) Report {
	r := Report{Length: length, Sent: sent}
	from := time.Duration(warm * float64(length))
	for t, points := range s {
		points = slices.DeleteFunc(slices.Clone(points), func(p point) bool { return p.at < from })
		if len(points) < 3 {
			continue
		}
		r.Lines = append(r.Lines, line(t, points, length-from))
	}
	slices.SortFunc(r.Lines, func(a, b Line) int {
		if a.What != b.What {
			return strings.Compare(a.What, b.What)
		}
		return strings.Compare(a.Of, b.Of)
	})
	return r
}

func line(t thing, points []point, counted time.Duration) Line {
	third := max(1, len(points)/3)
	l := Line{Of: t.of, What: t.what, First: median(points[:third]), Last: median(points[len(points)-third:]), PerMinute: slope(points), Judged: true}
	switch t.what {
	case memory, heap:
		l.Allowed, l.Grows, l.Judged = fmt.Sprintf("< %.0f a minute", steepest), l.PerMinute >= steepest, counted >= slopes
	case keys: // a run's own key stays for eight days
		most := 1.5*l.First + 50
		l.Allowed, l.Grows = fmt.Sprintf("≤ %.0f", most), l.Last > most
	default:
		most := 1.2*l.First + 10
		l.Allowed, l.Grows = fmt.Sprintf("≤ %.0f", most), l.Last > most
	}
	return l
}

func median(points []point) float64 {
	values := make([]float64, len(points))
	for i, p := range points {
		values[i] = p.value
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// slope is the growth a minute of the line that lies closest to the points.
func slope(points []point) float64 {
	var x, y, xx, xy float64
	for _, p := range points {
		m := p.at.Minutes()
		x, y, xx, xy = x+m, y+p.value, xx+m*m, xy+m*p.value
	}
	n := float64(len(points))
	if d := n*xx - x*x; d > 0 {
		return (n*xy - x*y) / d
	}
	return 0
}

// Print writes the report as a table.
func (r Report) Print(out io.Writer) {
	fmt.Fprintf(out, "\nSOAK, %s, %d messages; the first quarter does not count\n", r.Length, r.Sent)
	for _, l := range r.Lines {
		word := "flat"
		switch {
		case !l.Judged:
			word = "too short to judge"
		case l.Grows:
			word = "GROWS"
		}
		fmt.Fprintf(out, "%-12s %-12s %8.1f → %8.1f   %+7.2f a minute   %-16s %s\n", l.What, l.Of, l.First, l.Last, l.PerMinute, l.Allowed, word)
	}
}
