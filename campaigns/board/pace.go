package board

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// Sampled is how many messages of a run are looked at for its pace: all of a
// run up to that size, every n-th in the order of sending of a larger one.
const Sampled = 10_000

// step is the n of every n-th; each message looked at stands for n.
func step(people int64) int64 { return max(1, (people+Sampled-1)/Sampled) }

// Pace is how many messages Meta accepted in each stretch of time.
type Pace struct {
	Every  time.Duration // the length of a stretch: at most 90 of them
	Times  []time.Time   // their beginnings, without gaps
	Counts []int64       // estimated when Nth is above 1
	Nth    int64         // every how many people were looked at
}

const sqlPace = `
with s as materialized (
    select m.accepted_at
    from generate_series(1, $3::int, $4::int) as g(ordinal)
    cross join lateral (
        select m.accepted_at
        from message m
        where m.workspace_id = $1
          and m.run_id = $2
          and m.ordinal = g.ordinal
        limit 1) m
    where m.accepted_at is not null),
width as (
    select coalesce(min(w) filter (where extract(epoch from s.last - s.first) < 90 * w), 604800) as seconds
    from (select min(accepted_at) as first, max(accepted_at) as last from s) s
    cross join unnest(array[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400]) as w)
select date_bin(make_interval(secs => width.seconds), s.accepted_at, timestamptz '2000-01-01 00:00+00'), count(*), max(width.seconds)::bigint
from s
cross join width
group by 1
order by 1`

// ReadPace reads a run's pace from at most Sampled rows, each found by its key;
// people is how many are planned. No times before the first acceptance.
func ReadPace(ctx context.Context, db pg.DB, ws id.Workspace, run id.Run, people int64) (Pace, error) {
	p := Pace{Nth: step(people)}
	rows, err := db.Query(ctx, sqlPace, ws, run, people, p.Nth)
	if err != nil {
		return p, fmt.Errorf("read the pace: %w", err)
	}
	var at time.Time
	var n, seconds int64
	_, err = pgx.ForEachRow(rows, []any{&at, &n, &seconds}, func() error {
		p.Every = time.Duration(seconds) * time.Second
		for len(p.Times) > 0 && len(p.Times) < 400 {
			next := p.Times[len(p.Times)-1].Add(p.Every)
			if !next.Before(at) {
				break
			}
			p.Times, p.Counts = append(p.Times, next), append(p.Counts, 0)
		}
		p.Times, p.Counts = append(p.Times, at), append(p.Counts, n*p.Nth)
		return nil
	})
	if err != nil {
		return p, fmt.Errorf("read the pace: %w", err)
	}
	return p, nil
}

// PerMinute is the speed now: what was accepted in the last minute, or in the
// last two stretches when those are longer; 0 when nothing was.
func (p Pace) PerMinute(now time.Time) int64 {
	since := now.Add(-max(time.Minute, 2*p.Every))
	var n int64
	begin := now
	for i := len(p.Times) - 1; i >= 0 && !p.Times[i].Before(since); i-- {
		n, begin = n+p.Counts[i], p.Times[i]
	}
	took := now.Sub(begin)
	if n == 0 || took <= 0 {
		return 0
	}
	return int64(float64(n) / max(took, p.Every).Minutes())
}

// Waits is how long delivered messages took from Meta's acceptance to the phone.
type Waits struct {
	Edges  []float64 // seconds; the first is 0
	Counts []int64   // from each edge to the next; the last without an end
	Median float64   // seconds; 0 without any
	Nth    int64
}

const sqlWaits = `
with s as materialized (
    select greatest(extract(epoch from m.delivered_at - m.accepted_at), 0)::float8 as seconds
    from generate_series(1, $3::int, $4::int) as g(ordinal)
    cross join lateral (
        select m.accepted_at, m.delivered_at
        from message m
        where m.workspace_id = $1
          and m.run_id = $2
          and m.ordinal = g.ordinal
        limit 1) m
    where m.delivered_at is not null
      and m.accepted_at is not null)
select width_bucket(s.seconds, $5::float8[]), count(*), (select percentile_cont(0.5) within group (order by seconds) from s)
from s
group by 1
order by 1`

// ReadWaits reads how long delivery took from at most Sampled rows.
func ReadWaits(ctx context.Context, db pg.DB, ws id.Workspace, run id.Run, people int64) (Waits, error) {
	w := Waits{Nth: step(people), Edges: []float64{0, 1, 2, 5, 10, 30, 60, 300, 1800, 7200, 86400}}
	w.Counts = make([]int64, len(w.Edges))
	rows, err := db.Query(ctx, sqlWaits, ws, run, people, w.Nth, w.Edges)
	if err != nil {
		return w, fmt.Errorf("read how long delivery took: %w", err)
	}
	var bucket, n int64
	_, err = pgx.ForEachRow(rows, []any{&bucket, &n, &w.Median}, func() error {
		w.Counts[bucket-1] = n * w.Nth
		return nil
	})
	if err != nil {
		return w, fmt.Errorf("read how long delivery took: %w", err)
	}
	return w, nil
}
