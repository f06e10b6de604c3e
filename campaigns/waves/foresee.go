package waves

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/breaker"
	"bareed/campaigns/forecast"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// sqlProspect is sqlSending of a campaign whose check is complete, before it has a
// run.
const sqlProspect = `
select k.campaign_id, k.eligible, lower(t.category), coalesce((c.schedule->>'recipient_time')::boolean, false),
    coalesce((
        select sum(s.delivered)
        from run o
        join run_snapshot s on s.workspace_id = o.workspace_id and s.run_id = o.id
        where o.workspace_id = k.workspace_id
          and o.template_id = t.id
          and o.components_hash = t.components_hash), 0) < 1000,
    coalesce((
        select sum(s.delivered)
        from run o
        join run_snapshot s on s.workspace_id = o.workspace_id and s.run_id = o.id
        where o.workspace_id = k.workspace_id
          and o.number_id = n.id), 0) < 1000,
    exists (
        select from campaign_audience a
        where a.workspace_id = k.workspace_id
          and a.campaign_id = k.campaign_id
          and not exists (
              select from campaign_audience b
              join run o on o.workspace_id = b.workspace_id and o.campaign_id = b.campaign_id
              join run_snapshot s on s.workspace_id = o.workspace_id and s.run_id = o.id
              where b.workspace_id = a.workspace_id
                and b.audience_id = a.audience_id
                and s.delivered > 0)),
    n.quality
from plan_check k
join campaign c on c.workspace_id = k.workspace_id and c.id = k.campaign_id
join template t on t.workspace_id = c.workspace_id and t.id = c.template_id
join number n on n.workspace_id = c.workspace_id and n.id = c.number_id
where k.workspace_id = $1
  and k.id = $2
  and k.state = 'completed'`

const sqlForesee = `
update plan_check
set waves = coalesce($3::bigint[], '{}'), wave_wait = $4
where workspace_id = $1
  and id = $2`

// Foresee notes in which waves a campaign would go if it were launched now, for the
// forecast of its check. It belongs in the transaction that completes the check,
// and does nothing for one that is not complete.
func Foresee(ctx context.Context, tx pgx.Tx, ws id.Workspace, check id.Check, limits breaker.Limits) error {
	s, ok, err := readSending(ctx, tx, ws, sqlProspect, check)
	if err != nil || !ok {
		return err
	}
	p := limits.Resolve(s.widest, s.own)
	if _, err := tx.Exec(ctx, sqlForesee, ws, check, p.WavesOf(s.Sending), p.WaveWait); err != nil {
		return fmt.Errorf("note a campaign's waves: %w", err)
	}
	return nil
}

// Ahead is what of a run's waves lies ahead of the people who still wait; nil:
// nothing holds them up.
func Ahead(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign, run id.Run, waiting int64, limits breaker.Limits) ([]forecast.Wave, error) {
	list, err := readWaves(ctx, db, ws, run)
	if err != nil {
		return nil, err
	}
	i := open(list)
	if i < 0 || i == len(list)-1 {
		return nil, nil
	}
	s, err := stand(ctx, db, ws, run)
	if err != nil {
		return nil, err
	}
	rules, err := readInForce(ctx, db, ws, campaign, run, limits)
	if err != nil {
		return nil, err
	}
	return ahead(list, i, waiting, s.now, rules.policy), nil
}

// ahead counts from now: what is sent already is of no interest.
func ahead(list []Wave, i int, waiting int64, now time.Time, p breaker.Policy) (all []forecast.Wave) {
	sent := list[len(list)-1].People - waiting
	wait := time.Duration(p.WaveWait) * time.Minute
	for ; i < len(list)-1; i++ {
		w := forecast.Wave{People: max(0, list[i].People-sent), Wait: wait}
		if left := list[i].LeftAt; left != nil {
			w.People, w.Wait = 0, max(0, left.Add(wait).Sub(now))
		}
		all = append(all, w)
	}
	return all
}
