// Package quality owns the routes that show what Meta changed: the history of
// numbers, templates, accounts and portfolios, and how a campaign's template stands
// to what was approved.
//
// api registers it. The rules are in numbers, templates and campaigns/guard.
package quality

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/campaigns"
	"bareed/campaigns/guard"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/numbers"
	"bareed/templates"
)

// Register adds the package's routes.
func Register(f *front.Front) {
	d := &desk{f}
	front.Add(f, "GET /v1/changes", d.changes)
	front.Add(f, "GET /v1/campaigns/{campaign}/template", d.template)
}

type desk struct{ *front.Front }

type changesInput struct {
	front.Paging
	Number   string `query:"number" doc:"Of this number, its account and its portfolio"`
	Template string `query:"template" doc:"Of this template"`
	What     string `query:"what" maxLength:"40" doc:"One kind of change, such as quality, among the newest thousand; with number or template"`
}

func (d *desk) changes(ctx context.Context, a accounts.Actor, in *changesInput) (*front.List[numbers.Past], error) {
	p, err := d.Page(ctx, a, in.Paging)
	if err != nil {
		return nil, err
	}
	of := numbers.Of{What: in.What, Limit: p.Limit + 1}
	if p.After != "" {
		if of.Before, err = uuid.Parse(p.After); err != nil {
			return nil, errs.New("page.cursor")
		}
	}
	var rows []numbers.Past
	err = d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		if of.Subjects, err = subjects(ctx, tx, a.Workspace, in); err != nil {
			return err
		}
		rows, err = numbers.HistoryOf(ctx, tx, a.Workspace, of)
		return err
	})
	if err != nil {
		return nil, err
	}
	return front.Listed(ctx, d.Front, a, p, rows, func(c numbers.Past) string { return c.ID.String() }), nil
}

// subjects are what the list is narrowed to; none: everything of the workspace.
func subjects(ctx context.Context, tx pgx.Tx, ws id.Workspace, in *changesInput) (list []string, err error) {
	if in.Number != "" {
		number, err := id.Parse[id.Number](in.Number)
		if err != nil {
			return nil, errs.New("not_found")
		}
		n, err := numbers.Get(ctx, tx, ws, number)
		if err != nil {
			return nil, err
		}
		list = append(list, n.ID.String(), n.WABA.String(), n.Portfolio.String())
	}
	if in.Template != "" {
		template, err := id.Parse[id.Template](in.Template)
		if err != nil {
			return nil, errs.New("not_found")
		}
		if _, err := templates.Get(ctx, tx, ws, template); err != nil {
			return nil, err
		}
		list = append(list, template.String())
	}
	return list, nil
}

type templateInput struct {
	Campaign id.Campaign `path:"campaign"`
}

type templateOutput struct {
	Body guard.State
}

func (d *desk) template(ctx context.Context, a accounts.Actor, in *templateInput) (*templateOutput, error) {
	out := &templateOutput{}
	err := d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		if err = campaigns.Exists(ctx, tx, a.Workspace, in.Campaign); err != nil {
			return err
		}
		out.Body, err = guard.Of(ctx, tx, a.Workspace, in.Campaign)
		return err
	})
	return out, err
}
