package people

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/contacts"
	"bareed/internal/errs"
	"bareed/internal/id"
)

func (d *Desk) jobs() {
	front.Add(d.Front, "GET /v1/jobs/{job}", d.getJob)
}

type jobInput struct {
	Job id.Job `path:"job"`
}

// jobView is a job with its failure in the caller's language.
type jobView struct {
	contacts.Job
	Progress float64  `json:"progress" doc:"0 to 1"`
	Failure  *failure `json:"problem"`
}

// failure is a stored problem as it is shown.
type failure struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func failureOf(ctx context.Context, p *contacts.Problem) *failure {
	if p == nil {
		return nil
	}
	return &failure{Code: p.Code, Detail: errs.Sentence(front.Lang(ctx), p.Code, p.Params)}
}

func viewJob(ctx context.Context, j contacts.Job) jobView {
	v := jobView{Job: j, Failure: failureOf(ctx, j.Problem)}
	switch {
	case j.State == "completed":
		v.Progress = 1
	case j.Total > 0:
		v.Progress = float64(j.Done) / float64(j.Total)
	}
	return v
}

func (d *Desk) getJob(ctx context.Context, a accounts.Actor, in *jobInput) (*front.Reply[jobView], error) {
	var j contacts.Job
	err := d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		j, err = contacts.GetJob(ctx, tx, a.Workspace, in.Job)
		return err
	})
	return &front.Reply[jobView]{Body: viewJob(ctx, j)}, err
}
