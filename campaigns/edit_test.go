package campaigns_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/check"
	"bareed/campaigns/plan"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
)

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 1)
	other := fixture.NewBroadcast(t, b.Pool)
	paused := b.AddTemplate(t, "MARKETING", "PAUSED", "Hello {{1}}")
	for _, c := range []struct {
		name, code, pointer string
		change              func(d *campaigns.Definition)
	}{
		{"no name", "field.required", "/name", func(d *campaigns.Definition) { d.Name = "" }},
		{"invisible name", "field.required", "/name", func(d *campaigns.Definition) { d.Name = "\u200b\u200e " }},
		{"long name", "field.too_long", "/name", func(d *campaigns.Definition) { d.Name = strings.Repeat("ب", 10000) }},
		{"control characters", "field.characters", "/name", func(d *campaigns.Definition) { d.Name = "a\x07b" }},
		{"bad encoding", "field.characters", "/name", func(d *campaigns.Definition) { d.Name = "a\xff" }},
		{"paused template", "template.not_sendable", "/template_id", func(d *campaigns.Definition) { d.TemplateID = paused }},
		{"missing parameter", "template.params", "/variables/body/0", func(d *campaigns.Definition) { d.Variables = plan.Variables{} }},
		{"one too many", "variables.unused", "/variables/body/1", func(d *campaigns.Definition) {
			d.Variables.Body = append(d.Variables.Body, plan.Value{Text: "x"})
		}},
		{"attribute and text", "variables.value", "/variables/body/0", func(d *campaigns.Definition) {
			d.Variables.Body = []plan.Value{{Attribute: "a", Text: "b"}}
		}},
		{"line break", "attr.not_sendable", "/variables/body/0", func(d *campaigns.Definition) {
			d.Variables.Body = []plan.Value{{Text: "a\nb"}}
		}},
		{"no audience", "campaign.no_recipients", "/audience_ids", func(d *campaigns.Definition) { d.AudienceIDs = nil }},
		{"pace 0", "rate.range", "/per_minute", func(d *campaigns.Definition) { d.PerMinute = new(int) }},
		{"pace above the number's", "rate.range", "/per_minute", func(d *campaigns.Definition) { n := 80*60 + 1; d.PerMinute = &n }},
		{"pace and time", "rate.both", "/finish_within_minutes", func(d *campaigns.Definition) { n := 60; d.PerMinute, d.FinishWithin = &n, &n }},
		{"no time at all", "rate.finish", "/finish_within_minutes", func(d *campaigns.Definition) { d.FinishWithin = new(int) }},
		{"more than a week", "rate.finish", "/finish_within_minutes", func(d *campaigns.Definition) { n := 7*24*60 + 1; d.FinishWithin = &n }},
		{"policy", "campaign.unknown_policy", "/unknown_policy", func(d *campaigns.Definition) { d.UnknownPolicy = "resend" }},
		{"past", "schedule.past", "/send_at", func(d *campaigns.Definition) { d.SendAt = "2020-01-01T00:00:00Z" }},
		{"random number", "ref.not_found", "/number_id", func(d *campaigns.Definition) { d.NumberID = id.New[id.Number]() }},
		{"foreign number", "ref.not_found", "/number_id", func(d *campaigns.Definition) { d.NumberID = other.Number }},
		{"random template", "ref.not_found", "/template_id", func(d *campaigns.Definition) { d.TemplateID = id.New[id.Template]() }},
		{"foreign template", "ref.not_found", "/template_id", func(d *campaigns.Definition) { d.TemplateID = other.Template }},
		{"random audience", "ref.not_found", "/audience_ids/1", func(d *campaigns.Definition) {
			d.AudienceIDs = append(d.AudienceIDs, id.New[id.Audience]())
		}},
		{"foreign audience", "ref.not_found", "/audience_ids/1", func(d *campaigns.Definition) {
			d.AudienceIDs = append(d.AudienceIDs, other.Audience)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := definition(b, c.name)
			c.change(&d)
			_, err := in(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
				return campaigns.Create(ctx, tx, b.Actor, d)
			})
			e := wantCode(t, err, c.code)
			if len(e.Fields) != 1 || e.Fields[0].Pointer != c.pointer {
				t.Errorf("fields %+v, want only %s", e.Fields, c.pointer)
			}
		})
	}
}

func TestCreateNamesEveryFault(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 0)
	_, err := in(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Create(ctx, tx, b.Actor, campaigns.Definition{SendAt: "x"})
	})
	if e := wantCode(t, err, "invalid"); len(e.Fields) != 5 {
		t.Errorf("got %d faults, want 5: %+v", len(e.Fields), e.Fields)
	}
}

func TestNameIsTakenOnce(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 0)
	other := fixture.NewBroadcast(t, b.Pool)
	first := create(t, b, "Eid")
	create(t, other, "Eid")
	make := func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Create(ctx, tx, b.Actor, definition(b, " Eid\u200f"))
	}
	_, err := in(t, b, make)
	wantCode(t, err, "campaign.name_taken")
	b.In(t, func(tx pgx.Tx) error { return campaigns.Delete(t.Context(), tx, b.Actor, first.ID) })
	if _, err := in(t, b, make); err != nil {
		t.Errorf("the name of a deleted draft: %v", err)
	}
	_, err = in(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Get(ctx, tx, b.Workspace, first.ID)
	})
	wantCode(t, err, "not_found")
}

func TestEditAsksForTheVersionThatWasRead(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 1)
	c := create(t, b, "Before")
	edit := func(version int, ch campaigns.Change) (campaigns.Campaign, error) {
		return in(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
			return campaigns.Edit(ctx, tx, b.Actor, c.ID, version, ch)
		})
	}
	name, at, zone, pace := "After", "2026-12-24T10:00", "Asia/Riyadh", new(int)
	*pace = 60
	// Relative to the present, so that the test does not age.
	if now := text(t, b, `select to_char(bareed_now() + interval '1 day', 'YYYY-MM-DD"T"HH24:MI')`); now != "" {
		at = now
	}
	got, err := edit(1, campaigns.Change{Name: &name, SendAt: &at, Zone: &zone, PerMinute: &pace})
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != name || got.Version != 2 || got.PerMinute != 60 || got.Schedule == nil || got.Schedule.Local != at+":00" || got.Schedule.Zone != zone {
		t.Errorf("got %+v, schedule %+v", got, got.Schedule)
	}
	_, err = edit(1, campaigns.Change{Name: &name})
	wantCode(t, err, "version.stale")
	none, never := (*int)(nil), ""
	got, err = edit(2, campaigns.Change{PerMinute: &none, SendAt: &never})
	if err != nil || got.PerMinute != 0 || got.Schedule != nil || got.Name != name {
		t.Errorf("cleared: %+v, %v", got, err)
	}
}

func TestOtherWorkspaceSeesNothing(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 1)
	c := create(t, b, "Mine")
	other := fixture.NewBroadcast(t, b.Pool)
	for name, act := range map[string]func(ctx context.Context, tx pgx.Tx) error{
		"get": func(ctx context.Context, tx pgx.Tx) error {
			_, err := campaigns.Get(ctx, tx, other.Workspace, c.ID)
			return err
		},
		"edit": func(ctx context.Context, tx pgx.Tx) error {
			_, err := campaigns.Edit(ctx, tx, other.Actor, c.ID, 1, campaigns.Change{})
			return err
		},
		"delete": func(ctx context.Context, tx pgx.Tx) error { return campaigns.Delete(ctx, tx, other.Actor, c.ID) },
		"check": func(ctx context.Context, tx pgx.Tx) error {
			_, err := campaigns.RequestCheck(ctx, tx, other.Actor, c.ID)
			return err
		},
		"launch": func(ctx context.Context, tx pgx.Tx) error {
			_, err := campaigns.Launch(ctx, tx, other.Actor, c.ID, campaigns.LaunchRequest{Expected: 1})
			return err
		},
		"pause": func(ctx context.Context, tx pgx.Tx) error {
			_, err := campaigns.Pause(ctx, tx, other.Actor, c.ID)
			return err
		},
		"resume": func(ctx context.Context, tx pgx.Tx) error {
			_, err := campaigns.Resume(ctx, tx, other.Actor, c.ID, campaigns.ResumeRequest{})
			return err
		},
		"end": func(ctx context.Context, tx pgx.Tx) error {
			_, err := campaigns.End(ctx, tx, other.Actor, c.ID)
			return err
		},
		"report": func(ctx context.Context, tx pgx.Tx) error {
			_, err := campaigns.GetReport(ctx, tx, other.Workspace, c.ID)
			return err
		},
		"check of": func(ctx context.Context, tx pgx.Tx) error {
			_, err := check.Get(ctx, tx, other.Workspace, c.ID, id.Check{})
			return err
		},
		"exists": func(ctx context.Context, tx pgx.Tx) error { return campaigns.Exists(ctx, tx, other.Workspace, c.ID) },
		"recipients": func(ctx context.Context, tx pgx.Tx) error {
			_, err := campaigns.Recipients(ctx, tx, other.Workspace, c.ID, campaigns.RecipientFilter{Limit: 1})
			return err
		},
	} {
		err := other.Pool.InWorkspace(t.Context(), other.Workspace, func(tx pgx.Tx) error { return act(t.Context(), tx) })
		if !errs.Is(err, "not_found") {
			t.Errorf("%s: %v", name, err)
		}
	}
	list := must(t, other, func(ctx context.Context, tx pgx.Tx) ([]campaigns.Campaign, error) {
		return campaigns.List(ctx, tx, other.Workspace, campaigns.Filter{Limit: 10})
	})
	if len(list) != 0 {
		t.Errorf("list: %v", list)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 0)
	a1, a2 := create(t, b, "Eid sale"), create(t, b, "Winter")
	for name, c := range map[string]struct {
		filter campaigns.Filter
		want   id.Campaign
	}{
		"first page":  {campaigns.Filter{Limit: 1}, a2.ID},
		"second page": {campaigns.Filter{Limit: 1, After: a2.ID}, a1.ID},
		"search":      {campaigns.Filter{Limit: 5, Search: "SALE", States: []campaigns.State{campaigns.Draft}}, a1.ID},
	} {
		list := must(t, b, func(ctx context.Context, tx pgx.Tx) ([]campaigns.Campaign, error) {
			return campaigns.List(ctx, tx, b.Workspace, c.filter)
		})
		if len(list) != 1 || list[0].ID != c.want {
			t.Errorf("%s: %v", name, list)
		}
	}
}
