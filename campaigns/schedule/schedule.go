// Package schedule owns the rules of when: the reading of a time a person chose
// (an instant, or a wall time in a zone, with its gaps and overlaps), what recurs,
// each person's own zone, and the hours in which messages may leave.
//
// campaigns and its parts call it. It knows no table and no campaign, and takes
// the present time as a parameter.
package schedule

import (
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones must not depend on the host

	"bareed/internal/errs"
)

const (
	pastGrace = 60 * time.Second
	tooFar    = 365 * 24 * time.Hour
	lookAside = 50 * time.Hour // wider than any jump of local time
)

// Time is one instant a person chose, with the wall time they wrote.
type Time struct {
	At    time.Time `json:"at"`
	Zone  string    `json:"zone,omitempty"`  // IANA name
	Local string    `json:"local,omitempty"` // as written: 2026-12-01T10:00:00
	// Adjusted is "gap" when the local time does not exist that day (At is the
	// first instant after the gap), "overlap" when it occurs twice (At is the first).
	Adjusted string `json:"adjusted,omitempty"`
	Runs     string `json:"runs,omitempty"` // the wall time it runs at: 2026-03-08 03:00 EDT
	// RecipientTime: Local is meant in each person's own zone. At is then when it
	// begins, where the day begins first (UTC+14), and Zone is that of people whose
	// own is not known.
	RecipientTime bool `json:"recipient_time,omitempty"`
}

const localLayout = "2006-01-02T15:04:05"

// Parse reads an RFC 3339 instant, or a wall time without offset in an
// IANA zone. The instant must lie within 365 days; one up to 60 s ago means now.
func Parse(at, zone string, now time.Time) (Time, error) {
	at, zone = strings.TrimSpace(at), strings.TrimSpace(zone)
	loc, err := parseZone(zone)
	if err != nil {
		return Time{}, err
	}
	s := Time{Zone: zone}
	if t, err := time.Parse(time.RFC3339, at); err == nil {
		s.At = t.UTC()
	} else {
		wall, ok := parseWall(at)
		if !ok {
			return s, errs.New("schedule.syntax", "got", errs.Clip(at), "example", "2026-12-01T10:00").At("/send_at", "")
		}
		if zone == "" {
			return s, errs.New("schedule.zone_required").At("/zone", "")
		}
		s.At, s.Adjusted = resolve(wall, loc)
		s.Local = wall.Format(localLayout)
	}
	if zone != "" {
		s.Runs = s.At.In(loc).Format("2006-01-02 15:04 MST")
	}
	return s, s.InRange(now)
}

// InRange refuses an instant that is past by more than 60 s or over 365 days away.
func (s Time) InRange(now time.Time) error {
	if s.Last().Before(now.Add(-pastGrace)) {
		return errs.New("schedule.past", "at", s.said(s.At), "now", s.said(now)).At("/send_at", "")
	}
	if s.At.After(now.Add(tooFar)) {
		return errs.New("schedule.too_far", "days", 365).At("/send_at", "")
	}
	return nil
}

// said is an instant as the writer of the time reads a clock, in their zone:
// 2026-11-20 10:00 Asia/Riyadh; in UTC without one.
func (s Time) said(at time.Time) string {
	loc, err := parseZone(s.Zone)
	if err != nil || s.Zone == "" {
		return at.UTC().Format("2006-01-02 15:04 UTC")
	}
	return at.In(loc).Format("2006-01-02 15:04 ") + s.Zone
}

// Occurrence names this firing: two launches of the same wall time are one run,
// whatever a zone's rules do between them.
func (s Time) Occurrence() string {
	switch {
	case s.RecipientTime:
		return "recipient " + s.Local
	case s.Local != "":
		return s.Zone + " " + s.Local
	}
	return "UTC " + s.At.Format(localLayout)
}

// Wall is the wall time as written, held in UTC; nil when only an instant was.
func (s Time) Wall() *time.Time {
	if wall, ok := parseWall(s.Local); ok {
		return &wall
	}
	return nil
}

// Stored rebuilds what Parse said from its three stored parts.
func Stored(at time.Time, zone string, wall *time.Time) Time {
	s := Time{At: at.UTC(), Zone: zone}
	loc, err := parseZone(zone)
	if err != nil || zone == "" {
		return s
	}
	s.Runs = s.At.In(loc).Format("2006-01-02 15:04 MST")
	if wall != nil {
		w := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, time.UTC)
		s.Local = w.Format(localLayout)
		_, s.Adjusted = resolve(w, loc)
	}
	return s
}

func parseWall(s string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02T15:04", localLayout, "2006-01-02 15:04", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// parseZone takes only IANA names with a region, and UTC: EST and GMT+3 are
// abbreviations that mean different things to different people.
func parseZone(zone string) (*time.Location, error) {
	if zone == "" || zone == "UTC" {
		return time.UTC, nil
	}
	if strings.Contains(zone, "/") && len(zone) <= 64 {
		if loc, err := time.LoadLocation(zone); err == nil {
			return loc, nil
		}
	}
	return nil, errs.New("schedule.zone_unknown", "got", errs.Clip(zone),
		"suggestions", strings.Join(suggestZones(zone), ", ")).At("/zone", "")
}

// resolve finds the instant of a wall time (held in UTC) in a zone. It walks the
// spans of constant offset around it, because time.Date promises no choice
// where a wall time is missing or double.
func resolve(wall time.Time, loc *time.Location) (time.Time, string) {
	var found []time.Time
	var jump time.Time
	at := wall.Add(-lookAside).In(loc)
	for at.Before(wall.Add(lookAside)) {
		_, before := at.Zone()
		candidate := wall.Add(-time.Duration(before) * time.Second)
		if candidate.In(loc).Format(localLayout) == wall.Format(localLayout) && !slices.ContainsFunc(found, candidate.Equal) {
			found = append(found, candidate)
		}
		_, end := at.ZoneBounds()
		if end.IsZero() {
			break
		}
		_, after := end.Zone()
		from, to := end.Add(time.Duration(before)*time.Second).UTC(), end.Add(time.Duration(after)*time.Second).UTC()
		if !wall.Before(from) && wall.Before(to) {
			jump = end
		}
		at = end
	}
	slices.SortFunc(found, time.Time.Compare)
	switch {
	case len(found) == 0:
		return jump.UTC(), "gap"
	case len(found) > 1:
		return found[0].UTC(), "overlap"
	}
	return found[0].UTC(), ""
}

// zoneHints leads from what people write to the zone they most likely mean.
var zoneHints = []struct{ word, zone string }{
	{"riyadh", "Asia/Riyadh"}, {"jeddah", "Asia/Riyadh"}, {"saudi", "Asia/Riyadh"}, {"ast", "Asia/Riyadh"},
	{"dubai", "Asia/Dubai"}, {"gst", "Asia/Dubai"}, {"kuwait", "Asia/Kuwait"}, {"doha", "Asia/Qatar"}, {"qatar", "Asia/Qatar"},
	{"baghdad", "Asia/Baghdad"}, {"amman", "Asia/Amman"}, {"beirut", "Asia/Beirut"}, {"damascus", "Asia/Damascus"},
	{"cairo", "Africa/Cairo"}, {"egypt", "Africa/Cairo"}, {"casablanca", "Africa/Casablanca"}, {"lagos", "Africa/Lagos"},
	{"nairobi", "Africa/Nairobi"}, {"johannesburg", "Africa/Johannesburg"}, {"istanbul", "Europe/Istanbul"},
	{"london", "Europe/London"}, {"bst", "Europe/London"}, {"gmt", "Europe/London"}, {"paris", "Europe/Paris"},
	{"berlin", "Europe/Berlin"}, {"cet", "Europe/Berlin"}, {"madrid", "Europe/Madrid"}, {"moscow", "Europe/Moscow"},
	{"est", "America/New_York"}, {"edt", "America/New_York"}, {"new york", "America/New_York"}, {"cst", "America/Chicago"},
	{"pst", "America/Los_Angeles"}, {"sao paulo", "America/Sao_Paulo"}, {"brt", "America/Sao_Paulo"}, {"mexico", "America/Mexico_City"},
	{"ist", "Asia/Kolkata"}, {"india", "Asia/Kolkata"}, {"mumbai", "Asia/Kolkata"}, {"karachi", "Asia/Karachi"}, {"pkt", "Asia/Karachi"},
	{"jakarta", "Asia/Jakarta"}, {"singapore", "Asia/Singapore"}, {"tokyo", "Asia/Tokyo"}, {"jst", "Asia/Tokyo"}, {"sydney", "Australia/Sydney"},
}

// suggestZones names up to three zones: those whose word occurs in what was
// written, else a few common ones.
func suggestZones(got string) []string {
	words := strings.FieldsFunc(strings.ToLower(got), func(r rune) bool { return r < 'a' || r > 'z' })
	text := strings.Join(words, " ")
	var out []string
	add := func(z string) {
		if len(out) < 3 && !slices.Contains(out, z) {
			out = append(out, z)
		}
	}
	for _, long := range []bool{true, false} { // a city says more than an abbreviation
		for _, h := range zoneHints {
			if (len(h.word) > 3) == long && (slices.Contains(words, h.word) || long && strings.Contains(text, h.word)) {
				add(h.zone)
			}
		}
	}
	if len(out) == 0 {
		return []string{"Asia/Riyadh", "Europe/London", "UTC"}
	}
	return out
}
