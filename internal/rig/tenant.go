//go:build unix

package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"bareed/client"
	"bareed/sandbox"
)

// Tenant is a workspace made ready to send: its people, a key with every scope,
// a connected number and Meta's ids behind it.
type Tenant struct {
	Organisation string
	Workspace    string
	Key          string // bearer of the API
	Owner        Login
	Operator     Login
	Number       string // num_…
	Meta         Meta
}

// Login is a person's sign-in.
type Login struct{ Email, Password string }

// Meta is what the sandbox was told about a tenant.
type Meta struct {
	App, Secret, Verify, Portfolio, WABA, Number, Token, Phone string
	PerSecond                                                  int
	Limit                                                      string // TIER_…
}

// MetaOf makes Meta's ids for the n-th tenant of a rig.
func MetaOf(n, perSecond int, limit string) Meta {
	d := func(kind int) string { return fmt.Sprintf("90%02d%011d", kind, n) }
	return Meta{App: d(1), Secret: fmt.Sprintf("app-secret-%d-of-the-rig", n), Verify: fmt.Sprintf("verify-%d", n),
		Portfolio: d(2), WABA: d(3), Number: d(4), Token: fmt.Sprintf("EAAG-rig-token-%d", n),
		Phone: fmt.Sprintf("+1 555 010 %04d", n), PerSecond: perSecond, Limit: limit}
}

// OfferID is Meta's id of the template offer in English.
func (m Meta) OfferID() string { return m.WABA + "1" }

// SeedMeta tells the sandbox about an app, a portfolio, a WABA, a number and
// the templates offer (marketing, two variables in Arabic and English) and
// order_update (utility, one).
func (r *Rig) SeedMeta(ctx context.Context, m Meta) error {
	text := func(body, example string) json.RawMessage {
		b, _ := json.Marshal([]map[string]any{
			{"type": "BODY", "text": body, "example": map[string]any{"body_text": [][]string{strings.Split(example, "|")}}},
			{"type": "FOOTER", "text": "Reply STOP to end"},
		})
		return b
	}
	return r.Control(ctx, "/sandbox/seed", sandbox.Seed{
		Apps:       []sandbox.App{{ID: m.App, Secret: m.Secret, VerifyToken: m.Verify, CallbackURL: r.Hooks + "/webhooks/meta/" + m.App}},
		Portfolios: []sandbox.Portfolio{{ID: m.Portfolio, Name: "Acme", Limit: m.Limit}},
		WABAs:      []sandbox.WABA{{ID: m.WABA, Name: "Acme", PortfolioID: m.Portfolio, AppIDs: []string{m.App}, Currency: "XTS", MarketingStatus: "ONBOARDED"}}, // ISO 4217: for testing
		Numbers:    []sandbox.Number{{ID: m.Number, WABAID: m.WABA, DisplayPhone: m.Phone, VerifiedName: "Acme", MPS: m.PerSecond}},
		Tokens:     []sandbox.Token{{Token: m.Token, AppID: m.App}},
		Templates: []sandbox.Template{
			{ID: m.OfferID(), WABAID: m.WABA, Name: "offer", Language: "en", Category: "MARKETING",
				Components: text("Hello {{1}}, our shop in {{2}} has something new for you.", "Sara|Riyadh")},
			{ID: m.WABA + "2", WABAID: m.WABA, Name: "offer", Language: "ar", Category: "MARKETING",
				Components: text("مرحبا {{1}}، لدى فرعنا في {{2}} جديد لك.", "سارة|الرياض")},
			{ID: m.WABA + "3", WABAID: m.WABA, Name: "order_update", Language: "en", Category: "UTILITY",
				Components: text("Your order {{1}} is on its way.", "A-1")},
		},
	}, nil)
}

// MakeTenant makes a workspace with people, key and number through the
// command line and the API, as an operator and a developer would.
func (r *Rig) MakeTenant(ctx context.Context, name string, m Meta) (*Tenant, error) {
	t := &Tenant{Meta: m}
	if err := r.SeedMeta(ctx, m); err != nil {
		return nil, err
	}
	if err := r.makeAccounts(ctx, name, t); err != nil {
		return nil, err
	}
	return t, r.Connect(ctx, t)
}

func (r *Rig) makeAccounts(ctx context.Context, name string, t *Tenant) error {
	var org, ws, key map[string]any
	if err := r.admin(ctx, "", &org, "organisation", "-name", name); err != nil {
		return err
	}
	t.Organisation = fmt.Sprint(org["organisation"])
	if err := r.admin(ctx, "", &ws, "workspace", "-organisation", t.Organisation, "-name", name, "-zone", "Asia/Riyadh"); err != nil {
		return err
	}
	t.Workspace = fmt.Sprint(ws["workspace"])
	slug := strings.ToLower(strings.ReplaceAll(name, " ", "-"))
	t.Owner = Login{"owner@" + slug + ".example", "a lantern over the harbour"}
	t.Operator = Login{"operator@" + slug + ".example", "nine camels at the well"}
	err := r.admin(ctx, t.Owner.Password, nil, "user", "-organisation", t.Organisation, "-email", t.Owner.Email,
		"-workspace", t.Workspace, "-role", "owner")
	if err != nil {
		return err
	}
	err = r.admin(ctx, t.Operator.Password, nil, "user", "-organisation", t.Organisation, "-email", t.Operator.Email, "-operator")
	if err != nil {
		return err
	}
	if err := r.admin(ctx, "", &key, "key", "-workspace", t.Workspace, "-name", "Developer", "-scopes", "all"); err != nil {
		return err
	}
	t.Key = fmt.Sprint(key["secret"])
	return nil
}

// admin runs bareed admin and reads the object it prints.
func (r *Rig) admin(ctx context.Context, stdin string, out any, args ...string) error {
	cmd := exec.CommandContext(ctx, r.Binary, append([]string{"admin"}, args...)...)
	cmd.Env = r.environment(0)
	cmd.Stdin = strings.NewReader(stdin + "\n")
	var problems strings.Builder
	cmd.Stderr = &problems
	b, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("bareed admin %s: %w: %s", args[0], err, problems.String())
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}

// Connect connects the tenant's number through the API and waits until its
// templates are there.
func (r *Rig) Connect(ctx context.Context, t *Tenant) error {
	session, err := r.SignIn(ctx, t.Owner) // secrets of Meta are a person's to enter
	if err != nil {
		return err
	}
	number, err := r.Client(session).ConnectNumber(ctx, client.Connection{AppID: t.Meta.App, AppSecret: t.Meta.Secret, VerifyToken: t.Meta.Verify,
		WABAID: t.Meta.WABA, PhoneNumberID: t.Meta.Number, Token: t.Meta.Token})
	if err != nil {
		return err
	}
	t.Number = number.ID
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return Until(ctx, 100*time.Millisecond, func() (bool, error) {
		_, err := r.Template(ctx, t, "offer", "en")
		return err == nil, nil
	})
}

// Template finds a template's id by name and language.
func (r *Rig) Template(ctx context.Context, t *Tenant, name, language string) (string, error) {
	for x, err := range r.Client(t.Key).ListTemplates(ctx, client.TemplateFilter{Name: name, Language: language}) {
		if err != nil {
			return "", err
		}
		if x.Name == name && x.Language == language {
			return x.ID, nil
		}
	}
	return "", fmt.Errorf("there is no template %s in %s", name, language)
}
