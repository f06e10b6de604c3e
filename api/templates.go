package api

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/messages"
	"bareed/numbers"
	"bareed/templates"
)

func (s *Server) templates() {
	add(s, "GET /v1/templates", s.listTemplates)
	add(s, "POST /v1/templates/sync", s.syncTemplates)
	add(s, "GET /v1/templates/{template}", s.getTemplate)
}

// templateView is a template as it is shown.
type templateView struct {
	ID              id.Template           `json:"id"`
	WABAID          id.WABA               `json:"waba_id"`
	MetaID          string                `json:"meta_template_id"`
	Name            string                `json:"name"`
	Language        string                `json:"language"`
	Category        string                `json:"category" doc:"MARKETING, UTILITY or AUTHENTICATION"`
	Purpose         string                `json:"purpose" doc:"The consent a person needs for it"`
	Status          string                `json:"status" doc:"Meta's word; only APPROVED may be sent"`
	Quality         string                `json:"quality"`
	ParameterFormat string                `json:"parameter_format" doc:"POSITIONAL or NAMED"`
	Sendable        bool                  `json:"sendable"`
	Unsupported     []string              `json:"unsupported,omitempty" doc:"Parts that cannot be filled here"`
	Parameters      []templates.Parameter `json:"parameters"`
	Preview         templates.Preview     `json:"preview" doc:"With the examples given to Meta"`
	SyncedAt        time.Time             `json:"synced_at"`
	Health          *healthView           `json:"health,omitempty" doc:"Meta's own answer to whether it can be sent, asked at a check"`
	NextCategory    string                `json:"next_category,omitempty" doc:"Announced by Meta"`
	NextCategoryAt  *time.Time            `json:"next_category_at,omitempty"`
	Stops           []stopView            `json:"stops,omitempty"`
	Components      json.RawMessage       `json:"components,omitempty" doc:"As Meta gave them"`
	History         *[]numbers.Past       `json:"history,omitempty" doc:"What Meta changed, newest first"`
}

func viewTemplate(t templates.Template) templateView {
	v := templateView{
		ID: t.ID, WABAID: t.WABA, MetaID: t.MetaID, Name: t.Name, Language: t.Language, Category: t.Category,
		Purpose: t.Purpose(), Status: t.Status, Quality: t.Quality, ParameterFormat: t.ParameterFormat,
		Sendable: t.CanSend() == nil, Unsupported: templates.Unsupported(t), Parameters: templates.Parameters(t),
		Preview: templates.Show(t, templates.Examples(t)), SyncedAt: t.SyncedAt,
	}
	v.Health = viewHealth(t.Health, t.HealthAt)
	if t.NextCategory != t.Category {
		v.NextCategory, v.NextCategoryAt = t.NextCategory, t.NextCategoryAt
	}
	if v.Parameters == nil {
		v.Parameters = []templates.Parameter{}
	}
	return v
}

type listTemplatesInput struct {
	Paging
	Number   string `query:"number" doc:"Those this number can send"`
	Status   string `query:"status" maxLength:"40"`
	Category string `query:"category" maxLength:"40"`
	Language string `query:"language" maxLength:"20"`
	Name     string `query:"name" doc:"A part of the name" maxLength:"512"`
}

func (s *Server) listTemplates(ctx context.Context, a accounts.Actor, in *listTemplatesInput) (*list[templateView], error) {
	p, err := s.page(ctx, a, in.Paging)
	if err != nil {
		return nil, err
	}
	f := templates.Filter{Status: in.Status, Category: in.Category, Language: in.Language, Name: in.Name}
	if in.Number != "" {
		if f.Number, err = id.Parse[id.Number](in.Number); err != nil {
			return nil, errs.New("not_found")
		}
	}
	var after id.Template
	if p.After != "" {
		if after, err = id.Parse[id.Template](p.After); err != nil {
			return nil, errs.New("page.cursor")
		}
	}
	var views []templateView
	err = s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		all, err := templates.List(ctx, tx, a.Workspace, f, after, p.Limit+1)
		for _, t := range all {
			views = append(views, viewTemplate(t))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return listed(ctx, s, a, p, views, func(v templateView) string { return v.ID.String() }), nil
}

type templateInput struct {
	Template string `path:"template"`
}

type templateOutput struct {
	Body templateView
}

func (s *Server) getTemplate(ctx context.Context, a accounts.Actor, in *templateInput) (*templateOutput, error) {
	template, err := id.Parse[id.Template](in.Template)
	if err != nil {
		return nil, errs.New("not_found")
	}
	var out templateOutput
	err = s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		t, err := templates.Get(ctx, tx, a.Workspace, template)
		if err != nil {
			return err
		}
		out.Body = viewTemplate(t)
		out.Body.Components = t.Components
		stops, err := messages.OpenStops(ctx, tx, a.Workspace, t.ID)
		if err != nil {
			return err
		}
		out.Body.Stops = viewStops(ctx, stops, t.ID)
		past, err := numbers.History(ctx, tx, a.Workspace, 50, t.ID.String())
		out.Body.History = &past
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// syncTemplates makes the mirror due; the worker reads it within seconds.
func (s *Server) syncTemplates(ctx context.Context, a accounts.Actor, _ *struct{}) (*struct{}, error) {
	return nil, s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		return templates.Refresh(ctx, tx, a)
	})
}
