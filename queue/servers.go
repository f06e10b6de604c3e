package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// ServersConfig of one worker process; a zero number is its default.
type ServersConfig struct {
	Redis *redis.Options // from ParseURL
	Mux   *Mux
	Log   *slog.Logger

	Slots       int           // sends at once, an eighth of them for replies alone; 128
	SendServers int           // how many servers share those of campaigns; 4
	EventSlots  int           // 4
	ImportSlots int           // imports, checks and plans at once; 4
	SyncSlots   int           // 4
	Poll        time.Duration // how long an idle server waits before it looks again, ± half; 50 ms
	Shutdown    time.Duration // how long Run waits for what is in flight; 25 s
}

// Servers takes tasks out of the queues and runs their handlers.
//
// One asynq server fetches one task a round trip, whatever its concurrency, so
// campaigns' sends have several. Each other queue has its own server: a reply
// never waits behind a campaign, an import cannot take a send's slot, nor keep
// events waiting. No server serves two queues: it would ask Redis for each task
// of the second in vain at the first.
type Servers struct {
	cfg    ServersConfig
	log    *slog.Logger
	rdb    *redis.Client
	all    []*asynq.Server
	cancel context.CancelFunc // ends the contexts of handlers other than sends
}

// NewServers prepares them; Run starts them.
func NewServers(cfg ServersConfig) *Servers {
	def := func(n *int, v int) {
		if *n <= 0 {
			*n = v
		}
	}
	def(&cfg.Slots, 128)
	def(&cfg.SendServers, 4)
	def(&cfg.EventSlots, 4)
	def(&cfg.ImportSlots, 4)
	def(&cfg.SyncSlots, 4)
	if cfg.Poll <= 0 {
		cfg.Poll = 50 * time.Millisecond
	}
	if cfg.Shutdown <= 0 {
		cfg.Shutdown = 25 * time.Second
	}
	return &Servers{cfg: cfg, log: cfg.Log}
}

// Run serves until ctx ends, then fetches no more, lets what is in flight
// finish for the time of Shutdown, and returns. It runs once.
func (s *Servers) Run(ctx context.Context) error {
	// A slot needs a connection to acknowledge; each server a few to fetch and to tend its queues.
	c := s.cfg
	s.rdb = clone(c.Redis, c.Slots+c.EventSlots+c.ImportSlots+c.SyncSlots+4*(c.SendServers+3))
	defer func() { _ = s.rdb.Close() }() // nothing is left in it to lose
	background, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.cancel = cancel
	s.build(background)
	for i, srv := range s.all {
		if err := srv.Start(asynq.HandlerFunc(s.cfg.Mux.process)); err != nil {
			s.stop(s.all[:i])
			return fmt.Errorf("start server: %w", err)
		}
	}
	<-ctx.Done()
	s.stop(s.all)
	return nil
}

func (s *Servers) build(background context.Context) {
	replies := max(1, s.cfg.Slots/replyShare)
	left := max(1, s.cfg.Slots-replies)
	for i := min(s.cfg.SendServers, left); i > 0; i-- {
		slots := left / i
		left -= slots
		s.add(context.Background(), slots, Send)
	}
	s.add(context.Background(), replies, SendReply)
	s.add(background, s.cfg.EventSlots, Events)
	s.add(background, s.cfg.ImportSlots, Import)
	s.add(background, s.cfg.SyncSlots, Sync)
}

// replyShare: an eighth of the slots is kept for replies.
const replyShare = 8

func (s *Servers) add(base context.Context, slots int, queue string) {
	s.all = append(s.all, asynq.NewServerFromRedisClient(s.rdb, asynq.Config{
		Concurrency:              slots,
		Queues:                   map[string]int{queue: 1},
		BaseContext:              func() context.Context { return base },
		TaskCheckInterval:        s.cfg.Poll,
		DelayedTaskCheckInterval: time.Second,
		ShutdownTimeout:          s.cfg.Shutdown,
		RetryDelayFunc:           retryDelay,
		IsFailure:                func(err error) bool { return !errors.Is(err, context.Canceled) },
		Logger:                   logger{s.log},
		LogLevel:                 asynq.WarnLevel,
	}))
}

// retryDelay is 1 to 5 s, the same each time: a task waits for PostgreSQL, and
// rows that wait longer are fed again anyhow.
func retryDelay(int, error, *asynq.Task) time.Duration {
	return time.Second + rand.N(4*time.Second)
}

// stop ends them all at once. Handlers that can go on later (an import, a plan)
// hear of it a fifth of the time before asynq gives up, to leave in order.
func (s *Servers) stop(servers []*asynq.Server) {
	began := time.Now()
	warn := time.AfterFunc(s.cfg.Shutdown*4/5, s.cancel)
	defer warn.Stop()
	var wg sync.WaitGroup
	for _, srv := range servers {
		wg.Go(func() {
			srv.Stop()
			srv.Shutdown()
		})
	}
	wg.Wait()
	s.cancel()
	if !s.cfg.Mux.drained(max(s.cfg.Shutdown-time.Since(began), time.Second)) {
		s.log.Warn("stopped with handlers still running")
	}
}

// logger is asynq's way into ours. It is started at warnings: what asynq calls
// information is every start and stop of its parts.
type logger struct{ log *slog.Logger }

func (l logger) Debug(a ...any) { l.log.Debug(fmt.Sprint(a...), "from", "asynq") }
func (l logger) Info(a ...any)  { l.log.Debug(fmt.Sprint(a...), "from", "asynq") }
func (l logger) Warn(a ...any)  { l.log.Warn(fmt.Sprint(a...), "from", "asynq") }
func (l logger) Error(a ...any) { l.log.Error(fmt.Sprint(a...), "from", "asynq") }
func (l logger) Fatal(a ...any) { l.log.Error(fmt.Sprint(a...), "from", "asynq") }
