package campaigns

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/guard"
	"bareed/campaigns/preflight"
	"bareed/internal/errs"
	"bareed/internal/pg"
	"bareed/numbers"
	"bareed/templates"
)

// unchanged refuses to launch a template that is not the one the check decided by.
func unchanged(approved []byte, t templates.Template) error {
	if len(approved) == 0 {
		return nil
	}
	if list := guard.Describe(approved, t).Differences; len(list) > 0 {
		return errs.New("campaign.template_changed", "difference", guard.Told(list)).At("/template_id", "")
	}
	return nil
}

// accepts asks for a word before a marketing campaign begins on a number that Meta
// rates medium or low: more complaints end in a restriction of all numbers.
func (q LaunchRequest) accepts(n numbers.Number, t templates.Template) error {
	if q.AcceptQuality || !n.Doubtful() || t.Purpose() != "marketing" {
		return nil
	}
	return errs.New("campaign.quality_unconfirmed", "quality", n.Quality).At("/accept_quality", "")
}

// permitted refuses what Meta said of late that it blocks. Without a fresh answer
// the launch goes on: the worker asks before the first message leaves.
func permitted(ctx context.Context, tx pgx.Tx, n numbers.Number, t templates.Template) error {
	now, err := pg.Now(ctx, tx)
	if err != nil {
		return err
	}
	list, _ := preflight.Findings(n, t, now)
	if e := preflight.Refusal(list); e != nil {
		return e
	}
	return nil
}
