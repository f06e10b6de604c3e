package people

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/consents"
	"bareed/contacts"
	"bareed/internal/errs"
	"bareed/internal/id"
)

func (d *Desk) contacts() {
	front.Add(d.Front, "GET /v1/contacts", d.listContacts)
	front.Add(d.Front, "GET /v1/contacts/{contact}", d.getContact)
	front.Add(d.Front, "GET /v1/contacts/{contact}/consents", d.listConsents)
	front.Add(d.Front, "POST /v1/contacts/{contact}/opt-out", d.optOut)
	front.Add(d.Front, "POST /v1/consents", d.recordConsent)
}

type listContactsInput struct {
	front.Paging
	Audience string `query:"audience" doc:"Only members of this audience"`
}

// shown masks the phone number for those who may not see it whole.
func shown(a accounts.Actor, c contacts.Contact) contacts.Contact {
	if accounts.Allow(a, accounts.SeePhones) != nil {
		c.Phone = errs.MaskPhone(c.Phone)
	}
	return c
}

func (d *Desk) listContacts(ctx context.Context, a accounts.Actor, in *listContactsInput) (*front.List[contacts.Contact], error) {
	p, err := d.Page(ctx, a, in.Paging)
	if err != nil {
		return nil, err
	}
	before, err := front.AfterID[id.Contact](p)
	if err != nil {
		return nil, err
	}
	var audience id.Audience
	if in.Audience != "" {
		if audience, err = id.Parse[id.Audience](in.Audience); err != nil {
			return nil, errs.New("not_found")
		}
	}
	var rows []contacts.Contact
	err = d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		if !audience.IsZero() {
			if _, err := contacts.GetAudience(ctx, tx, a.Workspace, audience); err != nil {
				return err
			}
		}
		rows, err = contacts.List(ctx, tx, a.Workspace, audience, before, p.Limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range rows {
		rows[i] = shown(a, rows[i])
	}
	return front.Listed(ctx, d.Front, a, p, rows, func(c contacts.Contact) string { return c.ID.String() }), nil
}

type contactInput struct {
	Contact id.Contact `path:"contact"`
}

// contactView is a contact with what they agreed to.
type contactView struct {
	contacts.Contact
	Permissions []consents.Permission `json:"permissions"`
	Reach       consents.Reach        `json:"reach" doc:"What Meta said of reaching them; empty when nothing stands against it"`
}

func (d *Desk) getContact(ctx context.Context, a accounts.Actor, in *contactInput) (*front.Reply[contactView], error) {
	return front.Answer(ctx, d.Front, a, func(tx pgx.Tx) (contactView, error) { return d.viewContact(ctx, tx, a, in.Contact) })
}

func (d *Desk) viewContact(ctx context.Context, tx pgx.Tx, a accounts.Actor, contact id.Contact) (contactView, error) {
	c, err := contacts.Get(ctx, tx, a.Workspace, contact)
	if err != nil {
		return contactView{}, err
	}
	permissions, err := consents.Permissions(ctx, tx, a.Workspace, contact)
	if permissions == nil {
		permissions = []consents.Permission{}
	}
	if err != nil {
		return contactView{}, err
	}
	reach, err := consents.ReachOf(ctx, tx, d.Vault, a.Workspace, contact)
	return contactView{Contact: shown(a, c), Permissions: permissions, Reach: reach}, err
}

type listConsentsInput struct {
	Contact id.Contact `path:"contact"`
	front.Paging
}

func (d *Desk) listConsents(ctx context.Context, a accounts.Actor, in *listConsentsInput) (*front.List[consents.Line], error) {
	p, err := d.Page(ctx, a, in.Paging)
	if err != nil {
		return nil, err
	}
	before, err := front.AfterID[id.Consent](p)
	if err != nil {
		return nil, err
	}
	var rows []consents.Line
	err = d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		if _, err := contacts.Get(ctx, tx, a.Workspace, in.Contact); err != nil {
			return err
		}
		rows, err = consents.History(ctx, tx, a.Workspace, in.Contact, before, p.Limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	return front.Listed(ctx, d.Front, a, p, rows, func(l consents.Line) string { return l.ID.String() }), nil
}

type optOutInput struct {
	Contact id.Contact `path:"contact"`
	Body    *struct {
		Purposes   []consents.Purpose `json:"purposes,omitempty" doc:"All when not given"`
		Method     string             `json:"method,omitempty" doc:"How the person said it; api when not given"`
		Source     string             `json:"source,omitempty"`
		OccurredAt *time.Time         `json:"occurred_at,omitempty" doc:"Now when not given"`
	} `required:"false"`
}

func (d *Desk) optOut(ctx context.Context, a accounts.Actor, in *optOutInput) (*front.Reply[contactView], error) {
	out := &front.Reply[contactView]{}
	o := consents.OptOutRequest{Contact: in.Contact, Method: consents.MethodAPI, OccurredAt: d.Clock(), Actor: a.String()}
	if b := in.Body; b != nil {
		o.Purposes, o.Method, o.Source, o.OccurredAt = b.Purposes, first(b.Method, o.Method), b.Source, d.moment(b.OccurredAt)
	}
	if consents.FromChat(o.Method) {
		return nil, errs.New("consent.method", "got", errs.Clip(o.Method)).At("/method", "")
	}
	err := d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		if err := consents.OptOut(ctx, tx, d.Vault, a.Workspace, o); err != nil {
			return err
		}
		if err := accounts.Audit(ctx, tx, a, accounts.Deed{Action: "contact.opted_out", Subject: in.Contact.String()}); err != nil {
			return err
		}
		var err error
		out.Body, err = d.viewContact(ctx, tx, a, in.Contact)
		return err
	})
	return out, err
}

func first(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func (d *Desk) moment(at *time.Time) time.Time {
	if at == nil {
		return d.Clock()
	}
	return *at
}

type recordConsentInput struct {
	Body struct {
		Action     string             `json:"action" enum:"opt_in,opt_out"`
		Contact    id.Contact         `json:"contact,omitempty" doc:"Or a phone"`
		Phone      string             `json:"phone,omitempty" doc:"With country code, or with country"`
		Country    string             `json:"country,omitempty" doc:"Of a phone without country code: two letters"`
		BSUID      string             `json:"bsuid,omitempty" maxLength:"140" doc:"Business-scoped user id, for an opt-out"`
		Purposes   []consents.Purpose `json:"purposes,omitempty" doc:"Marketing for an opt-in, all for an opt-out, when not given"`
		Method     string             `json:"method,omitempty" doc:"api when not given"`
		Source     string             `json:"source,omitempty" doc:"Where: an address, a shop"`
		Wording    *contacts.Wording  `json:"wording,omitempty" doc:"What they agreed to"`
		Evidence   string             `json:"evidence,omitempty" doc:"Where the proof is kept"`
		OccurredAt *time.Time         `json:"occurred_at,omitempty" doc:"Now when not given"`
		ExpiresAt  *time.Time         `json:"expires_at,omitempty" doc:"Of an opt-in"`
	}
}

type consentRecorded struct {
	Contact *contactView `json:"contact" doc:"Null for an opt-out by somebody unknown; it holds all the same"`
	Action  string       `json:"action"`
}

func (d *Desk) recordConsent(ctx context.Context, a accounts.Actor, in *recordConsentInput) (*front.Reply[consentRecorded], error) {
	b := in.Body
	if consents.FromChat(b.Method) {
		return nil, errs.New("consent.method", "got", errs.Clip(b.Method)).At("/method", "")
	}
	p, keys, err := whom(b.Phone, b.Country, b.BSUID, b.Contact)
	if err != nil {
		return nil, err
	}
	out := &front.Reply[consentRecorded]{}
	out.Body.Action = b.Action
	err = d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		contact := b.Contact
		if b.Action == consents.ActionOptIn {
			contact, err = consents.OptIn(ctx, tx, d.Vault, a.Workspace, consents.OptInRequest{Phone: p, Contact: contact, RecipientKeys: keys,
				Purposes: b.Purposes, Method: first(b.Method, consents.MethodAPI), Source: b.Source, Wording: b.Wording, Evidence: b.Evidence,
				OccurredAt: d.moment(b.OccurredAt), ExpiresAt: b.ExpiresAt, Actor: a.String()})
		} else {
			err = consents.OptOut(ctx, tx, d.Vault, a.Workspace, consents.OptOutRequest{Contact: contact, RecipientKeys: keys, Purposes: b.Purposes,
				Method: first(b.Method, consents.MethodAPI), Source: b.Source, OccurredAt: d.moment(b.OccurredAt), Actor: a.String()})
		}
		if errs.Is(err, "not_found") {
			return errs.New("ref.not_found").At("/contact", "")
		}
		if err != nil {
			return err
		}
		return d.recorded(ctx, tx, a, contact, keys, &out.Body)
	})
	return out, err
}

// whom reads who a consent is of: a contact, a phone, a business-scoped id.
func whom(number, country, bsuid string, contact id.Contact) (contacts.Phone, []string, error) {
	var p contacts.Phone
	var keys []string
	if number != "" {
		var err error
		if p, err = contacts.ParsePhone(number, country); err != nil {
			e, _ := errs.As(err)
			return p, nil, e.At("/phone", "")
		}
		keys = append(keys, p.RecipientKey())
	}
	if bsuid != "" {
		keys = append(keys, contacts.RecipientKeyOfBSUID(bsuid))
	}
	if contact.IsZero() && len(keys) == 0 {
		return p, nil, errs.New("field.required").At("/phone", "")
	}
	return p, keys, nil
}

func (d *Desk) recorded(ctx context.Context, tx pgx.Tx, a accounts.Actor, contact id.Contact, keys []string, out *consentRecorded) error {
	if contact.IsZero() {
		var err error
		if contact, _, err = contacts.Find(ctx, tx, a.Workspace, keys); err != nil {
			return err
		}
	}
	subject := "unknown"
	if !contact.IsZero() {
		v, err := d.viewContact(ctx, tx, a, contact)
		if err != nil {
			return err
		}
		out.Contact, subject = &v, contact.String()
	}
	return accounts.Audit(ctx, tx, a, accounts.Deed{Action: "consent." + out.Action, Subject: subject})
}
