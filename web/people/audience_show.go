package people

import (
	"github.com/jackc/pgx/v5"

	"bareed/contacts"
	"bareed/contacts/draft"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/ui"
)

type audienceView struct {
	Audience     contacts.Audience
	Imports      []importRow
	Drafts       []draft.Draft
	Newer, Older string
}

// importRow is an import with its failure in the reader's language.
type importRow struct {
	contacts.Import
	Failure string
}

func importRowOf(c *front.Call, i contacts.Import) importRow {
	r := importRow{Import: i}
	if i.Problem != nil {
		r.Failure = errs.Sentence(c.Lang(), i.Problem.Code, i.Problem.Params)
	}
	return r
}

func (s desk) audiencePage(c *front.Call) error {
	audience, err := front.ID[id.Audience](c, "audience")
	if err != nil {
		return err
	}
	before, err := front.AfterID[id.Import](c, "imports")
	if err != nil {
		return err
	}
	var view audienceView
	ws := c.Actor().Workspace
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		if view.Audience, err = contacts.GetAudience(c.Ctx(), tx, ws, audience); err != nil {
			return err
		}
		if view.Drafts, err = draft.List(c.Ctx(), tx, ws, audience); err != nil {
			return err
		}
		list, err := contacts.ListImports(c.Ctx(), tx, ws, audience, before, c.Limit()+1)
		list, view.Older = front.Older(c, "imports", list, func(i contacts.Import) string { return i.ID.String() })
		view.Imports = nil
		for _, i := range list {
			view.Imports = append(view.Imports, importRowOf(c, i))
		}
		return err
	})
	if err != nil {
		return err
	}
	view.Newer = c.Newest()
	return c.Render("audience", view)
}

func (s desk) deleteAudiencePage(c *front.Call) error {
	a, err := s.findAudience(c)
	if err != nil {
		return err
	}
	return c.Render("audience-delete", a, front.WithForm(ui.NewForm(nil)))
}

func (s desk) findAudience(c *front.Call) (contacts.Audience, error) {
	audience, err := front.ID[id.Audience](c, "audience")
	if err != nil {
		return contacts.Audience{}, err
	}
	var a contacts.Audience
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		a, err = contacts.GetAudience(c.Ctx(), tx, c.Actor().Workspace, audience)
		return err
	})
	return a, err
}

func (s desk) deleteAudience(c *front.Call) error {
	a, err := s.findAudience(c)
	if err != nil {
		return err
	}
	err = c.InWorkspace(func(tx pgx.Tx) error {
		return contacts.DeleteAudience(c.Ctx(), tx, c.Actor(), a.ID)
	})
	if err == nil {
		c.Flash("done", "audiences.deleted", "name", a.Name)
		return c.Redirect("/audiences")
	}
	f := c.Form()
	if !f.Fail(c.Lang(), err) {
		return err
	}
	return c.Refused(err, "audience-delete", a, f)
}
