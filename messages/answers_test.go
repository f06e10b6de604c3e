package messages_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"bareed/messages"
	"bareed/whatsapp"
)

// randomAnswers are answers to one or two claims of a message, told in one call.
func randomAnswers(r *rand.Rand, o int, all []messages.Claim) []messages.Result {
	picks := r.Perm(len(all))
	var told []messages.Result
	for _, i := range picks[:1+r.IntN(min(2, len(all)))] {
		res := messages.Return(all[i])
		res.Outcome, res.State = "test", []messages.State{messages.Accepted, messages.Ready, messages.Failed, messages.Unknown}[r.IntN(4)]
		switch res.State {
		case messages.Accepted:
			res.WAMID = wamid(o)
		case messages.Failed:
			res.Reason = "meta_100"
		}
		told = append(told, res)
	}
	return told
}

// Two answers for one row in one call, one of them to a claim that is over: only
// the newest claim's counts, whichever stands first.
func TestTwoAnswersForOneRowTogether(t *testing.T) {
	t.Parallel()
	for _, oldFirst := range []bool{true, false} {
		t.Run(fmt.Sprint("old first ", oldFirst), func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, 1)
			old := messages.Return(l.claim(1)[1])
			l.record(old)
			accepted := messages.Return(l.claim(1)[1])
			accepted.Outcome, accepted.State, accepted.WAMID, accepted.HTTP = "accepted", messages.Accepted, wamid(1), 200
			if oldFirst {
				l.record(old, accepted)
			} else {
				l.record(accepted, old)
			}
			l.wantState(1, messages.Accepted, "")
			var id string
			var waits bool
			err := l.owner.QueryRow(t.Context(), `select wamid, not_before is not null or feed_after is not null from message`).Scan(&id, &waits)
			if err != nil || id != wamid(1) || waits {
				t.Errorf("Meta's id %q, offered again: %v, %v", id, waits, err)
			}
		})
	}
}

// Only Meta's refusals make a message wait longer; claims that were given back
// unused do not.
func TestGivenBackClaimsDoNotLengthenTheWait(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 1)
	for range 4 {
		l.record(messages.Return(l.claim(1)[1]))
	}
	var lines int
	if err := l.owner.QueryRow(t.Context(), `select count(*) from message_attempt`).Scan(&lines); err != nil || lines != 0 {
		t.Errorf("%d attempts noted of claims that were given back, %v", lines, err)
	}
	refusal := whatsapp.SendResult{Outcome: whatsapp.RefusedForNow, HasCode: true, Code: whatsapp.CodePairRate}
	for tries, want := range []time.Duration{6 * time.Second, 16 * time.Second, time.Minute, time.Minute} {
		c := l.claim(1)[1]
		if c.Tries != tries {
			t.Fatalf("claim %d counts %d refusals, want %d", c.Attempt, c.Tries, tries)
		}
		r := messages.ResultOf(c, refusal)
		if r.Again < want || r.Again > want*5/4 {
			t.Errorf("refusal %d makes it wait %v, want %v and up to a quarter more", tries+1, r.Again, want)
		}
		l.record(r)
		l.later(2 * time.Minute)
	}
}

// A failed status that says the account is locked holds what is still to go.
func TestFailedStatusOpensItsStop(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]string{131031: "waba account_locked", 131048: "number spam_rate", 132015: "template template_paused", 131026: ""} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, 2)
			l.accept(1)
			st := l.status(1, 1, "failed", time.Now())
			st.Errors = []whatsapp.StatusError{{Code: code}}
			l.apply(l.number, st)
			var got string
			err := l.owner.QueryRow(t.Context(), `select coalesce(string_agg(scope || ' ' || reason, ', '), '') from stop`).Scan(&got)
			if err != nil || got != want {
				t.Errorf("opened %q, want %q (%v)", got, want, err)
			}
			if granted := len(l.claim(2)) == 1; granted != (want == "") {
				t.Errorf("the next message was granted: %v", granted)
			}
		})
	}
}
