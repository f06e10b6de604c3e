package webhook

import (
	"context"
	"crypto/sha256"
	"regexp"
	"slices"

	"bareed/internal/id"
	"bareed/internal/seal"
	"bareed/numbers"
	"bareed/whatsapp"
)

// mail is one webhook body, sorted by whom it is for.
type mail struct {
	app    numbers.App
	sum    [sha256.Size]byte
	shares []*share // in the order of workspaces, so that two bodies lock alike
	strays map[string]*whatsapp.Stored
	broken []byte // the body itself, when it cannot be read
}

// share is one workspace's part of a body.
type share struct {
	workspace id.Workspace
	box       *seal.Box
	stored    whatsapp.Stored
	fields    []string
	gates     []gate
}

// gate is a change together with one account or number it is about.
type gate struct {
	route  numbers.Route
	change whatsapp.Change
}

// sort parses a body and finds the workspaces of its changes. It never refuses:
// what cannot be read or belongs to nobody is stray, and kept.
func (d *Door) sort(ctx context.Context, app numbers.App, body []byte) (*mail, error) {
	m := &mail{app: app, sum: sha256.Sum256(body), strays: map[string]*whatsapp.Stored{}}
	env, err := whatsapp.ParseWebhook(body)
	if err != nil {
		m.broken = body
		return m, nil
	}
	if env.Object != whatsapp.WebhookObject && (env.Object != "" || len(env.Changes) == 0) {
		for _, c := range env.Changes {
			m.stray(numbers.StrayObject, c)
		}
		if len(env.Changes) == 0 {
			m.broken = body
		}
		return m, nil
	}
	if env.Broken > 0 {
		m.broken = body // the rest is still taken change by change
	}
	var phones, accounts []string
	for _, c := range env.Changes {
		phone, ids := c.About()
		phones, accounts = append(phones, phone), append(accounts, ids...)
	}
	byPhone, err := numbers.RouteNumbers(ctx, d.Pool.Engine(), app.ID, unique(phones))
	if err != nil {
		return nil, err
	}
	byAccount, err := numbers.RouteAccounts(ctx, d.Pool.Engine(), app.ID, unique(accounts))
	if err != nil {
		return nil, err
	}
	for _, c := range env.Changes {
		m.deal(c, byPhone, byAccount)
	}
	return m, d.open(ctx, m)
}

// metaID is the form of Meta's ids; anything else names nothing, and may hold
// what the database would refuse.
var metaID = regexp.MustCompile(`^[0-9]{1,32}$`)

func unique(list []string) []string {
	list = slices.DeleteFunc(list, func(s string) bool { return !metaID.MatchString(s) })
	slices.Sort(list)
	return slices.Compact(list)
}

// deal puts a change into the share of every workspace it is about.
func (m *mail) deal(c whatsapp.Change, byPhone map[string]numbers.Route, byAccount map[string][]numbers.Route) {
	phone, accounts := c.About()
	if r, ok := byPhone[phone]; ok {
		m.give(c, r)
		return
	}
	for _, a := range accounts {
		if routes := byAccount[a]; len(routes) > 0 {
			m.give(c, routes...)
			return
		}
	}
	if phone != "" {
		m.stray(numbers.StrayNumber, c)
		return
	}
	m.stray(numbers.StrayAccount, c)
}

// give stores a change once per workspace; its gates run for each route.
func (m *mail) give(c whatsapp.Change, routes ...numbers.Route) {
	var last *share
	for _, r := range routes {
		at := slices.IndexFunc(m.shares, func(s *share) bool { return s.workspace == r.Workspace })
		if at < 0 {
			at = len(m.shares)
			m.shares = append(m.shares, &share{workspace: r.Workspace})
		}
		s := m.shares[at]
		if s != last { // routes come sorted by workspace
			s.stored.Changes = append(s.stored.Changes, whatsapp.Store(c))
			if f := fieldName(c.Field); !slices.Contains(s.fields, f) {
				s.fields = append(s.fields, f)
			}
		}
		last = s
		s.gates = append(s.gates, gate{r, c})
	}
}

var fieldForm = regexp.MustCompile(`^[a-zA-Z0-9_]{1,64}$`)

// fieldName is a field as it is listed beside an event; the event has the name as it came.
func fieldName(s string) string {
	if !fieldForm.MatchString(s) {
		return "other"
	}
	return s
}

func (m *mail) stray(why string, c whatsapp.Change) {
	if m.strays[why] == nil {
		m.strays[why] = &whatsapp.Stored{}
	}
	m.strays[why].Changes = append(m.strays[why].Changes, whatsapp.Store(c))
}

// open fetches each workspace's key before the transaction, which must not wait
// for a second connection.
func (d *Door) open(ctx context.Context, m *mail) (err error) {
	slices.SortFunc(m.shares, func(a, b *share) int { return slices.Compare(a.workspace[:], b.workspace[:]) })
	for _, s := range m.shares {
		if s.box, err = d.Vault.Box(ctx, s.workspace); err != nil {
			return err
		}
	}
	return nil
}
