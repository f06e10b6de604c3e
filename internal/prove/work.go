//go:build unix

package prove

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"bareed/client"
	"bareed/internal/clock"
	"bareed/internal/rig"
)

// work is what a customer does meanwhile: audiences, campaigns, launches.
type work struct {
	*proof
	mu     sync.Mutex
	runs   map[string]string // name → campaign, once launched
	people map[string][]string
	ready  map[string]int64 // eligible
}

// share is one campaign's part of the people.
type share struct {
	name string
	part float64
}

// shares: the last one is stopped for good.
func shares() []share { return []share{{"main", 0.6}, {"second", 0.25}, {"stopped", 0.15}} }

func (w *work) names() (list []string) {
	for _, s := range shares() {
		list = append(list, s.name)
	}
	return list
}

func phone(i int) string { return fmt.Sprintf("+9665%08d", 10000000+i) }

// prepare imports the people and checks the campaigns. Some people are in two
// campaigns, some never agreed, some refused long ago.
func (w *work) prepare(ctx context.Context) error {
	w.runs, w.people, w.ready = map[string]string{}, map[string][]string{}, map[string]int64{}
	first := 0
	var wg sync.WaitGroup
	problems := make([]error, len(shares()))
	for i, s := range shares() {
		n := int(float64(w.People) * s.part)
		for k := range n {
			w.people[s.name] = append(w.people[s.name], phone(first+k))
		}
		if i > 0 {
			w.people[s.name] = append(w.people[s.name], w.people["main"][:n/20]...)
		}
		first += n
	}
	for i, s := range shares() {
		wg.Go(func() { problems[i] = w.define(ctx, s.name, w.people[s.name]) })
	}
	wg.Wait()
	return errors.Join(problems...)
}

// define makes one audience and one checked campaign.
func (w *work) define(ctx context.Context, name string, people []string) error {
	var csv strings.Builder
	csv.WriteString("phone,name,city,opt_in,opt_in_at\n")
	for i, p := range people {
		opt := "yes,2026-01-02"
		if i%100 == 99 {
			opt = ","
		}
		fmt.Fprintf(&csv, "%s,Person %d,Riyadh,%s\n", p, i, opt)
	}
	campaign, eligible, err := w.world.Rig.Campaign(ctx, w.world.Tenant, rig.Definition{Name: name, CSV: csv.String(), PerMinute: w.Paced, Policy: w.Policy})
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.world.Campaigns[name], w.ready[name] = campaign, eligible
	return nil
}

// launch presses launch five times at once for each campaign; one run may come
// of it.
func (w *work) launch(ctx context.Context) error {
	const together = 5
	type outcome struct {
		name, run string
		err       error
	}
	all := make(chan outcome, together*len(shares()))
	for name, campaign := range w.world.Campaigns {
		for range together {
			go func() {
				got, err := w.world.Client.LaunchCampaign(ctx, campaign, client.Launch{ExpectedRecipients: w.ready[name]})
				all <- outcome{name, strings.ReplaceAll(strings.TrimPrefix(got.RunID, "run_"), "-", ""), err}
			}()
		}
	}
	for range together * len(w.world.Campaigns) {
		o := <-all
		if o.err != nil {
			return o.err
		}
		if was := w.world.Runs[o.name]; was != "" && was != o.run {
			return fmt.Errorf("the launches of %s made two runs", o.name)
		}
		w.world.Runs[o.name] = o.run
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.runs = maps.Clone(w.world.Campaigns)
	w.history.Note("launched", "", fmt.Sprint(w.world.Runs))
	return nil
}

func (w *work) launched() map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.runs)
}

// mayRefuse are those who opt out while messages leave, of the largest campaign.
func (w *work) mayRefuse() []string { return w.people["main"] }

// operate clears what rules hold, as a person in charge would; call what it
// returns to end it.
func (w *work) operate(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		session := ""
		for clock.Pause(ctx, 500*time.Millisecond) {
			if session == "" {
				session, _ = w.world.Rig.SignIn(ctx, w.world.Tenant.Owner) // tried again
			}
			for name, campaign := range w.launched() {
				r, err := w.world.Client.GetReport(ctx, campaign)
				if err != nil || !r.Holding || w.world.HandsOff() {
					continue
				}
				w.history.Note("held", name, fmt.Sprintf("%+v", r.Stops))
				q := client.Resume{Reason: "looked at it"}
				for _, s := range r.Stops {
					if s.ByRule {
						q.Stops = append(q.Stops, s.ID)
					}
				}
				_, err = w.world.Rig.Client(session).ResumeCampaign(ctx, campaign, q)
				if err != nil {
					w.history.Note("trouble", "resume "+name, err.Error())
				}
			}
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}
}

func (w *work) progress(ctx context.Context) string {
	var b strings.Builder
	for _, name := range w.names() {
		r, err := w.world.Client.GetReport(ctx, w.world.Campaigns[name])
		if err != nil {
			return err.Error()
		}
		fmt.Fprintf(&b, "%s: %d of %d accepted, %d ready, %d sending, %d unknown, %d failed, %d suppressed; ", name, r.Accepted, r.Total, r.Ready, r.Sending,
			r.Unknown, r.FailedTotal, r.SuppressedTotal)
	}
	return strings.TrimSuffix(b.String(), "; ")
}

// settled tells whether nothing of any run is under way any more; unknown ones
// may be left.
func (w *work) settled(ctx context.Context, unknown func(client.Report) bool) bool {
	for _, campaign := range w.world.Campaigns {
		r, err := w.world.Client.GetReport(ctx, campaign)
		if err != nil || !r.Planned || r.Ready+r.Sending+r.Held > 0 || r.Unknown > 0 && !unknown(r) {
			return false
		}
	}
	return true
}

// left counts the messages that are still to come to an end.
func (w *work) left(ctx context.Context) (n int64) {
	for _, campaign := range w.world.Campaigns {
		if r, err := w.world.Client.GetReport(ctx, campaign); err == nil {
			n += r.Ready + r.Sending + r.Held
		}
	}
	return n
}

// until asks every 100 ms.
func (w *work) until(ctx context.Context, d time.Duration, ask func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return rig.Until(ctx, 100*time.Millisecond, func() (bool, error) { return ask(), nil }) == nil
}
