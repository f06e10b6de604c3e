//go:build unix

package bench

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"bareed/internal/bench/fair"
	"bareed/internal/id"
	"bareed/internal/rig"
	"bareed/numbers"
	"bareed/sandbox"
)

// product is the running product with a world to send from.
type product struct {
	*world
	stand      *stand
	rig        *rig.Rig
	names      []string // of its processes
	postmaster int
	client     *http.Client // of the ceiling
}

// product measures the whole path with real processes.
func (s *stand) product(ctx context.Context) error {
	p, err := s.startProduct(ctx)
	if err != nil {
		return err
	}
	defer p.rig.Stop()
	if slices.Contains(s.Parts, Sends) {
		if err := p.sends(ctx, 1); err != nil {
			return err
		}
	}
	if err := p.addWorker(ctx); err != nil {
		return err
	}
	if slices.Contains(s.Parts, Sends) {
		if err := p.sends(ctx, 2); err != nil {
			return err
		}
	}
	if slices.Contains(s.Parts, Rate) {
		if err := p.fidelities(ctx); err != nil {
			return err
		}
	}
	if !slices.Contains(s.Parts, Fair) {
		return nil
	}
	f, err := fair.Measure(ctx, fair.Options{Rig: p.rig, Say: s.say})
	if err == nil {
		s.report.Figures = append(s.report.Figures, f)
	}
	return err
}

func (s *stand) startProduct(ctx context.Context) (*product, error) {
	s.say("building and starting the product")
	bin := s.Binary
	if bin == "" {
		var err error
		if bin, err = rig.Build(ctx, s.servers.dir, s.Log); err != nil {
			return nil, err
		}
	}
	w, err := s.theWorld(ctx)
	if err != nil {
		return nil, err
	}
	p := &product{world: w, stand: s, postmaster: s.servers.postmaster(ctx), names: []string{"sandbox", "scheduler1", "worker1", "api"}}
	p.rig, err = rig.Start(ctx, rig.Config{Binary: bin, DatabaseURL: s.servers.url, RedisURL: s.servers.redisURL,
		MasterKey: s.servers.masterKey, Dir: s.servers.dir, Workers: 1, Schedulers: 1, Log: s.Log})
	if err != nil {
		return nil, err
	}
	if err := p.prepare(ctx); err != nil {
		p.rig.Stop()
		return nil, err
	}
	return p, nil
}

// prepare makes a Meta that never asks to wait for a pair, since each person
// gets a message of every run, and the ceiling's account on it.
func (p *product) prepare(ctx context.Context) error {
	n, err := p.addNumber(ctx, 1)
	if err != nil {
		return err
	}
	if err := p.know(ctx, n, 1); err != nil {
		return err
	}
	if err := p.rig.Control(ctx, "/sandbox/seed", p.bareSeed(), nil); err != nil {
		return err
	}
	p.client = &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: bareConns,
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}}
	return p.scenario(ctx, map[string]any{"pair_interval_ms": 0})
}

// know tells the sandbox of a number.
func (p *product) know(ctx context.Context, n numbers.Number, rate int) error {
	return p.rig.Control(ctx, "/sandbox/seed", p.seed(n, rate, p.rig.URL+"/webhooks/meta/"+metaApp), nil)
}

func (p *product) scenario(ctx context.Context, settings map[string]any) error {
	return p.rig.Control(ctx, "/sandbox/scenario", settings, nil)
}

func (p *product) addWorker(ctx context.Context) error {
	if err := p.rig.StartProcess(ctx, "worker2"); err != nil {
		return err
	}
	p.names = append(p.names, "worker2")
	return p.rig.WaitReady(ctx, "worker2")
}

// accepted is how many messages of a run Meta has accepted.
func accepted(sum sandbox.Summary, run id.Run) int64 { return sum.ByRun[hex.EncodeToString(run[:])] }

// untilSent waits until Meta has accepted n messages of a run.
func (p *product) untilSent(ctx context.Context, run id.Run, n int, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var seen int64
	err := rig.Until(ctx, 250*time.Millisecond, func() (bool, error) {
		sum, err := p.rig.Summary(ctx)
		seen = max(seen, accepted(sum, run))
		return seen >= int64(n), err
	})
	if err != nil {
		return fmt.Errorf("%d of %d messages were sent: %w", seen, n, err)
	}
	return nil
}

const sqlOpenEvents = `select count(*) from event where state = 'new'`

// untilQuiet waits until every webhook is delivered and applied.
func (p *product) untilQuiet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return rig.Until(ctx, 100*time.Millisecond, func() (bool, error) {
		sum, err := p.rig.Summary(ctx)
		if err != nil || sum.Webhooks.Pending > 0 {
			return false, err
		}
		var n int
		err = p.owner.QueryRow(ctx, sqlOpenEvents).Scan(&n)
		return n == 0, err
	})
}

// mark is the journal's present end.
func (p *product) mark(ctx context.Context) (int64, error) {
	sum, err := p.rig.Summary(ctx)
	return sum.Requests, err
}

// arrivals are the instants of a number's accepted POSTs behind a mark.
func (p *product) arrivals(ctx context.Context, n numbers.Number, after int64) ([]time.Time, error) {
	entries, err := p.rig.Journal(ctx, after)
	if err != nil {
		return nil, err
	}
	var at []time.Time
	for _, e := range entries {
		if e.NumberID == n.PhoneNumberID && e.Accepted {
			at = append(at, e.At)
		}
	}
	slices.SortFunc(at, time.Time.Compare)
	return at, nil
}

// bareBody is what the ceiling posts: the very body that the worker sends, but
// for the callback data, which names no message.
func (p *product) bareBody(i int) ([]byte, error) {
	return json.Marshal(map[string]any{
		"messaging_product": "whatsapp", "recipient_type": "individual", "to": p.people[i%len(p.people)].phone,
		"type": "template", "biz_opaque_callback_data": fmt.Sprintf("v0.%032d.%08d.1.0123456789abcdef", 0, i),
		"template": map[string]any{"name": p.tpl.Name, "language": map[string]string{"code": p.tpl.Language},
			"components": []any{map[string]any{"type": "body", "parameters": []any{map[string]string{"type": "text", "text": "Amal"}}}}},
	})
}
