package worker

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"bareed/internal/id"
	"bareed/messages"
	"bareed/whatsapp"
)

// Answers of several slots are written together. One that brings an opt-out
// which cannot be kept, or a clock that is ahead, costs none of them.
func TestOneAnswerDoesNotTakeTheRestWithIt(t *testing.T) {
	t.Parallel()
	w, b, _ := drafted(t, 3)
	w.Clock = func() time.Time { return time.Now().Add(time.Hour) }
	run := b.Launch(t, "Sent").RunID
	if _, err := b.Pool.Engine().Exec(t.Context(), `update portfolio set messaging_limit = null where id = $1`, b.Portfolio); err != nil {
		t.Fatal(err)
	}
	var wants []messages.Want
	for o := range int32(3) {
		wants = append(wants, messages.Want{Message: id.Message{Run: run, Ordinal: o + 1}, Token: uuid.New()})
	}
	claims, err := w.claimAll(t.Context(), b.Workspace, wants)
	if err != nil {
		t.Fatal(err)
	}
	answers := []answer{
		w.judge(*claims[0], whatsapp.SendResult{Outcome: whatsapp.Accepted, WAMID: "wamid.A", HTTPStatus: 200}),
		w.judge(*claims[1], whatsapp.SendResult{Outcome: whatsapp.RefusedForGood, HasCode: true, Code: 131050, OptOut: true}),
		w.judge(*claims[2], whatsapp.SendResult{Outcome: whatsapp.RefusedForGood, HasCode: true, Code: 131050, OptOut: true}),
	}
	b.Do(t, `update contact set erased_at = bareed_now() where workspace_id = $1 and id = $2`, b.Workspace, claims[1].Contact)
	if _, err := w.recordAll(t.Context(), b.Workspace, answers); err != nil {
		t.Fatal(err)
	}
	for state, want := range map[string]int{"accepted": 1, "failed": 2} {
		if n := counted(t, b, `select count(*) from message where workspace_id = $1 and run_id = $2 and state = $3`, b.Workspace, run, state); n != want {
			t.Errorf("%d messages %s, want %d", n, state, want)
		}
	}
	if n := counted(t, b, `select count(*) from permission where workspace_id = $1 and contact_id = $2 and not granted`,
		b.Workspace, claims[2].Contact); n != 1 {
		t.Error("the opt-out of the one who is there is lost")
	}
}

// A token that cannot even be written into a request stops its WABA; without a
// stop its messages would be claimed and given back for ever.
func TestAnswerWithoutCodeStops(t *testing.T) {
	t.Parallel()
	w, b, _ := drafted(t, 1)
	c := messages.Claim{WABA: b.WABA, Number: b.Number}
	a := w.judge(c, whatsapp.SendResult{Outcome: whatsapp.StopSending, Scope: whatsapp.ScopeWABA, Code: whatsapp.CodeInvalidBeforeSend,
		Title: "access token missing or malformed"})
	if a.stop == nil || a.stop.Scope != messages.ScopeWABA || a.stop.Reason != "token_invalid" || a.stop.ScopeID != [16]byte(b.WABA) {
		t.Errorf("stop %+v", a.stop)
	}
	if a := w.judge(c, whatsapp.SendResult{Outcome: whatsapp.Unknown, HTTPStatus: 502}); a.stop != nil {
		t.Errorf("a gateway's answer stops: %+v", a.stop)
	}
}
