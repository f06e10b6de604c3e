package contacts

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/contacts/csvfile"
	"bareed/internal/clock"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Limits bound one file. Zero fields take the defaults.
type Limits struct {
	Bytes int64 // 256 MB
	Rows  int64 // 1,000,000
	Chunk int   // rows merged in one transaction, 5,000: an opt-out may wait that long
}

// Importer takes files in and runs them. It is safe for use by many goroutines.
type Importer struct {
	Pool   *pg.Pool
	Vault  *accounts.Vault
	Clock  clock.Clock
	Limits Limits
	// Record writes what the rows say people agreed to and returns those for
	// whom an opt-out stands above it. Only Run needs it.
	Record func(ctx context.Context, tx pgx.Tx, ws id.Workspace, said Said) (refused []id.Contact, err error)
}

// Said is what a part of a file says people agreed to.
type Said struct {
	Import      id.Import
	Declaration Declaration
	Policy      string // of the workspace: strict or general
	Actor       string
	People      []Agreement
}

// Agreement is one person's opt-in. Declared means that it is not dated for
// this person: it never stands against an opt-out.
type Agreement struct {
	Contact      id.Contact
	RecipientKey string
	Line         int64 // of the file, as a person counts: the header is 1
	OccurredAt   time.Time
	Declared     bool
	Source       string
}

// Bounds are the limits that hold.
func (im *Importer) Bounds() Limits {
	l := im.Limits
	if l.Bytes == 0 {
		l.Bytes = 256 << 20
	}
	if l.Rows == 0 {
		l.Rows = 1_000_000
	}
	if l.Chunk == 0 {
		l.Chunk = 5_000
	}
	return l
}

// Import is one uploaded file and what became of its rows:
// Rows = Created + Updated + Unchanged + Merged + Rejected.
type Import struct {
	ID         id.Import        `json:"id"`
	Audience   id.Audience      `json:"audience"`
	File       string           `json:"file"`
	Size       int64            `json:"size"`
	State      string           `json:"state" enum:"waiting,running,completed,failed,cancelled"`
	Settings   Settings         `json:"settings"`
	Detected   csvfile.Detected `json:"detected"`
	Rows       int64            `json:"rows"`
	Created    int64            `json:"created"`
	Updated    int64            `json:"updated"`
	Unchanged  int64            `json:"unchanged"`
	Merged     int64            `json:"merged" doc:"Rows that named a person of an earlier row"`
	Rejected   int64            `json:"rejected"`
	OptedIn    int64            `json:"opted_in" doc:"People with opt-in recorded by this file"`
	Superseded int64            `json:"superseded" doc:"People whose opt-out stands above this file's opt-in"`
	Problem    *Problem         `json:"-"` // in the words of who asks
	CreatedBy  string           `json:"created_by"`
	CreatedAt  time.Time        `json:"created_at"`
	FinishedAt *time.Time       `json:"finished_at"`
	blob       id.Blob
}

// Job is the import's job: it has the same UUID.
func (i Import) Job() id.Job { return id.Job(i.ID) }

const sqlImports = `
	select i.id, i.audience_id, b.name, b.size, i.state, i.settings, i.detected, i.rows, i.created, i.updated, i.unchanged, i.merged,
		i.rejected, i.opted_in, i.superseded, i.problem, i.created_by, i.created_at, i.finished_at, i.blob_id
	from import i
	join blob b on b.workspace_id = i.workspace_id and b.id = i.blob_id
	where i.workspace_id = $1
	  and ($2::uuid is null or i.id = $2)
	  and ($3::uuid is null or i.audience_id = $3)
	  and ($4::uuid is null or i.id < $4)
	order by i.id desc
	limit $5`

func scanImport(row pgx.CollectableRow) (Import, error) {
	var i Import
	var settings, detected []byte
	err := row.Scan(&i.ID, &i.Audience, &i.File, &i.Size, &i.State, &settings, &detected, &i.Rows, &i.Created, &i.Updated, &i.Unchanged, &i.Merged,
		&i.Rejected, &i.OptedIn, &i.Superseded, &i.Problem, &i.CreatedBy, &i.CreatedAt, &i.FinishedAt, &i.blob)
	if err != nil {
		return i, err
	}
	return i, errors.Join(json.Unmarshal(settings, &i.Settings), json.Unmarshal(detected, &i.Detected))
}

// GetImport finds one import; not_found otherwise.
func GetImport(ctx context.Context, tx pgx.Tx, ws id.Workspace, imp id.Import) (Import, error) {
	if imp.IsZero() {
		return Import{}, errs.New("not_found")
	}
	return pg.One(ctx, tx, "read an import", scanImport, sqlImports, ws, imp, nil, nil, 1)
}

// ListImports returns an audience's imports (or all, for the zero id), newest
// first, those before an id when it is given.
func ListImports(ctx context.Context, tx pgx.Tx, ws id.Workspace, audience id.Audience, before id.Import, limit int) ([]Import, error) {
	return pg.All(ctx, tx, "list imports", scanImport, sqlImports, ws, nil, audience, before, limit)
}
