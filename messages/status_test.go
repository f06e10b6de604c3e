package messages_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages"
	"bareed/messages/callback"
	"bareed/whatsapp"
)

func (l *ledger) apply(number id.Number, statuses ...whatsapp.Status) messages.Applied {
	l.t.Helper()
	var done messages.Applied
	l.in(func(tx pgx.Tx) (err error) {
		done, err = messages.ApplyStatuses(l.t.Context(), tx, l.vault, l.ws, told(number, statuses...))
		return err
	})
	return done
}

func told(number id.Number, statuses ...whatsapp.Status) []messages.Told {
	all := make([]messages.Told, len(statuses))
	for i, st := range statuses {
		all[i] = messages.Told{Status: st, Number: number, Received: time.Now()}
	}
	return all
}

// status builds what Meta says of a message; attempt 0 leaves the callback data out.
func (l *ledger) status(ordinal, attempt int, kind string, at time.Time) whatsapp.Status {
	st := whatsapp.Status{ID: whatsapp.WAMID(wamid(ordinal)), Kind: kind, At: at}
	if attempt > 0 {
		st.CallbackData = callback.Data{Message: l.message(ordinal), Attempt: attempt}.Encode(l.vault)
	}
	if kind == "failed" {
		st.Errors = []whatsapp.StatusError{{Code: 131026}}
	}
	return st
}

func wamid(ordinal int) string { return fmt.Sprintf("wamid.TEST%d", ordinal) }

func (l *ledger) accept(ordinal int) messages.Claim {
	l.t.Helper()
	c := l.claim(ordinal)[ordinal]
	r := messages.Return(c)
	r.Outcome, r.State, r.WAMID = "accepted", messages.Accepted, wamid(ordinal)
	l.record(r)
	return c
}

func TestStatusesInEveryOrderEndAlike(t *testing.T) {
	t.Parallel()
	kinds := []string{"sent", "delivered", "read", "failed"}
	var orders [][]string
	var permute func([]string, []string)
	permute = func(done, rest []string) {
		if len(rest) == 0 {
			orders = append(orders, append([]string(nil), done...))
			return
		}
		for i := range rest {
			left := append(append([]string(nil), rest[:i]...), rest[i+1:]...)
			permute(append(done, rest[i]), left)
		}
	}
	permute(nil, kinds)
	l := newLedger(t, len(orders))
	base := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	for i, order := range orders {
		o := i + 1
		l.accept(o)
		for _, kind := range order {
			at := base.Add(time.Duration(len(kind)) * time.Minute)
			l.apply(l.number, l.status(o, i%2, kind, at))              // by callback data or by Meta's id
			l.apply(l.number, l.status(o, 1, kind, at.Add(time.Hour))) // and doubled, later
		}
		l.wantState(o, messages.Read, "")
		var sent, delivered, read, failed time.Time
		err := l.owner.QueryRow(t.Context(), `select sent_at, delivered_at, read_at, failed_at from message where run_id = $1 and ordinal = $2`,
			l.run, o).Scan(&sent, &delivered, &read, &failed)
		if err != nil {
			t.Fatalf("%v: %v", order, err)
		}
		if !sent.Equal(base.Add(4*time.Minute)) || !delivered.Equal(base.Add(9*time.Minute)) || !failed.Equal(base.Add(6*time.Minute)) {
			t.Errorf("%v: a time was not set once: %v %v %v", order, sent, delivered, failed)
		}
	}
}

func TestEchoComesBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 1)
	c := l.claim(1)[1]
	if done := l.apply(l.number, l.status(1, 1, "sent", time.Now())); done.Matched != 1 {
		t.Fatalf("applied %+v", done)
	}
	l.wantState(1, messages.Sent, "")
	r := messages.Return(c)
	r.Outcome, r.State, r.WAMID, r.WaID = "accepted", messages.Accepted, wamid(1), "966500000000"
	l.record(r)
	l.wantState(1, messages.Sent, "")
	var waID string
	if err := l.owner.QueryRow(t.Context(), `select wa_id from message`).Scan(&waID); err != nil || waID != "966500000000" {
		t.Errorf("the answer added %q, %v", waID, err)
	}
}

func TestUnknownIsResolvedByItsEchoAlone(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 3)
	l.claim(1, 2, 3)
	l.later(time.Minute)
	l.in(func(tx pgx.Tx) error { _, err := messages.ExpireClaims(t.Context(), tx, l.ws, l.run); return err })
	for o := 1; o <= 3; o++ {
		l.wantState(o, messages.Unknown, "")
	}
	if len(l.claim(1, 2, 3)) != 0 {
		t.Error("an unknown message was granted again")
	}
	l.apply(l.number, l.status(1, 1, "delivered", time.Now()))
	l.wantState(1, messages.Delivered, "")
	l.later(25 * time.Hour)
	l.in(func(tx pgx.Tx) error {
		_, err := messages.GiveUpUnknown(t.Context(), tx, l.ws, l.run, 24*time.Hour)
		return err
	})
	l.wantState(2, messages.Unconfirmed, "no_answer")
	l.apply(l.number, l.status(2, 1, "sent", time.Now()))
	l.wantState(2, messages.Sent, "")
	l.wantState(3, messages.Unconfirmed, "no_answer")
}

func TestStatusesThatAreNotOursChangeNothing(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 1)
	l.accept(1)
	forged := l.status(1, 1, "read", time.Now())
	forged.CallbackData = forged.CallbackData[:len(forged.CallbackData)-1] + "x"
	if done := l.apply(l.number, forged); done.Forged != 1 || done.Matched != 0 {
		t.Errorf("forged: %+v", done)
	}
	other := l.status(1, 1, "read", time.Now())
	if done := l.apply(id.New[id.Number](), other); done.Foreign != 1 || done.Matched != 0 {
		t.Errorf("another number's webhook: %+v", done)
	}
	stray := whatsapp.Status{ID: "wamid.NOBODY", Kind: "read"}
	if done := l.apply(l.number, stray); done.Unmatched[0] != 1 {
		t.Errorf("unknown message: %+v", done)
	}
	l.wantState(1, messages.Accepted, "")
}

func TestUnbelievableTimesAreReplaced(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 3)
	for i, at := range []time.Time{{}, time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC), time.Now().AddDate(0, 0, -8)} {
		l.accept(i + 1)
		l.apply(l.number, l.status(i+1, 1, "sent", at))
	}
	rows, err := l.owner.Query(t.Context(), `select bareed_now() - sent_at < interval '1 hour' from message order by ordinal`)
	if err != nil {
		t.Fatal(err)
	}
	near, err := pgx.CollectRows(rows, pgx.RowTo[bool])
	if err != nil || len(near) != 3 || !near[0] || !near[1] || near[2] {
		t.Errorf("near now: %v, %v; want true true false", near, err)
	}
}

func TestLateAnswerCannotOverwriteANewerClaim(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 1)
	old := l.claim(1)[1]
	l.record(messages.Return(old))
	l.wantState(1, messages.Ready, "")
	fresh, ok := l.claim(1)[1]
	if !ok || fresh.Attempt != 2 {
		t.Fatalf("second claim: %+v", fresh)
	}
	late := messages.Return(old)
	late.Outcome, late.State, late.Reason = "refused_for_good", messages.Failed, "meta_100"
	l.record(late)
	l.wantState(1, messages.Sending, "")
}

// A recorder that repeats itself after a lost commit leaves the wait as it was.
func TestRecordedTwiceWaitsOnce(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 1)
	r := messages.Return(l.claim(1)[1])
	r.Outcome, r.Code, r.Again = "refused_for_now", 131056, time.Minute
	l.record(r)
	l.record(r)
	if got := l.claim(1); len(got) != 0 {
		t.Error("granted within the pair's minute")
	}
	l.later(2 * time.Minute)
	if got := l.claim(1); len(got) != 1 {
		t.Error("refused after the pair's minute")
	}
}

// A message that came back ready and was then suppressed stays so when Meta
// reports that an earlier attempt failed; only an arrival is stronger.
func TestFailureOfASuppressedMessage(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 1)
	l.record(messages.Return(l.claim(1)[1]))
	l.in(func(tx pgx.Tx) error {
		_, err := messages.SuppressReady(t.Context(), tx, l.ws, l.run, messages.Stopped, 10)
		return err
	})
	l.apply(l.number, l.status(1, 1, "failed", time.Now()))
	l.wantState(1, messages.Suppressed, messages.Stopped)
	l.apply(l.number, l.status(1, 1, "delivered", time.Now()))
	l.wantState(1, messages.Delivered, "")
}

// A receipt whose transaction began before the last picture of a run that is
// over, and ended after it, has the picture drawn once more.
func TestReceiptBesideTheLastPicture(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 1)
	l.accept(1)
	l.exec(`update run set state = 'completed', settled_at = bareed_now(), touched_at = bareed_now() + interval '1 minute' where id = $1`, l.run) // the machine may be busy
	tx, err := l.pool.App().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if err := pg.Enter(t.Context(), tx, l.ws); err != nil {
		t.Fatal(err)
	}
	if _, err := messages.ApplyStatuses(t.Context(), tx, l.vault, l.ws, told(l.number, l.status(1, 1, "read", time.Now()))); err != nil {
		t.Fatal(err)
	}
	untouch := func() (touched bool) {
		l.in(func(tx pgx.Tx) error { return messages.Untouch(t.Context(), tx, l.ws, l.run) })
		if err := l.owner.QueryRow(t.Context(), `select touched_at is not null from run where id = $1`, l.run).Scan(&touched); err != nil {
			t.Fatal(err)
		}
		return touched
	}
	if !untouch() {
		t.Error("the mark is gone before the receipt is there")
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.later(2 * time.Minute)
	if untouch() {
		t.Error("the mark stays for ever")
	}
}

// Random histories of claims, answers, receipts, deadlines and stops on a few
// messages, compared after every step with a model of a few lines. The trigger
// of newLedger refuses forbidden steps besides.
func TestRandomHistoriesAgreeWithTheModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			const rows, steps = 8, 150
			l := newLedger(t, rows)
			r := rand.New(rand.NewPCG(seed, 7))
			model := make([]modelRow, rows+1)
			for i := range model {
				model[i].state = messages.Ready
			}
			claims := map[int][]messages.Claim{}
			for step := range steps {
				o := 1 + r.IntN(rows)
				what := l.randomStep(r, o, &model[o], claims)
				l.wantState(o, model[o].state, model[o].reason)
				if t.Failed() {
					t.Fatalf("seed %d step %d: %s on message %d", seed, step, what, o)
				}
			}
		})
	}
}

type modelRow struct {
	state  messages.State
	reason string
	claims int
	known  bool // Meta's id is known
}

func (m *modelRow) answer(newest bool, s messages.State, reason string) {
	late := m.state == messages.Unconfirmed && s != messages.Ready && s != messages.Unknown
	if newest && (m.state == messages.Sending || m.state == messages.Unknown || late) {
		m.state, m.reason = s, reason
	}
	if newest && s == messages.Accepted {
		m.known = true
	}
}

func (m *modelRow) hear(kind string, echo bool) {
	rank := map[messages.State]int{messages.Accepted: 1, messages.Sent: 2, messages.Failed: 3, messages.Delivered: 4, messages.Read: 5}
	found := m.claims > 0 && (echo || m.known && rank[m.state] > 0)
	if !found {
		return
	}
	m.known = true
	if rank[messages.State(kind)] > rank[m.state] {
		m.state, m.reason = messages.State(kind), ""
		if kind == "failed" {
			m.reason = "meta_131026"
		}
	}
}

func (l *ledger) randomStep(r *rand.Rand, o int, m *modelRow, claims map[int][]messages.Claim) string {
	switch r.IntN(6) {
	case 0, 1:
		if c, ok := l.claim(o)[o]; ok != (m.state == messages.Ready) {
			l.t.Errorf("granted %v in state %s", ok, m.state)
		} else if ok {
			claims[o] = append(claims[o], c)
			m.state, m.reason, m.claims = messages.Sending, "", m.claims+1
		}
		return "claim"
	case 2, 3:
		all := claims[o]
		if len(all) == 0 {
			return "nothing"
		}
		told := randomAnswers(r, o, all)
		l.record(told...)
		what := "answer"
		for _, res := range told {
			m.answer(res.Token == all[len(all)-1].Token, res.State, res.Reason)
			what += " " + string(res.State)
		}
		return what
	case 4:
		kind := []string{"sent", "delivered", "read", "failed"}[r.IntN(4)]
		echo := r.IntN(2) == 0
		l.apply(l.number, l.status(o, map[bool]int{true: max(1, m.claims), false: 0}[echo], kind, time.Now()))
		m.hear(kind, echo)
		return "status " + kind
	default:
		l.exec(`update message set claim_deadline = bareed_now() + case ordinal when $1 then interval '-1 second' else interval '1 hour' end
			where state = 'sending'`, o) // the others' deadlines do not come while the machine is busy
		l.in(func(tx pgx.Tx) error { _, err := messages.ExpireClaims(l.t.Context(), tx, l.ws, l.run); return err })
		if m.state == messages.Sending {
			m.state = messages.Unknown
		}
		return "deadline"
	}
}
