package campaigns

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/transport"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Report is a campaign's figures as everybody sees them: those of the run's
// last snapshot, at most a second old while it runs.
type Report struct {
	CampaignID id.Campaign `json:"campaign_id"`
	RunID      id.Run      `json:"run_id"`
	State      State       `json:"state"`
	RunState   RunState    `json:"run_state"`
	Paused     bool        `json:"paused"`
	Holding    bool        `json:"holding"`
	Stops      []Stop      `json:"stops"`
	Expected   int64       `json:"expected" doc:"Eligible people at the check that was launched on."`
	Planned    bool        `json:"planned" doc:"Everybody has a message; until then total still grows."`
	transport.Choice
	Figures
	SuppressedTotal int64      `json:"suppressed_total"`
	FailedTotal     int64      `json:"failed_total"`
	Failures        []FailedBy `json:"failures" doc:"failed with each code in words, the most frequent first."`
	Balanced        bool       `json:"balanced" doc:"total = suppressed + ready + sending + held + accepted + failed + unknown + unconfirmed."`
	Rates           Rates      `json:"rates"`
	StartsAt        time.Time  `json:"starts_at"`
	StartedAt       *time.Time `json:"started_at,omitempty"`
	EndedAt         *time.Time `json:"ended_at,omitempty"`
}

// Rates are shares between 0 and 1; absent where there is nothing to divide by.
type Rates struct {
	Accepted  *float64 `json:"accepted,omitempty" doc:"Of those not suppressed."`
	Delivered *float64 `json:"delivered,omitempty" doc:"Of those accepted."`
	Read      *float64 `json:"read,omitempty" doc:"Of those delivered. People can switch read receipts off."`
	Failed    *float64 `json:"failed,omitempty" doc:"Of those not suppressed."`
}

const sqlReport = `
select r.transport, coalesce(r.product_policy, ''), r.activity_sharing,
    r.state, coalesce(r.expected, 0), r.plan_done, r.starts_at, r.started_at, r.ended_at,
    coalesce(s.at, r.created_at), coalesce(s.total, 0), coalesce(s.suppressed, '{}'), coalesce(s.ready, 0),
    coalesce(s.sending, 0), coalesce(s.held, 0), coalesce(s.accepted, 0), coalesce(s.sent, 0),
    coalesce(s.delivered, 0), coalesce(s.read, 0), coalesce(s.failed, '{}'), coalesce(s.unknown, 0),
    coalesce(s.unconfirmed, 0)
from run r
left join run_snapshot s on s.workspace_id = r.workspace_id and s.run_id = r.id
where r.workspace_id = $1
  and r.id = $2`

// GetReport reads the figures; campaign.not_launched before there are any.
func GetReport(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign) (Report, error) {
	c, err := Get(ctx, db, ws, campaign)
	if err != nil {
		return Report{}, err
	}
	return ReportOf(ctx, db, ws, c)
}

// ReportOf is GetReport of a campaign that was just read.
func ReportOf(ctx context.Context, db pg.DB, ws id.Workspace, c Campaign) (Report, error) {
	r := Report{CampaignID: c.ID, RunID: c.RunID, State: c.State, Paused: c.Paused, Holding: c.Holding, Stops: c.Stops}
	if c.RunID.IsZero() {
		return r, errs.New("campaign.not_launched", "state", c.State)
	}
	f := &r.Figures
	err := db.QueryRow(ctx, sqlReport, ws, c.RunID).Scan(&r.Transport, &r.ProductPolicy, &r.ActivitySharing, &r.RunState, &r.Expected, &r.Planned, &r.StartsAt, &r.StartedAt,
		&r.EndedAt, &f.At, &f.Total, &f.Suppressed, &f.Ready, &f.Sending, &f.Held, &f.Accepted, &f.Sent, &f.Delivered,
		&f.Read, &f.Failed, &f.Unknown, &f.Unconfirmed)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, errs.New("not_found")
	}
	if err != nil {
		return r, fmt.Errorf("read the report: %w", err)
	}
	r.SuppressedTotal, r.FailedTotal, r.Balanced = sum(f.Suppressed), sum(f.Failed), f.Balanced()
	r.Failures = failures(f.Failed)
	meant := f.Total - r.SuppressedTotal
	r.Rates = Rates{Accepted: share(f.Accepted, meant), Delivered: share(f.Delivered, f.Accepted),
		Read: share(f.Read, f.Delivered), Failed: share(r.FailedTotal, meant)}
	return r, nil
}

func share(part, whole int64) *float64 {
	if whole <= 0 {
		return nil
	}
	v := float64(part) / float64(whole)
	return &v
}
