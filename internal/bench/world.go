//go:build unix

package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/id"
	"bareed/internal/seal"
	"bareed/messages"
	"bareed/numbers"
	"bareed/sandbox"
	"bareed/templates"
	"bareed/whatsapp"
)

// world is a workspace with an account at Meta and people who opted in. Its
// rows come from the product's own functions wherever one writes them.
type world struct {
	*servers
	ws     id.Workspace
	box    *seal.Box
	actor  accounts.Actor
	waba   id.WABA
	folio  id.Portfolio
	tpl    templates.Template
	people []person
	made   int // numbers
}

type person struct {
	contact id.Contact
	key     string // recipient key
	phone   string
	hash    []byte
}

// Meta's ids of what both the database and the sandbox are told of.
const (
	metaApp       = "100000000000001"
	metaSecret    = "bench-app-secret"
	metaPortfolio = "200000000000001"
	metaWABA      = "300000000000001"
	metaTemplate  = "400000000000001"
	bareWABA      = "300000000000009"
	bareNumber    = "599999999999999"
	metaToken     = whatsapp.Token("bench-token-0000000000")
	templateBody  = `[{"type":"BODY","text":"Hello {{1}}, the shop is open.","example":{"body_text":[["Amal"]]}}]`
)

func newWorld(ctx context.Context, s *servers, people int) (*world, error) {
	org, err := accounts.CreateOrganisation(ctx, s.pool, "Bench "+id.New[id.Request]().String())
	if err != nil {
		return nil, err
	}
	w := &world{servers: s}
	w.ws, err = accounts.CreateWorkspace(ctx, s.pool, s.vault, accounts.NewWorkspaceRequest{Organisation: org, Name: "Bench", Live: true})
	if err != nil {
		return nil, err
	}
	if w.box, err = s.vault.Box(ctx, w.ws); err != nil {
		return nil, err
	}
	w.actor = accounts.Actor{Workspace: w.ws, Kind: accounts.KindUser, ID: id.New[id.User]().String(), Role: accounts.Owner, Live: true}
	return w, w.addPeople(ctx, people)
}

const sqlAddContacts = `
insert into contact (workspace_id, id, name)
select $1, p.id, 'Amal'
from unnest($2::uuid[]) as p(id)`

const sqlAddPermissions = `
insert into permission (workspace_id, contact_id, purpose, granted, consent_id, since)
select $1, p.id, 'marketing', true, gen_random_uuid(), bareed_now() - interval '1 day'
from unnest($2::uuid[]) as p(id)`

func (w *world) addPeople(ctx context.Context, n int) error {
	contacts := make([]id.Contact, n)
	for i := range n {
		phone := fmt.Sprintf("+96650%07d", i)
		contacts[i] = id.New[id.Contact]()
		w.people = append(w.people, person{contact: contacts[i], key: "p:" + phone, phone: phone, hash: w.vault.RecipientHash("p:" + phone)})
	}
	for _, sql := range []string{sqlAddContacts, sqlAddPermissions} {
		if err := w.exec(ctx, sql, w.ws, contacts); err != nil {
			return err
		}
	}
	return nil
}

// addNumber connects one more number of the one account, as the API does after
// Meta has confirmed it.
func (w *world) addNumber(ctx context.Context, rate int) (numbers.Number, error) {
	w.made++
	metaID := strconv.Itoa(500000000000000 + w.made)
	c := numbers.Connection{AppID: metaApp, AppSecret: metaSecret, VerifyToken: "bench-verify", WABAID: metaWABA,
		PhoneNumberID: metaID, Token: metaToken}
	p := numbers.Probed{
		WABA: whatsapp.WABA{ID: metaWABA, Name: "Bench", PortfolioID: metaPortfolio, ReviewStatus: "APPROVED"},
		Number: whatsapp.PhoneNumber{ID: metaID, DisplayPhone: "+1 555 010 " + fmt.Sprintf("%04d", w.made), Status: "CONNECTED",
			Quality: "GREEN", Throughput: "STANDARD", MessagingLimit: "TIER_UNLIMITED"},
	}
	var made numbers.Made
	err := w.pool.InWorkspace(ctx, w.ws, func(tx pgx.Tx) (err error) {
		made, err = numbers.Connect(ctx, tx, numbers.Keys{Workspace: w.box, System: w.vault.System()}, w.actor, c, p)
		return err
	})
	if err != nil {
		return numbers.Number{}, err
	}
	n := made.Number
	w.waba, w.folio = n.WABA, n.Portfolio
	if w.tpl.Name == "" {
		if err := w.addTemplate(ctx); err != nil {
			return n, err
		}
	}
	// No poll may put Meta's own figure in the place of ours.
	if err := w.exec(ctx, `update waba set polled_at = bareed_now() + interval '1 day' where id = $1`, n.WABA); err != nil {
		return n, err
	}
	n.PerSecond = rate
	return n, w.exec(ctx, `update number set per_second = $2 where id = $1`, n.ID, rate)
}

const sqlAddTemplate = `
insert into template (workspace_id, id, waba_id, meta_template_id, name, language, category, status, components, components_hash)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, '\x00')`

func (w *world) addTemplate(ctx context.Context) error {
	w.tpl = templates.Template{ID: id.New[id.Template](), WABA: w.waba, MetaID: metaTemplate, Name: "bench", Language: "en",
		Category: "MARKETING", Status: "APPROVED", ParameterFormat: "POSITIONAL", Components: json.RawMessage(templateBody)}
	t := w.tpl
	return w.exec(ctx, sqlAddTemplate, w.ws, t.ID, t.WABA, t.MetaID, t.Name, t.Language, t.Category, t.Status, t.Components)
}

// seed is what the sandbox has to know to let a number send.
func (w *world) seed(n numbers.Number, rate int, callback string) sandbox.Seed {
	return sandbox.Seed{
		Apps:       []sandbox.App{{ID: metaApp, Secret: metaSecret, VerifyToken: "bench-verify", CallbackURL: callback}},
		Portfolios: []sandbox.Portfolio{{ID: metaPortfolio, Limit: "TIER_UNLIMITED"}},
		WABAs:      []sandbox.WABA{{ID: metaWABA, PortfolioID: metaPortfolio, AppIDs: []string{metaApp}}},
		Numbers:    []sandbox.Number{{ID: n.PhoneNumberID, WABAID: metaWABA, DisplayPhone: n.DisplayPhone, MPS: rate}},
		Templates:  []sandbox.Template{w.metaTemplate(metaTemplate, metaWABA)},
		Tokens:     []sandbox.Token{{Token: metaToken.Raw(), AppID: metaApp}},
	}
}

// bareSeed is the ceiling's account: no rate, and nobody hears its webhooks.
func (w *world) bareSeed() sandbox.Seed {
	return sandbox.Seed{
		WABAs:     []sandbox.WABA{{ID: bareWABA, PortfolioID: metaPortfolio}},
		Numbers:   []sandbox.Number{{ID: bareNumber, WABAID: bareWABA, DisplayPhone: "+1 555 019 9999", MPS: 1_000_000_000}},
		Templates: []sandbox.Template{w.metaTemplate("400000000000009", bareWABA)},
	}
}

func (w *world) metaTemplate(metaID, waba string) sandbox.Template {
	return sandbox.Template{ID: metaID, WABAID: waba, Name: w.tpl.Name, Language: w.tpl.Language, Components: w.tpl.Components}
}

// draft is a run before it runs.
type draft struct {
	run      id.Run
	campaign id.Campaign
	number   numbers.Number
	count    int
}

const sqlAddCampaign = `
insert into campaign (workspace_id, id, name, state, number_id, template_id, created_by)
values ($1, $2, $3, 'running', $4, $5, 'system:bench')`

const sqlAddRun = `
insert into run (workspace_id, id, campaign_id, occurrence_key, kind, state, purpose, number_id, waba_id, portfolio_id,
    template_id, template, components_hash, variables, unknown_policy, starts_at, plan_done, planned)
values ($1, $2, $3, 'once', 'campaign', 'running', 'marketing', $4, $5, $6, $7, $8, '\x00', '{}', 'hold',
    bareed_now() + interval '1 day', true, $9)`

// addRun plans a run over the first count people; nothing of it is fed before go.
func (w *world) addRun(ctx context.Context, n numbers.Number, count int) (draft, error) {
	d := draft{run: id.New[id.Run](), campaign: id.New[id.Campaign](), number: n, count: count}
	if count > len(w.people) {
		return d, fmt.Errorf("a run over %d people, there are %d", count, len(w.people))
	}
	template, err := json.Marshal(w.tpl)
	if err != nil {
		return d, fmt.Errorf("write the template: %w", err)
	}
	if err := w.exec(ctx, sqlAddCampaign, w.ws, d.campaign, d.campaign.String(), n.ID, w.tpl.ID); err != nil {
		return d, err
	}
	err = w.exec(ctx, sqlAddRun, w.ws, d.run, d.campaign, n.ID, n.WABA, n.Portfolio, w.tpl.ID, template, count)
	if err != nil {
		return d, err
	}
	const chunk = 2000
	for first := 0; first < count; first += chunk {
		rows, err := w.planned(d.run, first, min(first+chunk, count))
		if err != nil {
			return d, err
		}
		err = w.pool.InWorkspace(ctx, w.ws, func(tx pgx.Tx) error {
			_, err := messages.Plan(ctx, tx, w.ws, d.run, int32(first)+1, rows)
			return err
		})
		if err != nil {
			return d, err
		}
	}
	return d, w.exec(ctx, `analyze message`)
}

// planned makes the rows of people [from, to) with parameters sealed for their place.
func (w *world) planned(run id.Run, from, to int) ([]messages.Planned, error) {
	rows := make([]messages.Planned, 0, to-from)
	plain := []byte(`{"body.1":"Amal"}`)
	for i := from; i < to; i++ {
		p := w.people[i]
		sealed, err := w.box.Seal(plain, messages.ParametersPlace(id.Message{Run: run, Ordinal: int32(i) + 1}))
		if err != nil {
			return nil, fmt.Errorf("seal parameters: %w", err)
		}
		rows = append(rows, messages.Planned{Contact: p.contact, RecipientKey: p.key, Address: p.phone, Hash: p.hash, Parameters: sealed})
	}
	return rows, nil
}

// begin lets a run begin now; end takes it out of the scheduler's sight.
func (w *world) begin(ctx context.Context, d draft) error {
	return w.exec(ctx, `update run set starts_at = bareed_now() where id = $1`, d.run)
}

func (w *world) end(ctx context.Context, d draft) error {
	if err := w.exec(ctx, `update run set state = 'completed', settled_at = bareed_now() where id = $1`, d.run); err != nil {
		return err
	}
	return w.exec(ctx, `update campaign set state = 'completed' where id = $1`, d.campaign)
}
