package web_test

import (
	"testing"
	"time"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/campaigns/schedule"
)

// The third step's form for every rhythm: what is wrong stands at its field with
// what was typed, what is right is the campaign's, and the form shows it again.
func TestTheWizardsSchedules(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := d.as(t, accounts.Marketer)
	year := time.Now().Year() + 1
	once := time.Date(year, 1, 15, 10, 0, 0, 0, time.UTC).Format("2006-01-02T15:04")
	if time.Until(time.Date(year, 1, 15, 10, 0, 0, 0, time.UTC)) > 360*24*time.Hour {
		once = time.Now().AddDate(0, 1, 0).Format("2006-01-02T15:04")
	}
	for _, c := range []struct {
		name    string
		form    []string
		wrong   string // the field the fault stands at; empty: it is taken
		rules   func(r *schedule.Rules) bool
		checked string // stands in the form that is shown again
	}{
		{name: "every day", form: []string{"when", "day", "time", "10:00"},
			rules: func(r *schedule.Rules) bool { return r.Recurring.Every == "day" && r.Recurring.Time == "10:00" }, checked: `value="10:00"`},
		{name: "every day without a time", form: []string{"when", "day"}, wrong: "time"},
		{name: "every day at no time", form: []string{"when", "day", "time", "25:00"}, wrong: "time"},
		{name: "on Sundays and Thursdays", form: []string{"when", "week", "time", "18:00", "weekday", "sunday", "weekday", "thursday"},
			rules: func(r *schedule.Rules) bool { return len(r.Recurring.Weekdays) == 2 }},
		{name: "on no day", form: []string{"when", "week", "time", "18:00"}, wrong: "weekday"},
		{name: "the last of the month", form: []string{"when", "month", "time", "09:00", "month_day", "last"},
			rules: func(r *schedule.Rules) bool { return r.Recurring.LastDay && r.Recurring.Day == 0 }},
		{name: "the 31st", form: []string{"when", "month", "time", "09:00", "month_day", "31"},
			rules: func(r *schedule.Rules) bool { return r.Recurring.Day == 31 && !r.Recurring.LastDay }},
		{name: "no day of the month", form: []string{"when", "month", "time", "09:00", "month_day", "0"}, wrong: "month_day"},
		{name: "an expression", form: []string{"when", "cron", "cron", "0 9 * * 1"},
			rules: func(r *schedule.Rules) bool { return r.Recurring.Cron == "0 9 * * 1" }},
		{name: "too often", form: []string{"when", "cron", "cron", "* * * * *"}, wrong: "cron"},
		{name: "never", form: []string{"when", "cron", "cron", "0 9 30 2 *"}, wrong: "when"},
		{name: "it ends before it begins", form: []string{"when", "day", "time", "10:00", "start", "2999-05-02", "end", "2999-05-01"}, wrong: "end"},
		{name: "own time", form: []string{"when", "at", "send_at", once, "clock", "own"},
			rules: func(r *schedule.Rules) bool { return r.RecipientTime && r.Recurring == nil }},
		{name: "within hours that end it", form: []string{"when", "day", "time", "10:00", "hours", "window", "window_from", "09:00", "window_to", "21:00", "after", "expire"},
			rules: func(r *schedule.Rules) bool { return r.Window.To == "21:00" && r.Expires() && r.QuietHours == nil }},
		{name: "quiet hours over midnight", form: []string{"when", "day", "time", "10:00", "hours", "quiet", "quiet_from", "22:00", "quiet_to", "07:00"},
			rules: func(r *schedule.Rules) bool { return r.QuietHours.From == "22:00" && r.Window == nil }},
		{name: "hours that leave nothing", form: []string{"when", "day", "time", "10:00", "hours", "window", "window_from", "09:00", "window_to", "09:00"}, wrong: "window_to"},
		{name: "hours half filled in", form: []string{"when", "day", "time", "10:00", "hours", "window", "window_from", "09:00"}, wrong: "window_to"},
		{name: "at most three hours late", form: []string{"when", "day", "time", "10:00", "late", "180"},
			rules: func(r *schedule.Rules) bool { return r.MaxLateness != nil && *r.MaxLateness == 180 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			made := d.Campaign(t, "Schedule: "+c.name)
			base := "/campaigns/" + made.ID.String()
			step := base + "/edit/delivery"
			p := b.do("POST", step, b.get(step).has(t, 200).hiddenOf(append([]string{"go", "next", "speed", "full"}, c.form...)...))
			got := d.campaign(t, made.ID)
			if c.wrong != "" {
				p.has(t, 422, `href="#`+c.wrong+`"`)
				if got.Version != made.Version || got.Rules != nil {
					t.Errorf("what is wrong was kept: %+v", got.Rules)
				}
				return
			}
			p.to(t, base+"/edit/check")
			if got.Rules == nil || !c.rules(got.Rules) || got.State != campaigns.Checking {
				t.Errorf("%s with %+v", got.State, got.Rules)
			}
			again := b.get(step).has(t, 200, c.checked)
			examine(t, step, "en", again)
		})
	}
}

// What is handed over with the address of a new campaign is its audience, as
// after an import; one that is not the workspace's, or no id, is none.
func TestANewCampaignForAnAudience(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.AddPeople(t, d.Audience, 3)
	b := d.as(t, accounts.Marketer)
	form := func(name string) []string {
		return []string{"name", name, "number", d.Number.String(), "template", d.Template.String(), "go", "next"}
	}
	path := "/campaigns/new?audience=" + d.Audience.String()
	b.get(path).has(t, 200, d.Audience.String())
	c, _ := draftOf(t, b.post(path, form("For them")...))
	if got := d.campaign(t, c); len(got.AudienceIDs) != 1 || got.AudienceIDs[0] != d.Audience {
		t.Errorf("its audiences: %v", got.AudienceIDs)
	}
	c, _ = draftOf(t, b.post("/campaigns/new?audience=rubbish", form("For nobody")...))
	if got := d.campaign(t, c); len(got.AudienceIDs) != 0 {
		t.Errorf("its audiences: %v", got.AudienceIDs)
	}
	foreign := newDesk(t)
	p := b.post("/campaigns/new?audience="+foreign.Audience.String(), form("Foreign")...)
	if p.Status == 303 {
		c, _ = draftOf(t, p)
		if got := d.campaign(t, c); len(got.AudienceIDs) != 0 {
			t.Errorf("a stranger's audience: %v", got.AudienceIDs)
		}
	} else if p.Status != 404 && p.Status != 422 {
		t.Errorf("a stranger's audience: %d", p.Status)
	}
}
