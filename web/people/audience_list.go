package people

import (
	"github.com/jackc/pgx/v5"

	"bareed/contacts"
	"bareed/contacts/directory"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/ui"
)

// audienceRow is one row of the list.
type audienceRow struct {
	contacts.Audience
	directory.Overview
}

type audiencesView struct {
	List         []audienceRow
	Newer, Older string
}

func (s desk) audiencesPage(c *front.Call) error {
	before, err := front.AfterID[id.Audience](c, "audiences")
	if err != nil {
		return err
	}
	var view audiencesView
	err = c.InWorkspace(func(tx pgx.Tx) error {
		list, err := contacts.ListAudiences(c.Ctx(), tx, c.Actor().Workspace, before, c.Limit()+1)
		if err != nil {
			return err
		}
		list, view.Older = front.Older(c, "audiences", list, func(a contacts.Audience) string { return a.ID.String() })
		overviews, err := directory.Overviews(c.Ctx(), tx, c.Actor().Workspace, list)
		view.List = nil
		for _, a := range list {
			view.List = append(view.List, audienceRow{a, overviews[a.ID]})
		}
		return err
	})
	if err != nil {
		return err
	}
	view.Newer = c.Newest()
	return c.Render("audiences", view)
}

func (s desk) newAudiencePage(c *front.Call) error {
	return c.Render("audience-new", nil, front.WithForm(ui.NewForm(nil)))
}

func (s desk) createAudience(c *front.Call) error {
	f := c.Form()
	var made contacts.Audience
	err := c.InWorkspace(func(tx pgx.Tx) (err error) {
		made, err = contacts.CreateAudience(c.Ctx(), tx, c.Actor(), f.Get("name"))
		return err
	})
	if err == nil {
		c.Flash("done", "audiences.created", "name", made.Name)
		return c.Redirect("/audiences/" + made.ID.String())
	}
	if !f.Fail(c.Lang(), err) {
		return err
	}
	return c.Refused(err, "audience-new", nil, f)
}
