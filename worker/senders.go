package worker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/seal"
	"bareed/numbers"
	"bareed/whatsapp"
)

// sender is what a POST needs to know of its number besides the message.
type sender struct {
	number    numbers.Number
	token     whatsapp.Token
	box       *seal.Box // of the workspace, for the parameters
	perSecond int
	read      time.Time
}

// senders keeps numbers for a few seconds, so that a send costs no look-up. No
// gate hangs on it: the claim reads the rows themselves.
type senders struct {
	w  *Worker
	mu sync.Mutex
	of map[id.Number]sender
}

// senderAge is how long a changed token or throughput may go unnoticed.
const senderAge = 3 * time.Second

// coexistence is Meta's throughput of a number that is also in the WhatsApp
// Business app (Cloud API, "throughput").
const coexistence = 20

func newSenders(w *Worker) *senders { return &senders{w: w, of: map[id.Number]sender{}} }

func (s *senders) get(ctx context.Context, ws id.Workspace, n id.Number) (sender, error) {
	now := s.w.Clock()
	s.mu.Lock()
	known, ok := s.of[n]
	s.mu.Unlock()
	if ok && now.Sub(known.read) < senderAge {
		return known, nil
	}
	fresh, err := s.load(ctx, ws, n)
	if err != nil {
		return sender{}, err
	}
	fresh.read = now
	s.mu.Lock()
	s.of[n] = fresh
	s.mu.Unlock()
	return fresh, nil
}

func (s *senders) load(ctx context.Context, ws id.Workspace, n id.Number) (sender, error) {
	box, err := s.w.Vault.Box(ctx, ws)
	if err != nil {
		return sender{}, err
	}
	out := sender{box: box}
	err = s.w.Pool.InWorkspace(ctx, ws, func(tx pgx.Tx) (err error) {
		if out.number, err = numbers.Get(ctx, tx, ws, n); err != nil {
			return err
		}
		out.token, err = numbers.Token(ctx, tx, box, ws, out.number.WABA)
		return err
	})
	if err != nil {
		return sender{}, fmt.Errorf("read the sending number: %w", err)
	}
	out.perSecond = out.number.PerSecond
	if out.number.OnBizApp {
		out.perSecond = min(out.perSecond, coexistence)
	}
	return out, nil
}
