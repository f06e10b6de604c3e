// Package sandbox plays Meta for the demo, the tests and rehearsals: the Graph
// endpoints the product uses, as strict as Meta's, limits, quality, scripted
// faults, signed webhooks and a clock of its own.
//
// It is also the judge of every proof: each message request is written to the
// journal before anything else is decided, so what Meta "accepted" is known
// whatever became of the answer. cmd starts it, tests embed it. It knows nothing
// of the product's storage, queue or campaigns, only the wire.
package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"bareed/internal/clock"
	"bareed/sandbox/agenda"
	"bareed/sandbox/hooks"
	"bareed/sandbox/journal"
)

// Config builds a Server.
type Config struct {
	// ListenAddr is where Run serves, "127.0.0.1:0" for a free port. Empty: Run
	// only delivers webhooks and the caller serves Handler.
	ListenAddr string
	// JournalPath is a JSON-lines file; an existing one is read and continued.
	// Empty keeps the journal in memory only.
	JournalPath string
	Clock       clock.Clock  // the system's
	Log         *slog.Logger // none
	// Seed makes every chance repeatable; 0 draws one.
	Seed uint64
	// Deliverers is how many webhook POSTs may be under way at once; 8.
	Deliverers int
	// RetryBase is the wait before the second try of a webhook, doubled each time
	// up to RetryMax; 250 ms and 30 s.
	RetryBase time.Duration
	RetryMax  time.Duration
}

// Server is one pretended Meta. Its exported methods are safe for concurrent use.
type Server struct {
	cfg      Config
	log      *slog.Logger
	listener net.Listener
	journal  *journal.Journal
	hooks    *hooks.Client
	wake     chan struct{}
	boot     string // part of every wamid, so that a restart never repeats one

	mu         sync.Mutex // guards what follows
	offset     time.Duration
	rng        *mathrand.Rand
	counter    int64 // wamids, fault ids
	apps       map[string]*App
	portfolios map[string]*portfolio
	wabas      map[string]*waba
	numbers    map[string]*number
	tokens     map[string]*Token
	people     map[string]*Person // by wa_id
	byUserID   map[string]string  // business-scoped user id to wa_id
	scenario   Scenario
	faults     []*Fault
	holds      []*Hold
	held       []*message
	magicSeen  map[string]int
	queue      agenda.Agenda[due]
	inFlight   int
	counts     hookCounts
}

// New checks the configuration, opens the journal and, with a ListenAddr, the
// port, so that URL is known before Run.
func New(cfg Config) (*Server, error) {
	if cfg.Clock == nil {
		cfg.Clock = clock.System
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Deliverers <= 0 {
		cfg.Deliverers = 8
	}
	if cfg.RetryBase <= 0 {
		cfg.RetryBase = 250 * time.Millisecond
	}
	if cfg.RetryMax <= 0 {
		cfg.RetryMax = 30 * time.Second
	}
	var boot [6]byte
	_, _ = rand.Read(boot[:]) // never fails
	if cfg.Seed == 0 {
		for _, b := range boot {
			cfg.Seed = cfg.Seed<<8 | uint64(b)
		}
	}
	s := &Server{cfg: cfg, log: cfg.Log, wake: make(chan struct{}, 1), boot: hex.EncodeToString(boot[:]), hooks: hooks.NewClient(cfg.Deliverers)}
	s.clear()
	var err error
	if s.journal, err = journal.Open(cfg.JournalPath); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if cfg.ListenAddr != "" {
		if s.listener, err = net.Listen("tcp", cfg.ListenAddr); err != nil {
			return nil, errors.Join(fmt.Errorf("listen: %w", err), s.journal.Close())
		}
	}
	return s, nil
}

// clear sets everything but the journal back; callers hold mu or own s.
func (s *Server) clear() {
	s.offset = 0
	s.rng = mathrand.New(mathrand.NewPCG(s.cfg.Seed, 0x6261726565640000))
	s.apps = map[string]*App{}
	s.portfolios = map[string]*portfolio{}
	s.wabas = map[string]*waba{}
	s.numbers = map[string]*number{}
	s.tokens = map[string]*Token{}
	s.people = map[string]*Person{}
	s.byUserID = map[string]string{}
	s.scenario = DefaultScenario()
	s.faults, s.holds, s.held = nil, nil, nil
	s.magicSeen = map[string]int{}
	s.queue, s.counts = agenda.Agenda[due]{}, hookCounts{}
}

// URL is the base URL of the Graph endpoints; "" without a ListenAddr.
func (s *Server) URL() string {
	if s.listener == nil {
		return ""
	}
	return "http://" + s.listener.Addr().String()
}

// Handler serves Graph under /{version}/… and the controls under /sandbox/….
func (s *Server) Handler() http.Handler {
	control := s.controlRoutes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/sandbox/") {
			control.ServeHTTP(w, r)
			return
		}
		s.serveGraph(w, r)
	})
}

// Run serves (when there is a ListenAddr) and delivers webhooks until ctx ends,
// then closes connections and the journal. It returns nil after a clean stop and
// can be called once.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { s.pump(ctx) })
	var failed error
	if s.listener != nil {
		srv := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
		wg.Go(func() {
			if err := srv.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
				failed = fmt.Errorf("serve sandbox: %w", err)
				cancel()
			}
		})
		<-ctx.Done()
		_ = srv.Close() // a slow scripted answer must not hold the stop up
	}
	<-ctx.Done()
	wg.Wait()
	return errors.Join(failed, s.journal.Close())
}

// Now is the sandbox's own time.
func (s *Server) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// now needs mu.
func (s *Server) now() time.Time { return s.cfg.Clock().Add(s.offset) }

// next needs mu; it numbers things in the order they happen.
func (s *Server) next() int64 {
	s.counter++
	return s.counter
}

// chance needs mu; it is true with probability p.
func (s *Server) chance(p float64) bool { return p > 0 && (p >= 1 || s.rng.Float64() < p) }

// pick needs mu; a duration between both ends of a range in milliseconds.
func (s *Server) pick(ms [2]int) time.Duration {
	d := ms[0]
	if ms[1] > ms[0] {
		d += s.rng.IntN(ms[1] - ms[0] + 1)
	}
	return time.Duration(d) * time.Millisecond
}

func readBody(r *http.Request) ([]byte, error) {
	const limit = 1 << 20
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err == nil && len(body) > limit {
		err = errors.New("body too large")
	}
	return body, err
}
