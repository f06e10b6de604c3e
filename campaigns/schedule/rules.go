package schedule

import (
	"strings"
	"time"

	"bareed/internal/errs"
)

// Rules is when a campaign is sent, as a person wrote it: once or again and
// again, in one zone or in everybody's own, within hours.
type Rules struct {
	At            string      `json:"at,omitempty" doc:"Once: 2026-12-01T10:00:00Z, or 2026-12-01T10:00 with a zone"`
	Recurring     *Recurrence `json:"recurring,omitempty" doc:"Instead of at: again and again"`
	Zone          string      `json:"zone,omitempty" doc:"IANA name, such as Asia/Riyadh; with recipient_time that of people whose own is not known"`
	RecipientTime bool        `json:"recipient_time,omitempty" doc:"The time is meant in each person's own zone, known from their phone"`
	Window        *Window     `json:"window,omitempty" doc:"The hours in which messages may leave"`
	QuietHours    *Span       `json:"quiet_hours,omitempty" doc:"Hours in which none may leave; over midnight allowed"`
	MaxLateness   *int        `json:"max_lateness_minutes,omitempty" doc:"Later than this it is not begun but missed: 1 to 1440, 60 when not given"`
}

const (
	defaultLateness = time.Hour
	maxLateness     = 24 * time.Hour
)

// Lateness is how late a firing may begin.
func (r *Rules) Lateness() time.Duration {
	if r == nil || r.MaxLateness == nil {
		return defaultLateness
	}
	return time.Duration(*r.MaxLateness) * time.Minute
}

// Check reads the rules and returns the first time they name from now on; nil
// when they name none (at launch, within hours). All faults carry pointers under
// /schedule.
func (r *Rules) Check(now time.Time) (*Time, error) {
	t, err := r.first(now)
	if e, ok := errs.As(err); ok {
		for i, f := range e.Fields {
			switch f.Pointer {
			case "/send_at":
				e.Fields[i].Pointer = "/schedule/at"
			case "/zone":
				e.Fields[i].Pointer = "/schedule/zone"
			}
		}
	}
	if err != nil || r.AtLaunch() {
		return nil, err
	}
	return &t, nil
}

// AtLaunch tells whether the rules name no time of their own.
func (r *Rules) AtLaunch() bool {
	return r == nil || r.At == "" && r.Recurring == nil && !r.RecipientTime
}

func (r *Rules) first(now time.Time) (Time, error) {
	if m := r.MaxLateness; m != nil && (*m < 1 || time.Duration(*m)*time.Minute > maxLateness) {
		return Time{}, errs.New("schedule.lateness", "min", 1, "max", int(maxLateness.Minutes())).At("/schedule/max_lateness_minutes", "")
	}
	switch hours, err := r.Hours(); {
	case err != nil:
		return Time{}, err
	case hours != nil && r.Zone == "":
		return Time{}, errs.New("schedule.zone_required").At("/zone", "")
	}
	if r.Recurring != nil {
		if r.At != "" {
			return Time{}, errs.New("schedule.both").At("/schedule/at", "")
		}
		return r.firstOf(now)
	}
	if !r.RecipientTime && !r.AtLaunch() {
		return Parse(r.At, r.Zone, now)
	}
	if r.Zone == "" {
		return Time{}, errs.New("schedule.zone_required").At("/zone", "")
	}
	if _, err := parseZone(r.Zone); err != nil {
		return Time{}, err
	}
	if r.AtLaunch() {
		return Time{}, nil
	}
	wall, ok := parseWall(strings.TrimSpace(r.At))
	if !ok {
		return Time{}, errs.New("schedule.syntax", "got", errs.Clip(r.At), "example", "2026-12-01T10:00").At("/send_at", "")
	}
	t := r.at(wall)
	return t, t.InRange(now)
}

// at is the firing of a wall time under these rules.
func (r *Rules) at(wall time.Time) Time {
	if r.RecipientTime {
		return Time{At: wall.Add(-earliestOffset), Zone: r.Zone, Local: wall.Format(localLayout), RecipientTime: true}
	}
	loc, err := parseZone(r.Zone)
	if err != nil {
		loc = time.UTC
	}
	t := Time{Zone: r.Zone, Local: wall.Format(localLayout)}
	t.At, t.Adjusted = resolve(wall, loc)
	t.Runs = t.At.In(loc).Format("2006-01-02 15:04 MST")
	return t
}

// Stored rebuilds the firing that Check or Next gave from its stored parts.
// Rules may be nil.
func (r *Rules) Stored(at time.Time, zone string, wall *time.Time) Time {
	if r == nil || !r.RecipientTime || wall == nil {
		return Stored(at, zone, wall)
	}
	return Time{At: at.UTC(), Zone: zone, Local: wall.Format(localLayout), RecipientTime: true}
}

// The civil day begins 14 hours before UTC's and ends 12 hours after it.
const (
	earliestOffset = 14 * time.Hour
	latestOffset   = 12 * time.Hour
)

// Last is when the firing's time has come everywhere: At itself, unless it is
// meant in each person's own zone.
func (s Time) Last() time.Time {
	if s.RecipientTime {
		return s.At.Add(earliestOffset + latestOffset)
	}
	return s.At
}

// Again is the instant of the firing by the zone rules of today. It differs from
// At when a country changed them after the schedule was saved.
func (s Time) Again() Time {
	wall := s.Wall()
	if wall == nil {
		return s
	}
	r := Rules{Zone: s.Zone, RecipientTime: s.RecipientTime}
	return r.at(*wall)
}

// Resolve is the instant of a wall time (held in UTC) in a zone: the first after
// the gap where it does not exist, the first of two where it occurs twice.
func Resolve(wall time.Time, loc *time.Location) time.Time {
	at, _ := resolve(wall, loc)
	return at
}
