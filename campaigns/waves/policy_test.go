package waves_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/campaigns/breaker"
	"bareed/campaigns/check"
	"bareed/campaigns/forecast"
	"bareed/campaigns/waves"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
)

func (v *sailing) rules(campaign id.Campaign) (r waves.Breaker) {
	v.t.Helper()
	v.In(v.t, func(tx pgx.Tx) (err error) {
		r, err = waves.ReadRules(v.t.Context(), tx, v.Workspace, campaign, v.limits)
		return err
	})
	return r
}

func (v *sailing) set(campaign id.Campaign, change func(*breaker.Thresholds)) {
	v.t.Helper()
	s := v.rules(campaign).Settings
	change(&s)
	if err := v.put(campaign, s); err != nil {
		v.t.Fatal(err)
	}
}

// What becomes stricter holds a run under way at once; what becomes looser holds
// for later runs and lets nothing go; what is set for the campaign is its own.
func TestARunGoesByTheStricterPolicy(t *testing.T) {
	t.Parallel()
	v := sail(t, 100, small())
	v.send(1, 19, "delivered")
	v.fail(20, 20, 131051)
	v.tick()
	if len(v.stops()) != 0 {
		t.Fatalf("5 %% of 10 %% failed: %+v", v.stops())
	}
	v.set(id.Campaign{}, func(s *breaker.Thresholds) { s.FailuresOver = ptr(4.0) })
	if p := v.rules(v.campaign); p.Policy.FailuresOver != 4 || p.RunID != v.run {
		t.Errorf("stricter, of the campaign: %v of %s", p.Policy.FailuresOver, p.RunID)
	}
	v.tick()
	if s, ok := v.stops()[breaker.Failures]; !ok || s.Threshold != "> 4 % (20)" {
		t.Fatalf("stricter: %+v", v.stops())
	}
	v.set(id.Campaign{}, func(s *breaker.Thresholds) { s.FailuresOver = ptr(40.0) })
	v.tick()
	if _, ok := v.stops()[breaker.Failures]; !ok {
		t.Fatal("a looser rule let the campaign go")
	}
	if own, all := v.rules(v.campaign), v.rules(id.Campaign{}); own.Policy.FailuresOver != 4 || all.Policy.FailuresOver != 40 || !all.RunID.IsZero() {
		t.Errorf("looser: %v for the run, %v for later ones", own.Policy.FailuresOver, all.Policy.FailuresOver)
	}
	v.clear(breaker.Failures)
	v.tick()
	v.send(21, 39, "delivered")
	v.fail(40, 40, 131051)
	v.tick()
	if _, ok := v.stops()[breaker.Failures]; !ok {
		t.Error("after it was cleared, the looser rule held")
	}
	v.set(v.campaign, func(s *breaker.Thresholds) { s.FailuresOver = ptr(40.0) })
	v.clear(breaker.Failures)
	v.tick()
	v.send(41, 58, "delivered")
	v.fail(59, 60, 131051)
	v.tick()
	if len(v.stops()) != 0 {
		t.Errorf("what is set for the campaign does not hold: %+v", v.stops())
	}
}

// Neither a wait for Meta nor a wave is let go by what the workspace sets later.
func TestALooserPolicyLetsNothingGo(t *testing.T) {
	t.Parallel()
	s := small()
	s.HeldMost = ptr(int64(10))
	v := sail(t, 100, s)
	v.send(1, 10, "held")
	v.send(11, 20, "delivered")
	v.tick()
	v.set(id.Campaign{}, func(s *breaker.Thresholds) {
		s.HeldMost, s.WaveWait, s.WaveAnswered, s.Waves = ptr(int64(5000)), ptr(1), ptr(0.0), ptr(breaker.Never)
	})
	v.later(10 * time.Minute)
	v.tick()
	if _, ok := v.stops()[breaker.HeldByMeta]; !ok {
		t.Errorf("the wait for Meta ended: %+v", v.stops())
	}
	v.want("waves never, a minute, no answers", 1, 20, "stop")
	v.send(1, 10, "delivered")
	v.tick()
	v.want("Meta has judged", 1, 20, "time")
	v.later(20 * time.Minute)
	v.tick()
	v.want("half an hour", 2, 50, "sending")
	l := v.Launch(t, "Summer")
	v.In(t, func(tx pgx.Tx) error { return waves.Begin(t.Context(), tx, v.Workspace, l.RunID, v.limits) })
	if r := v.rules(l.CampaignID); r.Policy.HeldMost != 5000 || r.Policy.Waves != breaker.Never {
		t.Errorf("a run that began later: %+v", r.Policy)
	}
}

// A run that began before policies were kept goes by the one that holds when it is
// looked at first.
func TestARunWithoutAKeptPolicy(t *testing.T) {
	t.Parallel()
	v := sail(t, 100, small())
	if _, err := v.owner.Exec(t.Context(), `delete from run_policy`); err != nil {
		t.Fatal(err)
	}
	v.set(id.Campaign{}, func(s *breaker.Thresholds) { s.WaveWait = ptr(45) })
	v.tick()
	v.set(id.Campaign{}, func(s *breaker.Thresholds) { s.WaveWait = ptr(5) })
	if p := v.rules(v.campaign).Policy; p.WaveWait != 45 {
		t.Errorf("waits %d minutes", p.WaveWait)
	}
}

// Each setting has its own last change, with who made it, of one workspace alone;
// a refused change leaves none.
func TestTheLastChangeOfEachRule(t *testing.T) {
	t.Parallel()
	v := sail(t, 12, breaker.Thresholds{OptOutsOver: ptr(2.0), WaveShares: &[]float64{10}})
	second := v.Actor
	second.ID = id.New[id.User]().String()
	put := func(a accounts.Actor, was waves.Breaker, s breaker.Thresholds) error {
		return v.Pool.InWorkspace(context.WithoutCancel(t.Context()), v.Workspace, func(tx pgx.Tx) error {
			_, err := waves.PutRules(t.Context(), tx, a, id.Campaign{}, was, s, v.limits)
			return err
		})
	}
	if err := put(second, v.rules(id.Campaign{}), breaker.Thresholds{OptOutsOver: ptr(3.0), WaveWait: ptr(40)}); err != nil {
		t.Fatal(err)
	}
	if err := put(v.Actor, v.rules(id.Campaign{}), breaker.Thresholds{OptOutsOver: ptr(99.0)}); !errs.Is(err, "breaker.settings") {
		t.Errorf("out of the limits: %v", err)
	}
	all := v.rules(id.Campaign{}).Changes
	for name, want := range map[string]waves.RuleChange{
		"opt_outs_over": {Was: 2.0, Became: 3.0, By: second.String()},
		"wave_wait":     {Became: 40.0, By: second.String()},
		"wave_shares":   {By: second.String()},
	} {
		got := all[name]
		if got.By != want.By || got.Became != want.Became || got.At.IsZero() || want.Was != nil && got.Was != want.Was {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	if list, ok := all["wave_shares"].Was.([]any); !ok || len(list) != 1 || list[0] != 10.0 || len(all) != 3 {
		t.Errorf("all of them: %+v", all)
	}
	stranger := fixture.NewBroadcast(t, v.Pool)
	stranger.In(t, func(tx pgx.Tx) error {
		r, err := waves.ReadRules(t.Context(), tx, stranger.Workspace, id.Campaign{}, v.limits)
		if len(r.Changes) != 0 || r.Version != 0 || r.Policy.OptOutsOver != 1.5 {
			t.Errorf("a stranger sees %+v", r)
		}
		var n int
		if err := tx.QueryRow(t.Context(), `select (select count(*) from breaker_change) + (select count(*) from run_policy) + (select count(*) from run_hour)`).Scan(&n); err != nil {
			return err
		}
		if n != 0 {
			t.Errorf("a stranger reads %d rows", n)
		}
		return err
	})
}

func (v *sailing) hour() {
	v.t.Helper()
	v.In(v.t, func(tx pgx.Tx) error {
		if err := campaigns.Snapshot(v.t.Context(), tx, v.Workspace, v.run); err != nil {
			return err
		}
		return waves.Hour(v.t.Context(), tx, v.Workspace, v.run, v.limits)
	})
}

// warned counts the campaign's events of a warning.
func (v *sailing) warned() (n int) {
	v.t.Helper()
	v.In(v.t, func(tx pgx.Tx) error {
		events, err := campaigns.Events(v.t.Context(), tx, v.Workspace, v.campaign, 0, 100)
		for _, e := range events {
			if e.Type == "campaign.warning" {
				n++
			}
		}
		return err
	})
	return n
}

// A first hour that was read far less than the number's usual is warned of, once,
// and holds nothing.
func TestAFirstHourIsComparedWithTheNumbersUsual(t *testing.T) {
	t.Parallel()
	v := sail(t, 100, breaker.Thresholds{Waves: ptr(breaker.Never)})
	for _, name := range []string{"June", "July", "August"} {
		l := v.Launch(t, name)
		v.Do(t, `insert into run_hour (workspace_id, run_id, number_id, due_at, measured_at, delivered, read)
			values ($1, $2, $3, bareed_now() - interval '30 days', bareed_now(), 1000, 600)
			on conflict (workspace_id, run_id) do update set due_at = excluded.due_at, measured_at = excluded.measured_at,
			delivered = excluded.delivered, read = excluded.read`, v.Workspace, l.RunID, v.Number)
	}
	v.send(1, 100, "delivered")
	v.Do(t, `update message set state = 'read', read_at = bareed_now() where run_id = $1 and ordinal <= 10`, v.run)
	v.later(59 * time.Minute)
	v.hour()
	if v.warned() != 0 {
		t.Fatal("warned before the hour was over")
	}
	v.later(2 * time.Minute)
	v.hour()
	v.Do(t, `update message set state = 'read', read_at = bareed_now() where run_id = $1`, v.run)
	v.hour()
	s := v.standing()
	if len(s.Warnings) != 1 || v.warned() != 1 {
		t.Fatalf("%+v, and %d events", s.Warnings, v.warned())
	}
	if w := s.Warnings[0]; w.Reason != breaker.ReadsLow || w.Threshold != "< 30 % × 60.0 %" || w.Measured != "10.0 % (10 / 100)" || w.At.IsZero() {
		t.Errorf("%+v", w)
	}
	if len(v.stops()) != 0 {
		t.Errorf("it holds: %+v", v.stops())
	}
}

// A list of which two in five cannot be reached or may not be messaged is warned
// of while the campaign runs, once.
func TestAPoorListIsWarnedOf(t *testing.T) {
	t.Parallel()
	s := small()
	s.UndeliverableOver = ptr(60.0)
	v := sail(t, 100, s)
	v.send(1, 12, "delivered")
	v.fail(13, 15, 131049)
	v.fail(16, 17, 130472)
	v.fail(18, 20, 131026)
	v.tick()
	if n := v.warned(); n != 0 {
		t.Fatalf("two in five: %d", n)
	}
	v.fail(12, 12, 131026)
	v.tick()
	v.tick()
	if w := v.standing().Warnings; len(w) != 1 || w[0].Reason != breaker.ListPoor || w[0].Measured != "45.0 % (9 / 20)" || v.warned() != 1 {
		t.Errorf("%+v, and %d events", w, v.warned())
	}
	if len(v.stops()) != 0 {
		t.Errorf("it holds: %+v", v.stops())
	}
}

// What of the waves lies ahead of those who wait, as the forecast takes it.
func TestWavesAhead(t *testing.T) {
	t.Parallel()
	v := sail(t, 100, small())
	want := func(step string, waiting int64, want ...forecast.Wave) {
		t.Helper()
		v.In(t, func(tx pgx.Tx) error {
			got, err := waves.Ahead(t.Context(), tx, v.Workspace, v.campaign, v.run, waiting, v.limits)
			if len(got) != len(want) {
				t.Fatalf("%s: %v, want %v", step, got, want)
			}
			for i := range got { // the database's clock goes on
				if got[i].People != want[i].People || got[i].Wait > want[i].Wait || got[i].Wait < want[i].Wait-time.Minute {
					t.Errorf("%s: %v, want %v", step, got, want)
				}
			}
			return err
		})
	}
	want("begun", 100, forecast.Wave{People: 20, Wait: 30 * time.Minute}, forecast.Wave{People: 50, Wait: 30 * time.Minute})
	v.send(1, 15, "delivered")
	want("fifteen are sent", 85, forecast.Wave{People: 5, Wait: 30 * time.Minute}, forecast.Wave{People: 35, Wait: 30 * time.Minute})
	v.send(16, 20, "delivered")
	v.tick()
	v.later(10 * time.Minute)
	want("ten minutes at its gate", 80, forecast.Wave{Wait: 20 * time.Minute}, forecast.Wave{People: 30, Wait: 30 * time.Minute})
	v.later(time.Hour)
	want("its time is over", 80, forecast.Wave{}, forecast.Wave{People: 30, Wait: 30 * time.Minute})
	if err := v.put(v.campaign, breaker.Thresholds{Waves: ptr(breaker.Never)}); err != nil {
		t.Fatal(err)
	}
	v.tick()
	want("the last one is open", 80)
}

// A completed check knows in which waves the campaign would go.
func TestACheckForeseesItsWaves(t *testing.T) {
	t.Parallel()
	v := sail(t, 100, small())
	c := v.Campaign(t, "Summer")
	k := v.Check(t, c.ID)
	look := func(limits breaker.Limits) (f *forecast.Forecast) {
		t.Helper()
		v.In(t, func(tx pgx.Tx) error {
			if err := waves.Foresee(t.Context(), tx, v.Workspace, k.ID, limits); err != nil {
				return err
			}
			got, err := check.Get(t.Context(), tx, v.Workspace, c.ID, k.ID)
			f = got.Forecast
			return err
		})
		return f
	}
	if f := look(v.limits); f == nil || !slices.Equal(f.Waves, []int64{20, 50}) || time.Until(*f.Stays.EndsAt) < time.Hour {
		t.Errorf("%+v", f)
	}
	if f := look(breaker.Limits{}); f == nil || !slices.Equal(f.Waves, []int64{50}) {
		t.Errorf("a canary of fifty is the least that the program's own limits permit: %+v", f)
	}
	if err := v.put(id.Campaign{}, breaker.Thresholds{Waves: ptr(breaker.Never)}); err != nil {
		t.Fatal(err)
	}
	if f := look(v.limits); f == nil || f.Waves != nil || time.Until(*f.Stays.EndsAt) > 10*time.Minute {
		t.Errorf("without waves: %+v", f)
	}
}
