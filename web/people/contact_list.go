package people

import (
	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/contacts"
	"bareed/contacts/directory"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/web/front"
)

type contactsView struct {
	List         []contacts.Contact
	Search       string
	Audience     id.Audience
	AudienceName string
	Newer, Older string
	Looked       int // the names of so many were looked at, and there are more
}

// shownPhone masks a number for those who may not see it whole.
func shownPhone(c *front.Call, phone string) string {
	if c.Can(accounts.SeePhones) {
		return errs.Clip(phone)
	}
	return errs.MaskPhone(phone)
}

// maxSearch is the longest text looked for, in bytes.
const maxSearch = 200

func (s desk) contactsPage(c *front.Call) error {
	before, err := front.AfterID[id.Contact](c, "contacts")
	if err != nil {
		return err
	}
	view := contactsView{Search: c.Query("q")}
	if len(view.Search) > maxSearch {
		return errs.New("field.too_long", "max", maxSearch)
	}
	ws := c.Actor().Workspace
	if a := c.Query("audience"); a != "" {
		if view.Audience, err = id.Parse[id.Audience](a); err != nil {
			return errs.New("not_found")
		}
	}
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		if !view.Audience.IsZero() {
			if view.AudienceName, err = directory.AudienceName(c.Ctx(), tx, ws, view.Audience); err != nil {
				return err
			}
		}
		list, further, err := directory.Find(c.Ctx(), tx, ws, directory.Query{Text: view.Search, Audience: view.Audience, Before: before, Limit: c.Limit() + 1})
		view.List, view.Older = front.Older(c, "contacts", list, func(p contacts.Contact) string { return p.ID.String() })
		if !further.IsZero() {
			view.Looked = directory.LookedThrough
			view.Older = c.OlderThan("contacts", further.String())
		}
		return err
	})
	if err != nil {
		return err
	}
	for i := range view.List {
		view.List[i].Phone = shownPhone(c, view.List[i].Phone)
		view.List[i].Country = countryName(c.Lang(), view.List[i].Country)
	}
	view.Newer = c.Newest()
	return c.Render("contacts", view)
}
