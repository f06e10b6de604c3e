package people

import (
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/history"
	"bareed/consents"
	"bareed/contacts"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/proof"
)

// contactView is a person and everything they said.
type contactView struct {
	Contact      contacts.Contact
	Country      string
	Attributes   []attributeView
	Permissions  []permissionView
	Reach        consents.Reach
	Ledger       []proof.Line
	Campaigns    []history.Part
	Newer, Older string
}

type attributeView struct{ Name, Value string }

// permissionView is a purpose and what the ledger comes to, if anything.
type permissionView struct {
	Purpose consents.Purpose
	Said    bool
	Dayless bool // Since is only when it was recorded
	consents.Permission
}

// shownCampaigns is how many campaigns the page lists.
const shownCampaigns = 20

func (s desk) contactPage(c *front.Call) error {
	contact, err := front.ID[id.Contact](c, "contact")
	if err != nil {
		return err
	}
	before, err := front.AfterID[id.Consent](c, "ledger")
	if err != nil {
		return err
	}
	var view contactView
	ws := c.Actor().Workspace
	err = c.InWorkspace(func(tx pgx.Tx) error {
		if err := view.read(c, tx, contact); err != nil {
			return err
		}
		lines, err := consents.History(c.Ctx(), tx, ws, contact, before, c.Limit()+1)
		if err != nil {
			return err
		}
		lines, view.Older = front.Older(c, "ledger", lines, func(l consents.Line) string { return l.ID.String() })
		if view.Ledger, err = proof.Of(c, tx, lines); err != nil {
			return err
		}
		if err := view.date(c, tx); err != nil {
			return err
		}
		view.Campaigns, err = history.Of(c.Ctx(), tx, ws, contact, shownCampaigns)
		return err
	})
	if err != nil {
		return err
	}
	view.Newer = c.Newest()
	return c.Render("contact", view)
}

// read fills who the person is and what they permit.
func (v *contactView) read(c *front.Call, tx pgx.Tx, contact id.Contact) (err error) {
	ws := c.Actor().Workspace
	if v.Contact, err = contacts.Get(c.Ctx(), tx, ws, contact); err != nil {
		return err
	}
	v.Contact.Phone, v.Country = shownPhone(c, v.Contact.Phone), countryName(c.Lang(), v.Contact.Country)
	v.Attributes, v.Permissions = nil, nil
	for _, name := range slices.Sorted(maps.Keys(v.Contact.Attributes)) {
		v.Attributes = append(v.Attributes, attributeView{name, v.Contact.Attributes[name]})
	}
	list, err := consents.Permissions(c.Ctx(), tx, ws, contact)
	for _, purpose := range consents.Purposes() {
		p := permissionView{Purpose: purpose}
		for _, said := range list {
			if said.Purpose == purpose {
				p.Said, p.Permission = true, said
			}
		}
		v.Permissions = append(v.Permissions, p)
	}
	if err != nil {
		return err
	}
	v.Reach, err = consents.ReachOf(c.Ctx(), tx, c.Vault, ws, contact)
	return err
}

// date notes which permissions rest on an entry whose day nobody told.
func (v *contactView) date(c *front.Call, tx pgx.Tx) error {
	for i := range v.Permissions {
		p := &v.Permissions[i]
		if !p.Said {
			continue
		}
		at := slices.IndexFunc(v.Ledger, func(l proof.Line) bool { return l.ID == p.Consent })
		if at >= 0 {
			p.Dayless = !v.Ledger[at].DayKnown
			continue
		}
		entry, err := consents.Get(c.Ctx(), tx, c.Actor().Workspace, p.Consent)
		if errs.Is(err, "not_found") {
			continue
		}
		if err != nil {
			return err
		}
		told, err := proof.Of(c, tx, []consents.Line{entry})
		if err != nil {
			return err
		}
		p.Dayless = !told[0].DayKnown
	}
	return nil
}
