package wizard

import (
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/contacts/directory"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/ui"
)

// saveStep keeps a step's answers and goes on, unless the step still lacks
// something: what was typed is kept all the same.
func (s *desk) saveStep(c *front.Call) error {
	campaign, step, err := stepPath(c)
	if err != nil {
		return err
	}
	f := c.Form()
	if f.Get("go") == "look" {
		return s.showStep(c, campaign, step, f, nil) // nothing is kept
	}
	var v *view
	again := false // the template is another one, whose variables the form did not have
	stay := f.Get("go") == "stay"
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		if v, err = s.loadDraft(c, tx, campaign, step); err != nil || !v.editable() {
			return err
		}
		was := v.Campaign.TemplateID
		if err := s.keep(c, tx, v, f); err != nil || f.Refused() {
			return err
		}
		if v, err = s.loadDraft(c, tx, campaign, step); err != nil {
			return err
		}
		again = v.Campaign.TemplateID != was && v.lacking("message")
		if (step == "delivery" && !stay || step == "check") && len(v.Lacks) == 0 && (step == "check" || !v.Checked()) {
			_, err = campaigns.RequestCheck(c.Ctx(), tx, c.Actor(), campaign)
		}
		return err
	})
	switch {
	case err == nil && !f.Refused() && again && !stay:
		return c.Redirect(v.path("message") + toFill)
	case err == nil && !f.Refused():
		return s.goOn(c, v, f, stay)
	case err != nil && !errs.Is(err, "version.stale") && !v.failed(c, f, err):
		return err
	}
	return s.showStep(c, campaign, step, f, err)
}

// keep writes the step's part of the draft. A change of what somebody else left
// since the form was opened is refused, and the form shown again.
func (s *desk) keep(c *front.Call, tx pgx.Tx, v *view, f *ui.Form) error {
	ch := campaigns.Change{Partial: true}
	switch v.Step {
	case "message":
		if err := messageChange(c, tx, f, &ch); err != nil || f.Refused() {
			return err
		}
	case "audience":
		audienceChange(c, f, &ch)
	case "delivery":
		deliveryChange(c, v, f, &ch)
	default:
		return nil
	}
	if f.Refused() {
		return nil
	}
	version, _ := strconv.Atoi(f.Get("version")) // 0 matches none
	_, err := campaigns.Edit(c.Ctx(), tx, c.Actor(), v.Campaign.ID, version, ch)
	return err
}

// failed puts a refusal at the fields of the step; what belongs to another step
// is said above the form.
func (v *view) failed(c *front.Call, f *ui.Form, err error) bool {
	e, ok := errs.As(err)
	if !ok {
		return false
	}
	names := []string{"/number_id", "number", "/template_id", "template", "/audience_ids", "audience", "/zone", "send_at", "/expected_recipients", "",
		"/variables", "variables"}
	names = append(names, scheduleFields()...)
	for _, field := range e.Fields {
		if strings.HasPrefix(field.Pointer, "/audience_ids/") {
			names = append(names, field.Pointer, "audience")
		} else if v != nil && stepOf(field.Pointer) != v.Step {
			names = append([]string{field.Pointer, ""}, names...)
		}
	}
	if v != nil {
		slots := v.Campaign.Variables.Slots(v.Template)
		fields := slotFields(slots)
		for i := 0; i+1 < len(fields) && e.Code == "template.params"; i += 2 {
			if slices.ContainsFunc(e.Fields, func(x errs.Field) bool { return x.Code == e.Code && x.Pointer == fields[i] }) {
				f.Add(fields[i+1], wanted(c, slots, i/2))
			}
		}
		names = append(names, fields...)
	}
	return f.Fail(c.Lang(), err, names...)
}

// goOn leads to the next step when this one lacks nothing.
func (s *desk) goOn(c *front.Call, v *view, f *ui.Form, stay bool) error {
	if !v.editable() {
		return c.Redirect(v.path(v.Step))
	}
	if stay {
		c.Flash("done", "wizard.saved")
		return c.Redirect(v.path(v.Step))
	}
	next := v.Step
	for i, step := range stepNames()[:3] {
		if step == v.Step {
			next = stepNames()[i+1]
		}
	}
	for _, l := range v.Lacks {
		if l.Step == v.Step && v.Step != "check" {
			v.failed(c, f, l.fault)
			return s.showStep(c, v.Campaign.ID, v.Step, f, l.fault)
		}
	}
	return c.Redirect(v.path(next))
}

// meant is the audience that a new campaign was begun for, such as after its
// import; zero when none.
func meant(c *front.Call) id.Audience {
	a, err := id.Parse[id.Audience](c.Query("audience"))
	if err != nil {
		return id.Audience{}
	}
	return a
}

// newCampaignPage is the first step before there is a draft.
func (s *desk) newCampaignPage(c *front.Call) error {
	return s.showNew(c, ui.NewForm(nil), nil)
}

func (s *desk) showNew(c *front.Call, f *ui.Form, refused error) error {
	v := &view{Step: "message"}
	err := c.InWorkspace(func(tx pgx.Tx) (err error) {
		if a := meant(c); !a.IsZero() {
			v.For, err = directory.AudienceName(c.Ctx(), tx, c.Actor().Workspace, a)
			if v.Campaign.AudienceIDs = []id.Audience{a}; err != nil {
				return err
			}
		}
		v.Message, err = s.messageView(c, tx, v, f)
		return err
	})
	if err != nil {
		return err
	}
	v.steps(c)
	for _, item := range v.Steps {
		if item["state"] == "done" {
			item["state"] = "next"
		}
	}
	if f.Refused() {
		return c.Refused(refused, "wizard-message", v, f)
	}
	return c.Render("wizard-message", v, front.WithForm(f))
}

// newCampaign makes the draft. A second press of the button finds the draft of
// the first one by its name.
func (s *desk) newCampaign(c *front.Call) error {
	f := c.Form()
	if f.Get("go") == "look" || f.Get("go") == "stay" {
		return s.showNew(c, f, nil)
	}
	var ch campaigns.Change
	var made campaigns.Campaign
	err := c.InWorkspace(func(tx pgx.Tx) error {
		if err := messageChange(c, tx, f, &ch); err != nil || f.Refused() {
			return err
		}
		d := campaigns.Definition{Name: *ch.Name, NumberID: *ch.NumberID, TemplateID: *ch.TemplateID, Variables: *ch.Variables, Partial: true}
		if a := meant(c); !a.IsZero() {
			d.AudienceIDs = []id.Audience{a}
		}
		var err error
		made, err = campaigns.Create(c.Ctx(), tx, c.Actor(), d)
		return err
	})
	if errs.Is(err, "campaign.name_taken") {
		if twin, ok := s.justMade(c, *ch.Name); ok {
			made, err = twin, nil
		}
	}
	if err == nil && !f.Refused() {
		return s.goFrom(c, made.ID)
	}
	if err != nil && !(&view{Step: "message"}).failed(c, f, err) {
		return err
	}
	return s.showNew(c, f, err)
}

// toFill leads to the variables of the first step, which then says what each
// waits for.
const toFill = "?fill=1#variables"

// goFrom leads on from a draft that was just made: to the next step, or to what
// the first one lacks.
func (s *desk) goFrom(c *front.Call, made id.Campaign) error {
	var v *view
	err := c.InWorkspace(func(tx pgx.Tx) (err error) {
		v, err = s.loadDraft(c, tx, made, "message")
		return err
	})
	switch {
	case err != nil:
		return err
	case v.lacking("message"):
		return c.Redirect(v.path("message") + toFill)
	}
	return c.Redirect(v.path("audience"))
}

// justMade finds the draft of this name that the same person made seconds ago.
func (s *desk) justMade(c *front.Call, name string) (made campaigns.Campaign, ok bool) {
	err := c.InWorkspace(func(tx pgx.Tx) error {
		list, err := campaigns.List(c.Ctx(), tx, c.Actor().Workspace,
			campaigns.Filter{States: []campaigns.State{campaigns.Draft}, Search: name, Limit: 20})
		for _, x := range list {
			if x.Name == name && x.CreatedBy == c.Actor().String() && c.Clock().Sub(x.CreatedAt).Seconds() < 10 {
				made, ok = x, true
			}
		}
		return err
	})
	return made, ok && err == nil
}

// need notes every named field that was left empty, in words of its own.
func need(c *front.Call, f *ui.Form, fields ...string) {
	for _, field := range fields {
		if f.Get(field) == "" {
			f.Add(field, c.Locale().Of("wizard.need", field))
		}
	}
}

// choice reads a chosen id; one that is missing or foreign is a fault of the field.
func choice[T any, P interface {
	*T
	UnmarshalText(b []byte) error
}](c *front.Call, f *ui.Form, field string) T {
	v, err := id.Parse[T, P](f.Get(field))
	if f.Get(field) == "" {
		need(c, f, field)
	} else if err != nil {
		f.Add(field, errs.Sentence(c.Lang(), "ref.not_found", nil))
	}
	return v
}
