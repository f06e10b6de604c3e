package campaigndesk

import (
	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/campaigns/board"
	"bareed/consents"
	"bareed/contacts"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/seal"
	"bareed/messages"
	"bareed/templates"
	"bareed/web/front"
	"bareed/web/phone"
	"bareed/web/proof"
)

// messageView is one message's way.
type messageView struct {
	Campaign campaigns.Campaign
	Person   personRow
	Timeline campaigns.Timeline
	Passage  board.Passage
	Consent  *proof.Line // nil: none, or no longer kept
	Advice   string
	Again    string // whether it is sent again, of a code of Meta's
	Contact  bool   // there is still one to look at
	Phones   bool
	Text     map[string]any // of "phone": what was sent, or would have been
}

func (d *desk) messagePage(c *front.Call) error {
	campaign, err := front.ID[id.Campaign](c, "campaign")
	if err != nil {
		return err
	}
	m, err := front.ID[id.Message](c, "message")
	if err != nil {
		return err
	}
	v, ws := messageView{Phones: c.Can(accounts.SeePhones)}, c.Actor().Workspace
	box, err := d.vault.Box(c.Ctx(), ws)
	if err != nil {
		return err
	}
	err = c.InWorkspace(func(tx pgx.Tx) error { return v.read(c, tx, box, campaign, m) })
	if err != nil {
		return err
	}
	v.Person = personOf(c, v.Timeline.Recipient, missing(c.Locale(), v.Campaign))
	v.Timeline.Tell(c.Lang())
	if told := v.Timeline.MetaError; told != nil {
		v.Advice, v.Again = told.Action, told.Retry
		if v.Person.Why == "" {
			v.Person.Why = told.Cause
		}
	} else if v.Person.Reason != "" {
		v.Advice = known(c.Locale(), "reasons.advice.", v.Person.Reason)
	}
	return c.Render("recipient", v)
}

// read reads what the page shows of one message.
func (v *messageView) read(c *front.Call, tx pgx.Tx, box *seal.Box, campaign id.Campaign, m id.Message) (err error) {
	ws := c.Actor().Workspace
	if v.Campaign, err = campaigns.Get(c.Ctx(), tx, ws, campaign); err != nil {
		return err
	}
	if v.Timeline, err = campaigns.GetMessage(c.Ctx(), tx, ws, m, v.Phones); err != nil {
		return err
	}
	if v.Timeline.CampaignID != campaign {
		return errs.New("not_found")
	}
	if err = v.readText(c, tx, box, m); err != nil {
		return err
	}
	if v.Contact, err = present(c, tx, v.Timeline.ContactID); err != nil {
		return err
	}
	if v.Passage, err = board.ReadPassage(c.Ctx(), tx, ws, m); err != nil || v.Passage.Consent.IsZero() {
		return err
	}
	entry, err := consents.Get(c.Ctx(), tx, ws, v.Passage.Consent)
	if errs.Is(err, "not_found") {
		return nil
	}
	if err != nil {
		return err
	}
	told, err := proof.Of(c, tx, []consents.Line{entry})
	if err == nil {
		v.Consent = &told[0]
	}
	return err
}

// present tells whether the reader may open a contact and it still exists.
func present(c *front.Call, tx pgx.Tx, contact id.Contact) (bool, error) {
	if contact.IsZero() || !c.Can(accounts.ReadContacts) {
		return false, nil
	}
	_, err := contacts.Get(c.Ctx(), tx, c.Actor().Workspace, contact)
	if errs.Is(err, "not_found") {
		return false, nil
	}
	return err == nil, err
}

// readText takes what the message says. The person's own values are for those
// who see phones; others see the template with its places.
func (v *messageView) readText(c *front.Call, tx pgx.Tx, box *seal.Box, m id.Message) error {
	text, err := board.ReadText(c.Ctx(), tx, box, c.Actor().Workspace, m)
	if err != nil {
		return err
	}
	caption := ""
	switch {
	case len(templates.Parameters(text.Template)) == 0:
	case !v.Phones:
		text.Values, caption = nil, c.T("people.text.masked")
	case text.Values == nil && v.Timeline.State == messages.Suppressed:
		caption = c.T("people.text.unfilled")
	case text.Values == nil:
		caption = c.T("people.text.gone")
	}
	v.Text = phone.Of(c.Locale(), text.Template, text.Values, caption)
	return nil
}
