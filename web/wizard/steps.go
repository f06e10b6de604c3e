// Package wizard owns the five pages that make a campaign: message, audience,
// delivery, check and confirm. Each has an address of its own and keeps its
// answers in the draft.
//
// web registers it; its rows, templates and texts stand with web's. It calls the
// same functions of the nouns as the API and holds no rule of its own.
package wizard

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/check"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/numbers"
	"bareed/templates"
	"bareed/web/front"
	"bareed/web/money"
	"bareed/web/ui"
)

// desk answers the wizard's pages.
type desk struct{ *front.Front }

// Register adds the pages; the front's table has their rows.
func Register(f *front.Front) {
	s := &desk{f}
	f.Handle("GET /campaigns/new", s.newCampaignPage)
	f.Handle("POST /campaigns/new", s.newCampaign)
	f.Handle("GET /campaigns/{campaign}/edit", s.firstOpenStep)
	f.Handle("GET /campaigns/{campaign}/edit/{step}", s.stepPage)
	f.Handle("POST /campaigns/{campaign}/edit/{step}", s.saveStep)
	f.Handle("POST /campaigns/{campaign}/edit/confirm", s.confirmLaunch)
	f.Handle("GET /campaigns/{campaign}/checks/{check}/rows.csv", s.checkRowsFile)
}

func stepNames() []string { return []string{"message", "audience", "delivery", "check", "confirm"} }

// view is a step's page: what all of them show, and the part of one.
type view struct {
	Step     string
	Steps    []map[string]any
	Campaign campaigns.Campaign
	Number   numbers.Number
	Template templates.Template
	Check    *check.Check // the newest; nil before the first
	Lacks    []lack
	For      string         // the audience that a new campaign is begun for
	Preview  map[string]any // of the last two steps: the message as a person reads it
	Stale    bool           // somebody else changed the draft while this form was open

	Message  *messageView
	Audience *audienceView
	Delivery *deliveryView
	Report   *reportView
	Confirm  *confirmView
	Money    *money.EstimateView // of the last step: what the launch would cost
}

// lack is what keeps the campaign from being sent, and the step that mends it.
type lack struct {
	Text, Step, Href string
	fault            *errs.Error
}

// Checked tells whether the newest check is done and speaks of the draft as it
// stands.
func (v *view) Checked() bool {
	return v.Check != nil && v.Check.State == "completed" && !v.Check.Outdated
}

func (v *view) path(step string) string {
	return "/campaigns/" + v.Campaign.ID.String() + "/edit/" + step
}

// editable tells whether the draft can still be changed.
func (v *view) editable() bool {
	return v.Campaign.State == campaigns.Draft || v.Campaign.State == campaigns.Checking
}

// loadDraft reads what every step shows.
func (s *desk) loadDraft(c *front.Call, tx pgx.Tx, campaign id.Campaign, step string) (*view, error) {
	ws := c.Actor().Workspace
	v := &view{Step: step}
	var err error
	if v.Campaign, err = campaigns.Get(c.Ctx(), tx, ws, campaign); err != nil || !v.editable() {
		return v, err
	}
	if v.Number, err = numbers.Get(c.Ctx(), tx, ws, v.Campaign.NumberID); err != nil {
		return v, err
	}
	if v.Template, err = templates.Get(c.Ctx(), tx, ws, v.Campaign.TemplateID); err != nil {
		return v, err
	}
	if v.Check, err = v.newest(c, tx); err != nil {
		return v, err
	}
	v.lacks(c)
	v.steps(c)
	return v, nil
}

// newest reads the newest check, nil before the first. What it foretells costs as
// much as the rest of a page and only the step of the check shows it.
func (v *view) newest(c *front.Call, tx pgx.Tx) (*check.Check, error) {
	var k check.Check
	var err error
	ws, campaign := c.Actor().Workspace, v.Campaign.ID
	if v.Step == "check" {
		k, err = check.Get(c.Ctx(), tx, ws, campaign, id.Check{})
	} else {
		k, err = check.Newest(c.Ctx(), tx, ws, campaign, v.Template)
	}
	if errs.Is(err, "not_found") {
		return nil, nil
	}
	return &k, err
}

// lacks lists what is missing, each once, and the step that mends it.
func (v *view) lacks(c *front.Call) {
	faults := v.Campaign.Lacks(v.Number, v.Template)
	if r := v.Campaign.Rules; r != nil {
		if _, err := r.Check(c.Clock()); err != nil {
			if e, refused := errs.As(err); refused {
				faults = append(faults, e)
			}
		}
	} else if at := v.Campaign.Schedule; at != nil {
		if e, refused := errs.As(at.InRange(c.Clock())); refused {
			faults = append(faults, e)
		}
	}
	for _, e := range faults {
		p := e.Problem(c.Lang())
		for _, f := range p.Errors {
			step, text := stepOf(f.Pointer), f.Detail
			if f.Code == "template.params" {
				text = c.T("wizard.lacks.variables")
			}
			if !slices.ContainsFunc(v.Lacks, func(l lack) bool { return l.Text == text }) {
				v.Lacks = append(v.Lacks, lack{text, step, v.path(step) + "#" + v.fieldOf(f.Pointer), e})
			}
		}
	}
}

func stepOf(pointer string) string {
	switch field, _, _ := strings.Cut(strings.TrimPrefix(pointer, "/"), "/"); field {
	case "audience_ids":
		return "audience"
	case "send_at", "zone", "per_minute", "finish_within_minutes", "schedule", "transport", "product_policy", "activity_sharing":
		return "delivery"
	}
	return "message"
}

// fieldOf is the id of the field in its step.
func (v *view) fieldOf(pointer string) string {
	fields := slotFields(v.Campaign.Variables.Slots(v.Template))
	if i := slices.Index(fields, pointer); i >= 0 && i%2 == 0 {
		return fields[i+1]
	}
	if strings.HasPrefix(pointer, "/schedule") {
		return "when"
	}
	field, _, _ := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
	return strings.TrimSuffix(strings.TrimSuffix(field, "_ids"), "_id")
}

func (v *view) lacking(step string) bool {
	return slices.ContainsFunc(v.Lacks, func(l lack) bool { return l.Step == step })
}

// steps says of each step whether it is done; those before the check are when
// nothing of them is missing.
func (v *view) steps(c *front.Call) {
	begun := !v.lacking("audience")
	done := map[string]bool{"message": !v.lacking("message"), "audience": begun, "delivery": begun && !v.lacking("delivery"),
		"check": v.Checked() && v.Check.Eligible > 0}
	for _, step := range stepNames() {
		state := "next"
		if done[step] {
			state = "done"
		}
		if step == v.Step {
			state = "current"
		}
		item := map[string]any{"state": state, "text": c.Locale().Of("wizard.step", step)}
		if !v.Campaign.ID.IsZero() && step != v.Step {
			item["href"] = v.path(step)
		}
		v.Steps = append(v.Steps, item)
	}
}

// firstOpenStep goes on where the draft was left.
func (s *desk) firstOpenStep(c *front.Call) error {
	campaign, err := front.ID[id.Campaign](c, "campaign")
	if err != nil {
		return err
	}
	step := "check"
	err = c.InWorkspace(func(tx pgx.Tx) error {
		v, err := s.loadDraft(c, tx, campaign, "")
		if err == nil && len(v.Lacks) > 0 {
			step = v.Lacks[0].Step
		} else if err == nil && v.Checked() {
			step = "confirm"
		}
		return err
	})
	if err != nil {
		return err
	}
	return c.Redirect("/campaigns/" + campaign.String() + "/edit/" + step)
}

func (s *desk) stepPage(c *front.Call) error {
	campaign, step, err := stepPath(c)
	if err != nil {
		return err
	}
	return s.showStep(c, campaign, step, nil, nil)
}

func stepPath(c *front.Call) (id.Campaign, string, error) {
	campaign, err := front.ID[id.Campaign](c, "campaign")
	step := c.R.PathValue("step")
	if err == nil && !slices.Contains(stepNames(), step) {
		err = errs.New("not_found")
	}
	return campaign, step, err
}

// showStep renders a step: as the draft has it, or with a form that was refused.
func (s *desk) showStep(c *front.Call, campaign id.Campaign, step string, f *ui.Form, refused error) error {
	var v *view
	ask := false
	err := c.InWorkspace(func(tx pgx.Tx) (err error) {
		if v, err = s.loadDraft(c, tx, campaign, step); err != nil || !v.editable() {
			return err
		}
		v.Stale = errs.Is(refused, "version.stale")
		fresh := f == nil
		if fresh {
			f = ui.NewForm(url.Values{})
			v.fillForm(c, f)
		}
		if f.Get("go") != "look" { // looking takes nobody's change over
			f.Set("version", strconv.Itoa(v.Campaign.Version))
		}
		err = s.fillStep(c, tx, v, f)
		if ask = fresh && err == nil && v.Message != nil && c.Query("fill") != ""; ask {
			v.Message.ask(c, f)
		}
		return err
	})
	if err != nil {
		return err
	}
	if !v.editable() {
		return c.Render("wizard-launched", v)
	}
	if !ask && f.Refused() || v.Stale {
		return c.Refused(refused, "wizard-"+step, v, f)
	}
	with := []func(*front.Page){front.WithForm(f)}
	if v.Report != nil && v.Report.Running {
		with = append(with, front.Refresh(2))
	}
	return c.Render("wizard-"+step, v, with...)
}

// fillForm puts the draft into the step's form.
func (v *view) fillForm(c *front.Call, f *ui.Form) {
	switch v.Step {
	case "message":
		v.fillMessage(f)
	case "audience":
		for _, a := range v.Campaign.AudienceIDs {
			f.Values.Add("audience", a.String())
		}
	case "delivery":
		v.fillDelivery(c, f)
	}
}

// fillStep reads what only this step shows.
func (s *desk) fillStep(c *front.Call, tx pgx.Tx, v *view, f *ui.Form) (err error) {
	switch v.Step {
	case "message":
		v.Message, err = s.messageView(c, tx, v, f)
	case "audience":
		v.Audience, err = s.audienceView(c, tx, v, f)
	case "delivery":
		v.Delivery, err = s.deliveryView(c, v)
	case "check":
		if v.Preview, err = v.asDrafted(c, tx); err == nil {
			v.Report, err = s.reportView(c, tx, v)
		}
	default:
		if v.Preview, err = v.asDrafted(c, tx); err == nil {
			v.Confirm, err = s.confirmView(c, v, f)
		}
		if err == nil && v.Confirm.Ready {
			if v.Money, err = money.OfCheck(c, tx, v.Campaign, *v.Check); err == nil {
				v.Confirm.refuse(v.Money)
			}
		}
	}
	return err
}
