package webhook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"bareed/campaigns/guard"
	"bareed/consents"
	"bareed/contacts"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages/changed"
	"bareed/messages/consequences"
	"bareed/numbers"
	"bareed/numbers/onboarding"
	"bareed/templates"
	"bareed/whatsapp"
)

// gates applies at once what must stop or permit the next message: opt-outs,
// opt-ins, service windows, and what Meta says of numbers, templates and
// accounts. What became of sent messages is the worker's.
type gates struct {
	*Door
	tx        pgx.Tx
	workspace id.Workspace
	event     id.Event
	now       time.Time // the database's
	failed    int
}

func (g *gates) apply(ctx context.Context, one gate) error {
	switch v := one.change.Value.(type) {
	case whatsapp.Messages:
		return g.messages(ctx, one.route, v)
	case whatsapp.UserPreferences:
		return g.preferences(ctx, one.route, v)
	default:
		return g.apart(ctx, func(tx pgx.Tx) error { return g.meta(ctx, tx, one) })
	}
}

// apart does one thing under a savepoint, so that an element that cannot be
// applied never fails the rest of the body. A fault of the database itself is
// no element's fault: it fails the POST, and Meta repeats it.
func (g *gates) apart(ctx context.Context, do func(tx pgx.Tx) error) error {
	point, err := g.tx.Begin(ctx)
	if err != nil {
		return fmt.Errorf("set a savepoint: %w", err)
	}
	err = do(point)
	if err == nil {
		return point.Commit(ctx)
	}
	if back := point.Rollback(ctx); back != nil {
		return errors.Join(err, back)
	}
	if !ofElement(err) {
		return err
	}
	g.failed++
	g.Log.ErrorContext(ctx, "a part of a webhook could not be applied", "workspace", g.workspace, "event", g.event, "cause", cause(err))
	return nil
}

// cause words a fault without the data in it, which the database may quote.
func cause(err error) string {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return "SQLSTATE " + pe.Code + " " + pe.ConstraintName
	}
	if e, ok := errs.As(err); ok {
		return e.Code
	}
	return "unknown"
}

// ofElement tells a fault of the data from a fault of the database: a value that
// PostgreSQL refuses, SQLSTATE class 42 (our own mistake), or an error of ours.
func ofElement(err error) bool {
	if _, ok := errs.As(err); ok || pg.Unfit(err) {
		return true
	}
	var pe *pgconn.PgError
	return errors.As(err, &pe) && strings.HasPrefix(pe.Code, "42")
}

// meta applies a change of a number, template or account and opens the stops and
// holds it calls for.
func (g *gates) meta(ctx context.Context, tx pgx.Tx, one gate) error {
	// It says that there is a new rating, not which. The account is locked before its
	// numbers, as a poll locks them.
	if _, rated := one.change.Value.(whatsapp.NumberQuality); rated {
		if err := numbers.PollSoon(ctx, tx, g.workspace); err != nil {
			return err
		}
	}
	changes, err := numbers.ApplyWebhook(ctx, tx, one.route, one.change)
	if err != nil {
		return err
	}
	if onboarding.Signed(changes) {
		if err := numbers.PollSoon(ctx, tx, g.workspace); err != nil {
			return err
		}
	}
	more, err := templates.ApplyWebhook(ctx, tx, one.route, one.change)
	if err != nil {
		return err
	}
	changes = append(changes, more...)
	if err := changed.Stop(ctx, tx, g.workspace, changes); err != nil {
		return err
	}
	return guard.Changed(ctx, tx, g.workspace, changes)
}

// messages applies what people wrote and the refusals that are opt-outs.
func (g *gates) messages(ctx context.Context, r numbers.Route, m whatsapp.Messages) error {
	who := peopleOf(m)
	if err := g.apart(ctx, func(tx pgx.Tx) error { return g.windows(ctx, tx, r, m, who) }); err != nil {
		return err
	}
	for _, in := range m.Inbound {
		verdict, method := spoken(in)
		if verdict == consents.None {
			continue
		}
		said := said{keys: who.keys(in.From, in.FromUserID), method: method, at: g.believable(in.At), verdict: verdict}
		if err := g.apart(ctx, func(tx pgx.Tx) error { return g.record(ctx, tx, r, said) }); err != nil {
			return err
		}
	}
	for _, st := range m.Statuses {
		if st.Kind != whatsapp.KindFailed || !slices.ContainsFunc(st.Errors, func(e whatsapp.StatusError) bool { return e.Class.OptOut }) {
			continue
		}
		said := said{keys: who.keys(st.RecipientID, st.RecipientUserID), method: consents.MethodMeta131050,
			at: g.believable(st.At), verdict: consents.OptOutWord}
		if err := g.apart(ctx, func(tx pgx.Tx) error { return g.record(ctx, tx, r, said) }); err != nil {
			return err
		}
	}
	return nil
}

// believable replaces a time that cannot be true: none given, text, still to
// come, or before there was WhatsApp (consents would refuse it, and a STOP be lost).
func (g *gates) believable(at time.Time) time.Time {
	if at.Year() < 2009 || at.After(g.now) {
		return g.now
	}
	return at
}

// windows opens a service window for everybody who wrote, by every identity
// known from the body, and lifts what suppressed them as unreachable. Meta's own system messages open none.
func (g *gates) windows(ctx context.Context, tx pgx.Tx, r numbers.Route, m whatsapp.Messages, who people) error {
	var list []numbers.Window
	var wrote [][]byte
	for _, in := range m.Inbound {
		if in.Type == "system" {
			continue
		}
		for _, key := range who.keys(in.From, in.FromUserID) {
			hash := g.Vault.RecipientHash(key)
			list = append(list, numbers.Window{Recipient: hash, WrittenAt: g.believable(in.At)})
			wrote = append(wrote, hash)
		}
	}
	if err := numbers.OpenWindows(ctx, tx, g.workspace, r.Number, list); err != nil {
		return err
	}
	return consequences.Wrote(ctx, tx, g.workspace, wrote)
}

// spoken finds the stop or start word in what a person wrote or pressed.
func spoken(in whatsapp.Inbound) (consents.Verdict, string) {
	for _, text := range []string{in.Text, in.ButtonText, in.ReplyTitle, payload(in.ButtonPayload), payload(in.ReplyID)} {
		if text == "" {
			continue
		}
		if verdict := consents.Keyword(text); verdict != consents.None {
			if in.Type == "text" {
				return verdict, consents.MethodKeyword
			}
			return verdict, consents.MethodButton
		}
	}
	return consents.None, ""
}

// payload reads an identifier such as STOP_PROMOTIONS as words.
func payload(s string) string {
	return strings.NewReplacer("_", " ", "-", " ", ".", " ", ":", " ").Replace(s)
}

// preferences applies what people chose in WhatsApp itself about marketing.
func (g *gates) preferences(ctx context.Context, r numbers.Route, u whatsapp.UserPreferences) error {
	who := peopleOf(whatsapp.Messages{Contacts: u.Contacts})
	for _, p := range u.Preferences {
		said := said{keys: who.keys(p.WaID, p.UserID), method: consents.MethodUserPreferences, at: g.believable(p.At)}
		switch p.Value {
		case "stop":
			said.verdict = consents.OptOutWord
		case "resume", "signup":
			said.verdict, said.evidence = consents.OptInWord, p.SignupID
		default:
			continue
		}
		if err := g.apart(ctx, func(tx pgx.Tx) error { return g.record(ctx, tx, r, said) }); err != nil {
			return err
		}
	}
	return nil
}

// said is a person's word about being messaged.
type said struct {
	keys     []string // every recipient key known of the person
	method   string
	verdict  consents.Verdict
	at       time.Time
	evidence string
}

// actor is who writes what the door learns.
const actor = "system:webhook"

// record writes a person's word to the consent ledger, for every identity of
// the body, so that a person without a visible number stays stopped when the
// number appears. STOP is for all purposes and START its reverse; consents
// narrows what WhatsApp itself reports to marketing.
func (g *gates) record(ctx context.Context, tx pgx.Tx, r numbers.Route, w said) error {
	if len(w.keys) == 0 {
		g.failed++
		g.Log.WarnContext(ctx, "an opt-out or opt-in that names nobody", "workspace", g.workspace, "event", g.event)
		return nil
	}
	source := "WhatsApp, " + r.Number.String()
	if w.verdict == consents.OptOutWord {
		return consents.OptOut(ctx, tx, g.Vault, g.workspace, consents.OptOutRequest{
			RecipientKeys: w.keys, Purposes: consents.Purposes(), Method: w.method, Source: source, OccurredAt: w.at, Actor: actor,
		})
	}
	_, err := consents.OptIn(ctx, tx, g.Vault, g.workspace, consents.OptInRequest{
		RecipientKeys: w.keys, Purposes: consents.Purposes(), Method: w.method, Source: source, Evidence: errs.Clip(w.evidence),
		OccurredAt: w.at, Actor: actor,
	})
	return err
}

// people are the identities a body names together: Meta's digits and the
// business-scoped id of the same person.
type people struct {
	userOf map[string]string
	waOf   map[string]string
}

func peopleOf(m whatsapp.Messages) people {
	p := people{userOf: map[string]string{}, waOf: map[string]string{}}
	for _, c := range m.Contacts {
		p.learn(c.WaID, c.UserID)
	}
	for _, in := range m.Inbound {
		p.learn(in.From, in.FromUserID)
	}
	for _, st := range m.Statuses {
		p.learn(st.RecipientID, st.RecipientUserID)
	}
	return p
}

func (p people) learn(waID, userID string) {
	if waID != "" && userID != "" {
		p.userOf[waID], p.waOf[userID] = userID, waID
	}
}

// keys are the recipient keys of a person of whom one identity is given.
func (p people) keys(waID, userID string) []string {
	if waID == "" {
		waID = p.waOf[userID]
	}
	if userID == "" {
		userID = p.userOf[waID]
	}
	var keys []string
	if waID != "" {
		keys = append(keys, contacts.RecipientKeyOfWaID(waID))
	}
	if userID != "" {
		keys = append(keys, contacts.RecipientKeyOfBSUID(userID))
	}
	return keys
}
