package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/seal"
	"bareed/numbers"
	"bareed/whatsapp"
)

// Limits of Meta's door: Meta sends up to 3 MB.
const (
	maxWebhook   = 4 << 20
	maxChallenge = 256
)

// door is where Meta's webhooks come in. A 200 is written after the commit, so
// whatever happens before it, Meta repeats.
type door struct {
	s     *Server
	taken *prometheus.CounterVec
}

// webhooks registers Meta's door. The POST stands outside the JSON gates: it
// has no credential but its signature, which is over the raw bytes.
func (s *Server) webhooks() {
	d := &door{s: s, taken: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "bareed_webhook_changes_total", Help: "Changes in Meta's webhooks by what became of them.",
	}, []string{"result"})}
	s.Registry().MustRegister(d.taken)
	raw(s, "GET /webhooks/meta/{app}", d.handshake)
	front.Bare(s.Front, "POST /webhooks/meta/{app}", func(c *gin.Context) error {
		if err := d.take(c); err != nil {
			return err
		}
		c.Status(http.StatusOK)
		return nil
	})
}

// handshake answers Meta's question whether this address is ours, when somebody
// enters it in the App Dashboard.
func (d *door) handshake(c *gin.Context, _ accounts.Actor) error {
	app, ok, err := numbers.FindApp(c.Request.Context(), d.s.Pool.Engine(), d.s.Vault.System(), c.Param("app"))
	if err != nil {
		return unavailable(err)
	}
	q := c.Request.URL.Query()
	given := sha256.Sum256([]byte(q.Get("hub.verify_token")))
	want := sha256.Sum256([]byte(app.VerifyToken))
	if !ok || q.Get("hub.mode") != "subscribe" || subtle.ConstantTimeCompare(given[:], want[:]) != 1 {
		return errs.New("webhook.verify_token")
	}
	challenge := q.Get("hub.challenge")
	if challenge == "" || len(challenge) > maxChallenge {
		return errs.New("webhook.challenge")
	}
	c.Data(http.StatusOK, "text/plain; charset=utf-8", []byte(challenge))
	return nil
}

func unavailable(err error) error {
	e := errs.New("webhook.unavailable").Because(err)
	e.RetryAfter = 5 * time.Second
	return e
}

// take reads, verifies and stores one POST.
func (d *door) take(c *gin.Context) error {
	body, header, err := readWebhook(c.Request)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	app, ok, err := numbers.FindApp(ctx, d.s.Pool.Engine(), d.s.Vault.System(), c.Param("app"))
	if err != nil {
		return unavailable(err)
	}
	if !ok || !whatsapp.VerifySignature(body, header, app.Secrets...) {
		return errs.New("webhook.signature")
	}
	m, err := d.sort(ctx, app, body)
	if err != nil {
		return unavailable(err)
	}
	if err := d.store(ctx, m); err != nil {
		return unavailable(err)
	}
	return nil
}

// readWebhook refuses what cannot be Meta's before it costs anything.
func readWebhook(r *http.Request) (body []byte, signature string, err error) {
	if e := r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, "", errs.New("webhook.encoding")
	}
	signature = r.Header.Get(whatsapp.SignatureHeader)
	if signature == "" {
		return nil, "", errs.New("webhook.signature")
	}
	if r.ContentLength > maxWebhook {
		return nil, "", errs.New("webhook.too_large", "max", maxWebhook)
	}
	body, err = io.ReadAll(io.LimitReader(r.Body, maxWebhook+1))
	if err != nil {
		return nil, "", errs.New("body.broken_off").Because(err)
	}
	if len(body) > maxWebhook {
		return nil, "", errs.New("webhook.too_large", "max", maxWebhook)
	}
	return body, signature, nil
}

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
func (d *door) sort(ctx context.Context, app numbers.App, body []byte) (*mail, error) {
	m := &mail{app: app, sum: sha256.Sum256(body), strays: map[string]*whatsapp.Stored{}}
	env, err := whatsapp.ParseWebhook(body)
	if err != nil {
		m.broken = body
		return m, nil
	}
	if env.Object != whatsapp.WebhookObject {
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
		if phone != "" {
			phones = append(phones, phone)
		}
		accounts = append(accounts, ids...)
	}
	byPhone, err := numbers.RouteNumbers(ctx, d.s.Pool.Engine(), app.ID, unique(phones))
	if err != nil {
		return nil, err
	}
	byAccount, err := numbers.RouteAccounts(ctx, d.s.Pool.Engine(), app.ID, unique(accounts))
	if err != nil {
		return nil, err
	}
	for _, c := range env.Changes {
		m.deal(c, byPhone, byAccount)
	}
	return m, d.open(ctx, m)
}

func unique(list []string) []string {
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
			if !slices.Contains(s.fields, c.Field) {
				s.fields = append(s.fields, c.Field)
			}
		}
		last = s
		s.gates = append(s.gates, gate{r, c})
	}
}

func (m *mail) stray(why string, c whatsapp.Change) {
	if m.strays[why] == nil {
		m.strays[why] = &whatsapp.Stored{}
	}
	m.strays[why].Changes = append(m.strays[why].Changes, whatsapp.Store(c))
}

// open fetches each workspace's key before the transaction, which must not wait
// for a second connection.
func (d *door) open(ctx context.Context, m *mail) (err error) {
	slices.SortFunc(m.shares, func(a, b *share) int { return slices.Compare(a.workspace[:], b.workspace[:]) })
	for _, s := range m.shares {
		if s.box, err = d.s.Vault.Box(ctx, s.workspace); err != nil {
			return err
		}
	}
	return nil
}

// store writes a body in one transaction: seen, strays, each workspace's event,
// and what gates the next message. A body seen before changes nothing.
func (d *door) store(ctx context.Context, m *mail) error {
	for try := 0; ; try++ {
		err := pgx.BeginFunc(ctx, d.s.Pool.App(), func(tx pgx.Tx) error { return d.storeIn(ctx, tx, m) })
		if err == nil || try == 3 || !pg.Repeatable(err) {
			return err
		}
	}
}

func (d *door) storeIn(ctx context.Context, tx pgx.Tx, m *mail) error {
	fresh, err := numbers.SeeDelivery(ctx, tx, m.app.ID, m.sum[:])
	if err != nil {
		return err
	}
	if !fresh {
		d.taken.WithLabelValues("repeated").Inc()
		return nil
	}
	if err := d.storeStrays(ctx, tx, m); err != nil {
		return err
	}
	for _, s := range m.shares {
		if err := d.storeShare(ctx, tx, m.app.ID, s); err != nil {
			return err
		}
	}
	return nil
}

func (d *door) storeStrays(ctx context.Context, tx pgx.Tx, m *mail) error {
	system := d.s.Vault.System()
	if m.broken != nil {
		if err := numbers.KeepStray(ctx, tx, system, m.app.ID, numbers.StrayUnparseable, m.broken); err != nil {
			return err
		}
		d.strayed(ctx, m.app.ID, numbers.StrayUnparseable, 1)
	}
	for _, why := range []string{numbers.StrayObject, numbers.StrayNumber, numbers.StrayAccount} {
		stored := m.strays[why]
		if stored == nil {
			continue
		}
		body, err := json.Marshal(stored)
		if err != nil {
			return fmt.Errorf("write the stray event: %w", err)
		}
		if err := numbers.KeepStray(ctx, tx, system, m.app.ID, why, body); err != nil {
			return err
		}
		d.strayed(ctx, m.app.ID, why, len(stored.Changes))
	}
	return nil
}

// strayed alerts: another object is nothing to us, everything else should not be.
func (d *door) strayed(ctx context.Context, app id.App, why string, n int) {
	d.taken.WithLabelValues(why).Add(float64(n))
	if why != numbers.StrayObject {
		d.s.Log.WarnContext(ctx, "webhook changes that belong to no workspace", "app", app, "why", why, "changes", n)
	}
}

func (d *door) storeShare(ctx context.Context, tx pgx.Tx, app id.App, s *share) error {
	if err := pg.Enter(ctx, tx, s.workspace); err != nil {
		return err
	}
	mode, now, err := numbers.Intake(ctx, tx, s.workspace)
	if err != nil {
		return err
	}
	kept := s.stored
	if mode == "off" {
		kept = whatsapp.Stored{Changes: make([]whatsapp.StoredChange, len(s.stored.Changes))}
		for i, c := range s.stored.Changes {
			kept.Changes[i] = whatsapp.WithoutContent(c)
		}
	}
	body, err := json.Marshal(kept)
	if err != nil {
		return fmt.Errorf("write the event: %w", err)
	}
	event, err := numbers.KeepEvent(ctx, tx, s.box, s.workspace, app, s.fields, body)
	if err != nil {
		return err
	}
	g := &gates{door: d, tx: tx, workspace: s.workspace, event: event, now: now}
	for _, one := range s.gates {
		if err := g.apply(ctx, one); err != nil {
			return err
		}
	}
	d.taken.WithLabelValues("stored").Add(float64(len(s.stored.Changes)))
	if g.failed == 0 {
		return nil
	}
	d.taken.WithLabelValues("gate_failed").Add(float64(g.failed))
	return numbers.EventProblem(ctx, tx, s.workspace, event, "gate")
}
