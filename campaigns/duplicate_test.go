package campaigns_test

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/schedule"
	"bareed/internal/fixture"
	"bareed/internal/id"
)

func duplicate(t testing.TB, b *fixture.Broadcast, c id.Campaign, word string) campaigns.Campaign {
	t.Helper()
	return must(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Duplicate(ctx, tx, b.Actor, c, word)
	})
}

// A copy says the same to the same people, is a draft of its own, and can be
// checked and launched at once. The first stays as it is.
func TestDuplicate(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 2)
	first, _ := launched(t, b, "Eid")
	b.Do(t, `update campaign set unknown_policy = 'evidence', per_minute = 60 where id = $1`, first)
	before := get(t, b, first)
	c := duplicate(t, b, first, "copy")
	if c.ID == first || c.Name != "Eid (copy)" || c.State != campaigns.Draft || c.Version != 1 || !c.RunID.IsZero() || c.LaunchedAt != nil {
		t.Errorf("%+v", c)
	}
	same := func(c campaigns.Campaign) []any {
		return []any{c.NumberID, c.TemplateID, c.AudienceIDs, c.Variables, c.UnknownPolicy, c.PerMinute}
	}
	if !reflect.DeepEqual(same(c), same(before)) {
		t.Errorf("got %+v, want %+v", same(c), same(before))
	}
	if now := get(t, b, first); !reflect.DeepEqual(now, before) {
		t.Errorf("the first became %+v", now)
	}
	k := b.Check(t, c.ID)
	if _, err := launch(t, b, c.ID, campaigns.LaunchRequest{Expected: k.Eligible}); err != nil || k.Eligible != 2 {
		t.Errorf("launch the copy to %d: %v", k.Eligible, err)
	}
	if n := number(t, b, `select count(*)::int from audit where workspace_id = $1 and action = 'campaign.created' and subject = $2 and detail->>'copy_of' = $3`,
		b.Workspace, c.ID.String(), first.String()); n != 1 {
		t.Errorf("%d audit entries of the copy", n)
	}
}

func TestDuplicateNames(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 0)
	long := strings.Repeat("ب", 99)
	for _, of := range []string{"Eid", "Report (final)", long} {
		create(t, b, of)
	}
	named := func(name string) id.Campaign {
		list := must(t, b, func(ctx context.Context, tx pgx.Tx) ([]campaigns.Campaign, error) {
			return campaigns.List(ctx, tx, b.Workspace, campaigns.Filter{Search: name, Limit: 50})
		})
		i := slices.IndexFunc(list, func(c campaigns.Campaign) bool { return c.Name == name })
		if i < 0 {
			t.Fatalf("nothing is called %s", name)
		}
		return list[i].ID
	}
	for _, c := range []struct{ of, word, want string }{
		{"Eid", "copy", "Eid (copy)"},
		{"Eid", "copy", "Eid (copy 2)"},
		{"Eid (copy)", "copy", "Eid (copy 3)"},
		{"Eid (copy 2)", "copy", "Eid (copy 4)"},
		{"Eid", "نسخة", "Eid (نسخة)"},
		{"Eid (copy)", "نسخة", "Eid (copy) (نسخة)"},
		{"Report (final)", "copy", "Report (final) (copy)"},
		{long, "copy", strings.Repeat("ب", 93) + " (copy)"},
		{long, "copy", strings.Repeat("ب", 91) + " (copy 2)"},
	} {
		if got := duplicate(t, b, named(c.of), c.word); got.Name != c.want {
			t.Errorf("%s: got %s, want %s", c.of, got.Name, c.want)
		}
	}
}

// What is no more does not come along: a past time, a deleted audience, a pace
// above the number's.
func TestDuplicateLeavesOutWhatIsGone(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 1)
	b.Do(t, `update number set per_second = 1 where id = $1`, b.Number)
	gone := b.AddAudience(t, "Gone")
	make := func(name, at string, rules *schedule.Rules) campaigns.Campaign {
		return must(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
			d := definition(b, name)
			d.AudienceIDs, d.SendAt, d.Schedule = append(d.AudienceIDs, gone), at, rules
			return campaigns.Create(ctx, tx, b.Actor, d)
		})
	}
	wall := func(d time.Duration) string { return time.Now().UTC().Add(d).Format("2006-01-02T15:04") }
	hours := &schedule.Window{From: "09:00", To: "17:00"}
	daily := schedule.Recurrence{Every: "day", Time: "10:00"}
	over := daily
	over.End = time.Now().UTC().Add(48 * time.Hour).Format(time.DateOnly)
	future := time.Now().UTC().Add(24 * time.Hour).Format(time.RFC3339)
	ahead := make("ahead", future, nil)
	past := make("past", future, nil)
	window := make("window", "", &schedule.Rules{At: wall(24 * time.Hour), Zone: "UTC", Window: hours})
	own := make("own", "", &schedule.Rules{At: wall(48 * time.Hour), Zone: "UTC", RecipientTime: true})
	again := make("again", "", &schedule.Rules{Recurring: &daily, Zone: "UTC"})
	ended := make("ended", "", &schedule.Rules{Recurring: &over, Zone: "UTC"})
	b.Do(t, `update campaign set send_at = send_at - interval '30 days', send_local = send_local - interval '30 days',
		schedule = replace(replace(schedule::text, $2, '2026-01-02T10:00'), $3, '2026-01-02')::jsonb where id = any ($1)`,
		[]id.Campaign{past.ID, window.ID, own.ID, again.ID, ended.ID}, window.Rules.At, over.End)
	b.Do(t, `update campaign set schedule = jsonb_set(schedule, '{at}', '"2026-01-02T10:00"') where id = $1`, own.ID)
	b.Do(t, `update campaign set per_minute = 600 where id = $1`, past.ID)
	b.Do(t, `update audience set deleted_at = bareed_now() where id = $1`, gone)
	copied := func(c campaigns.Campaign) campaigns.Campaign { return duplicate(t, b, c.ID, "copy") }
	if c := copied(ahead); c.Schedule == nil || !c.Schedule.At.Equal(ahead.Schedule.At) || !slices.Equal(c.AudienceIDs, []id.Audience{b.Audience}) {
		t.Errorf("a time ahead: %+v, audiences %v", c.Schedule, c.AudienceIDs)
	}
	if c := copied(past); c.Schedule != nil || c.Rules != nil || c.PerMinute != 0 {
		t.Errorf("a past time and pace: %+v, %d", c.Schedule, c.PerMinute)
	}
	if c := copied(window); c.Schedule != nil || c.Rules == nil || c.Rules.At != "" || !reflect.DeepEqual(c.Rules.Window, window.Rules.Window) || c.Rules.Zone != "UTC" {
		t.Errorf("a past time within hours: %+v, %+v", c.Schedule, c.Rules)
	}
	if c := copied(own); c.Schedule != nil || c.Rules != nil {
		t.Errorf("a past time in each person's zone: %+v, %+v", c.Schedule, c.Rules)
	}
	now := time.Now()
	if c := copied(again); c.Schedule == nil || c.Schedule.At.Before(now) || !reflect.DeepEqual(c.Rules, again.Rules) {
		t.Errorf("every day: %+v, %+v", c.Schedule, c.Rules)
	}
	if c := copied(ended); c.Schedule != nil || c.Rules != nil {
		t.Errorf("what recurred and is over: %+v, %+v", c.Schedule, c.Rules)
	}
}

// A copy of what can no longer be sent is a draft that says so.
func TestDuplicateOfWhatIsUnfit(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 1)
	c := create(t, b, "Eid")
	b.Do(t, `update number set disconnected_at = bareed_now() where id = $1`, b.Number)
	b.Do(t, `update template set status = 'REJECTED' where id = $1`, b.Template)
	if got := duplicate(t, b, c.ID, "copy"); got.NumberID != c.NumberID || got.TemplateID != c.TemplateID {
		t.Errorf("%+v", got)
	}
	other := fixture.NewBroadcast(t, b.Pool)
	_, err := in(t, other, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Duplicate(ctx, tx, other.Actor, c.ID, "copy")
	})
	wantCode(t, err, "not_found")
}
