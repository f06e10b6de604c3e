package waves

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/breaker"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// pass is how a run stood when a person last let a rule's stop go: the rule looks
// at what came after.
type pass struct {
	at        time.Time
	delivered int64
	held      int64
	new       bool // not written yet
}

// sqlPasses finds what is noted and what was cleared since: by a person, or, for a
// stop with an end, by time. Few rows by the index of a scope's stops.
const sqlPasses = `
select reason, at, delivered, held, false
from run_pass
where workspace_id = $1
  and run_id = $2
union all
select s.reason, max(coalesce(s.cleared_at, s.until)), 0, 0, true
from stop s
where s.workspace_id = $1
  and s.scope_id = any ($3)
  and s.reason = any ($4)
  and s.since >= $5
  and case when s.until is null then s.cleared_by not like 'system:%' else coalesce(s.cleared_at, s.until) <= bareed_now() end
group by s.reason`

func readPasses(ctx context.Context, db pg.DB, ws id.Workspace, run id.Run, s standing) (map[string]pass, error) {
	rows, err := db.Query(ctx, sqlPasses, ws, run, [][16]byte{s.campaign, s.number, run}, breaker.Reasons(), s.started)
	if err != nil {
		return nil, fmt.Errorf("read what was let pass: %w", err)
	}
	passes := map[string]pass{}
	var reason string
	var one pass
	_, err = pgx.ForEachRow(rows, []any{&reason, &one.at, &one.delivered, &one.held, &one.new}, func() error {
		if known, ok := passes[reason]; !ok || one.at.After(known.at) {
			passes[reason] = one
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what was let pass: %w", err)
	}
	return passes, nil
}

const sqlNotePass = `
insert into run_pass (workspace_id, run_id, reason, at, delivered, held)
values ($1, $2, $3, $4, $5, $6)
on conflict (workspace_id, run_id, reason) do update
set at = excluded.at, delivered = excluded.delivered, held = excluded.held`

// notePasses writes the clearings that are new with the figures of now: those of
// the moment of the clearing nobody knows any more, and a second later is as good.
func notePasses(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, s standing, passes map[string]pass, held int64) (map[string]pass, error) {
	for reason, p := range passes {
		if !p.new {
			continue
		}
		p.delivered, p.held, p.new = s.delivered, held, false
		if _, err := tx.Exec(ctx, sqlNotePass, ws, run, reason, p.at, p.delivered, p.held); err != nil {
			return passes, fmt.Errorf("note what was let pass: %w", err)
		}
		passes[reason] = p
	}
	return passes, nil
}

// sqlAnswers looks at the last 5,000 people handed over, by the key of the ledger,
// however many the run has: the newest answers among them, and the requests of the
// last seconds. Deliveries that are still to come count as no failure.
const sqlAnswers = `
with seen as materialized (
    select m.ordinal, m.state, coalesce(m.meta_code, 0) as code, coalesce(m.http_status, 0) as http, m.claimed_at,
        m.state in ('accepted', 'held', 'sent', 'delivered', 'read', 'played', 'failed') as answered
    from message m
    where m.workspace_id = $1
      and m.run_id = $2
      and m.ordinal > $3 - 5000
      and m.ordinal <= $3
      and m.claimed_at is not null
)
select f.whole, f.part, u.whole, u.part, e.whole, e.part
from (
    select count(*) as whole, count(*) filter (where x.state = 'failed' and x.code not in (131026, 131049)) as part
    from (
        select s.state, s.code
        from seen s
        where s.answered
          and s.claimed_at > $5
        order by s.ordinal desc
        limit $4) x) f
cross join (
    select count(*) as whole, count(*) filter (where x.state = 'failed' and x.code = 131026) as part
    from (
        select s.state, s.code
        from seen s
        where s.answered
          and s.claimed_at > $6
        order by s.ordinal desc
        limit $4) x) u
cross join (
    select count(*) as whole, count(*) filter (where s.http >= 500) as part
    from seen s
    where s.claimed_at > $7) e`

// sqlOptOuts counts people of the run who opted out after its message was on its
// way. It reads the workspace's opt-outs of that time, which are few, and each
// one's message by its key. Answers of Meta about older refusals (131050) and
// lists that were imported are no reaction to the campaign.
const sqlOptOuts = `
select count(distinct c.contact_id)
from consent c
cross join lateral (
    select 1
    from message m
    where m.contact_id = c.contact_id
      and m.run_id = $2
      and m.workspace_id = $1
      and m.claimed_at <= c.recorded_at
    limit 1) m
where c.workspace_id = $1
  and c.action = 'opt_out'
  and c.recorded_at > $3
  and c.method not in ('meta_131050', 'import')`

// measure reads the figures of every rule. Its cost does not grow with the run.
func measure(ctx context.Context, db pg.DB, ws id.Workspace, run id.Run, s standing, p breaker.Policy, passes map[string]pass, held int64) (breaker.Figures, error) {
	f := breaker.Figures{Delivered: s.delivered - passes[breaker.OptOuts].delivered, Held: held - passes[breaker.HeldByMeta].held}
	since := func(reason string, or time.Time) time.Time {
		if at := passes[reason].at; at.After(or) {
			return at
		}
		return or
	}
	recent := s.now.Add(-time.Duration(p.ServerErrorsSeconds) * time.Second)
	err := db.QueryRow(ctx, sqlAnswers, ws, run, s.fed, p.AnswersOf, since(breaker.Failures, time.Time{}), since(breaker.Undeliverable, time.Time{}),
		since(breaker.ServerErrors, recent)).Scan(&f.Answers, &f.Failed, &f.DeliverableOf, &f.Undelivered, &f.Requests, &f.ServerErrors)
	if err != nil {
		return f, fmt.Errorf("look at a run's last answers: %w", err)
	}
	if err := db.QueryRow(ctx, sqlOptOuts, ws, run, since(breaker.OptOuts, s.started)).Scan(&f.OptOuts); err != nil {
		return f, fmt.Errorf("count a run's opt-outs: %w", err)
	}
	return f, nil
}
