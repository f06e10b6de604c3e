package worker

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/messages"
	"bareed/whatsapp"
)

// An answer that brings an opt-out
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
	for _, a := range answers {
		if err := w.record(t.Context(), b.Workspace, a); err != nil {
			t.Fatal(err)
		}
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

// An answer that PostgreSQL refuses for a value in it costs the others nothing;
// its own row becomes unknown at the deadline, and the log says so without
// saying what the value was.
func TestUnfitAnswerIsRecordedByNobodyElse(t *testing.T) {
	t.Parallel()
	long := make([]byte, 4000) // more than an index takes, and not to be compressed
	_, _ = rand.Read(long)
	for name, bad := range map[string]whatsapp.WAMID{"a zero byte": "wamid.SECRET\x00",
		"too long for the index": whatsapp.WAMID("wamid.SECRET" + hex.EncodeToString(long))} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			unfit(t, bad)
		})
	}
}

func unfit(t *testing.T, bad whatsapp.WAMID) {
	w, b, _ := drafted(t, 3)
	var said bytes.Buffer
	w.Log = slog.New(slog.NewTextHandler(&said, nil))
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
	var answers []answer
	for i, wamid := range []whatsapp.WAMID{"wamid.A", bad, "wamid.C"} {
		answers = append(answers, w.judge(*claims[i], whatsapp.SendResult{Outcome: whatsapp.Accepted, WAMID: wamid, HTTPStatus: 200}))
	}
	refused, err := w.recordAll(t.Context(), b.Workspace, answers)
	if err != nil || len(refused) != 3 || refused[0] != nil || refused[1] == nil || refused[2] != nil {
		t.Fatalf("refused %v, %v; want the second alone", refused, err)
	}
	state := func(want string) {
		t.Helper()
		if n := counted(t, b, `select count(*) from message where workspace_id = $1 and run_id = $2 and ordinal = 2 and state = $3`,
			b.Workspace, run, want); n != 1 {
			t.Errorf("the message of the refused answer is not %s", want)
		}
	}
	if n := counted(t, b, `select count(*) from message where workspace_id = $1 and state = 'accepted'`, b.Workspace); n != 2 {
		t.Errorf("%d messages accepted, want 2", n)
	}
	state("sending")
	if err := w.record(t.Context(), b.Workspace, answers[1]); err != nil {
		t.Errorf("a refused answer is tried again: %v", err)
	}
	if log := said.String(); !strings.Contains(log, "record an answer") || strings.Contains(log, "SECRET") {
		t.Errorf("the log says %q", log)
	}
	pgtest.MoveClock(t, b.Pool, messages.ClaimTime+time.Second)
	b.In(t, func(tx pgx.Tx) error {
		_, err := messages.ExpireClaims(t.Context(), tx, b.Workspace, run)
		return err
	})
	state("unknown")
}

// An answer whose stop waits for somebody's lock keeps no other answer waiting,
// and is written when the lock is gone.
func TestPlainAnswersDoNotWaitForAStop(t *testing.T) {
	t.Parallel()
	w, b, _ := drafted(t, 2)
	run := b.Launch(t, "Sent").RunID
	if _, err := b.Pool.Engine().Exec(t.Context(), `update portfolio set messaging_limit = null where id = $1`, b.Portfolio); err != nil {
		t.Fatal(err)
	}
	claims, err := w.claimAll(t.Context(), b.Workspace, []messages.Want{
		{Message: id.Message{Run: run, Ordinal: 1}, Token: uuid.New()}, {Message: id.Message{Run: run, Ordinal: 2}, Token: uuid.New()}})
	if err != nil {
		t.Fatal(err)
	}
	tx, err := pgtest.Owner(t, b.Pool).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	if _, err := tx.Exec(t.Context(), `select from campaign where id = $1 for update`, claims[0].Campaign); err != nil {
		t.Fatal(err)
	}
	stop := w.judge(*claims[0], whatsapp.SendResult{Outcome: whatsapp.StopSending, HasCode: true, Code: 190})
	if stop.stop == nil {
		t.Fatal("code 190 stops nothing")
	}
	stopped := make(chan error, 1)
	go func() { stopped <- w.record(t.Context(), b.Workspace, stop) }()
	plain := w.judge(*claims[1], whatsapp.SendResult{Outcome: whatsapp.Accepted, WAMID: "wamid.A", HTTPStatus: 200})
	if err := w.record(t.Context(), b.Workspace, plain); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-stopped:
		t.Errorf("the stop did not wait for the campaign: %v", err)
	default:
	}
	if n := counted(t, b, `select count(*) from message where workspace_id = $1 and state = 'accepted'`, b.Workspace); n != 1 {
		t.Error("the plain answer is not written")
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if n := counted(t, b, `select count(*) from stop where workspace_id = $1 and reason = 'token_invalid'`, b.Workspace); n != 1 {
		t.Error("the stop is not open")
	}
}

// Five refusals in a row open a stop; after a person cleared it, it takes five
// more, not one.
func TestStreakBeginsAnewAfterItsStop(t *testing.T) {
	t.Parallel()
	w, b, _ := drafted(t, 1)
	c := messages.Claim{Message: id.Message{Run: id.New[id.Run](), Ordinal: 1}, Number: b.Number}
	for i := 1; i <= 2*inARow; i++ {
		a := w.judge(c, whatsapp.SendResult{Outcome: whatsapp.RefusedForGood, HasCode: true, Code: 100})
		if (a.stop != nil) != (i%inARow == 0) {
			t.Errorf("refusal %d: stop %+v", i, a.stop)
		}
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
