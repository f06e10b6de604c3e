package plan

import (
	"time"

	"bareed/campaigns/schedule"
	"bareed/messages"
)

// ownTime places people of a run that goes by everybody's own zone: when each is
// due, and until when.
type ownTime struct {
	rules  *schedule.Rules
	firing schedule.Time
	hours  *schedule.Hours
	now    time.Time
	zones  map[string]*hoursOf // by zone; a chunk knows few
}

// hoursOf is one zone's part of a firing.
type hoursOf struct {
	from, until time.Time
	late        bool // its people's time passed too long ago
}

// newOwnTime returns nil for a run in one zone.
func newOwnTime(r *schedule.Rules, startsAt time.Time, local *time.Time, now time.Time) (*ownTime, error) {
	if r == nil || local == nil {
		return nil, nil
	}
	hours, err := r.Hours()
	if err != nil {
		return nil, err
	}
	return &ownTime{rules: r, firing: r.Stored(startsAt, r.Zone, local), hours: hours, now: now, zones: map[string]*hoursOf{}}, nil
}

// place puts a row to its person's own time. Somebody whose time passed longer
// ago than the schedule allows is suppressed as expired.
func (o *ownTime) place(row *messages.Planned, who Person) {
	row.Zone = schedule.ZoneOf(who.phone, who.bsuid, o.rules.Zone, o.firing.At)
	h := o.zones[row.Zone]
	if h == nil {
		h = o.hoursIn(row.Zone)
		o.zones[row.Zone] = h
	}
	if h.late {
		row.Reason = messages.Expired
		return
	}
	row.NotBefore = &h.from
	if !h.until.IsZero() {
		row.Closes = &h.until
	}
}

func (o *ownTime) hoursIn(zone string) *hoursOf {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC // ZoneOf gives only zones there are
	}
	h := &hoursOf{}
	h.from, h.until = o.rules.Person(o.firing, o.hours, loc)
	h.late = o.now.After(h.from.Add(o.rules.Lateness()))
	if o.rules.Expires() && !h.until.IsZero() && !o.now.Before(h.until) {
		h.late = true
	}
	return h
}
