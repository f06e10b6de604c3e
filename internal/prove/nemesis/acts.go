//go:build unix

package nemesis

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"bareed/client"
	"bareed/internal/clock"
	"bareed/sandbox"
)

// Settled is how the sandbox behaves while nothing of a plan says otherwise: some
// statuses come twice, whole bodies too, and in no order.
func Settled() map[string]any {
	return map[string]any{"sent_delay_ms": [2]int{50, 250}, "delivered_delay_ms": [2]int{20, 400}, "read_delay_ms": [2]int{20, 400},
		"latency_ms": 5, "latency_jitter_ms": 30, "double_probability": 0.05, "repeat_probability": 0.02, "reorder": true,
		"outage": false, "pair_burst": 1000}
}

// Standing are the faults that Meta has all the time, with their probabilities.
func Standing(share float64) []sandbox.Fault {
	return []sandbox.Fault{
		{Kind: sandbox.KindCut, Probability: 1 * share}, {Kind: sandbox.KindReset, Probability: 0.5 * share},
		{Kind: sandbox.KindCutBody, Probability: 0.5 * share}, {Kind: sandbox.KindHTMLAccept, Probability: 0.3 * share},
		{Kind: sandbox.KindHTML, Probability: 0.3 * share}, {Kind: sandbox.KindCutBefore, Probability: 0.5 * share},
		{Kind: sandbox.KindNoID, Probability: 0.2 * share}, {Kind: sandbox.KindSlow, SlowMS: 2000, Probability: 0.3 * share},
		{Kind: sandbox.KindFail, Code: 131026, Probability: 2 * share}, {Kind: sandbox.KindRefuse, Code: 131056, Probability: 0.5 * share},
	}
}

// AddFaults gives the sandbox its standing faults.
func (w *World) AddFaults(ctx context.Context, list []sandbox.Fault) error {
	for _, f := range list {
		if err := w.Rig.Control(ctx, "/sandbox/faults", f, nil); err != nil {
			return err
		}
	}
	return nil
}

// meta plays Meta's weather. The outage named end lasts until Calm.
func (w *World) meta(ctx context.Context, s Step) error {
	set := func(v any) error { return w.Rig.Control(ctx, "/sandbox/scenario", v, nil) }
	switch s.Do {
	case Storm:
		return w.Rig.Control(ctx, "/sandbox/faults", sandbox.Fault{Kind: sandbox.KindRefuse, Code: 130429, Count: s.Times}, nil)
	case Fault:
		f := sandbox.Fault{Count: s.Times, SlowMS: int(s.For.Milliseconds())}
		_, _ = fmt.Sscan(s.On, &f.Kind, &f.Code) // most kinds have no code
		return w.AddFaults(ctx, []sandbox.Fault{f})
	case Gateway:
		return w.Rig.Control(ctx, "/sandbox/faults", sandbox.Fault{Kind: sandbox.KindHTML, Count: s.Times}, nil)
	case Late:
		if err := set(map[string]any{"sent_delay_ms": [2]int{5000, 15000}}); err != nil {
			return err
		}
		clock.Pause(ctx, s.For)
		return set(map[string]any{"sent_delay_ms": Settled()["sent_delay_ms"]})
	}
	if s.On == "end" {
		w.mu.Lock()
		w.ended = true
		w.mu.Unlock()
		return set(map[string]any{"outage": true})
	}
	if err := set(map[string]any{"outage": true}); err != nil {
		return err
	}
	clock.Pause(ctx, s.For)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return nil
	}
	return set(map[string]any{"outage": false})
}

// Calm ends every disturbance but the outage of webhooks, which Receipts ends.
func (w *World) Calm(ctx context.Context) error {
	for _, name := range w.Names() {
		_ = w.Rig.Process(name).Signal(syscall.SIGCONT) // gone already is as good
	}
	if err := w.Net.Heal(); err != nil {
		return err
	}
	return w.clearFaults(ctx)
}

func (w *World) clearFaults(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, w.Rig.Sandbox+"/sandbox/faults", nil)
	if err != nil {
		return fmt.Errorf("clear the faults: %w", err)
	}
	res, err := w.Rig.HTTP.Do(req)
	if err != nil {
		return fmt.Errorf("clear the faults: %w", err)
	}
	return res.Body.Close()
}

// Receipts lets Meta's webhooks come.
func (w *World) Receipts(ctx context.Context) error {
	return w.Rig.Control(ctx, "/sandbox/scenario", Settled(), nil)
}

// Names are the processes that may be disturbed.
func (w *World) Names() []string {
	names := []string{"api"}
	for i := range w.Rig.Workers {
		names = append(names, fmt.Sprintf("worker%d", i+1))
	}
	for i := range w.Rig.Schedulers {
		names = append(names, fmt.Sprintf("scheduler%d", i+1))
	}
	return names
}

const sqlJump = `update clock_offset set shift = shift + $1`

// Jump moves the database's clock forward, under everybody who works by it.
func (w *World) Jump(ctx context.Context, d time.Duration) error {
	w.History.Note(Jump, "postgres", d.String())
	_, err := w.Admin.Exec(ctx, sqlJump, d)
	return err
}

// buttons presses what the queues' dashboard offers, on up to Times tasks of each
// state; again and again when it lasts.
func (w *World) buttons(ctx context.Context, s Step) error {
	began := time.Now()
	for {
		err := w.press(s.Times)
		if time.Since(began) >= s.For || !clock.Pause(ctx, 20*time.Millisecond) {
			return err
		}
	}
}

func (w *World) press(n int) error {
	const queue = "send"
	pressed := 0
	defer func() { w.count(Buttons, pressed) }()
	press := func(err error) {
		if err == nil {
			pressed++
		}
	}
	pending, err := w.Inspector.ListPendingTasks(queue)
	if err != nil {
		return err // the queue is not there just after a flush
	}
	for i, t := range pending[:min(n, len(pending))] {
		if i%2 == 0 {
			press(w.Inspector.DeleteTask(queue, t.ID))
		} else {
			press(w.Inspector.ArchiveTask(queue, t.ID))
		}
	}
	active, err := w.Inspector.ListActiveTasks(queue)
	if err != nil {
		return err
	}
	for _, t := range active[:min(n, len(active))] {
		press(w.Inspector.CancelProcessing(t.ID))
	}
	archived, err := w.Inspector.ListArchivedTasks(queue)
	if err != nil {
		return err
	}
	for i, t := range archived[:min(n, len(archived))] {
		if i%2 == 0 {
			press(w.Inspector.RunTask(queue, t.ID))
		} else {
			press(w.Inspector.DeleteTask(queue, t.ID))
		}
	}
	return nil
}

// person does what people do: refuse, pause, stop.
func (w *World) person(ctx context.Context, s Step) error {
	switch s.Do {
	case Refuse:
		_, err := w.Client.RecordConsent(ctx, client.NewConsent{Action: "opt_out", Phone: s.On, Method: "web_form", Source: "https://acme.example/leave"})
		return err
	case WriteStop:
		return w.Rig.Control(ctx, "/sandbox/inbound", sandbox.Inbound{NumberID: w.Tenant.Meta.Number, From: s.On, Text: "STOP"}, nil)
	case Pause:
		return w.pause(ctx, s)
	case Frozen:
		return w.frozen(ctx, s)
	}
	if _, err := w.Client.StopCampaign(ctx, w.Campaigns[s.On]); err != nil {
		return err
	}
	w.mark(Mark{Do: Stop, On: s.On, At: w.stopped(ctx, s.On)})
	return nil
}

func (w *World) pause(ctx context.Context, s Step) error {
	w.hands(1) // who resumes for a rule's stop would lift the pause too
	defer w.hands(-1)
	campaign := w.Campaigns[s.On]
	if _, err := w.Client.PauseCampaign(ctx, campaign); err != nil {
		return err
	}
	at := w.stopped(ctx, s.On)
	clock.Pause(ctx, s.For)
	w.mark(Mark{Do: s.Do, On: s.On, At: at, Until: time.Now()})
	_, err := w.Client.ResumeCampaign(ctx, campaign, client.Resume{})
	return err
}

// frozen freezes every worker with its queue full, pauses meanwhile, and lets
// them go on: what they had before them is no longer permitted.
func (w *World) frozen(ctx context.Context, s Step) error {
	w.hands(1)
	defer w.hands(-1)
	signal := func(sig syscall.Signal) {
		var wg sync.WaitGroup
		for i := range w.Rig.Workers {
			wg.Go(func() { _ = w.Rig.Process(fmt.Sprintf("worker%d", i+1)).Signal(sig) }) // one that just ended holds nothing
		}
		wg.Wait()
	}
	signal(syscall.SIGSTOP)
	resume := sync.OnceFunc(func() { signal(syscall.SIGCONT) })
	defer resume()
	clock.Pause(ctx, 500*time.Millisecond)
	campaign := w.Campaigns[s.On]
	if _, err := w.Client.PauseCampaign(ctx, campaign); err != nil {
		return err
	}
	at := w.stopped(ctx, s.On)
	clock.Pause(ctx, time.Until(at.Add(500*time.Millisecond)))
	resume()
	clock.Pause(ctx, s.For)
	w.mark(Mark{Do: Frozen, On: s.On, At: at, Until: time.Now()})
	_, err := w.Client.ResumeCampaign(ctx, campaign, client.Resume{})
	return err
}

const sqlStopped = `
select pg_xact_commit_timestamp(s.xmin)
from stop s
join run r on r.workspace_id = s.workspace_id and s.scope_id in (r.campaign_id, r.id)
where replace(r.id::text, '-', '') = $1
  and s.cleared_at is null
  and not s.by_rule
order by s.since desc
limit 1`

// stopped is when a stop that was just acknowledged was committed; when
// PostgreSQL cannot say, now, which is later.
func (w *World) stopped(ctx context.Context, name string) time.Time {
	now := time.Now()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var at time.Time
	if err := w.Admin.QueryRow(ctx, sqlStopped, strings.ToLower(w.Runs[name])).Scan(&at); err != nil || at.IsZero() {
		return now
	}
	return at
}
