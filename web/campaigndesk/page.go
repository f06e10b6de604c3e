package campaigndesk

import (
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/billing"
	"bareed/billing/budget"
	"bareed/campaigns"
	"bareed/campaigns/board"
	"bareed/campaigns/guard"
	"bareed/campaigns/pacing"
	"bareed/campaigns/unconfirmed"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/messages"
	"bareed/web/front"
	"bareed/web/money"
	"bareed/web/ui"
	"bareed/whatsapp/codes"
)

// eventsShown is how many of what happened stand on the page, newest first.
const eventsShown = 50

// campaignView is a campaign's page. Each part but Campaign is also a fragment
// of the stream.
type campaignView struct {
	Campaign campaigns.Campaign
	Line     board.Line
	Owner    string
	Live     bool
	Last     int64 // sequence of the newest event that is shown
	Acts     actsView
	Figures  *figuresView // nil before the launch
	Pace     *paceView
	Log      []eventView
	Open     int64         // messages without an answer that nobody has decided on
	Dropped  int64         // Meta held them and dropped them
	Waves    *wavesView    // nil: nothing to show of waves and rules
	Schedule *scheduleView // nil: once, and nothing to tell
	Start    *startView    // nil: it does not begin by itself soon
	Template *guard.State  // what changed in it, while that holds; else nil
}

// actsView is what may be done now. Why is a key of the reason why not.
type actsView struct {
	ID                            id.Campaign
	State                         campaigns.State
	Draft, Launched, May, Running bool
	Paused, Holding               bool
	Starting                      bool // nothing is sent yet
	Copy                          bool // this reader may make one like it
}

// rights are what a reader may do with campaigns.
type rights struct{ launch, write bool }

func rightsOf(c *front.Call) rights {
	return rights{launch: c.Can(accounts.LaunchCampaigns), write: c.Can(accounts.WriteCampaigns)}
}

func actsOf(of id.Campaign, state campaigns.State, paused, holding bool, may rights) actsView {
	return actsView{ID: of, State: state, Copy: may.write, Draft: state == campaigns.Draft || state == campaigns.Checking || state == campaigns.NeedsApproval,
		Launched: state.Launched(), Paused: paused, Holding: holding, Running: !paused && !holding, Starting: state == campaigns.Starting, May: may.launch}
}

func (d *desk) campaignPage(c *front.Call) error {
	campaign, err := front.ID[id.Campaign](c, "campaign")
	if err != nil {
		return err
	}
	var v campaignView
	err = c.InWorkspace(func(tx pgx.Tx) error { return d.readCampaignView(c, tx, campaign, &v) })
	if err != nil {
		return err
	}
	now := v.Campaign
	v.Live = now.State.Launched() || now.State == campaigns.Checking
	v.Acts = actsOf(now.ID, now.State, now.Paused, now.Holding, rightsOf(c))
	if at := v.Line.StartsAt; at != nil {
		v.Start = startOf(c.Locale(), now, *at, c.Clock(), v.Acts.May)
	}
	if v.Live {
		return c.Render("campaign", v, front.Refresh(5))
	}
	return c.Render("campaign", v)
}

func (d *desk) readCampaignView(c *front.Call, tx pgx.Tx, campaign id.Campaign, v *campaignView) error {
	ctx, ws := c.Ctx(), c.Actor().Workspace
	var err error
	if v.Campaign, err = campaigns.Get(ctx, tx, ws, campaign); err != nil {
		return err
	}
	lines, err := board.Lines(ctx, tx, ws, campaign)
	if err != nil {
		return err
	}
	v.Line = lines[campaign]
	owners, err := owned(c, tx)
	if err != nil {
		return err
	}
	v.Owner = ownerName(c, v.Campaign.CreatedBy, owners)
	if v.Last, err = campaigns.LastSequence(ctx, tx, ws, campaign); err != nil {
		return err
	}
	if v.Template, err = changedTemplate(c, tx, v.Campaign); err != nil {
		return err
	}
	if v.Schedule, err = readSchedule(c, tx, v.Campaign); err != nil {
		return err
	}
	if v.Log, err = readLog(c, tx, campaign, v.Last); err != nil || v.Campaign.RunID.IsZero() {
		return err
	}
	return d.readRun(c, tx, campaign, v)
}

// readRun reads what the page shows of the campaign's run.
func (d *desk) readRun(c *front.Call, tx pgx.Tx, campaign id.Campaign, v *campaignView) error {
	ctx, ws := c.Ctx(), c.Actor().Workspace
	r, err := campaigns.ReportOf(ctx, tx, ws, v.Campaign)
	if err != nil {
		return err
	}
	v.Figures = figuresOf(c.Locale(), r, missing(c.Locale(), v.Campaign))
	if v.Waves, err = d.readWaves(c, tx, v.Campaign); err != nil {
		return err
	}
	if r.Held > 0 {
		held, err := pacing.Read(ctx, tx, ws, campaign)
		if err != nil {
			return err
		}
		v.Dropped = held.Dropped
	}
	if v.Pace, err = d.readPace(c, tx, r); err != nil || r.Unconfirmed == 0 {
		return err
	}
	s, err := unconfirmed.Read(ctx, tx, ws, campaign)
	v.Open = s.Open
	return err
}

// readLog tells what happened up to an event, newest first.
func readLog(c *front.Call, tx pgx.Tx, campaign id.Campaign, last int64) ([]eventView, error) {
	events, err := campaigns.Events(c.Ctx(), tx, c.Actor().Workspace, campaign, max(0, last-eventsShown), eventsShown)
	list := make([]eventView, 0, len(events))
	for i := len(events) - 1; i >= 0; i-- {
		list = append(list, eventOf(c.Locale(), events[i]))
	}
	return list, err
}

// eventView is one line of what happened; Kind colours its mark.
type eventView struct {
	At         time.Time
	Kind, Text string
}

func eventOf(l ui.Locale, e campaigns.Event) eventView {
	var d struct {
		Scope, Reason, Measured string
		People, Total, Eligible int64
		Recipients, Accepted    int64
		Messages                int64
		Wave, Of                int64
		CopyOf                  string `json:"copy_of"`
	}
	_ = json.Unmarshal(e.Data, &d) // what it lacks is told without
	kind := strings.TrimPrefix(e.Type, "campaign.")
	v := eventView{At: e.At, Kind: map[string]string{"holding": "warn", "paused": "warn", "warning": "warn", "stopped": "danger", "expired": "danger", "missed": "danger",
		"failed": "danger", "edited": "mute", "created": "mute", "check_requested": "mute", "checked": "mute"}[kind]}
	switch kind {
	case "created":
		v.Text = l.T("campaign.event.created")
		if d.CopyOf != "" {
			v.Text = l.T("campaign.event.copied")
		}
	case "planned":
		v.Text = l.T("campaign.event.planned", "n", d.People)
	case "checked":
		v.Text = l.T("campaign.event.checked", "n", d.Eligible)
	case "launched":
		v.Text = l.T("campaign.event.launched", "n", d.Recipients)
	case "completed":
		v.Text = l.T("campaign.event.completed", "n", d.Accepted)
	case "wave_opened":
		v.Text = l.T("campaign.event.wave_opened", "n", d.People, "wave", d.Wave, "of", d.Of)
	case "resent_by_evidence", "resent_by_person", "unconfirmed_closed", "held_returned":
		v.Text = l.T("campaign.event."+kind, "n", d.Messages)
	case "warning":
		v.Text = l.T("campaign.event.warning", "reason", l.Of("waves.warning", d.Reason))
	case "holding", "stop_cleared":
		v.Text = l.T("campaign.event."+kind, "reason", stopTitle(l, d.Reason))
	default:
		v.Text = l.Of("campaign.event", kind)
	}
	return v
}

// stopView is an open stop in words.
type stopView struct {
	campaigns.Stop
	Kind, Title, Text           string
	Where, Rule, Measure, Next  string
	Clears, By                  string
	Budget                      string // where it is changed, of a stop by a budget
	Clearable, Shared, Personal bool
	Told                        *codes.MetaError // of the code that opened it
}

// slug is a stored phrase as the end of a key.
func slug(s string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(s)), "_")
}

// said is a stored phrase in the reader's language, or as it was stored.
func said(l ui.Locale, prefix, phrase string) string {
	if text := l.Of(strings.TrimSuffix(prefix, "."), slug(phrase)); text != slug(phrase) {
		return text
	}
	return phrase
}

// stopTitle names a stop by its reason: one that is only a code, by its cause.
func stopTitle(l ui.Locale, reason string) string {
	if code, ok := codes.OfReason(reason); ok {
		return codes.Tell(l.Lang, code, false).Cause
	}
	return l.OfKind("stops.title", reason)
}

func stopOf(l ui.Locale, of id.Campaign, x campaigns.Stop, waiting int64) stopView {
	v := stopView{Stop: x, Kind: "warning", Title: stopTitle(l, x.Reason), Where: l.Of("stops.scope", x.Scope), Rule: said(l, "stops.rule.", x.Threshold),
		Measure: said(l, "stops.measured.", x.Measured), Next: l.Of("stops.next", x.Next), Clears: l.Of("stops.clears", x.ClearedBy),
		Clearable: x.Next == "waits_for_review", Personal: !x.ByRule}
	if v.Personal {
		v.Kind = "info"
	}
	v.ofBudget(l, of)
	if x.ByRule && x.ClearedBy == "marketer" {
		v.Clears = l.Of("stops.clears", "lead")
	}
	if x.MetaCode != nil {
		told := codes.Tell(l.Lang, codes.OfStop(x.Reason, *x.MetaCode), x.Failing())
		v.Told = &told
		if x.Measured == told.Title {
			v.Measure = "" // the code's line says it
		}
	}
	v.Shared = x.Scope != messages.ScopeCampaign && x.Scope != messages.ScopeRun
	v.Text = l.OfKind("stops.text", x.Reason, "measured", v.Measure, "threshold", v.Rule, "at", x.Since, "scope", v.Where) + " " + l.T("stops.left", "n", waiting)
	return v
}

// ofBudget adds what only a stop by a budget has: where the budget is, and amounts
// as pages write them.
func (v *stopView) ofBudget(l ui.Locale, of id.Campaign) {
	switch v.Reason {
	case budget.OverCampaign:
		v.Budget = "/campaigns/" + of.String() + "/caps#budget-head"
	case budget.OverMonth:
		v.Budget, v.Next = "/settings/caps#budget-head", l.T("stops.next.waits_for_month")
	default:
		return
	}
	for _, text := range []*string{&v.Rule, &v.Measure} {
		decimal, currency, _ := strings.Cut(*text, " ")
		if micros, ok := billing.ParseDecimal(decimal, math.MaxInt64); ok {
			*text = money.Say(&billing.Money{Micros: micros, Currency: currency})
		}
	}
}

func stopsOf(l ui.Locale, of id.Campaign, stops []campaigns.Stop, waiting int64) []stopView {
	list := make([]stopView, len(stops))
	for i, x := range stops {
		list[i] = stopOf(l, of, x, waiting)
	}
	return list
}

// campaignLook is a state's colour and icon.
var campaignLook = map[campaigns.State][2]string{
	campaigns.Draft: {"mute", "draft"}, campaigns.Checking: {"info", "search"}, campaigns.NeedsApproval: {"wait", "shield"},
	campaigns.Scheduled: {"wait", "clock"}, campaigns.Starting: {"info", "play"}, campaigns.Running: {"ok", "play"},
	campaigns.Finishing: {"info", "hold"}, campaigns.Completed: {"ok", "done"}, campaigns.Stopped: {"danger", "stop"},
	campaigns.Expired: {"danger", "clock"}, campaigns.Failed: {"danger", "danger"},
}

// campaignChips say the state; what stops it stands before, because then
// nothing is sent whatever the state.
func campaignChips(l ui.Locale, state campaigns.State, paused, holding bool) []map[string]any {
	var list []map[string]any
	if paused {
		list = append(list, map[string]any{"kind": "warn", "icon": "pause", "text": l.T("campaigns.paused")})
	}
	if holding {
		list = append(list, map[string]any{"kind": "warn", "icon": "hold", "text": l.T("campaigns.holding")})
	}
	if len(list) > 0 && state == campaigns.Running {
		return list
	}
	look := campaignLook[state]
	return append(list, map[string]any{"kind": look[0], "icon": look[1], "text": l.Of("campaigns.state", state)})
}

// launched reads a campaign with its report for a page that needs both.
func launched(c *front.Call, tx pgx.Tx) (now campaigns.Campaign, r campaigns.Report, err error) {
	campaign, err := front.ID[id.Campaign](c, "campaign")
	if err != nil {
		return now, r, err
	}
	if now, err = campaigns.Get(c.Ctx(), tx, c.Actor().Workspace, campaign); err != nil {
		return now, r, err
	}
	r, err = campaigns.ReportOf(c.Ctx(), tx, c.Actor().Workspace, now)
	if errs.Is(err, "campaign.not_launched") {
		err = nil
	}
	return now, r, err
}
