package front

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// entry is one line of the request log.
type entry struct {
	workspace id.Workspace
	at        time.Time
	requestID string
	actor     string
	route     string
	status    int
	took      time.Duration
	key       id.Key // used, when it was a key
}

// journal writes the request log in batches, so that no request waits for it.
// When the database does not keep up, entries are counted and dropped.
type journal struct {
	pool    *pg.Pool
	log     *slog.Logger
	entries chan entry
	dropped atomic.Int64
}

const journalBatch = 500

func newJournal(pool *pg.Pool, log *slog.Logger) *journal {
	return &journal{pool: pool, log: log, entries: make(chan entry, 8*journalBatch)}
}

func (j *journal) add(e entry) {
	select {
	case j.entries <- e:
	default:
		j.dropped.Add(1)
	}
}

// run writes until ctx ends, then writes what is left.
func (j *journal) run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			j.flush(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			j.flush(last)
			cancel()
			return
		}
	}
}

func (j *journal) flush(ctx context.Context) {
	for {
		var batch []entry
		for len(batch) < journalBatch {
			select {
			case e := <-j.entries:
				batch = append(batch, e)
				continue
			default:
			}
			break
		}
		if len(batch) == 0 {
			return
		}
		if err := j.write(ctx, batch); err != nil {
			j.dropped.Add(int64(len(batch)))
			j.log.ErrorContext(ctx, "write the request log", "entries", len(batch), "err", err)
			return
		}
	}
}

const sqlJournal = `
	insert into request_log (workspace_id, at, request_id, actor, route, status, took_us)
	select $1, at, request_id, actor, route, status, took
	from unnest($2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::int[], $7::bigint[])
		as l(at, request_id, actor, route, status, took)`

const sqlKeysUsed = `
	update api_key
	set used_at = bareed_now()
	where workspace_id = $1
	  and id = any($2::uuid[])
	  and (used_at is null or used_at < bareed_now() - interval '1 minute')`

// write stores a batch, one transaction per workspace, and notes which keys
// were used.
func (j *journal) write(ctx context.Context, batch []entry) error {
	slices.SortStableFunc(batch, func(a, b entry) int { return strings.Compare(a.workspace.String(), b.workspace.String()) })
	for start := 0; start < len(batch); {
		end := start
		for end < len(batch) && batch[end].workspace == batch[start].workspace {
			end++
		}
		if err := j.writeOne(ctx, batch[start].workspace, batch[start:end]); err != nil {
			return err
		}
		start = end
	}
	return nil
}

func (j *journal) writeOne(ctx context.Context, ws id.Workspace, part []entry) error {
	var at []time.Time
	var request, actor, route []string
	var status []int32
	var took []int64
	var keys []id.Key
	for _, e := range part {
		at, request, actor, route = append(at, e.at), append(request, e.requestID), append(actor, e.actor), append(route, e.route)
		status, took = append(status, int32(e.status)), append(took, e.took.Microseconds())
		if !e.key.IsZero() && !slices.Contains(keys, e.key) {
			keys = append(keys, e.key)
		}
	}
	return j.pool.InWorkspace(ctx, ws, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlJournal, ws, at, request, actor, route, status, took); err != nil {
			return err
		}
		if len(keys) == 0 {
			return nil
		}
		_, err := tx.Exec(ctx, sqlKeysUsed, ws, keys)
		return err
	})
}
