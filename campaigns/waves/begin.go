package waves

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/breaker"
	"bareed/campaigns/warnings"
	"bareed/internal/id"
	"bareed/messages"
)

// sqlSending is asked once in a run's life, when it begins: what it sums over is
// the workspace's runs, not their messages.
const sqlSending = `
select r.campaign_id, greatest(coalesce(r.expected, 0), case when r.expected is null then r.planned end), r.purpose, r.recipient_time,
    coalesce((
        select sum(s.delivered)
        from run o
        join run_snapshot s on s.workspace_id = o.workspace_id and s.run_id = o.id
        where o.workspace_id = r.workspace_id
          and o.template_id = r.template_id
          and o.components_hash = r.components_hash
          and o.id <> r.id), 0) < 1000,
    coalesce((
        select sum(s.delivered)
        from run o
        join run_snapshot s on s.workspace_id = o.workspace_id and s.run_id = o.id
        where o.workspace_id = r.workspace_id
          and o.number_id = r.number_id
          and o.id <> r.id), 0) < 1000,
    exists (
        select from campaign_audience a
        where a.workspace_id = r.workspace_id
          and a.campaign_id = r.campaign_id
          and not exists (
              select from campaign_audience b
              join run o on o.workspace_id = b.workspace_id and o.campaign_id = b.campaign_id
              join run_snapshot s on s.workspace_id = o.workspace_id and s.run_id = o.id
              where b.workspace_id = a.workspace_id
                and b.audience_id = a.audience_id
                and o.id <> r.id
                and s.delivered > 0)),
    n.quality
from run r
join number n on n.workspace_id = r.workspace_id and n.id = r.number_id
where r.workspace_id = $1
  and r.id = $2
  and r.kind = 'campaign'
  and r.state = 'running'
  and r.fed = 0
  and not exists (
      select from run_wave w
      where w.workspace_id = r.workspace_id
        and w.run_id = r.id)`

// Due moves a run whose time has come, as campaigns.Due does, and divides it into
// waves when it begins. Whoever lets a run begin calls this: the leader, and the
// planning task behind its first chunk.
func Due(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, limits breaker.Limits) error {
	if err := campaigns.Due(ctx, tx, ws, run); err != nil {
		return err
	}
	return Begin(ctx, tx, ws, run, limits)
}

// Begin keeps the policy that a run begins with and divides the run into waves if
// it says so. It belongs in the transaction in which the run begins, so that
// nothing is fed before; for a run that does not begin just now it does nothing.
// The caller holds the campaign's row.
func Begin(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, limits breaker.Limits) error {
	s, ok, err := readSending(ctx, tx, ws, sqlSending, run)
	if err != nil || !ok {
		return err
	}
	policy := limits.Resolve(s.widest)
	if err := keep(ctx, tx, ws, run, policy); err != nil {
		return err
	}
	if err := warnings.Begin(ctx, tx, ws, run); err != nil {
		return err
	}
	people := limits.Over(policy, s.own).WavesOf(s.Sending)
	if len(people) == 0 {
		return nil
	}
	detail := map[string]any{"run": run, "wave": 1, "of": len(people), "people": people[0], "risks": s.Risks()}
	if err := messages.CampaignEvent(ctx, tx, ws, s.campaign, "campaign.wave_opened", detail); err != nil {
		return err
	}
	return write(ctx, tx, ws, run, people)
}

// sending is what divides a run into waves: what it is, and what its workspace and
// its campaign set.
type sending struct {
	breaker.Sending
	campaign    id.Campaign
	widest, own breaker.Thresholds
}

// readSending reads it by sqlSending of a run or sqlProspect of a check; ok is
// false when there is nothing to divide.
func readSending(ctx context.Context, tx pgx.Tx, ws id.Workspace, sql string, of [16]byte) (s sending, ok bool, err error) {
	err = tx.QueryRow(ctx, sql, ws, of).
		Scan(&s.campaign, &s.People, &s.Purpose, &s.OwnTime, &s.NewTemplate, &s.NewNumber, &s.NewPeople, &s.Quality)
	if errors.Is(err, pgx.ErrNoRows) {
		return s, false, nil
	}
	if err != nil {
		return s, false, fmt.Errorf("look whether a campaign goes in waves: %w", err)
	}
	widest, own, err := readSettings(ctx, tx, ws, s.campaign)
	s.widest, s.own = widest.Settings, own.Settings
	return s, err == nil, err
}

const sqlInsertWaves = `
insert into run_wave (workspace_id, run_id, wave, people, opened_at)
select $1, $2, w.wave, w.people, case when w.wave = 1 then bareed_now() end
from unnest($3::bigint[]) with ordinality as w(people, wave)`

func write(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, people []int64) error {
	if _, err := tx.Exec(ctx, sqlInsertWaves, ws, run, people); err != nil {
		return fmt.Errorf("write the run's waves: %w", err)
	}
	return bound(ctx, tx, ws, run, 1, people[0])
}

// sqlBoundary is how far a run is planned, and the ordinal of the last of so many
// people; those left out by the plan do not count. In one statement, because more
// are planned meanwhile: between two, a whole chunk would pass for part of the wave.
// It reads as far as the wave goes, a few times in a run's life.
const sqlBoundary = `
select r.planned, r.plan_done, (
    select m.ordinal
    from message m
    where m.workspace_id = $1
      and m.run_id = $2
      and m.state <> 'suppressed'
    order by m.ordinal
    offset $3::bigint - 1
    limit 1)
from run r
where r.workspace_id = $1
  and r.id = $2`

const sqlBound = `
with r as (
    update run
    set wave_to = greatest(wave_to, $4)
    where workspace_id = $1
      and id = $2
)
update run_wave
set boundary = $5
where workspace_id = $1
  and run_id = $2
  and wave = $3`

// bound lets the run go as far as the wave reaches. While fewer people are planned
// than the wave has, all of them may be fed, and its end is looked for again.
func bound(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run, wave int, people int64) error {
	var planned int32
	var done bool
	var boundary *int32
	if err := tx.QueryRow(ctx, sqlBoundary, ws, run, people).Scan(&planned, &done, &boundary); err != nil {
		return fmt.Errorf("find a wave's end: %w", err)
	}
	reach := planned
	switch {
	case boundary != nil:
		reach = *boundary
	case done:
		boundary = &planned
	}
	if _, err := tx.Exec(ctx, sqlBound, ws, run, wave, reach, boundary); err != nil {
		return fmt.Errorf("set a wave's end: %w", err)
	}
	return nil
}
