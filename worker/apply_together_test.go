package worker

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/queue"
	"bareed/whatsapp"
)

// line is a number with a run whose messages Meta has accepted.
type line struct {
	number id.Number
	run    id.Run
}

func (l line) wamid(ordinal int) string { return fmt.Sprintf("wamid.%s.%d", l.run, ordinal) }

// say is what Meta reports of one message.
func (l line) say(ordinal int, kind string, at time.Time) map[string]any {
	return map[string]any{"id": l.wamid(ordinal), "status": kind, "timestamp": fmt.Sprint(at.Unix())}
}

// newLines are numbers of one workspace, each with messages to the same people.
func newLines(t *testing.T, numbers, people int) (*heard, []line) {
	t.Helper()
	h := newHeard(t)
	h.AddPeople(t, h.Audience, people)
	first := h.Number
	defer func() { h.Number = first }()
	var lines []line
	for i := range numbers {
		if i > 0 {
			h.Number = id.New[id.Number]()
			h.Do(t, `insert into number (workspace_id, id, waba_id, portfolio_id, app_id, phone_number_id, display_phone, quality, status)
				values ($1, $2, $3, $4, $5, $6, '+966500000001', 'GREEN', 'CONNECTED')`,
				h.Workspace, h.Number, h.WABA, h.Portfolio, h.App, h.Number.String())
		}
		l := line{h.Number, h.Launch(t, fmt.Sprint("Line ", i)).RunID}
		h.Do(t, `update message set state = 'accepted', attempt = 1, accepted_at = bareed_now(), wamid = 'wamid.' || $3 || '.' || ordinal
			where workspace_id = $1 and run_id = $2`, h.Workspace, l.run, l.run.String())
		lines = append(lines, l)
	}
	return h, lines
}

// part is one number's part of a webhook.
func part(number string, contacts, statuses []map[string]any) whatsapp.StoredChange {
	raw, _ := json.Marshal(map[string]any{"metadata": map[string]string{"phone_number_id": number}, "contacts": contacts, "statuses": statuses})
	return whatsapp.StoredChange{Field: "messages", Value: raw}
}

func (h *heard) event(t *testing.T, parts ...whatsapp.StoredChange) id.Event {
	t.Helper()
	body, err := json.Marshal(whatsapp.Stored{Changes: parts})
	if err != nil {
		t.Fatal(err)
	}
	return h.keep(t, body)
}

func (h *heard) together(t *testing.T, events ...id.Event) error {
	t.Helper()
	box, err := h.Vault.Box(t.Context(), h.Workspace)
	if err != nil {
		t.Fatal(err)
	}
	return h.worker.applyTogether(t.Context(), box, h.Workspace, events)
}

// in counts the events in a state.
func (h *heard) in(t *testing.T, state string, events ...id.Event) int {
	t.Helper()
	return counted(t, h.Broadcast, `select count(*) from event where id = any ($1) and state = $2`, events, state)
}

func (h *heard) messagesIn(t *testing.T, state string) int {
	t.Helper()
	return counted(t, h.Broadcast, `select count(*) from message where workspace_id = $1 and state = $2`, h.Workspace, state)
}

// Good events of several numbers are applied by the joint attempt itself, in one
// transaction and not one by one behind it.
func TestGoodEventsAreAppliedTogether(t *testing.T) {
	t.Parallel()
	h, lines := newLines(t, 2, 3)
	a, b, now := lines[0], lines[1], time.Now()
	events := []id.Event{
		h.event(t, part(a.number.String(), nil, []map[string]any{a.say(1, "delivered", now), a.say(2, "delivered", now)})),
		h.event(t, part(b.number.String(), nil, []map[string]any{b.say(1, "delivered", now)}),
			part(a.number.String(), nil, []map[string]any{a.say(3, "delivered", now)})),
		h.event(t, part(b.number.String(), nil, []map[string]any{b.say(3, "delivered", now), b.say(2, "delivered", now)})),
	}
	if err := h.together(t, events...); err != nil {
		t.Fatal(err)
	}
	if n := h.in(t, "applied", events...); n != 3 {
		t.Errorf("%d of 3 events are applied", n)
	}
	if n := counted(t, h.Broadcast, `select count(distinct xmin::text) from event where id = any ($1)`, events); n != 1 {
		t.Errorf("they were applied in %d transactions", n)
	}
	if n := h.messagesIn(t, "delivered"); n != 6 {
		t.Errorf("%d of 6 messages are delivered", n)
	}
	if err := h.together(t, events...); err != nil {
		t.Errorf("applied events, again: %v", err)
	}
}

// One status that names nobody costs its own event a second look and the
// nineteen beside it nothing.
func TestStrayStatusAmongGoodEvents(t *testing.T) {
	t.Parallel()
	h, lines := newLines(t, 1, 20)
	l, now := lines[0], time.Now()
	var events []id.Event
	for i := range 20 {
		told := []map[string]any{l.say(i+1, "read", now)}
		if i == 7 {
			told = append(told, map[string]any{"id": "wamid.NOBODY", "status": "read", "timestamp": fmt.Sprint(now.Unix())})
		}
		events = append(events, h.event(t, part(l.number.String(), nil, told)))
	}
	task := queue.ApplyEvents{Workspace: h.Workspace, Events: events}
	if err := h.worker.applyEvents(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	if n := counted(t, h.Broadcast, `select count(*) from event where id = any ($1) and state = 'applied' and tries = 1 and unmatched = 0`, events); n != 19 {
		t.Errorf("%d events were applied at the first try, want 19", n)
	}
	if n := counted(t, h.Broadcast, `select count(*) from event where id = $1 and state = 'new' and tries = 1 and unmatched = 1`, events[7]); n != 1 {
		t.Error("the stray's event does not wait for a second look")
	}
	if n := counted(t, h.Broadcast, `select count(distinct xmin::text) from event where id = any ($1)`, events); n != 1 {
		t.Errorf("they were applied in %d transactions", n)
	}
	if n := h.messagesIn(t, "read"); n != 20 {
		t.Errorf("%d of 20 messages are read", n)
	}
}

// A webhook that lay here for two days is judged by its own time of arrival.
func TestEachEventHasItsOwnArrival(t *testing.T) {
	t.Parallel()
	h, lines := newLines(t, 1, 2)
	l, now := lines[0], time.Now().Truncate(time.Second)
	later := now.Add(48 * time.Hour)
	old := h.event(t, part(l.number.String(), nil, []map[string]any{l.say(1, "delivered", now)}))
	pgtest.MoveClock(t, h.Pool, 48*time.Hour)
	young := h.event(t, part(l.number.String(), nil, []map[string]any{l.say(2, "delivered", later)}))
	if err := h.together(t, old, young); err != nil {
		t.Fatal(err)
	}
	var got []time.Time
	h.In(t, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `select array_agg(delivered_at order by ordinal) from message where workspace_id = $1 and run_id = $2`,
			h.Workspace, l.run).Scan(&got)
	})
	if len(got) != 2 || !got[0].Equal(now) || !got[1].Equal(later) {
		t.Errorf("delivered at %v, want %v and %v", got, now, later)
	}
}

// bulk is n bytes that say nothing.
func bulk(n int) []map[string]any {
	return []map[string]any{{"padding": strings.Repeat("x", n)}}
}

func TestEventsTravelInBoundedCompanies(t *testing.T) {
	t.Parallel()
	h := newHeard(t)
	var events []id.Event
	for _, kib := range []int{100, 20, 20, 200, 1, 1, 60, 70} {
		events = append(events, h.event(t, part(h.Number.String(), bulk(kib<<10), nil)))
	}
	events = append(events, events[0], id.New[id.Event]()) // named twice, or not there
	got, err := h.worker.eventCompanies(t.Context(), h.Workspace, events)
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	at := 0
	for _, company := range got {
		sizes = append(sizes, len(company))
		for _, ev := range company {
			if ev != events[at] {
				t.Errorf("event %d is not in its place", at)
			}
			at++
		}
	}
	if want := []int{2, 1, 1, 3, 1}; fmt.Sprint(sizes) != fmt.Sprint(want) {
		t.Errorf("companies of %v, want %v", sizes, want)
	}
}

// When the joint attempt fails, large events are applied one by one in the same
// task, all but the one it failed for.
func TestLargeEventsAreAppliedBesideABrokenOne(t *testing.T) {
	t.Parallel()
	h, lines := newLines(t, 1, 9)
	l, now := lines[0], time.Now()
	var events []id.Event
	for i := range 9 {
		events = append(events, h.event(t, part(l.number.String(), bulk(30<<10), []map[string]any{l.say(i+1, "sent", now)})))
	}
	strange := h.event(t, part("0", nil, []map[string]any{l.say(1, "read", now)})) // a number nobody has
	task := queue.ApplyEvents{Workspace: h.Workspace, Events: append([]id.Event{strange}, events...)}
	h.Do(t, `update event set received_at = received_at - interval '1 minute' where id = $1`, strange)
	if err := h.worker.applyEvents(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	if n := h.in(t, "applied", events...); n != 9 || h.messagesIn(t, "sent") != 9 {
		t.Errorf("%d of 9 events are applied", n)
	}
	if h.in(t, "new", strange) != 1 {
		t.Error("the strange event is not tried again")
	}
}

// A first campaign's webhooks teach thousands of scoped ids in one task; no
// transaction of it holds more than a few hundred of the server's locks.
func TestManyNewPeopleInOneTask(t *testing.T) {
	t.Parallel()
	const events, each, most = 20, 300, 2*learnMost + 100
	h := newHeard(t)
	h.AddPeople(t, h.Audience, events*each)
	task := queue.ApplyEvents{Workspace: h.Workspace}
	for e := range events {
		var people []map[string]any
		for i := range each {
			n := e*each + i
			people = append(people, map[string]any{"wa_id": fmt.Sprintf("9665%08d", n), "user_id": fmt.Sprintf("SA.%d", n)})
		}
		task.Events = append(task.Events, h.event(t, part(h.Number.String(), people, nil)))
	}
	watch, done := pgtest.Owner(t, h.Pool), make(chan struct{})
	held := 0
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			var n int
			err := watch.QueryRow(t.Context(), `select coalesce(max(n), 0) from (select count(*) as n
				from pg_locks where database = (select oid from pg_database where datname = current_database()) group by pid) by`).Scan(&n)
			if err != nil {
				t.Errorf("count the locks: %v", err)
				return
			}
			held = max(held, n)
		}
	})
	err := h.worker.applyEvents(t.Context(), task)
	close(done)
	watching.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if n := h.in(t, "applied", task.Events...); n != events {
		t.Errorf("%d of %d events are applied", n, events)
	}
	if n := counted(t, h.Broadcast, `select count(*) from identity where kind = 'bsuid'`); n != events*each {
		t.Errorf("%d scoped ids were learned, want %d", n, events*each)
	}
	if held > most {
		t.Errorf("a transaction held %d locks, at most %d are meant", held, most)
	}
}

// Tasks that name the messages of two numbers in opposite order never deadlock.
func TestOppositeOrdersDoNotDeadlock(t *testing.T) {
	t.Parallel()
	const tasks, rounds, people = 4, 30, 40
	h, lines := newLines(t, 2, people)
	deadlocks := pgtest.CountDeadlocks(t, h.Pool)
	told := func(l line, back bool) whatsapp.StoredChange {
		var list []map[string]any
		for i := range people {
			o := i + 1
			if back {
				o = people - i
			}
			list = append(list, l.say(o, "delivered", time.Now()))
		}
		return part(l.number.String(), nil, list)
	}
	var events [tasks][]id.Event
	for g := range events {
		for range rounds {
			events[g] = append(events[g], h.event(t, told(lines[g%2], g%2 == 1), told(lines[1-g%2], g%2 == 1)))
		}
	}
	var wg sync.WaitGroup
	for g := range events {
		wg.Go(func() {
			for _, ev := range events[g] {
				if err := h.together(t, ev); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := deadlocks(); n > 0 {
		t.Errorf("%d deadlocks", n)
	}
	if n := h.messagesIn(t, "delivered"); n != 2*people {
		t.Errorf("%d of %d messages are delivered", n, 2*people)
	}
}
