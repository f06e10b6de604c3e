package campaigns

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns/plan"
	"bareed/campaigns/schedule"
	"bareed/campaigns/transport"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/templates"
)

// Definition is what a person writes of a campaign.
type Definition struct {
	Name          string
	NumberID      id.Number
	TemplateID    id.Template
	AudienceIDs   []id.Audience
	Variables     plan.Variables
	UnknownPolicy string // hold, evidence; empty: the workspace's
	PerMinute     *int   // nil: as fast as the number may
	FinishWithin  *int   // minutes, instead of PerMinute: the pace is what it takes
	SendAt        string // RFC 3339, or a wall time in Zone; empty: at launch
	Zone          string
	Schedule      *schedule.Rules // instead of SendAt: what recurs, hours, everybody's own zone
	Way           transport.Choice
	Partial       bool // a draft that may still lack audiences and values

	// What an edit leaves as it is gives a partial draft no fault.
	keptMessage, keptTime, keptWay bool
}

// Change is a partial edit; nil leaves a part as it is. A per_minute or
// finish_within of nil inside the pointer, and an empty text, clear.
type Change struct {
	Name          *string
	NumberID      *id.Number
	TemplateID    *id.Template
	AudienceIDs   *[]id.Audience
	Variables     *plan.Variables
	UnknownPolicy *string
	PerMinute     **int
	FinishWithin  **int
	SendAt        *string
	Zone          *string
	Schedule      **schedule.Rules
	Way           transport.Change
	Partial       bool // what is left as it is may lack or have become unfit: Lacks tells; no change keeps the version
}

const sqlInsert = `
insert into campaign (workspace_id, id, name, number_id, template_id, variables, unknown_policy, per_minute,
    send_at, send_zone, send_local, created_by, schedule, max_lateness, finish_within,
    transport, product_policy, activity_sharing)
values ($1, $2, $3, $4, $5, $6, nullif($7, ''), $8, $9, nullif($10, ''), $11, $12, $13, $14, $15, $16, nullif($17, ''), $18)`

// Create makes a draft. Everything is checked together, so that the caller
// learns all faults at once.
func Create(ctx context.Context, tx pgx.Tx, a accounts.Actor, d Definition) (Campaign, error) {
	return d.create(ctx, tx, a, nil)
}

// create writes a draft; detail stands in its first event.
func (d *Definition) create(ctx context.Context, tx pgx.Tx, a accounts.Actor, detail map[string]any) (Campaign, error) {
	s, err := d.check(ctx, tx, a.Workspace)
	if err != nil {
		return Campaign{}, err
	}
	campaign := id.New[id.Campaign]()
	at, zone, local := columns(s)
	_, err = tx.Exec(ctx, sqlInsert, a.Workspace, campaign, d.Name, d.NumberID, d.TemplateID, d.Variables,
		d.UnknownPolicy, d.PerMinute, at, zone, local, a.String(), d.Schedule, d.Schedule.Lateness(), d.FinishWithin,
		d.Way.Transport, d.Way.ProductPolicy, d.Way.ActivitySharing)
	if err != nil {
		return Campaign{}, nameTaken(err, d.Name)
	}
	if err := plan.SetAudiences(ctx, tx, a.Workspace, campaign, d.AudienceIDs); err != nil {
		return Campaign{}, err
	}
	if err := record(ctx, tx, a, campaign, "campaign.created", detail); err != nil {
		return Campaign{}, err
	}
	return Get(ctx, tx, a.Workspace, campaign)
}

const sqlUpdate = `
update campaign
set name = $3, number_id = $4, template_id = $5, variables = $6, unknown_policy = nullif($7, ''), per_minute = $8,
    send_at = $9, send_zone = nullif($10, ''), send_local = $11, schedule = $12, max_lateness = $13, finish_within = $14,
    transport = $15, product_policy = nullif($16, ''), activity_sharing = $17,
    state = 'draft', version = version + 1, updated_at = bareed_now()
where workspace_id = $1
  and id = $2`

// Edit changes a campaign that is not launched. version is the one the caller
// read (If-Match); 412 version.stale for any other. A check that runs or is
// done no longer counts afterwards.
func Edit(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign, version int, ch Change) (Campaign, error) {
	c, err := lock(ctx, tx, a.Workspace, campaign)
	if err != nil {
		return c, err
	}
	if c.Version != version {
		return c, errs.New("version.stale", "version", c.Version)
	}
	if c.State != Draft && c.State != Checking {
		return c, c.stateError()
	}
	d := ch.apply(c)
	s, err := d.check(ctx, tx, a.Workspace)
	if err != nil {
		return c, err
	}
	if ch.Partial && reflect.DeepEqual(d, Change{Partial: true}.apply(c)) {
		return c, nil
	}
	at, zone, local := columns(s)
	_, err = tx.Exec(ctx, sqlUpdate, a.Workspace, campaign, d.Name, d.NumberID, d.TemplateID, d.Variables,
		d.UnknownPolicy, d.PerMinute, at, zone, local, d.Schedule, d.Schedule.Lateness(), d.FinishWithin,
		d.Way.Transport, d.Way.ProductPolicy, d.Way.ActivitySharing)
	if err != nil {
		return c, nameTaken(err, d.Name)
	}
	if err := plan.SetAudiences(ctx, tx, a.Workspace, campaign, d.AudienceIDs); err != nil {
		return c, err
	}
	if err := record(ctx, tx, a, campaign, "campaign.edited", map[string]any{"version": c.Version + 1}); err != nil {
		return c, err
	}
	return Get(ctx, tx, a.Workspace, campaign)
}

// apply lays the change over what stands.
func (ch Change) apply(c Campaign) Definition {
	d := Definition{Name: c.Name, NumberID: c.NumberID, TemplateID: c.TemplateID, AudienceIDs: c.AudienceIDs,
		Variables: c.Variables, UnknownPolicy: c.UnknownPolicy, Way: ch.Way.Apply(c.Choice)}
	if c.PerMinute > 0 {
		d.PerMinute = &c.PerMinute
	}
	if c.FinishWithin > 0 {
		d.FinishWithin = &c.FinishWithin
	}
	d.Schedule = c.Rules
	if c.Schedule != nil && c.Rules == nil {
		d.SendAt, d.Zone = c.Schedule.At.Format(time.RFC3339), c.Schedule.Zone
		if c.Schedule.Local != "" {
			d.SendAt = c.Schedule.Local
		}
	}
	set(&d.Name, ch.Name)
	set(&d.NumberID, ch.NumberID)
	set(&d.TemplateID, ch.TemplateID)
	set(&d.AudienceIDs, ch.AudienceIDs)
	set(&d.Variables, ch.Variables)
	set(&d.UnknownPolicy, ch.UnknownPolicy)
	set(&d.PerMinute, ch.PerMinute)
	set(&d.FinishWithin, ch.FinishWithin)
	set(&d.Schedule, ch.Schedule)
	ch.applyTime(&d)
	d.Partial = ch.Partial
	d.keptMessage = ch.Partial && d.NumberID == c.NumberID && d.TemplateID == c.TemplateID
	d.keptTime = ch.Partial && ch.SendAt == nil && ch.Schedule == nil
	d.keptWay = ch.Partial && d.Way == c.Choice
	return d
}

// applyTime: a plain time and a schedule take each other's place.
func (ch Change) applyTime(d *Definition) {
	if ch.SendAt != nil && ch.Schedule == nil {
		d.Schedule = nil
	} else if ch.Schedule != nil {
		d.SendAt, d.Zone = "", ""
	}
	set(&d.SendAt, ch.SendAt)
	set(&d.Zone, ch.Zone)
	if d.SendAt == "" {
		d.Zone = ""
	}
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

const sqlDelete = `
update campaign
set deleted_at = bareed_now(), updated_at = bareed_now()
where workspace_id = $1
  and id = $2`

// Delete takes away a campaign that was never launched; its audiences are free
// again and its name too. Its history stays in the audit.
func Delete(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign) error {
	c, err := lock(ctx, tx, a.Workspace, campaign)
	if err != nil {
		return err
	}
	if c.State != Draft && c.State != Checking {
		return c.stateError()
	}
	if err := plan.SetAudiences(ctx, tx, a.Workspace, campaign, nil); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, sqlDelete, a.Workspace, campaign); err != nil {
		return fmt.Errorf("delete the campaign: %w", err)
	}
	return record(ctx, tx, a, campaign, "campaign.deleted", nil)
}

func nameTaken(err error, name string) error {
	if pg.Violates(err, "campaign_name") {
		return errs.New("campaign.name_taken", "name", errs.Clip(name)).At("/name", "")
	}
	return fmt.Errorf("write the campaign: %w", err)
}

// columns are the three columns of a schedule; null for none.
func columns(s *schedule.Time) (at *time.Time, zone string, wall *time.Time) {
	if s == nil {
		return nil, "", nil
	}
	return &s.At, s.Zone, s.Wall()
}

// check finds every fault of a definition and returns its schedule, nil for
// "at launch".
func (d *Definition) check(ctx context.Context, tx pgx.Tx, ws id.Workspace) (*schedule.Time, error) {
	all := &errs.Error{}
	d.Name = plan.CleanName(d.Name)
	collect(all, plan.CheckName(d.Name))
	named, err := plan.ReadReferences(ctx, tx, ws, d.NumberID, d.TemplateID, d.AudienceIDs)
	if err != nil {
		return nil, err
	}
	d.checkNamed(all, named)
	collect(all, plan.CheckFinish(d.PerMinute, d.FinishWithin))
	if d.UnknownPolicy != "" && d.UnknownPolicy != "hold" && d.UnknownPolicy != "evidence" {
		collect(all, errs.New("campaign.unknown_policy").At("/unknown_policy", ""))
	}
	collect(all, d.checkWay(named.Template)...)
	s, err := d.schedule(ctx, tx)
	if e, ok := errs.As(err); ok && !d.keptTime {
		collect(all, e)
	} else if err != nil && !ok {
		return nil, err
	}
	if all.Code != "" {
		return nil, all
	}
	return s, nil
}

// checkNamed collects what speaks against the number, the template and the
// audiences.
func (d *Definition) checkNamed(all *errs.Error, named plan.References) {
	number, template := named.Number, named.Template
	for _, e := range named.Faults {
		collect(all, e)
	}
	if number == nil && !d.keptMessage {
		collect(all, plan.NotFound("/number_id"))
	}
	if template == nil && !d.keptMessage {
		collect(all, plan.NotFound("/template_id"))
	}
	if len(d.AudienceIDs) == 0 && !d.Partial {
		collect(all, errs.New("campaign.no_recipients", "suppressed", "–").At("/audience_ids", ""))
	}
	if number != nil && template != nil && !d.keptMessage {
		collect(all, plan.CheckTemplate(*number, *template, false))
	}
	if number != nil && template != nil && !d.Partial {
		collect(all, d.Variables.Check(*template))
	}
	if number != nil {
		collect(all, plan.CheckPace(d.PerMinute, *number))
	}
}

// checkWay fills in what the way does not say and finds its faults for a template,
// nil for one that is not known.
func (d *Definition) checkWay(t *templates.Template) []*errs.Error {
	d.Way = d.Way.Filled()
	switch {
	case d.keptWay:
		return nil
	case t == nil:
		return d.Way.Check("")
	}
	return d.Way.Check(t.Category)
}

// collect adds faults to those found: faults of one kind give the answer their
// code, those of several are "invalid", each with its own.
func collect(all *errs.Error, faults ...*errs.Error) {
	for _, e := range faults {
		switch {
		case e == nil:
			continue
		case all.Code == "":
			all.Code, all.Params = e.Code, e.Params
		case all.Code != e.Code:
			all.Code, all.Params = "invalid", nil
		}
		all.Fields = append(all.Fields, e.Fields...)
	}
}

func (d *Definition) schedule(ctx context.Context, tx pgx.Tx) (*schedule.Time, error) {
	if d.SendAt == "" && d.Schedule == nil {
		return nil, nil
	}
	now, err := pg.Now(ctx, tx)
	if err != nil {
		return nil, err
	}
	if d.Schedule != nil {
		if d.SendAt != "" {
			return nil, errs.New("schedule.both").At("/send_at", "")
		}
		return d.Schedule.Check(now)
	}
	s, err := schedule.Parse(d.SendAt, d.Zone, now)
	return &s, err
}
