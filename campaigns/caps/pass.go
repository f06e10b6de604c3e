package caps

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Pass is whether a campaign may pass the workspace's frequency rules. Its
// messages count for the other campaigns all the same.
type Pass struct {
	Campaign id.Campaign `json:"campaign_id"`
	Pass     bool        `json:"pass" doc:"People are messaged however often they were"`
	Reason   string      `json:"reason,omitempty" doc:"Why, in the words of who permitted it"`
	Rules    []Frequency `json:"rules" doc:"The workspace's, for marketing"`
}

const sqlPass = `
select coalesce(frequency_pass, ''), state
from campaign
where workspace_id = $1
  and id = $2
  and deleted_at is null`

// ReadPass reads it; not_found when there is no such campaign.
func ReadPass(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign) (Pass, error) {
	p, _, err := readPass(ctx, db, sqlPass, ws, campaign)
	if err != nil {
		return p, err
	}
	r, err := Read(ctx, db, ws, nil)
	p.Rules = r.Frequency
	return p, err
}

func readPass(ctx context.Context, db pg.DB, sql string, ws id.Workspace, campaign id.Campaign) (Pass, string, error) {
	p := Pass{Campaign: campaign, Rules: []Frequency{}}
	var state string
	err := db.QueryRow(ctx, sql, ws, campaign).Scan(&p.Reason, &state)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, state, errs.New("not_found")
	}
	if err != nil {
		return p, state, fmt.Errorf("read whether the campaign passes the frequency rules: %w", err)
	}
	p.Pass = p.Reason != ""
	return p, state, nil
}

const sqlLockPass = sqlPass + `
for update`

// sqlSetPass makes a check that was made by the other rule outdated.
const sqlSetPass = `
update campaign
set frequency_pass = nullif($3, ''),
    version = version + case when state in ('draft', 'checking') then 1 else 0 end,
    state = case when state = 'checking' then 'draft' else state end,
    updated_at = bareed_now()
where workspace_id = $1
  and id = $2`

// leastReason is how many characters say why.
const (
	leastReason = 10
	mostReason  = 500
)

// SetPass lets a campaign pass the frequency rules, or no longer. It needs a role
// that may override stops and a reason in writing, which is kept in the audit; a
// draft needs a new check afterwards, and of a campaign that recurs it holds for
// the runs planned from then on.
func SetPass(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign, pass bool, reason string) (Pass, error) {
	if err := accounts.Allow(a, accounts.OverrideStops); err != nil {
		return Pass{}, err
	}
	was, state, err := readPass(ctx, tx, sqlLockPass, a.Workspace, campaign)
	if err != nil {
		return was, err
	}
	switch state {
	case "completed", "stopped", "expired", "failed":
		return was, errs.New("campaign.state", "state", state, "actions", "–")
	}
	reason = strings.TrimSpace(reason)
	switch n := utf8.RuneCountInString(reason); {
	case !pass:
		reason = ""
	case n < leastReason || n > mostReason || !utf8.ValidString(reason):
		return was, errs.New("caps.reason", "min", leastReason, "max", mostReason).At("/reason", "")
	}
	if reason != was.Reason {
		if _, err := tx.Exec(ctx, sqlSetPass, a.Workspace, campaign, reason); err != nil {
			return was, fmt.Errorf("let the campaign pass the frequency rules: %w", err)
		}
		err = accounts.Audit(ctx, tx, a, accounts.Deed{Action: "campaign.frequency_pass", Subject: campaign.String(),
			Detail: map[string]any{"pass": pass, "reason": reason}})
		if err != nil {
			return was, err
		}
	}
	return ReadPass(ctx, tx, a.Workspace, campaign)
}
