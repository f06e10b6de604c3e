package people

import (
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/consents"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/ui"
)

// refusals are how people refuse outside the chat.
var refusals = []string{"phone_call", "email", "in_person", "letter", "other"}

// sayView is a page on which somebody records what a person said.
type sayView struct {
	Who     contactView
	Methods []map[string]any
	Strict  bool
}

func (s desk) sayView(c *front.Call) (sayView, error) {
	contact, err := front.ID[id.Contact](c, "contact")
	if err != nil {
		return sayView{}, err
	}
	view := sayView{Methods: options(c, methods)}
	err = c.InWorkspace(func(tx pgx.Tx) error { return view.Who.read(c, tx, contact) })
	if err != nil {
		return view, err
	}
	w, err := c.Workspace()
	view.Strict = w.ConsentPolicy != "general"
	return view, err
}

func (s desk) optOutPage(c *front.Call) error {
	view, err := s.sayView(c)
	if err != nil {
		return err
	}
	view.Methods = options(c, refusals)
	return c.Render("contact-opt-out", view, front.WithForm(ui.NewForm(url.Values{"purposes": {"all"}})))
}

func (s desk) optOut(c *front.Call) error {
	view, err := s.sayView(c)
	if err != nil {
		return err
	}
	f := c.Form()
	view.Methods = options(c, refusals)
	f.Require(c.Locale(), "method", "source")
	if !f.Refused() {
		o := consents.OptOutRequest{Contact: view.Who.Contact.ID, Method: f.Get("method"), Source: f.Get("source"),
			OccurredAt: c.Clock(), Actor: c.Actor().String()}
		if f.Get("purposes") == string(consents.Marketing) {
			o.Purposes = []consents.Purpose{consents.Marketing}
		}
		err = s.said(c, o.Method, "contact.opted_out", view.Who.Contact.ID, func(tx pgx.Tx) error {
			return consents.OptOut(c.Ctx(), tx, c.Vault, c.Actor().Workspace, o)
		})
		if err == nil {
			c.Flash("done", "contacts.opted_out")
			return c.Redirect("/contacts/" + o.Contact.String())
		}
		if !failAt(c, f, err) {
			return err
		}
	}
	return c.Refused(err, "contact-opt-out", view, f)
}

// said records one statement and who wrote it down. What only the chat can know
// is refused, as at the API.
func (s desk) said(c *front.Call, method, deed string, contact id.Contact, record func(tx pgx.Tx) error) error {
	if consents.FromChat(method) {
		return errs.New("consent.method", "got", errs.Clip(method))
	}
	return c.InWorkspace(func(tx pgx.Tx) error {
		if err := record(tx); err != nil {
			return err
		}
		return accounts.Audit(c.Ctx(), tx, c.Actor(), accounts.Deed{Action: deed, Subject: contact.String()})
	})
}

func (s desk) optInPage(c *front.Call) error {
	view, err := s.sayView(c)
	if err != nil {
		return err
	}
	w, err := c.Workspace()
	if err != nil {
		return err
	}
	now := c.Clock().In(c.Locale().Zone)
	return c.Render("contact-opt-in", view, front.WithForm(ui.NewForm(url.Values{"purposes": {"marketing"}, "business_name": {w.Name},
		"date": {now.Format(time.DateOnly)}, "time": {now.Format("15:04")}})))
}

func (s desk) optIn(c *front.Call) error {
	view, err := s.sayView(c)
	if err != nil {
		return err
	}
	f := c.Form()
	f.Require(c.Locale(), "purposes", "method", "date")
	at, ok := dayOf(c, f, "date")
	if clock := f.Get("time"); ok && clock != "" {
		if at, err = time.ParseInLocation("2006-01-02 15:04", f.Get("date")+" "+clock, c.Locale().Zone); err != nil {
			f.Add("time", errs.Sentence(c.Lang(), "consent.date", nil))
		}
	}
	if !f.Refused() {
		o := consents.OptInRequest{Contact: view.Who.Contact.ID, Method: f.Get("method"), Source: f.Get("source"), Wording: wordingOf(f),
			Evidence: f.Get("evidence"), OccurredAt: at, Actor: c.Actor().String()}
		for _, p := range f.Values["purposes"] {
			o.Purposes = append(o.Purposes, consents.Purpose(p))
		}
		err = s.said(c, o.Method, "consent.opt_in", o.Contact, func(tx pgx.Tx) error {
			_, err := consents.OptIn(c.Ctx(), tx, c.Vault, c.Actor().Workspace, o)
			return err
		})
		if err == nil {
			c.Flash("done", "contacts.opted_in")
			return c.Redirect("/contacts/" + o.Contact.String())
		}
		if !failAt(c, f, err) {
			return err
		}
	}
	return c.Refused(err, "contact-opt-in", view, f)
}
