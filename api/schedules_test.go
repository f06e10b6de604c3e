package api_test

import (
	"strings"
	"testing"
	"time"

	"bareed/campaigns"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
)

type object = map[string]any

// TestSchedules posts every odd schedule as a program would: the problem with its
// status, code, place and figures, or when it fires and what is said about it.
func TestSchedules(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	now := time.Date(2030, 3, 1, 12, 0, 0, 0, time.UTC)
	pgtest.MoveClock(t, r.pool, time.Until(now))
	b := fixture.BroadcastOf(t, r.pool, r.vault, r.tenant)
	every := func(zone string, recurring object) object { return object{"zone": zone, "recurring": recurring} }
	cron := func(s string) object { return every("Asia/Riyadh", object{"every": "cron", "cron": s}) }
	window := func(from, to string) object {
		return object{"at": "2030-03-02T10:00", "zone": "Asia/Riyadh", "window": object{"from": from, "to": to}}
	}
	for _, c := range []struct {
		name          string
		schedule      object
		code, pointer string // of the refusal
		says          errs.Params
		at, runs      string // when it fires
		note          string // the code of what is said about it
	}{
		{name: "S1", schedule: object{"at": "2030-03-01T11:55:00Z"}, code: "schedule.past", pointer: "/schedule/at", says: errs.Params{"at": "2030-03-01 11:55 UTC", "now": "2030-03-01 12:00 UTC"}},
		{name: "S1 within the grace", schedule: object{"at": "2030-03-01T11:59:40Z"}, at: "2030-03-01T11:59:40Z"},
		{name: "S2", schedule: object{"at": "2030-12-01T10:00"}, code: "schedule.zone_required", pointer: "/schedule/zone"},
		{name: "S3 words", schedule: object{"at": "2030-12-01T10:00", "zone": "GMT+3 Riyadh"}, code: "schedule.zone_unknown", pointer: "/schedule/zone", says: errs.Params{"got": "GMT+3 Riyadh", "suggestions": "Asia/Riyadh, Europe/London"}},
		{name: "S3 abbreviation", schedule: object{"at": "2030-12-01T10:00", "zone": "EST"}, code: "schedule.zone_unknown", pointer: "/schedule/zone", says: errs.Params{"got": "EST", "suggestions": "America/New_York"}},
		{name: "S3 nowhere", schedule: object{"at": "2030-12-01T10:00", "zone": "Mars/X"}, code: "schedule.zone_unknown", pointer: "/schedule/zone"},
		{name: "S4", schedule: object{"at": "2030-03-10T02:30", "zone": "America/New_York"}, at: "2030-03-10T07:00:00Z", runs: "2030-03-10 03:00 EDT", note: "schedule.note_gap"},
		{name: "S5", schedule: object{"at": "2030-11-03T01:30", "zone": "America/New_York"}, at: "2030-11-03T05:30:00Z", runs: "2030-11-03 01:30 EDT", note: "schedule.note_overlap"},
		{name: "S6", schedule: cron("0 9 30 2 *"), code: "schedule.never", pointer: "/schedule/recurring"},
		{name: "S7 a second", schedule: cron("@every 1s"), code: "schedule.too_frequent", pointer: "/schedule/recurring/cron", says: errs.Params{"minutes": 15}},
		{name: "S7 a minute", schedule: cron("* * * * *"), code: "schedule.too_frequent", pointer: "/schedule/recurring/cron", says: errs.Params{"minutes": 15}},
		{name: "S7 six fields", schedule: cron("0 0 9 * * 1"), code: "schedule.syntax", pointer: "/schedule/recurring/cron", says: errs.Params{"got": "0 0 9 * * 1", "example": "0 9 * * 1"}},
		{name: "S8", schedule: every("Asia/Riyadh", object{"every": "month", "day": 31, "time": "09:00"}), at: "2030-03-31T06:00:00Z", note: "schedule.note_skipped"},
		{name: "S8 the last day", schedule: every("Asia/Riyadh", object{"every": "month", "last_day": true, "time": "09:00", "start": "2030-04-01"}), at: "2030-04-30T06:00:00Z"},
		{name: "S9", schedule: every("Asia/Riyadh", object{"every": "day", "time": "09:00", "start": "2030-05-02", "end": "2030-05-01"}), code: "schedule.range", pointer: "/schedule/recurring/end", says: errs.Params{"start": "2030-05-02", "end": "2030-05-01"}},
		{name: "S10 over midnight", schedule: window("21:00", "08:00"), at: "2030-03-02T07:00:00Z", note: "schedule.note_window"},
		{name: "S10 empty", schedule: window("09:00", "09:00"), code: "schedule.window_empty", pointer: "/schedule/window", says: errs.Params{"from": "09:00", "to": "09:00"}},
		{name: "S11", schedule: object{"at": "2035-03-01T12:00:00Z"}, code: "schedule.too_far", pointer: "/schedule/at", says: errs.Params{"days": 365}},
		{name: "S12", schedule: cron("0 9 29 2 *"), at: "2032-02-29T06:00:00Z"},
		{name: "own time", schedule: object{"at": "2030-12-01T10:00", "zone": "Asia/Riyadh", "recipient_time": true}, at: "2030-11-30T20:00:00Z", note: "schedule.note_recipient"},
		{name: "lateness", schedule: object{"at": "2030-12-01T10:00", "zone": "Asia/Riyadh", "max_lateness_minutes": 0}, code: "schedule.lateness", pointer: "/schedule/max_lateness_minutes", says: errs.Params{"min": 1, "max": 1440}},
	} {
		t.Run(c.name, func(t *testing.T) {
			pgtest.MoveClock(t, r.pool, time.Until(now)) // what those before took is no part of the time
			body := object{"name": "Campaign " + c.name, "number_id": b.Number, "template_id": b.Template, "audience_ids": []id.Audience{b.Audience},
				"variables": object{"body": []object{{"attribute": "first_name"}}}, "schedule": c.schedule}
			if c.code != "" {
				p := r.call(t, "POST", "/v1/campaigns", body).refused(t, 422, c.code)
				if len(p.Errors) != 1 || p.Errors[0].Pointer != c.pointer || p.Errors[0].Code != c.code {
					t.Errorf("faults %+v, want %s", p.Errors, c.pointer)
				}
				if c.says != nil && p.Detail != errs.Sentence("en", c.code, c.says) {
					t.Errorf("says %q, want %q", p.Detail, errs.Sentence("en", c.code, c.says))
				}
				return
			}
			var got campaigns.Campaign
			r.call(t, "POST", "/v1/campaigns", body).ok(t, 201).into(t, &got)
			if got.Told == nil || !got.Told.At.Equal(instant(t, c.at)) || c.runs != "" && got.Told.Runs != c.runs {
				t.Fatalf("fires %+v, want %s", got.Told, c.at)
			}
			var codes []string
			for _, n := range got.Told.Notes {
				codes = append(codes, n.Code)
				if n.Text == "" || strings.Contains(n.Text, "{") {
					t.Errorf("note %q", n.Text)
				}
			}
			if strings.Join(codes, " ") != c.note {
				t.Errorf("notes %v, want %s", codes, c.note)
			}
		})
	}
}

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// A schedule is changed and taken away by PATCH; what is wrong leaves it as it was.
func TestScheduleIsEdited(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	pgtest.MoveClock(t, r.pool, time.Until(time.Now().UTC().Truncate(24*time.Hour).Add(36*time.Hour))) // noon: no ten o'clock passes meanwhile
	b := fixture.BroadcastOf(t, r.pool, r.vault, r.tenant)
	var c campaigns.Campaign
	r.call(t, "POST", "/v1/campaigns", object{"name": "Daily", "number_id": b.Number, "template_id": b.Template, "audience_ids": []id.Audience{b.Audience},
		"variables": object{"body": []object{{"attribute": "first_name"}}},
		"schedule":  object{"zone": "Asia/Riyadh", "recurring": object{"every": "day", "time": "10:00"}}}).ok(t, 201).into(t, &c)
	if c.Told == nil || len(c.Told.Next) != 5 {
		t.Fatalf("daily: %+v", c.Told)
	}
	path := "/v1/campaigns/" + c.ID.String()
	at := c.Told.At
	p := r.call(t, "PATCH", path, object{"schedule": object{"zone": "Asia/Riyadh", "recurring": object{"every": "week", "time": "10:00"}}}, header("If-Match", `"1"`)).
		refused(t, 422, "schedule.weekdays")
	if len(p.Errors) != 1 || p.Errors[0].Pointer != "/schedule/recurring/weekdays" {
		t.Errorf("faults %+v", p.Errors)
	}
	r.call(t, "PATCH", path, object{"schedule": object{"at": "2030-01-01T10:00", "zone": "Asia/Riyadh", "recurring": object{"every": "day", "time": "10:00"}}}, header("If-Match", `"1"`)).
		refused(t, 422, "schedule.both")
	r.call(t, "GET", path, nil).ok(t, 200).into(t, &c)
	if c.Version != 1 || !c.Told.At.Equal(*at) {
		t.Errorf("after two refusals: %+v", c)
	}
	r.call(t, "PATCH", path, object{"schedule": object{"zone": "Asia/Riyadh", "recurring": object{"every": "week", "weekdays": []string{"sunday"}, "time": "18:00"}}}, header("If-Match", `"1"`)).
		ok(t, 200).into(t, &c)
	if c.Told.At.UTC().Weekday() != time.Sunday || c.Told.At.UTC().Hour() != 15 {
		t.Errorf("on Sundays: %+v", c.Told)
	}
	var once campaigns.Campaign
	r.call(t, "PATCH", path, object{"schedule": nil}, header("If-Match", `"2"`)).ok(t, 200).into(t, &once)
	if once.Told != nil {
		t.Errorf("without a schedule: %+v", once.Told)
	}
}
