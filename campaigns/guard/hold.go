package guard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns/transport"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages"
	"bareed/numbers"
	"bareed/templates"
)

// By opens the guard's holds; Meta's own answers 132000 and 132012 open holds of
// the same reason, after which there is nothing to accept.
const By = "system:template_guard"

// sqlOpenRuns finds what may still send a template, by the index of open runs:
// there are as many as campaigns under way, however long their history.
const sqlOpenRuns = `
select r.id, r.campaign_id, r.template_id, r.template, r.transport
from run r
where r.workspace_id = $1
  and r.state in ('planning', 'running')
  and (r.template_id = any ($2) or r.campaign_id = $3)
order by r.campaign_id, r.id`

// open is a run that may still send.
type open struct {
	Run      id.Run
	Campaign id.Campaign
	Template id.Template
	Raw      []byte // the template as it was approved
	Way      string // its transport
}

func openRuns(ctx context.Context, db pg.DB, ws id.Workspace, of []id.Template, campaign id.Campaign) ([]open, error) {
	return pg.All(ctx, db, "find who sends the template", pgx.RowToStructByPos[open], sqlOpenRuns, ws, of, campaign)
}

// scope is where a run's hold stands: on its campaign, else on itself.
func (o open) scope() (messages.Scope, [16]byte) {
	if o.Campaign.IsZero() {
		return messages.ScopeRun, o.Run
	}
	return messages.ScopeCampaign, o.Campaign
}

// Changed holds every campaign that may still send a template which Meta changed
// and that was approved as something else. It belongs in the transaction that
// applied the changes: from its commit on at most one message per worker slot
// leaves. Status and quality hold the template itself (messages/changed), with all
// its campaigns, and are looked at again at each firing.
func Changed(ctx context.Context, tx pgx.Tx, ws id.Workspace, changes []numbers.Change) error {
	var of []id.Template
	for _, c := range changes {
		if !c.Template.IsZero() && (c.What == numbers.Components || c.What == numbers.Category) && !slices.Contains(of, c.Template) {
			of = append(of, c.Template)
		}
	}
	if len(of) == 0 {
		return nil
	}
	runs, err := openRuns(ctx, tx, ws, of, id.Campaign{})
	if err != nil {
		return err
	}
	return hold(ctx, tx, ws, runs, worded)
}

// worded tells a difference that holds campaigns, not the template.
func worded(d Difference) bool { return d.What == Content || d.What == Category }

// Again holds a campaign that had nothing left to send, and has again, if Meta
// changed the content or category of its template meanwhile: Changed holds only who
// may send. It belongs in the transaction in which the run goes on.
func Again(ctx context.Context, tx pgx.Tx, ws id.Workspace, campaign id.Campaign) error {
	runs, err := openRuns(ctx, tx, ws, nil, campaign)
	if err != nil {
		return err
	}
	return hold(ctx, tx, ws, runs, worded)
}

// Look holds a campaign whose template is not what was approved, in any part; it
// is asked before a firing begins.
func Look(ctx context.Context, tx pgx.Tx, ws id.Workspace, campaign id.Campaign) error {
	runs, err := openRuns(ctx, tx, ws, nil, campaign)
	if err != nil || len(runs) == 0 {
		return err
	}
	stops, err := messages.OpenStops(ctx, tx, ws, runs[0].Template)
	if err != nil {
		return err
	}
	return hold(ctx, tx, ws, runs, func(d Difference) bool {
		return worded(d) || !held(runs, stops)
	})
}

// held tells whether a stop on the template itself says already what its status or
// quality became.
func held(runs []open, stops []messages.Stop) bool {
	return slices.ContainsFunc(stops, func(s messages.Stop) bool { return s.ScopeID == [16]byte(runs[0].Template) })
}

// sqlSeen notes quality and status alone.
const sqlSeen = `
update run r
set template = r.template || jsonb_build_object('Quality', t.quality, 'Status', t.status)
from template t
where r.workspace_id = $1
  and r.campaign_id = $2
  and r.state in ('planning', 'running')
  and t.workspace_id = $1
  and t.id = r.template_id
  and r.template ? 'Quality'`

// Seen takes a template's status and quality as they are for a campaign's runs,
// because a person cleared a stop on the template itself from this campaign: its
// firing does not ask for the same again. Others are asked at theirs.
func Seen(ctx context.Context, tx pgx.Tx, ws id.Workspace, campaign id.Campaign) error {
	if _, err := tx.Exec(ctx, sqlSeen, ws, campaign); err != nil {
		return fmt.Errorf("note the template's quality: %w", err)
	}
	return nil
}

// hold opens one hold for each campaign, of the differences that count.
func hold(ctx context.Context, tx pgx.Tx, ws id.Workspace, runs []open, counts func(Difference) bool) error {
	done := map[[16]byte]bool{}
	now := map[id.Template]templates.Template{}
	for _, r := range runs {
		scope, at := r.scope()
		if done[at] {
			continue
		}
		if _, ok := now[r.Template]; !ok {
			t, err := templates.Get(ctx, tx, ws, r.Template)
			if err != nil {
				return err
			}
			now[r.Template] = t
		}
		list := slices.DeleteFunc(Compare(snapshot(r.Raw), now[r.Template]), func(d Difference) bool { return !counts(d) })
		if len(list) == 0 {
			continue
		}
		done[at] = true
		if err := openHold(ctx, tx, ws, scope, at, Told(list)); err != nil {
			return err
		}
	}
	return nil
}

const sqlReplaced = `
update stop
set cleared_at = bareed_now(), cleared_by = $5
where workspace_id = $1
  and scope_id = $2
  and reason = $3
  and cleared_at is null
  and measured <> $4`

// openHold opens a hold, or one in the place of an open one that tells of another
// difference: who clears a hold names it, and so clears what was shown.
func openHold(ctx context.Context, tx pgx.Tx, ws id.Workspace, scope messages.Scope, at [16]byte, measured string) error {
	if _, err := tx.Exec(ctx, sqlReplaced, ws, at, Reason, measured, By); err != nil {
		return fmt.Errorf("replace the template's hold: %w", err)
	}
	_, err := messages.OpenStop(ctx, tx, ws, messages.Opening{Scope: scope, ScopeID: at, Reason: Reason, ByRule: true,
		Threshold: "the template as it was approved", Measured: measured, By: By})
	return err
}

// State is the template of a launched campaign: as it was approved and as it is.
type State struct {
	Template    id.Template  `json:"template_id"`
	Approved    Version      `json:"approved" doc:"As the check found it that was launched on, or as a person accepted it since"`
	Now         Version      `json:"now"`
	Differences []Difference `json:"differences" doc:"Empty while the template is what was approved"`
}

// Version is what of a template is compared.
type Version struct {
	Category string `json:"category"`
	Status   string `json:"status"`
	Quality  string `json:"quality"`
	Content  string `json:"content" doc:"The beginning of its hash; empty while it is not read"`
}

func version(t templates.Template) Version {
	return Version{t.Category, t.Status, t.Quality, short(t.Hash)}
}

// Describe compares a snapshot (JSON, as a check or run keeps it) with the template as it is.
func Describe(raw []byte, is templates.Template) State {
	was := snapshot(raw)
	return State{Template: is.ID, Approved: version(was), Now: version(is), Differences: Compare(was, is)}
}

const sqlApproved = `
select r.template_id, r.template
from run r
where r.workspace_id = $1
  and r.campaign_id = $2
  and r.kind = 'campaign'
order by r.id desc
limit 1`

// Of tells how a campaign's template stands to what was approved, by its newest
// run; campaign.not_launched for one without.
func Of(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign) (State, error) {
	var template id.Template
	var raw []byte
	err := db.QueryRow(ctx, sqlApproved, ws, campaign).Scan(&template, &raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return State{}, errs.New("campaign.not_launched", "state", "draft")
	}
	if err != nil {
		return State{}, fmt.Errorf("read what was approved: %w", err)
	}
	t, err := templates.Get(ctx, db, ws, template)
	if err != nil {
		return State{}, err
	}
	return Describe(raw, t), nil
}

// sqlAccept gives what still sends the template as it is now. The purpose follows
// its category, so that the claim asks for the right consent.
const sqlAccept = `
update run
set template = $3, components_hash = $4, purpose = $5
where workspace_id = $1
  and id = any ($2)`

// Accept makes the template as it is now the one that is approved for a campaign's
// runs, because a person cleared the hold that told them measured. Refused when
// the template changed again since (template.changed_again), may not be sent, is
// not read yet, is of a category that the runs' transport does not carry, or takes
// other parameters than the messages were filled for: these need a campaign of
// their own.
func Accept(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign, measured string) error {
	runs, err := openRuns(ctx, tx, a.Workspace, nil, campaign)
	if err != nil || len(runs) == 0 {
		return err
	}
	is, err := templates.Get(ctx, tx, a.Workspace, runs[0].Template)
	if err != nil {
		return err
	}
	was := snapshot(runs[0].Raw)
	list := Compare(was, is)
	if len(list) == 0 {
		return nil // it is again what it was
	}
	if err := acceptable(was, is, list, measured); err != nil {
		return err
	}
	if e := (transport.Choice{Transport: runs[0].Way}).Carries(is.Category); e != nil {
		return e
	}
	raw, err := json.Marshal(is)
	if err != nil {
		return fmt.Errorf("write the run's template: %w", err)
	}
	ids := make([]id.Run, len(runs))
	for i, r := range runs {
		ids[i] = r.Run
	}
	if _, err := tx.Exec(ctx, sqlAccept, a.Workspace, ids, raw, is.Hash, is.Purpose()); err != nil {
		return fmt.Errorf("take the template as it is: %w", err)
	}
	return messages.CampaignEvent(ctx, tx, a.Workspace, campaign, "campaign.template_accepted",
		map[string]any{"measured": Told(list), "by": a.String()})
}

func acceptable(was, is templates.Template, list []Difference, measured string) error {
	if len(is.Hash) == 0 {
		return errs.New("template.unread")
	}
	if err := is.CanSend(); err != nil {
		return err
	}
	if !seen(list, measured) {
		return errs.New("template.changed_again", "difference", Told(list))
	}
	same := slices.EqualFunc(templates.Parameters(was), templates.Parameters(is), func(x, y templates.Parameter) bool {
		return x.Component == y.Component && x.Index == y.Index && x.Name == y.Name && x.Kind == y.Kind && x.Required == y.Required
	})
	if !same {
		return errs.New("template.other_parameters")
	}
	return nil
}

// seen tells whether a hold told everything that is different now in content and
// category. Quality and status hold the template itself and are told there.
func seen(list []Difference, measured string) bool {
	return !slices.ContainsFunc(list, func(d Difference) bool {
		return worded(d) && !slices.Contains(parts(measured), Told([]Difference{d}))
	})
}
