package contacts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/id"
)

// Job is work that outlasts a request, as a program polls it.
type Job struct {
	ID        id.Job          `json:"id"`
	Kind      string          `json:"kind" enum:"import,check"`
	Subject   string          `json:"subject"`
	State     string          `json:"state" enum:"waiting,running,completed,failed,cancelled"`
	Done      int64           `json:"done"`
	Total     int64           `json:"total"`
	Result    json.RawMessage `json:"result" doc:"Figures; null until completed"`
	Problem   *Problem        `json:"-"` // of a failed one, in the words of who asks
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
}

// Problem is a failure as it is stored: a code of the catalogue and its parameters.
type Problem struct {
	Code   string      `json:"code"`
	Params errs.Params `json:"params,omitempty"`
}

const sqlJob = `
	select id, kind, subject, state, done, total, result, problem, created_at, updated_at
	from job
	where workspace_id = $1
	  and id = $2`

// GetJob finds a job of any kind; not_found otherwise.
func GetJob(ctx context.Context, tx pgx.Tx, ws id.Workspace, job id.Job) (Job, error) {
	var j Job
	err := tx.QueryRow(ctx, sqlJob, ws, job).Scan(&j.ID, &j.Kind, &j.Subject, &j.State, &j.Done, &j.Total,
		&j.Result, &j.Problem, &j.CreatedAt, &j.UpdatedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return Job{}, errs.New("not_found")
	}
	if err != nil {
		return Job{}, fmt.Errorf("read a job: %w", err)
	}
	return j, nil
}
