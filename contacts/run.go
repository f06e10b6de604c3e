package contacts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/contacts/csvfile"
	"bareed/contacts/spool"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/seal"
)

// maxTries is how often an import may be taken up without getting further
// before it is given up as import.interrupted.
const maxTries = 5

// errLost means that another worker has the import.
var errLost = errors.New("the import is run by another worker")

// Run imports one file. Rows are merged chunk by chunk, each chunk in one
// transaction with the counters, so an import that was cut off goes on behind
// its last chunk; the audience changes in the last transaction only. An import
// that is finished, or runs elsewhere, is left alone without an error. What is
// wrong with the file ends it as failed and is no error either.
func (im *Importer) Run(ctx context.Context, ws id.Workspace, imp id.Import) error {
	r := &run{Importer: im, ws: ws}
	ok, err := r.claim(ctx, imp)
	if err != nil || !ok {
		return err
	}
	err = r.all(ctx)
	if e, visible := errs.As(err); visible {
		return r.fail(ctx, Problem{Code: e.Code, Params: e.Params})
	}
	if errors.Is(err, errLost) {
		return nil
	}
	if err != nil {
		return errors.Join(err, r.release(ctx))
	}
	return nil
}

const sqlReleaseImport = `
	update import
	set lease_until = bareed_now() + interval '5 seconds'
	where workspace_id = $1
	  and id = $2
	  and state = 'running'
	  and rows = $3`

// release lets the next worker go on soon, also when this one is told to stop.
func (r *run) release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return r.Pool.InWorkspace(ctx, r.ws, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlReleaseImport, r.ws, r.imp.ID, r.imp.Rows); err != nil {
			return fmt.Errorf("release the import: %w", err)
		}
		return nil
	})
}

type run struct {
	*Importer
	ws  id.Workspace
	box *seal.Box
	imp Import
	rules
}

const sqlClaimImport = `
	update import
	set state = 'running',
	    lease_until = bareed_now() + interval '2 minutes',
	    started_at = coalesce(started_at, bareed_now()),
	    tries = tries + 1
	where workspace_id = $1
	  and id = $2
	  and state in ('waiting', 'running')
	  and (lease_until is null or lease_until < bareed_now())
	returning tries`

const sqlJobRunning = `
	update job
	set state = 'running',
	    updated_at = bareed_now()
	where workspace_id = $1
	  and id = $2`

func (r *run) claim(ctx context.Context, imp id.Import) (ok bool, err error) {
	var tries int
	err = r.Pool.InWorkspace(ctx, r.ws, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, sqlClaimImport, r.ws, imp).Scan(&tries)
		if errors.Is(err, pgx.ErrNoRows) {
			ok = false
			return nil
		}
		if err != nil {
			return fmt.Errorf("claim the import: %w", err)
		}
		ok = true
		if _, err := tx.Exec(ctx, sqlJobRunning, r.ws, imp); err != nil {
			return fmt.Errorf("claim the import: %w", err)
		}
		if r.imp, err = GetImport(ctx, tx, r.ws, imp); err != nil {
			return err
		}
		return r.load(ctx, tx, r.ws)
	})
	if err != nil || !ok {
		return false, err
	}
	if tries > maxTries {
		return false, r.fail(ctx, Problem{Code: "import.interrupted"})
	}
	r.Settings, r.now = r.imp.Settings, r.Clock()
	r.box, err = r.Vault.Box(ctx, r.ws)
	return err == nil, err
}

// all reads the file from its beginning and merges what lies behind the rows
// already merged.
func (r *run) all(ctx context.Context) error {
	rs, err := csvfile.Open(spool.Open(ctx, r.Pool, r.box, r.ws, r.imp.blob), r.options())
	if err != nil {
		return err
	}
	r.shown = rs.Shown()
	c := r.newChunk()
	for {
		row, err := rs.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if row.Number <= c.from {
			continue
		}
		c.add(row)
		if c.rows() == r.Bounds().Chunk {
			if err := r.merge(ctx, c); err != nil {
				return err
			}
			c = r.newChunk()
		}
	}
	if c.rows() > 0 {
		if err := r.merge(ctx, c); err != nil {
			return err
		}
	}
	return r.finish(ctx)
}

// chunk is what one transaction merges: people once each, in the order of the
// file, and the rejected values.
type chunk struct {
	*run
	from, to int64
	people   []person
	byKey    map[string]int
	merged   int64
	rejects  []Reject
	rejected int64
}

func (r *run) newChunk() *chunk {
	return &chunk{run: r, from: r.imp.Rows, to: r.imp.Rows, byKey: make(map[string]int)}
}

func (c *chunk) rows() int { return int(c.to - c.from) }

func (c *chunk) add(r csvfile.Row) {
	c.to = r.Number
	p, rejects := c.judge(r)
	if len(rejects) > 0 {
		c.rejects = append(c.rejects, rejects...)
		c.rejected++
		return
	}
	if i, ok := c.byKey[p.phone.Key]; ok {
		c.people[i] = joinRows(c.people[i], p)
		c.merged++
		return
	}
	c.byKey[p.phone.Key] = len(c.people)
	c.people = append(c.people, p)
}

// joinRows joins two rows of one person: the later row's values win, a
// blank wins over nothing, and the better proof of an opt-in is kept.
func joinRows(first, second person) person {
	if second.name != "" {
		first.name = second.name
	}
	for _, a := range second.attributes {
		replaced := false
		for i := range first.attributes {
			if first.attributes[i].name == a.name {
				first.attributes[i], replaced = a, true
			}
		}
		if !replaced {
			first.attributes = append(first.attributes[:len(first.attributes):len(first.attributes)], a)
		}
	}
	if second.optIn && (!first.optIn || second.optInAt.After(first.optInAt)) {
		first.optIn, first.optInAt, first.source, first.row = true, second.optInAt, second.source, second.row
	}
	return first
}

const sqlAddMembers = `
	insert into audience_member (workspace_id, audience_id, contact_id, import_id)
	select workspace_id, $3, contact_id, import_id
	from import_member
	where workspace_id = $1
	  and import_id = $2
	order by contact_id
	on conflict (workspace_id, audience_id, contact_id) do nothing`

const sqlCountOpted = `
	select count(*) filter (where opted), count(*) filter (where not opted)
	from import_member
	where workspace_id = $1
	  and import_id = $2`

const sqlDropMembers = `
	delete from import_member
	where workspace_id = $1
	  and import_id = $2`

const sqlFinishImport = `
	update import
	set state = 'completed',
	    lease_until = null,
	    opted_in = $4,
	    superseded = $5,
	    finished_at = bareed_now()
	where workspace_id = $1
	  and id = $2
	  and state = 'running'
	  and rows = $3`

// finish makes everybody a member at once and removes the file.
func (r *run) finish(ctx context.Context) error {
	return r.Pool.InWorkspace(ctx, r.ws, func(tx pgx.Tx) error {
		if err := patient(ctx, tx); err != nil {
			return err
		}
		if _, err := lockAudience(ctx, tx, r.ws, r.imp.Audience); errs.Is(err, "not_found") {
			return errs.New("import.audience_deleted")
		} else if err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, sqlCountOpted, r.ws, r.imp.ID).Scan(&r.imp.OptedIn, &r.imp.Superseded); err != nil {
			return fmt.Errorf("count the opt-ins: %w", err)
		}
		tag, err := tx.Exec(ctx, sqlFinishImport, r.ws, r.imp.ID, r.imp.Rows, r.imp.OptedIn, r.imp.Superseded)
		if err != nil {
			return fmt.Errorf("finish the import: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return errLost
		}
		if _, err := tx.Exec(ctx, sqlAddMembers, r.ws, r.imp.ID, r.imp.Audience); err != nil {
			return fmt.Errorf("add the members: %w", err)
		}
		return r.closeJob(ctx, tx, "completed", r.imp.Result(), nil)
	})
}

// Result is the figures of an import as its job reports them.
func (i Import) Result() map[string]any {
	result := map[string]any{
		"import": i.ID, "rows": i.Rows, "created": i.Created, "updated": i.Updated, "unchanged": i.Unchanged,
		"merged": i.Merged, "rejected": i.Rejected, "opted_in": i.OptedIn, "superseded": i.Superseded,
	}
	if people := i.Created + i.Updated + i.Unchanged; i.OptedIn == 0 && people > 0 {
		result["notice"] = Problem{Code: "import.no_opt_in", Params: errs.Params{"people": people}}
	}
	return result
}

const sqlCloseJob = `
	update job
	set state = $3,
	    done = $4,
	    result = $5,
	    problem = $6,
	    updated_at = bareed_now()
	where workspace_id = $1
	  and id = $2`

func (r *run) closeJob(ctx context.Context, tx pgx.Tx, state string, result any, problem *Problem) error {
	var resultJSON, problemJSON []byte
	var err error
	if result != nil {
		if resultJSON, err = json.Marshal(result); err != nil {
			return fmt.Errorf("write the result: %w", err)
		}
	}
	if problem != nil {
		if problemJSON, err = json.Marshal(problem); err != nil {
			return fmt.Errorf("write the problem: %w", err)
		}
	}
	batch := &pgx.Batch{}
	batch.Queue(sqlDropMembers, r.ws, r.imp.ID)
	batch.Queue(sqlCloseJob, r.ws, r.imp.ID, state, r.imp.Rows, resultJSON, problemJSON)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("close the import's job: %w", err)
	}
	return spool.Empty(ctx, tx, r.ws, r.imp.blob)
}

const sqlFailImport = `
	update import
	set state = 'failed',
	    lease_until = null,
	    problem = $3,
	    finished_at = bareed_now()
	where workspace_id = $1
	  and id = $2
	  and state = 'running'`

// fail ends the import: the audience is as it was, people already merged stay
// known, and the file goes.
func (r *run) fail(ctx context.Context, p Problem) error {
	problem, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("write the problem: %w", err)
	}
	return r.Pool.InWorkspace(ctx, r.ws, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlFailImport, r.ws, r.imp.ID, problem); err != nil {
			return fmt.Errorf("fail the import: %w", err)
		}
		return r.closeJob(ctx, tx, "failed", nil, &p)
	})
}

// patient lets a transaction of an import wait for another import's.
func patient(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, `set local lock_timeout = '5min'`); err != nil {
		return fmt.Errorf("set the lock timeout: %w", err)
	}
	return nil
}
