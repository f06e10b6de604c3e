package worker

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"bareed/internal/id"
	"bareed/limits"
	"bareed/whatsapp"
)

// Twenty requests in a row without a connection rest the number; every five
// seconds one message finds out, and the first answer lets all go.
func TestBreakerOnNoConnection(t *testing.T) {
	t.Parallel()
	b, n, now := newBreakers(), id.New[id.Number](), time.Now()
	note := func(o whatsapp.Outcome, began time.Duration) change { return b.note(n, now.Add(-began), now, o) }
	for i := range 2 * unreachedMost {
		if i == unreachedMost-1 {
			note(whatsapp.RefusedForGood, 0) // Meta answered: counting begins anew
		}
		want := map[bool]change{true: opened, false: unchanged}[i == 2*unreachedMost-2]
		if got := note(whatsapp.NeverLeft, 0); got != want {
			t.Fatalf("request %d: %d, want %d", i+1, got, want)
		}
		if want == opened {
			break
		}
		if left := b.hold(n, now); left != 0 {
			t.Fatalf("held %v after %d", left, i+1)
		}
	}
	if left := b.hold(n, now); left != probeEvery {
		t.Errorf("held %v, want %v", left, probeEvery)
	}
	if left := b.hold(id.New[id.Number](), now); left != 0 {
		t.Error("another number is held")
	}
	if note(whatsapp.Accepted, time.Second) != unchanged { // it left before
		t.Error("an old answer ended the rest")
	}
	for range 3 {
		now = now.Add(probeEvery)
		if b.hold(n, now) != 0 || b.hold(n, now) != probeEvery {
			t.Fatal("not one probe went")
		}
		if note(whatsapp.NeverLeft, 0) != unchanged {
			t.Fatal("a probe without an answer changed something")
		}
	}
	now = now.Add(probeEvery)
	if b.hold(n, now) != 0 || note(whatsapp.Accepted, 0) != closed || b.hold(n, now) != 0 || b.hold(n, now) != 0 {
		t.Error("the answer to a probe did not end the rest")
	}
}

// More than a fifth of the last fifty in doubt rests the number; a fifth does not.
func TestBreakerOnDoubt(t *testing.T) {
	t.Parallel()
	b, n, now := newBreakers(), id.New[id.Number](), time.Now()
	for i := range 10 * recentAnswers {
		o := whatsapp.Accepted
		if i%5 == 0 {
			o = whatsapp.Unknown
		}
		if b.note(n, now, now, o) != unchanged {
			t.Fatalf("a fifth in doubt rests the number, at %d", i)
		}
	}
	b.note(n, now, now, whatsapp.Unknown) // in the place of another
	b.note(n, now, now, whatsapp.Unknown)
	if b.hold(n, now) == 0 {
		t.Error("more than a fifth does not")
	}
}

// storm sends people's messages again and again to a Meta that answers alike,
// for several seconds of the breaker's clock.
func storm(t *testing.T, slots, people, seconds int, answer http.HandlerFunc) *sending {
	t.Helper()
	s := newSendingTo(t, slots, people, answer)
	var passed atomic.Int64
	began := time.Now()
	s.Clock = func() time.Time { return began.Add(time.Duration(passed.Load())) }
	for range seconds {
		s.all(t, s.Worker, people)
		passed.Add(int64(time.Second))
		s.ahead.Add(int64(2 * time.Second)) // the limiter's own rest is over
		s.slots.forget()
	}
	return s
}

// A gateway answers everything with its own page. What may have been accepted is
// unknown and not sent again; not thousands end so, but what the slots held and a
// probe each five seconds.
func TestGatewayStorm(t *testing.T) {
	t.Parallel()
	const slots, people, seconds = 16, 120, 21
	s := storm(t, slots, people, seconds, func(out http.ResponseWriter, _ *http.Request) {
		out.WriteHeader(http.StatusBadGateway)
		fmt.Fprint(out, "<html>Bad Gateway</html>")
	})
	got := s.states(t)
	most := doubtfulMost + 1 + slots + seconds/5
	if got["unknown"] != int(s.posts.Load()) || got["unknown"] > most || got["unknown"] <= doubtfulMost || got["unknown"]+got["ready"] != people {
		t.Errorf("%d POSTs and %v, at most %d unknown", s.posts.Load(), got, most)
	}
}

// Nobody is there. The messages stay ready, and few of them are tried.
func TestNoConnection(t *testing.T) {
	t.Parallel()
	const slots, people, seconds = 16, 60, 12
	s := newSendingTo(t, slots, people, func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") })
	nobody, err := whatsapp.New(whatsapp.Config{BaseURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nobody.Close)
	s.Meta = nobody
	var passed atomic.Int64
	began := time.Now()
	s.Clock = func() time.Time { return began.Add(time.Duration(passed.Load())) }
	for range seconds {
		s.all(t, s.Worker, people)
		passed.Add(int64(time.Second))
		s.ahead.Add(int64(2 * time.Second))
		s.slots.forget()
		s.b.Do(t, `update message set not_before = null where workspace_id = $1`, s.b.Workspace)
	}
	s.want(t, "without a connection", 0, map[string]int{"ready": people})
	tries := counted(t, s.b, `select count(*) from message_attempt where workspace_id = $1 and outcome = 'never_left'`, s.b.Workspace)
	if most := unreachedMost + slots + seconds/5 + 1; tries < unreachedMost || tries > most {
		t.Errorf("%d tries, want %d to %d", tries, unreachedMost, most)
	}
}

// The token is revoked in the middle: the stop is written with the answer, at most
// one further POST of each slot leaves, all of them come back ready, and after a
// person has seen to it the run goes on exactly there.
func TestTokenRevokedInTheMiddle(t *testing.T) {
	t.Parallel()
	const slots, people, good = 8, 60, 25
	var n, revoked atomic.Int32
	s := newSendingTo(t, slots, people, func(out http.ResponseWriter, _ *http.Request) {
		if k := n.Add(1); revoked.Load() == 0 && k > good {
			out.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(out, `{"error":{"code":190,"message":"revoked"}}`)
			return
		}
		fmt.Fprintf(out, `{"messages":[{"id":"wamid.%d"}]}`, n.Load())
	})
	for range 100 { // on a busy machine most come back before it is their turn
		if s.all(t, s.Worker, people); int(s.posts.Load()) > good {
			break
		}
		s.b.Do(t, `update message set not_before = null where workspace_id = $1 and state = 'ready'`, s.b.Workspace)
	}
	s.all(t, s.Worker, people)
	if got := s.states(t); int(s.posts.Load()) > good+slots || got["accepted"] != good || got["ready"] != people-good {
		t.Errorf("%d POSTs and %v", s.posts.Load(), got)
	}
	if n := counted(t, s.b, `select count(*) from stop where workspace_id = $1 and reason = 'token_invalid' and scope = 'waba' and cleared_at is null`,
		s.b.Workspace); n != 1 {
		t.Error("the stop is not open")
	}
	revoked.Store(1)
	s.b.Do(t, `update stop set cleared_at = bareed_now(), cleared_by = 'usr' where workspace_id = $1`, s.b.Workspace)
	s.b.Do(t, `update message set not_before = null where workspace_id = $1`, s.b.Workspace)
	refused := int(s.posts.Load()) - good
	s.drain(t, s.Worker, people)
	s.want(t, "after a person cleared it", people+refused, map[string]int{"accepted": people})
}

// Meta answers after a while that is long against the rate: no more requests are
// under way than there are slots.
func TestSlowMetaIsBoundBySlots(t *testing.T) {
	t.Parallel()
	const slots, people = 6, 48
	var in, most atomic.Int32
	s := newSendingTo(t, slots, people, func(out http.ResponseWriter, _ *http.Request) {
		now := in.Add(1)
		defer in.Add(-1)
		for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
		}
		time.Sleep(150 * time.Millisecond) // Meta's own
		fmt.Fprintf(out, `{"messages":[{"id":"wamid.%p"}]}`, out)
	})
	for range 3 {
		s.all(t, s.Worker, people)
	}
	if most.Load() > slots || most.Load() < 2 {
		t.Errorf("%d requests at once of %d slots", most.Load(), slots)
	}
	s.idle(t)
}

// The number is in maintenance: that minute nothing departs, instead of message
// after message ending as unknown.
func TestMaintenanceRests(t *testing.T) {
	t.Parallel()
	s := newSendingTo(t, 4, 12, func(out http.ResponseWriter, _ *http.Request) {
		out.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(out, `{"error":{"code":131057}}`)
	})
	began := time.Now()
	for try := 0; try < 200 && s.posts.Load() == 0; try++ { // a busy machine may miss the departure
		s.all(t, s.Worker, 1)
	}
	s.all(t, s.Worker, 12)
	s.want(t, "in maintenance", 1, map[string]int{"unknown": 1, "ready": 11})
	g, err := s.Limits.Take(t.Context(), limits.Ask{Number: s.b.Number, PerSecond: 1000})
	if err != nil || g.OK || g.Reason != limits.Maintenance || g.Retry < 50*time.Second-time.Since(began) {
		t.Errorf("the limiter says %+v, %v", g, err)
	}
}

// Two of the last two hundred that cannot be built are two people's failure; with
// the third the campaign stops, and says how many they were.
func TestUnbuiltMessagesStopTheCampaign(t *testing.T) {
	t.Parallel()
	const people = 12
	s := newSending(t, 2*people, people, 0)
	s.b.Do(t, `update message set parameters = '\x00' where workspace_id = $1 and ordinal in (2, 5, 9)`, s.b.Workspace)
	for o := 1; o <= people; o++ {
		ready := func() bool {
			return counted(t, s.b, `select count(*) from message where workspace_id = $1 and ordinal = $2 and state = 'ready'`, s.b.Workspace, o) > 0
		}
		for try := 0; try < 20 && ready(); try++ {
			if err := s.sendMessage(t.Context(), s.task(o)); err != nil {
				t.Fatal(err)
			}
			s.b.Do(t, `update message set not_before = null where workspace_id = $1 and state = 'ready'`, s.b.Workspace) // one that missed its departure
		}
		if o == 8 {
			s.want(t, "after two", 6, map[string]int{"accepted": 6, "failed": 2, "ready": 4})
		}
	}
	s.Wait(t.Context())
	s.want(t, "after three", 6, map[string]int{"accepted": 6, "failed": 3, "ready": 3})
	// One that missed its departure was built, and counts, more than once.
	if n := counted(t, s.b, `select count(*) from stop where workspace_id = $1 and scope = 'campaign' and reason = 'render_failed'
		and measured = '3 of the last ' || (select sum(attempt) from message where workspace_id = $1 and ordinal <= 9)
		and cleared_at is null`, s.b.Workspace); n != 1 {
		t.Error("the campaign is not stopped, or does not say why")
	}
}

func TestShareOfUnbuilt(t *testing.T) {
	t.Parallel()
	var u unbuilt
	run := id.New[id.Run]()
	for i := range 5 * recentBuilt {
		if sum, _ := u.note(run, i%(recentBuilt/2) == 0); sum > unbuiltMost {
			t.Fatalf("one in a hundred is too many, at %d", i)
		}
	}
	u.note(run, true) // in the place of another
	if sum, seen := u.note(run, true); sum <= unbuiltMost || seen != recentBuilt {
		t.Errorf("%d of %d is not too many", sum, seen)
	}
	if sum, seen := u.note(run, true); sum != 1 || seen != 1 {
		t.Errorf("it does not begin anew: %d of %d", sum, seen)
	}
}
