package sandbox

import (
	"context"
	"fmt"
	"sync"
	"time"

	"bareed/internal/clock"
	"bareed/sandbox/asset"
	"bareed/sandbox/hooks"
	"bareed/whatsapp"
)

// Steps of a message's life, as status names.
const (
	stepSent = iota
	stepDelivered
	stepRead
	stepFailed
)

var stepNames = [4]string{whatsapp.KindSent, whatsapp.KindDelivered, whatsapp.KindRead, whatsapp.KindFailed}

type hookCounts struct {
	statuses  [len(stepNames)]int64
	overLimit int64
	webhooks  WebhookSummary
}

// due is something that is to happen: a step of a message, a ready event,
// or another try of a POST. Exactly one of the three is set.
type due struct {
	msg   *message
	step  int
	event *event
	post  *post
}

// event is one status or one change on its way to the apps of a WABA.
type event struct {
	waba *waba
	hooks.Event
}

// post is one webhook body for one app; every try has the same bytes.
type post struct {
	appID string
	url   string
	body  []byte
	tries int
	first time.Time
}

// later needs mu.
func (s *Server) later(at time.Time, d due) {
	s.queue.Add(at, d)
	s.rouse()
}

// start sets a message on its way, or holds it back.
func (s *Server) start(m *message, held bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if held {
		s.held = append(s.held, m)
		return
	}
	s.schedule(m)
}

// schedule needs mu; it plans every step of a message at once.
func (s *Server) schedule(m *message) {
	at := s.now().Add(s.pick(s.scenario.SentDelayMS))
	if m.failCode != 0 {
		s.later(at, due{msg: m, step: stepFailed})
		return
	}
	steps := []int{stepSent}
	times := []time.Time{at}
	if !m.noArrive {
		at = at.Add(s.pick(s.scenario.DeliveredDelayMS))
		steps, times = append(steps, stepDelivered), append(times, at)
		if m.read || !m.noRead {
			steps, times = append(steps, stepRead), append(times, at.Add(s.pick(s.scenario.ReadDelayMS)))
		}
	}
	if s.scenario.Reorder {
		s.rng.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	}
	for i, step := range steps {
		s.later(times[i], due{msg: m, step: step})
	}
}

// emit needs mu; it makes the event of a step, nil when the portfolio's limit
// keeps the message from arriving.
func (s *Server) emit(d due, now time.Time) *event {
	m, p := d.msg, d.msg.number.waba.portfolio
	if (d.step == stepDelivered || d.step == stepRead) && !m.counted {
		m.counted = true
		if !m.inWindow && !p.reached.Reach(m.person(), now, p.People()) {
			m.lost = true
			s.counts.overLimit++
			if s.scenario.OverLimitCode != 0 {
				m.failCode = s.scenario.OverLimitCode
				s.later(now, due{msg: m, step: stepFailed})
			}
		}
	}
	if m.lost && d.step != stepSent && d.step != stepFailed {
		return nil
	}
	if !m.emitted[d.step] {
		m.emitted[d.step] = true
		s.counts.statuses[d.step]++
	}
	st, contact := s.status(m, d.step, now)
	n := m.number
	return &event{n.waba, hooks.Event{EntryID: n.WABAID, NumberID: n.ID, Display: asset.Digits(n.DisplayPhone), Status: &st, Contact: contact}}
}

// change needs mu; it queues an account event for the WABA's apps at once.
func (s *Server) change(w *waba, entryID, field string, value any) {
	s.later(s.now(), due{event: &event{w, hooks.Event{EntryID: entryID, Field: field, Value: value}}})
}

// pump turns due items into webhooks until ctx ends.
func (s *Server) pump(ctx context.Context) {
	posts := make(chan *post)
	var wg sync.WaitGroup
	for range s.cfg.Deliverers {
		wg.Go(func() {
			for p := range posts {
				s.deliver(ctx, p)
			}
		})
	}
	defer wg.Wait()
	defer close(posts)
	for {
		ready, pause := s.collect()
		for _, p := range ready {
			select {
			case posts <- p:
			case <-ctx.Done():
				return
			}
		}
		// A short rest lets statuses gather, as Meta batches them.
		if !clock.Pause(ctx, 5*time.Millisecond) {
			return
		}
		if pause <= 0 {
			continue
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-s.wake:
		case <-ctx.Done():
		}
		t.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// collect takes what is due and says how long to wait for the next.
func (s *Server) collect() ([]*post, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scenario.Outage {
		return nil, time.Second // waking at the end of the outage is quicker
	}
	now := s.now()
	var ready []*post
	batches := map[[2]string][]hooks.Event{}
	for range 4000 {
		d, ok := s.queue.Take(now)
		if !ok {
			break
		}
		e := d.event
		if d.post != nil {
			ready = append(ready, d.post)
			continue
		}
		if d.msg != nil {
			if e = s.emit(d, now); e == nil {
				continue
			}
		}
		s.counts.webhooks.Events++
		s.fanOut(batches, e)
		if s.chance(s.scenario.DoubleProbability) {
			s.later(now.Add(s.pick([2]int{1, 200})), due{event: e})
		}
	}
	for app, events := range batches {
		ready = append(ready, s.posts(app, events, now)...)
	}
	s.inFlight += len(ready)
	next, ok := s.queue.Next()
	if !ok {
		return ready, time.Minute
	}
	return ready, next.Sub(now)
}

// fanOut needs mu; only messages can go to another address than the app's.
func (s *Server) fanOut(batches map[[2]string][]hooks.Event, e *event) {
	for appID, override := range e.waba.subscribers {
		app := s.apps[appID]
		if app == nil {
			continue
		}
		to := app.CallbackURL
		if override != "" && (e.Status != nil || e.Field == "messages") {
			to = override
		}
		if to != "" {
			key := [2]string{appID, to}
			batches[key] = append(batches[key], e.Event)
		}
	}
}

// posts needs mu; it cuts events into bodies of at most BatchSize.
func (s *Server) posts(app [2]string, events []hooks.Event, now time.Time) []*post {
	if s.scenario.Reorder {
		s.rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	}
	var out []*post
	for len(events) > 0 {
		n := min(len(events), max(s.scenario.BatchSize, 1))
		raw, err := hooks.Encode(events[:n], now)
		events = events[n:]
		if err != nil {
			s.log.Error("encode webhook", "err", err)
			continue
		}
		p := &post{appID: app[0], url: app[1], body: raw, first: now}
		out = append(out, p)
		if s.chance(s.scenario.RepeatProbability) {
			again := *p
			out = append(out, &again)
		}
	}
	return out
}

// deliver makes one try; anything but 200 is tried again later, less and less
// often, for seven days.
func (s *Server) deliver(ctx context.Context, p *post) {
	s.mu.Lock()
	app := s.apps[p.appID]
	if app == nil { // forgotten by a reset
		s.inFlight--
		s.mu.Unlock()
		return
	}
	secret := app.Secret
	s.mu.Unlock()
	ok := s.hooks.Post(ctx, p.url, p.body, secret)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight--
	s.counts.webhooks.Posts++
	if ok {
		s.counts.webhooks.Acknowledged++
		return
	}
	s.counts.webhooks.Refused++
	p.tries++
	now := s.now()
	if now.Sub(p.first) > 7*24*time.Hour {
		s.counts.webhooks.GivenUp++
		return
	}
	pause := min(s.cfg.RetryBase<<min(p.tries-1, 16), s.cfg.RetryMax)
	s.later(now.Add(pause), due{post: p})
}

// VerifyCallback makes Meta's handshake with an app's callback: GET with a
// challenge that must come back.
func (s *Server) VerifyCallback(ctx context.Context, appID string) error {
	s.mu.Lock()
	app := s.apps[appID]
	challenge := fmt.Sprint(s.rng.Uint32())
	s.mu.Unlock()
	if app == nil {
		return fmt.Errorf("app %s is not known", appID)
	}
	return s.hooks.Verify(ctx, app.CallbackURL, app.VerifyToken, challenge)
}
