package ui

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"
)

// monthsArabic are the Gregorian months as the Gulf and Egypt write them.
var monthsArabic = [...]string{"يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو", "يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"}

// Day is the date without the time: 22 Nov 2026.
func (l Locale) Day(t time.Time) string {
	t = t.In(l.Zone)
	if l.Lang == "ar" {
		return fmt.Sprintf("%d %s %d", t.Day(), monthsArabic[t.Month()-1], t.Year())
	}
	return t.Format("2 Jan 2006")
}

// Time is date and time of day, without the zone's name: 22 Nov 2026, 14:03.
func (l Locale) Time(t time.Time) string {
	comma := ", "
	if l.Lang == "ar" {
		comma = "، "
	}
	return l.Day(t) + comma + t.In(l.Zone).Format("15:04")
}

// ZoneName is the zone as people here know it, its IANA name.
func (l Locale) ZoneName() string { return l.Zone.String() }

// instant reads a time.Time or a *time.Time; nil and zero are no time.
func instant(v any) (time.Time, bool) {
	switch t := v.(type) {
	case time.Time:
		return t, !t.IsZero()
	case *time.Time:
		if t != nil {
			return *t, !t.IsZero()
		}
	}
	return time.Time{}, false
}

// element is a <time> around what is shown; the title names the zone.
func (l Locale) element(v any, show func(time.Time) string) template.HTML {
	t, ok := instant(v)
	if !ok {
		return `<span class="muted">–</span>`
	}
	esc := template.HTMLEscapeString
	return template.HTML(`<time datetime="` + t.UTC().Format(time.RFC3339) + `" title="` + esc(l.Time(t)+" "+l.ZoneName()) + `">` + //nolint:gosec // escaped
		esc(show(t)) + `</time>`)
}

// withZone is date, time and the zone's name.
func (l Locale) withZone(v any) template.HTML {
	e := l.element(v, l.Time)
	if _, ok := instant(v); !ok {
		return e
	}
	return e + template.HTML(` <bdi dir="ltr" class="zone">`+template.HTMLEscapeString(l.ZoneName())+`</bdi>`) //nolint:gosec // escaped
}

// Ago is how long something is past, or until it comes, in one unit.
func (l Locale) Ago(t time.Time) string {
	d := l.clock().Sub(t)
	way := "ui.ago."
	if d < 0 {
		d, way = -d, "ui.in."
	}
	switch {
	case d < 5*time.Second:
		return l.T("ui.now")
	case d < time.Minute:
		return l.T(way+"seconds", "n", int(d/time.Second))
	case d < time.Hour:
		return l.T(way+"minutes", "n", int(d/time.Minute))
	case d < 48*time.Hour:
		return l.T(way+"hours", "n", int(d/time.Hour))
	case d < 60*24*time.Hour:
		return l.T(way+"days", "n", int(d/(24*time.Hour)))
	}
	return l.Day(t)
}

// Span is a length of time in its two largest units, without one that is
// nothing: 1 h 20 min, 1 min.
func (l Locale) Span(d time.Duration) string {
	d = d.Round(time.Second)
	h, m, s := int(d/time.Hour), int(d/time.Minute)%60, int(d/time.Second)%60
	switch {
	case h >= 24 && h%24 == 0:
		return l.T("ui.span.days_only", "d", h/24)
	case h >= 24:
		return l.T("ui.span.days", "d", h/24, "h", h%24)
	case h > 0 && m == 0:
		return l.T("ui.span.hours_only", "h", h)
	case h > 0:
		return l.T("ui.span.hours", "h", h, "m", m)
	case m > 0 && s == 0:
		return l.T("ui.span.minutes_only", "m", m)
	case m > 0:
		return l.T("ui.span.minutes", "m", m, "s", s)
	}
	return l.T("ui.span.seconds", "s", s)
}

// Percent is a share with one decimal, 96.2%; a dash when there is no whole. Only
// nothing is 0% and only everything is 100%: what rounds to them is said to be
// below 0.1% or above 99.9%.
func (l Locale) Percent(part, total any) string {
	p, ok1 := number(part)
	w, ok2 := number(total)
	if !ok1 || !ok2 || w == 0 {
		return "–"
	}
	s := strconv.FormatFloat(100*p/w, 'f', 1, 64) + "%"
	switch {
	case p == 0 || p == w:
		s = strings.Replace(s, ".0", "", 1)
	case s == "0.0%":
		s = "<0.1%"
	case s == "100.0%" && p < w:
		s = ">99.9%"
	}
	if l.Lang == "ar" {
		return "\u2066" + s + "\u2069"
	}
	return s
}

func number(v any) (float64, bool) {
	if f, ok := v.(float64); ok {
		return f, true
	}
	n, ok := whole(v)
	return float64(n), ok
}

// Bytes is a size in the unit that leaves at most three digits: 1.4 MB. The
// space does not break.
func (l Locale) Bytes(n int64) string {
	units := []string{"B", "kB", "MB", "GB"}
	f, i := float64(n), 0
	for f >= 1000 && i < len(units)-1 {
		f, i = f/1000, i+1
	}
	decimals := 0
	if i > 0 && f < 10 {
		decimals = 1
	}
	return l.isolate(strconv.FormatFloat(f, 'f', decimals, 64) + "\u00a0" + units[i])
}
