package templates_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/numbers"
	"bareed/templates"
	"bareed/whatsapp"
)

func told(changes []numbers.Change) []string {
	list := []string{}
	for _, c := range changes {
		became := c.Became
		if c.What == numbers.Components {
			became = "new"
		}
		list = append(list, c.What+": "+became)
	}
	slices.Sort(list)
	return list
}

func TestMirror(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	v := fixture.Vault(t, pool)
	tenant := fixture.Workspace(t, pool, v)
	m := fixture.Connect(t, pool, v, tenant, fixture.RandomIDs())
	offer := fixture.SpringOffer(m.Template.MetaID)
	arabic := offer
	arabic.ID, arabic.Language = "88", "ar"
	apply := func(list ...whatsapp.Template) (changes []string) {
		fixture.In(t, pool, tenant.Workspace, func(tx pgx.Tx) error {
			got, err := templates.ApplyList(t.Context(), tx, tenant.Workspace, m.Number.WABA, list)
			changes = told(got)
			return err
		})
		return changes
	}
	changed := func(change func(*whatsapp.Template)) whatsapp.Template {
		c := offer
		change(&c)
		return c
	}
	for _, step := range []struct {
		name string
		list []whatsapp.Template
		want []string
	}{
		{"the same", []whatsapp.Template{offer}, []string{}},
		{"a new one is no change", []whatsapp.Template{offer, arabic}, []string{}},
		{"paused, in small letters", []whatsapp.Template{changed(func(t *whatsapp.Template) { t.Status = "paused" }), arabic}, []string{"status: PAUSED"}},
		{"all of it", []whatsapp.Template{changed(func(t *whatsapp.Template) {
			t.Category, t.Quality, t.Components = "UTILITY", "RED", json.RawMessage(`[{"type":"BODY","text":"New"}]`)
		}), arabic}, []string{"category: UTILITY", "components: new", "quality: RED", "status: APPROVED"}},
		{"what Meta leaves out stays", []whatsapp.Template{changed(func(t *whatsapp.Template) {
			t.Category, t.Quality, t.Status, t.Components = "", "", "", json.RawMessage(`[{"type":"BODY","text":"New"}]`)
		}), arabic}, []string{}},
		{"gone", []whatsapp.Template{arabic}, []string{"status: NOT_LISTED"}},
		{"still gone", []whatsapp.Template{arabic}, []string{}},
		{"back", []whatsapp.Template{offer, arabic}, []string{"category: MARKETING", "components: new", "quality: GREEN", "status: APPROVED"}},
		{"made anew under the same name", []whatsapp.Template{changed(func(t *whatsapp.Template) { t.ID = "89" }), arabic}, []string{}},
	} {
		if got := apply(step.list...); !slices.Equal(got, step.want) {
			t.Errorf("%s: %v, want %v", step.name, got, step.want)
		}
	}
	fixture.In(t, pool, tenant.Workspace, func(tx pgx.Tx) error {
		now, err := templates.Get(t.Context(), tx, tenant.Workspace, m.Template.ID)
		if err != nil {
			return err
		}
		if now.MetaID != "89" || now.GoneAt != nil || now.Status != "APPROVED" {
			t.Errorf("template %+v", now)
		}
		list, err := templates.List(t.Context(), tx, tenant.Workspace, templates.Filter{Language: "ar", Number: m.Number.ID, Name: "spring", Status: "approved"}, id.Template{}, 10)
		if len(list) != 1 || list[0].MetaID != "88" {
			t.Errorf("list %+v", list)
		}
		past, err2 := numbers.History(t.Context(), tx, tenant.Workspace, 100, m.Template.ID.String())
		if len(past) != 10 {
			t.Errorf("%d lines of history, want 10", len(past))
		}
		return errorsOf(err, err2)
	})
}

func errorsOf(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestWebhook: categories, repeats of old news, and templates nobody has.
func TestWebhook(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	v := fixture.Vault(t, pool)
	tenant := fixture.Workspace(t, pool, v)
	m := fixture.Connect(t, pool, v, tenant, fixture.RandomIDs())
	ref := whatsapp.TemplateRef{ID: m.Template.MetaID, Name: "spring_offer", Language: "en_US"}
	route := numbers.Route{Workspace: tenant.Workspace, WABA: m.Number.WABA, Portfolio: m.Number.Portfolio}
	now := time.Now()
	for _, step := range []struct {
		name  string
		value whatsapp.Value
		at    time.Time
		want  []string
	}{
		{"another category is announced", whatsapp.TemplateCategory{TemplateRef: ref, Impending: true, Current: "MARKETING", To: "UTILITY", At: now.Add(24 * time.Hour)}, now, []string{"next_category: UTILITY"}},
		{"and comes", whatsapp.TemplateCategory{TemplateRef: ref, Previous: "MARKETING", Current: "UTILITY", To: "UTILITY"}, now, []string{"category: UTILITY"}},
		{"old news", whatsapp.TemplateStatus{TemplateRef: ref, Event: "DISABLED"}, now.Add(-8 * 24 * time.Hour), []string{}},
		{"without a time it is new", whatsapp.TemplateStatus{TemplateRef: ref, Event: "PAUSED"}, time.Time{}, []string{"status: PAUSED"}},
		{"unarchived says nothing sure", whatsapp.TemplateStatus{TemplateRef: ref, Event: "UNARCHIVED"}, now, []string{}},
		{"reinstated", whatsapp.TemplateStatus{TemplateRef: ref, Event: "REINSTATED"}, now, []string{"status: APPROVED"}},
		{"by name when the id is another", whatsapp.TemplateQuality{TemplateRef: whatsapp.TemplateRef{ID: "1", Name: "spring_offer", Language: "en_US"}, New: "YELLOW"}, now, []string{"quality: YELLOW"}},
		{"of nobody", whatsapp.TemplateStatus{TemplateRef: whatsapp.TemplateRef{ID: "1", Name: "x", Language: "en"}, Event: "PAUSED"}, now, []string{}},
		{"the same content", whatsapp.TemplateComponents{TemplateRef: ref, Header: "Hi", Body: "Hello {{1}}, spring is here.", Footer: "Acme"}, now, []string{}},
		{"new content", whatsapp.TemplateComponents{TemplateRef: ref, Header: "Hi", Body: "Bye {{1}}.", Footer: "Acme"}, now, []string{"components: new"}},
	} {
		fixture.In(t, pool, tenant.Workspace, func(tx pgx.Tx) error {
			got, err := templates.ApplyWebhook(t.Context(), tx, route, whatsapp.Change{EntryTime: step.at, Value: step.value})
			if list := told(got); !slices.Equal(list, step.want) {
				t.Errorf("%s: %v, want %v", step.name, list, step.want)
			}
			return err
		})
	}
	fixture.In(t, pool, tenant.Workspace, func(tx pgx.Tx) error {
		stale, err := templates.Stale(t.Context(), tx, tenant.Workspace, m.Number.WABA)
		if !stale {
			t.Error("after new content the mirror must be read again")
		}
		return err
	})
}
