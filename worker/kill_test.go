package worker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/messages"
	"bareed/queue"
	"bareed/whatsapp"
)

// echoing is a Meta that accepts everything and remembers the callback data.
type echoing struct {
	mu   sync.Mutex
	data []string
}

func (e *echoing) answer(out http.ResponseWriter, in *http.Request) {
	var body struct {
		Data string `json:"biz_opaque_callback_data"`
	}
	_ = json.NewDecoder(in.Body).Decode(&body) // empty is seen below
	e.mu.Lock()
	e.data = append(e.data, body.Data)
	n := len(e.data)
	e.mu.Unlock()
	fmt.Fprintf(out, `{"messages":[{"id":"wamid.%d"}]}`, n)
}

// receipts are what Meta says of everything it accepted.
func (e *echoing) receipts(number id.Number) []messages.Told {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []messages.Told
	for i, d := range e.data {
		all = append(all, messages.Told{Number: number, Received: time.Now(), Status: whatsapp.Status{
			ID: whatsapp.WAMID(fmt.Sprintf("wamid.%d", i+1)), Kind: "sent", At: time.Now(), CallbackData: d}})
	}
	return all
}

// A worker that is killed at each edge of a message's life, twenty times: nobody
// is messaged twice, and what Meta accepted is accepted here once its receipt is
// there. What was claimed and never left stays in sight as unconfirmed.
func TestKilledAtEveryEdge(t *testing.T) {
	t.Parallel()
	const people = 20
	for name, tt := range map[string]struct {
		at              edge
		killed, settled map[string]int
		posts, last     int // POSTs at the kill and at the end
	}{
		"before the claim": {beforeClaim, map[string]int{"ready": people}, map[string]int{"accepted": people}, 0, people},
		"after the claim":  {afterClaim, map[string]int{"sending": people}, map[string]int{"unconfirmed": people}, 0, 0},
		"after the answer": {afterAnswer, map[string]int{"sending": people}, map[string]int{"sent": people}, people, people},
		"after the record": {afterRecord, map[string]int{"accepted": people}, map[string]int{"accepted": people}, people, people},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var meta echoing
			s := newSendingTo(t, 4*people, people, meta.answer)
			s.sure(t, tt.at, people)
			s.want(t, "at the kill", tt.posts, tt.killed)
			pgtest.MoveClock(t, s.b.Pool, messages.ClaimTime+time.Second)
			s.repair(t, messages.ExpireClaims)
			other := s.twin(t, "other")
			s.drain(t, other, people)
			if tt.at == afterAnswer {
				s.b.In(t, func(tx pgx.Tx) error {
					done, err := messages.ApplyStatuses(t.Context(), tx, s.b.Vault, s.b.Workspace, meta.receipts(s.b.Number))
					if done.Matched != people {
						t.Errorf("%d receipts of %d were ours", done.Matched, people)
					}
					return err
				})
			}
			pgtest.MoveClock(t, s.b.Pool, 25*time.Hour)
			s.repair(t, func(ctx context.Context, tx pgx.Tx, ws id.Workspace, run id.Run) (int, error) {
				return messages.GiveUpUnknown(ctx, tx, ws, run, 24*time.Hour)
			})
			s.want(t, "at the end", tt.last, tt.settled)
		})
	}
}

// sure performs every message until each has been killed at the edge once: one
// that missed its departure comes back before it gets there.
func (s *sending) sure(t *testing.T, at edge, people int) {
	t.Helper()
	var killed atomic.Int32
	s.edges = func(e edge) {
		if e == at {
			killed.Add(1)
			runtime.Goexit() // memory is given back, nothing more is written
		}
	}
	for try := 0; int(killed.Load()) < people && try < 100; try++ {
		s.all(t, s.Worker, people)
		s.b.Do(t, `update message set not_before = null where workspace_id = $1 and state = 'ready'`, s.b.Workspace)
	}
	if int(killed.Load()) < people {
		t.Fatalf("%d of %d were killed", killed.Load(), people)
	}
	s.idle(t)
}

func (s *sending) repair(t *testing.T, do func(context.Context, pgx.Tx, id.Workspace, id.Run) (int, error)) {
	t.Helper()
	s.b.In(t, func(tx pgx.Tx) error {
		_, err := do(t.Context(), tx, s.b.Workspace, s.run)
		return err
	})
}

// A handler that panics for some messages costs those alone, and holds nothing.
func TestPanicCostsItsOwnMessage(t *testing.T) {
	t.Parallel()
	const people = 28
	s := newSending(t, 2*people, people, 0)
	var reached atomic.Int32
	s.edges = func(e edge) {
		if e == afterClaim && reached.Add(1)%7 == 0 {
			panic("a bug of ours")
		}
	}
	var wg sync.WaitGroup
	var panics atomic.Int32
	for o := range people {
		wg.Go(func() {
			defer func() {
				if recover() != nil { // as the queue does
					panics.Add(1)
				}
			}()
			for range 20 { // one that missed its departure comes back
				if err := s.sendMessage(t.Context(), s.task(o+1)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	s.idle(t)
	s.edges = nil
	s.drain(t, s.Worker, people) // one that missed its departure more than once
	n := int(panics.Load())
	if got := s.states(t); n == 0 || got["sending"] != n || got["accepted"] != people-n || int(s.posts.Load()) != people-n {
		t.Errorf("%d panics, %d POSTs and %v", n, s.posts.Load(), got)
	}
}

// A process frozen between claim and POST gives the message back unsent when it
// goes on, though everything in between looked at the gates.
func TestFrozenProcessSendsNothingOld(t *testing.T) {
	t.Parallel()
	const people = 8
	s := newSending(t, 2*people, people, 0)
	s.edges = func(e edge) {
		if e == afterClaim {
			time.Sleep(lastLook + 50*time.Millisecond) // as SIGSTOP would
		}
	}
	s.all(t, s.Worker, people)
	s.want(t, "after the freeze", 0, map[string]int{"ready": people})
	s.idle(t)
}

// A connection that takes longer than a claim may be old carries nothing of it: the
// message is given back unsent, and the number is not taken for unreachable.
func TestSlowConnectionSendsNothingOld(t *testing.T) {
	t.Parallel()
	const people = 8
	s := newSending(t, 2*people, people, 0)
	meta := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { s.posts.Add(1) }))
	meta.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		time.Sleep(lastLook + 50*time.Millisecond)
		return nil, nil
	}}
	meta.StartTLS()
	t.Cleanup(meta.Close)
	known := x509.NewCertPool()
	known.AddCert(meta.Certificate())
	client, err := whatsapp.New(whatsapp.Config{BaseURL: meta.URL, RootCAs: known})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	s.Meta = client
	s.all(t, s.Worker, people)
	s.want(t, "over a slow connection", 0, map[string]int{"ready": people})
	if left := s.breakers.hold(s.b.Number, time.Now()); left > 0 {
		t.Errorf("the number rests for %v", left)
	}
	s.idle(t)
}

// Two copies of every task in two workers at once, as after a lost lease, an old
// copy of Redis or two leaders: each message leaves once.
func TestTwinTasksSendOnce(t *testing.T) {
	t.Parallel()
	const people, copies = 40, 3
	s := newSending(t, 4*people, people, 0)
	workers := []*Worker{s.Worker, s.twin(t, "second")}
	var wg sync.WaitGroup
	for range copies {
		for _, w := range workers {
			wg.Go(func() { s.all(t, w, people) })
		}
	}
	wg.Wait()
	s.drain(t, s.Worker, people)
	s.want(t, "after all twins", people, map[string]int{"accepted": people})
}

// A task for what is not there any more, or never was, ends and is not tried again.
func TestTaskOfNothingEnds(t *testing.T) {
	t.Parallel()
	s := newSending(t, 4, 1, 0)
	for name, task := range map[string]queue.SendMessage{
		"no such run":     {Workspace: s.b.Workspace, Run: id.New[id.Run](), Ordinal: 1, Number: s.b.Number},
		"no such message": {Workspace: s.b.Workspace, Run: s.run, Ordinal: 99, Number: s.b.Number},
	} {
		if err := s.sendMessage(t.Context(), task); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.Wait(t.Context())
	s.want(t, "afterwards", 0, map[string]int{"ready": 1})
}
