package campaigns_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/plan"
	"bareed/contacts"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/numbers"
	"bareed/templates"
)

// A partial draft is kept as far as it goes, says what it lacks, and cannot be
// launched before it is whole.
func TestAPartialDraft(t *testing.T) {
	t.Parallel()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	b.AddPeople(t, b.Audience, 2)
	var c campaigns.Campaign
	lacks := func() (codes []string) {
		b.In(t, func(tx pgx.Tx) error {
			n, err := numbers.Get(t.Context(), tx, b.Workspace, b.Number)
			if err != nil {
				return err
			}
			tmpl, err := templates.Get(t.Context(), tx, b.Workspace, b.Template)
			for _, e := range c.Lacks(n, tmpl) {
				codes = append(codes, e.Code)
			}
			return err
		})
		return codes
	}
	edit := func(ch campaigns.Change) error {
		ch.Partial = true
		return b.Pool.InWorkspace(t.Context(), b.Workspace, func(tx pgx.Tx) error {
			got, err := campaigns.Edit(t.Context(), tx, b.Actor, c.ID, c.Version, ch)
			if err == nil {
				c = got
			}
			return err
		})
	}
	b.In(t, func(tx pgx.Tx) (err error) {
		c, err = campaigns.Create(t.Context(), tx, b.Actor, campaigns.Definition{Name: "Half", NumberID: b.Number, TemplateID: b.Template, Partial: true})
		return err
	})
	if got := lacks(); len(got) != 2 || got[0] != "template.params" || got[1] != "campaign.no_audience" {
		t.Errorf("lacks %v", got)
	}
	if k := b.Check(t, c.ID); k.Eligible != 0 || k.Total != 0 {
		t.Errorf("%+v", k)
	}
	name := "Half"
	if err := edit(campaigns.Change{Name: &name}); err != nil || c.Version != 1 {
		t.Errorf("an edit that changes nothing: %v, version %d", err, c.Version)
	}
	b.Do(t, `update template set status = 'PAUSED' where workspace_id = $1 and id = $2`, b.Workspace, b.Template)
	if err := edit(campaigns.Change{AudienceIDs: &[]id.Audience{b.Audience}}); err != nil || c.Version != 2 {
		t.Errorf("what is left as it is gives no fault: %v, version %d", err, c.Version)
	}
	if err := edit(campaigns.Change{TemplateID: &[]id.Template{b.AddTemplate(t, "MARKETING", "PAUSED", "x")}[0]}); !errs.Is(err, "template.not_sendable") {
		t.Errorf("a template that cannot be sent is chosen: %v", err)
	}
	b.Do(t, `update template set status = 'APPROVED' where workspace_id = $1 and id = $2`, b.Workspace, b.Template)
	past := "2020-01-01T10:00:00Z"
	if err := edit(campaigns.Change{SendAt: &past}); !errs.Is(err, "schedule.past") {
		t.Errorf("%v", err)
	}
	if err := edit(campaigns.Change{Variables: &plan.Variables{Body: []plan.Value{{Attribute: "first_name"}}}}); err != nil {
		t.Fatal(err)
	}
	if got := lacks(); len(got) != 0 {
		t.Errorf("lacks %v", got)
	}
	if k := b.Check(t, c.ID); k.Eligible != 2 {
		t.Errorf("%+v", k)
	}
}

// What the wizard shows beside a draft: somebody of the audience, how many may
// be messaged, which attributes there are.
func TestBesideADraft(t *testing.T) {
	t.Parallel()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	people := b.AddPeople(t, b.Audience, 6)
	again := b.AddAudience(t, "Again")
	b.Do(t, `insert into audience_member (workspace_id, audience_id, contact_id) values ($1, $2, $3)`, b.Workspace, again, people[0])
	b.Do(t, `delete from contact_attribute where workspace_id = $1 and contact_id = $2`, b.Workspace, people[0])
	b.Do(t, `insert into contact_attribute (workspace_id, contact_id, name, text) values ($1, $2, 'city', 'Riyadh')`, b.Workspace, people[1])
	b.Do(t, `update permission set granted = false where workspace_id = $1 and contact_id = $2`, b.Workspace, people[2])
	b.Do(t, `update permission set purpose = 'utility' where workspace_id = $1 and contact_id = $2`, b.Workspace, people[3])
	b.Do(t, `update permission set expires_at = bareed_now() where workspace_id = $1 and contact_id = $2`, b.Workspace, people[4])
	b.In(t, func(tx pgx.Tx) error {
		both := []id.Audience{b.Audience, again}
		r, err := plan.CountReach(t.Context(), tx, b.Workspace, both, "marketing")
		if want := (plan.Reach{People: 6, Granted: 3, NoOptIn: 1, OptedOut: 1, Expired: 1}); err != nil || r != want {
			t.Errorf("%+v, %v", r, err)
		}
		names, err := contacts.AttributeNames(t.Context(), tx, b.Workspace, 10)
		if err != nil || len(names) != 2 || names[0] != "city" || names[1] != "first_name" {
			t.Errorf("%v, %v", names, err)
		}
		tmpl, err := templates.Get(t.Context(), tx, b.Workspace, b.Template)
		if err != nil {
			return err
		}
		v := plan.Variables{Body: []plan.Value{{Attribute: "first_name"}}}
		s, err := plan.Example(t.Context(), tx, plan.Scope{Workspace: b.Workspace, Audiences: both, Portfolio: b.Portfolio, Purpose: "marketing", Attributes: v.Attributes()}, tmpl, v)
		if err != nil || !s.Found || s.Values["body.1"] != "Name0001" {
			t.Errorf("the first with every value is the second person: %+v, %v", s, err)
		}
		s, err = plan.Example(t.Context(), tx, plan.Scope{Workspace: b.Workspace, Audiences: []id.Audience{}, Purpose: "marketing", Attributes: []string{}}, tmpl, v)
		if err != nil || s.Found {
			t.Errorf("%+v, %v", s, err)
		}
		return nil
	})
	b.In(t, func(tx pgx.Tx) error {
		names, err := contacts.AttributeNames(t.Context(), tx, fixture.NewBroadcast(t, b.Pool).Workspace, 10)
		if err == nil && len(names) > 0 {
			t.Errorf("another workspace's attributes: %v", names)
		}
		return nil
	})
}
