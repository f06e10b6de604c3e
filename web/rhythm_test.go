package web_test

import (
	"strings"
	"testing"
	"time"

	"bareed/accounts"
	"bareed/campaigns/schedule"
	"bareed/internal/fixture"
	"bareed/web/rhythm"
	"bareed/web/ui"
)

// Coming firings and what is special about them are written as people write
// times, in the reader's language and by the right clock.
func TestFiringsInWords(t *testing.T) {
	t.Parallel()
	u := pages(t)
	riyadh, err := time.LoadLocation("Asia/Riyadh")
	if err != nil {
		t.Fatal(err)
	}
	en, ar := u.Locale("en", riyadh), u.Locale("ar", riyadh)
	now := time.Date(2027, 3, 26, 12, 0, 0, 0, time.UTC)
	rules := func(zone string, r schedule.Recurrence) *schedule.Rules {
		return &schedule.Rules{Recurring: &r, Zone: zone}
	}
	sundays := schedule.Recurrence{Every: "week", Weekdays: []string{"sunday"}, Time: "10:00"}
	own := rules("Asia/Riyadh", sundays)
	own.RecipientTime = true
	for _, c := range []struct {
		name  string
		l     ui.Locale
		rules *schedule.Rules
		want  rhythm.Firing
		note  string
	}{
		{"here", en, rules("Asia/Riyadh", sundays), rhythm.Firing{Text: "Sunday, 28 Mar 2027, 10:00", Zone: "Asia/Riyadh"}, ""},
		{"here in Arabic", ar, rules("Asia/Riyadh", sundays), rhythm.Firing{Text: "الأحد، 28 مارس 2027، 10:00", Zone: "Asia/Riyadh"}, ""},
		{"elsewhere", en, rules("America/New_York", sundays), rhythm.Firing{Text: "Sunday, 28 Mar 2027, 10:00", Zone: "America/New_York", Away: true}, ""},
		{"everybody's own", en, own, rhythm.Firing{Text: "Sunday, 28 Mar 2027, 10:00", Away: true}, "Asia/Riyadh where it is not known"},
		{"no such time", en, rules("Europe/Berlin", schedule.Recurrence{Every: "week", Weekdays: []string{"sunday"}, Time: "02:30"}),
			rhythm.Firing{Text: "Sunday, 28 Mar 2027, 03:00", Zone: "Europe/Berlin", Away: true, Adjusted: "gap"},
			"Sunday, 28 Mar 2027, 02:30 does not exist on that day, because clocks go forward. It runs at Sunday, 28 Mar 2027, 03:00 CEST."},
		{"no such time in Arabic", ar, rules("Europe/Berlin", schedule.Recurrence{Every: "week", Weekdays: []string{"sunday"}, Time: "02:30"}),
			rhythm.Firing{Text: "الأحد، 28 مارس 2027، 03:00", Zone: "Europe/Berlin", Away: true, Adjusted: "gap"}, "\u2068الأحد، 28 مارس 2027، 03:00 CEST\u2069"},
		{"months without the day", en, rules("Asia/Riyadh", schedule.Recurrence{Every: "month", Day: 31, Time: "10:00"}),
			rhythm.Firing{Text: "Wednesday, 31 Mar 2027, 10:00", Zone: "Asia/Riyadh"}, "left out: Apr 2027, Jun 2027, Sep 2027"},
		{"months in Arabic", ar, rules("Asia/Riyadh", schedule.Recurrence{Every: "month", Day: 31, Time: "10:00"}),
			rhythm.Firing{Text: "الأربعاء، 31 مارس 2027، 10:00", Zone: "Asia/Riyadh"}, "أبريل 2027، يونيو 2027، سبتمبر 2027"},
	} {
		next, err := c.rules.Check(now)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got := rhythm.Coming(c.l, c.rules, next, 5)
		if len(got) != 5 || got[0].At.Before(now.Add(-24*time.Hour)) || !got[0].At.Before(got[1].At) {
			t.Fatalf("%s: %+v", c.name, got)
		}
		if c.want.At, got[0].Soon = got[0].At, ""; got[0] != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got[0], c.want)
		}
		if notes := strings.Join(rhythm.Notes(c.l, c.rules, next, 5), "\n"); !strings.Contains(notes, c.note) || (notes == "") != (c.note == "") {
			t.Errorf("%s: notes %q, want %q", c.name, notes, c.note)
		}
	}
}

// A schedule's card on the campaign's page and in the wizard.
func TestScheduleOnPages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.as(t, accounts.Marketer)
	draft := "/campaigns/" + fixture.BroadcastOf(t, r.pool, r.vault, r.tenant).Campaign(t, "Weekly").ID.String()
	b.post(draft+"/edit/delivery", "version", "1", "when", "week", "weekday", "sunday", "time", "10:00", "clock", "here", "hours", "any",
		"speed", "full", "unknown", "workspace", "late", "60", "go", "stay").to(t, draft+"/edit/delivery")
	for lang, want := range map[string]string{"en": "Sunday, ", "ar": "الأحد، "} {
		r.speak(t, b, lang)
		for _, path := range []string{draft, draft + "/edit/delivery"} {
			look(t, path, lang, b.get(path).has(t, 200, want, `<bdi dir="ltr">UTC</bdi>`))
		}
	}
}
