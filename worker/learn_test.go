package worker

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/consents"
	"bareed/contacts"
	"bareed/internal/clock"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/messages"
	"bareed/numbers"
	"bareed/queue"
	"bareed/whatsapp"
)

// heard is a workspace whose worker applies what webhooks say.
type heard struct {
	*fixture.Broadcast
	worker *Worker
}

func newHeard(t *testing.T) *heard {
	t.Helper()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	w := New(Config{Pool: b.Pool, Vault: b.Vault, Clock: clock.System, Log: slog.New(slog.DiscardHandler), Name: "test", Slots: 1})
	return &heard{b, w}
}

// apply stores a change of the field messages and performs its task.
func (h *heard) apply(t *testing.T, value map[string]any) {
	t.Helper()
	value["metadata"] = map[string]string{"phone_number_id": h.Number.String()}
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(whatsapp.Stored{Changes: []whatsapp.StoredChange{{Field: "messages", Value: raw}}})
	if err != nil {
		t.Fatal(err)
	}
	event := h.keep(t, body)
	if err := h.worker.applyEvents(t.Context(), queue.ApplyEvents{Workspace: h.Workspace, Events: []id.Event{event}}); err != nil {
		t.Fatal(err)
	}
	if counted(t, h.Broadcast, `select count(*) from event where id = $1 and tries = 1`, event) != 1 {
		t.Fatal("the event was not applied")
	}
}

// keep stores a body as the webhook door does.
func (h *heard) keep(t *testing.T, body []byte) (event id.Event) {
	t.Helper()
	box, err := h.Vault.Box(t.Context(), h.Workspace)
	if err != nil {
		t.Fatal(err)
	}
	h.In(t, func(tx pgx.Tx) (err error) {
		event, err = numbers.KeepEvent(t.Context(), tx, box, h.Workspace, h.App, []string{"messages"}, body)
		return err
	})
	return event
}

// status says "delivered" of a message of somebody else's, with both ids.
func status(waID, bsuid string) map[string]any {
	return map[string]any{
		"contacts": []map[string]any{{"wa_id": waID, "user_id": bsuid, "profile": map[string]string{"username": "Layla.S"}}},
		"statuses": []map[string]any{{"id": "wamid.X" + waID, "status": "delivered", "timestamp": "1798761600",
			"recipient_id": waID, "recipient_user_id": bsuid}},
	}
}

// stop is an opt-out that names the person by the scoped id alone.
func (h *heard) stop(t *testing.T, bsuid string) {
	t.Helper()
	h.In(t, func(tx pgx.Tx) error {
		return consents.OptOut(t.Context(), tx, h.Vault, h.Workspace, consents.OptOutRequest{
			RecipientKeys: []string{contacts.RecipientKeyOfBSUID(bsuid)}, Method: consents.MethodKeyword, Source: "test",
			OccurredAt: time.Now(), Actor: "system:webhook"})
	})
}

// claims tries to claim every message of a run and returns whose it got.
func (h *heard) claims(t *testing.T, run id.Run, n int) (addresses []string) {
	t.Helper()
	var wants []messages.Want
	for i := range n {
		wants = append(wants, messages.Want{Message: id.Message{Run: run, Ordinal: int32(i + 1)}, Token: uuid.New()})
	}
	// An open window spares the places under the messaging limit.
	var open []numbers.Window
	h.In(t, func(tx pgx.Tx) error {
		rows, err := tx.Query(t.Context(), `select recipient_hash from message where run_id = $1`, run)
		if err != nil {
			return err
		}
		hashes, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
		for _, hash := range hashes {
			open = append(open, numbers.Window{Recipient: hash, WrittenAt: time.Now()})
		}
		return err
	})
	h.In(t, func(tx pgx.Tx) error { return numbers.OpenWindows(t.Context(), tx, h.Workspace, h.Number, open) })
	got, err := messages.ClaimAll(t.Context(), h.Pool, h.Workspace, "test", wants)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range got {
		addresses = append(addresses, c.Address)
	}
	return addresses
}

// suppressed tells whether a phone's hash is suppressed for marketing.
func (h *heard) suppressed(t *testing.T, phone string) bool {
	t.Helper()
	return counted(t, h.Broadcast, `select count(*) from suppression where recipient_hash = $1 and purpose = 'marketing' and lifted_at is null`,
		h.Vault.RecipientHash("p:"+phone)) == 1
}

// TestStopByScopedIDReachesThePhone: a status tells that a phone and a
// business-scoped id are one person; a later STOP by that id alone keeps the
// message to the phone from leaving.
func TestStopByScopedIDReachesThePhone(t *testing.T) {
	t.Parallel()
	h := newHeard(t)
	h.AddPeople(t, h.Audience, 3)
	run := h.Launch(t, "Spring").RunID
	h.apply(t, status("966500000001", "SA.1349000000000001"))
	if n := counted(t, h.Broadcast, `select count(*) from identity where kind in ('bsuid', 'username') and portfolio_id = $1`, h.Portfolio); n != 2 {
		t.Fatalf("%d identities were learned, want a scoped id and a username", n)
	}
	h.apply(t, status("966500000001", "SA.1349000000000001"))
	h.stop(t, "SA.1349000000000001")
	if !h.suppressed(t, "+966500000001") || h.suppressed(t, "+966500000000") {
		t.Error("the phone is not suppressed, or another one is")
	}
	got := strings.Join(h.claims(t, run, 3), " ")
	if strings.Contains(got, "966500000001") || !strings.Contains(got, "966500000000") || !strings.Contains(got, "966500000002") {
		t.Errorf("claimed for %s", got)
	}
}

// TestStopBeforeTheIDIsKnown: STOP comes by an id nobody knows; when a status
// shows whose it is, the phone is suppressed and a later file does not revive it.
func TestStopBeforeTheIDIsKnown(t *testing.T) {
	t.Parallel()
	h := newHeard(t)
	h.AddPeople(t, h.Audience, 2)
	run := h.Launch(t, "Spring").RunID
	h.stop(t, "SA.1349000000000000")
	if h.suppressed(t, "+966500000000") {
		t.Fatal("suppressed before anybody could know")
	}
	h.apply(t, status("966500000000", "SA.1349000000000000"))
	if !h.suppressed(t, "+966500000000") {
		t.Error("the phone is not suppressed")
	}
	if got := h.claims(t, run, 2); len(got) != 1 || !strings.Contains(got[0], "966500000001") {
		t.Errorf("claimed for %v", got)
	}
	h.importFile(t, "phone,opt_in\n+966500000000,yes\n")
	if !h.suppressed(t, "+966500000000") {
		t.Error("a file revived the person")
	}
}

// TestStrangerStaysOut: nobody in the workspace is either id; the file comes last.
func TestStrangerStaysOut(t *testing.T) {
	t.Parallel()
	h := newHeard(t)
	h.stop(t, "SA.77")
	h.apply(t, map[string]any{
		"contacts": []map[string]any{{"wa_id": "966501234567", "user_id": "SA.77"}},
		"messages": []map[string]any{{"from": "966501234567", "from_user_id": "SA.77", "id": "wamid.IN", "timestamp": "1798761600",
			"type": "text", "text": map[string]string{"body": "who is this"}}},
	})
	h.importFile(t, "phone,opt_in\n+966501234567,yes\n")
	if !h.suppressed(t, "+966501234567") {
		t.Error("the imported phone is not suppressed")
	}
	if n := counted(t, h.Broadcast, `select count(*) from permission where granted`); n != 0 {
		t.Errorf("%d permissions were granted", n)
	}
}

func (h *heard) importFile(t *testing.T, file string) {
	t.Helper()
	tenant := fixture.Tenant{Organisation: h.Organisation, Workspace: h.Workspace, Actor: h.Actor}
	fixture.Import(t, h.Pool, h.Vault, tenant, h.Audience, file, contacts.Settings{Consent: &contacts.Declaration{
		Covers: contacts.ConsentRows, Purposes: []string{"marketing"}, Method: "web_form", Source: "https://acme.example/join",
		Wording: &contacts.Wording{Version: "1", Text: "Acme may write to me on WhatsApp.", BusinessName: "Acme"}}})
}

func TestPairsOf(t *testing.T) {
	t.Parallel()
	system := whatsapp.Messages{Contacts: []whatsapp.Contact{{WaID: "1", UserID: "US.1"}}, Inbound: []whatsapp.Inbound{{Type: "system", From: "1"}}}
	if got := pairsOf(system); len(got) != 0 {
		t.Errorf("a change of number taught %v", got)
	}
	m := whatsapp.Messages{
		Contacts: []whatsapp.Contact{{WaID: "1", UserID: "US.1"}, {WaID: "2"}, {UserID: "US.3", Username: "three"}},
		Statuses: []whatsapp.Status{{RecipientID: "4", RecipientUserID: "US.4"}, {RecipientID: "5"}},
		Inbound:  []whatsapp.Inbound{{From: "6", FromUserID: "US.6", Type: "text"}},
	}
	if got := pairsOf(m); len(got) != 4 {
		t.Errorf("learned %v", got)
	}
}
