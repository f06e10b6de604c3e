package people

import (
	"github.com/jackc/pgx/v5"

	"bareed/contacts"
	"bareed/contacts/directory"
	"bareed/internal/errs"
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
	before, err := afterID[id.Audience](c, "audiences")
	if err != nil {
		return err
	}
	var view audiencesView
	err = c.InWorkspace(func(tx pgx.Tx) error {
		list, err := contacts.ListAudiences(c.Ctx(), tx, c.Actor().Workspace, before, c.Limit()+1)
		if err != nil {
			return err
		}
		list, view.Older = older(c, "audiences", list, func(a contacts.Audience) string { return a.ID.String() })
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
	view.Newer = newest(c, !before.IsZero())
	return c.Render("audiences", view)
}

// afterID reads the place where a page of a list begins: the last id before it.
func afterID[T any, P interface {
	*T
	UnmarshalText(b []byte) error
}](c *front.Call, list string) (T, error) {
	var zero T
	after, err := c.After(list, c.Query("cursor"))
	if err != nil || after == "" {
		return zero, err
	}
	v, err := id.Parse[T, P](after)
	if err != nil {
		return zero, errs.New("page.cursor")
	}
	return v, nil
}

// older cuts a list that was read with one row more than it shows, and gives
// the address of the next page.
func older[T any](c *front.Call, list string, rows []T, place func(T) string) ([]T, string) {
	if len(rows) <= c.Limit() {
		return rows, ""
	}
	rows = rows[:c.Limit()]
	return rows, olderThan(c, list, place(rows[len(rows)-1]))
}

// olderThan is the address of the page behind a place of the list.
func olderThan(c *front.Call, list, place string) string {
	q := c.R.URL.Query()
	q.Set("cursor", c.Cursor(list, place))
	return c.R.URL.Path + "?" + q.Encode()
}

// newest is the address of a list's first page, when this is another.
func newest(c *front.Call, further bool) string {
	if !further {
		return ""
	}
	q := c.R.URL.Query()
	q.Del("cursor")
	if len(q) == 0 {
		return c.R.URL.Path
	}
	return c.R.URL.Path + "?" + q.Encode()
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
