package waves

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/breaker"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages"
)

// Wave is one step of a run.
type Wave struct {
	Wave     int        `json:"wave"`
	People   int64      `json:"people" doc:"Who may be sent to by the end of this wave, those before included."`
	Boundary *int32     `json:"-"` // its last ordinal; nil: not known yet, or everybody
	OpenedAt *time.Time `json:"opened_at,omitempty"`
	LeftAt   *time.Time `json:"left_at,omitempty" doc:"Nothing of it waits or is on its way any more."`
	PassedAt *time.Time `json:"passed_at,omitempty" doc:"Its gate was passed."`
	State    string     `json:"state" enum:"waiting,sending,gate,passed" doc:"gate: it has left, and the next one waits for its gate."`
}

const sqlWaves = `
select wave, people, boundary, opened_at, handed_at, passed_at
from run_wave
where workspace_id = $1
  and run_id = $2
order by wave`

func readWaves(ctx context.Context, db pg.DB, ws id.Workspace, run id.Run) ([]Wave, error) {
	return pg.All(ctx, db, "read the run's waves", func(row pgx.CollectableRow) (w Wave, err error) {
		err = row.Scan(&w.Wave, &w.People, &w.Boundary, &w.OpenedAt, &w.LeftAt, &w.PassedAt)
		switch {
		case w.PassedAt != nil:
			w.State = "passed"
		case w.LeftAt != nil:
			w.State = "gate"
		case w.OpenedAt != nil:
			w.State = "sending"
		default:
			w.State = "waiting"
		}
		return w, err
	}, sqlWaves, ws, run)
}

// open is the place of the wave that is open; -1: none.
func open(list []Wave) int {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].OpenedAt != nil {
			return i
		}
	}
	return -1
}

// gate is how the open wave stands before its gate.
func (s standing) gate(w Wave, stopped bool) breaker.Gate {
	return breaker.Gate{Since: s.now.Sub(*w.LeftAt), Accepted: s.accepted, Answered: s.delivered + s.failed, Stopped: stopped}
}

// advance takes a run's waves one step on, if it can be taken.
func advance(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, s standing, p breaker.Policy, stopped bool) error {
	list, err := readWaves(ctx, tx, ws, run)
	if err != nil {
		return err
	}
	i := open(list)
	if i < 0 || i == len(list)-1 {
		return nil
	}
	w := list[i]
	switch {
	case p.Waves == breaker.Never: // set so since: the rest goes at once
		return step(ctx, tx, ws, run, s, list, len(list)-1)
	case w.Boundary == nil:
		return bound(ctx, tx, ws, run, w.Wave, w.People)
	case w.LeftAt == nil:
		return leave(ctx, tx, ws, run, s, w)
	}
	if waits, _ := p.Pass(s.gate(w, stopped)); waits != breaker.Opens {
		return nil
	}
	return step(ctx, tx, ws, run, s, list, i+1)
}

// sqlLeft notes that nothing of a wave waits or is on its way, by the indexes of
// what is ready and of what is being sent.
const sqlLeft = `
update run_wave
set handed_at = bareed_now()
where workspace_id = $1
  and run_id = $2
  and wave = $3
  and handed_at is null
  and not exists (
      select from message m
      where m.workspace_id = $1
        and m.run_id = $2
        and m.state = 'ready'
        and m.ordinal <= $4)
  and not exists (
      select from message m
      where m.workspace_id = $1
        and m.run_id = $2
        and m.state = 'sending')`

func leave(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, s standing, w Wave) error {
	if s.fed < *w.Boundary {
		return nil
	}
	if _, err := tx.Exec(ctx, sqlLeft, ws, run, w.Wave, *w.Boundary); err != nil {
		return fmt.Errorf("note that a wave has left: %w", err)
	}
	return nil
}

const (
	sqlPass = `
update run_wave
set passed_at = case when wave < $3 then coalesce(passed_at, bareed_now()) end,
    opened_at = coalesce(opened_at, bareed_now())
where workspace_id = $1
  and run_id = $2
  and wave <= $3`

	sqlUnbound = `
update run
set wave_to = null
where workspace_id = $1
  and id = $2`
)

// step opens the wave at a place of the list, and all before it. Campaign before
// run, as everywhere.
func step(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, s standing, list []Wave, to int) error {
	w := list[to]
	err := messages.CampaignEvent(ctx, tx, ws, s.campaign, "campaign.wave_opened",
		map[string]any{"run": run, "wave": w.Wave, "of": len(list), "people": w.People})
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, sqlPass, ws, run, w.Wave); err != nil {
		return fmt.Errorf("open a wave: %w", err)
	}
	if to < len(list)-1 {
		return bound(ctx, tx, ws, run, w.Wave, w.People)
	}
	if _, err := tx.Exec(ctx, sqlUnbound, ws, run); err != nil {
		return fmt.Errorf("open the last wave: %w", err)
	}
	return nil
}
