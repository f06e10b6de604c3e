package waves_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/campaigns/breaker"
	"bareed/campaigns/waves"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/messages"
)

// sailing is a running run of n people in waves, whose messages the test moves by
// hand and whose clock is the database's.
type sailing struct {
	*fixture.Broadcast
	t        *testing.T
	owner    *pgx.Conn
	campaign id.Campaign
	run      id.Run
	limits   breaker.Limits
}

// sail launches a campaign to n people with these settings of the workspace.
func sail(t *testing.T, n int, s breaker.Thresholds) *sailing {
	t.Helper()
	pool := pgtest.New(t)
	b := fixture.NewBroadcast(t, pool)
	b.AddPeople(t, b.Audience, n)
	v := &sailing{Broadcast: b, t: t, owner: pgtest.Owner(t, pool)}
	v.limits.Ranges = map[string]breaker.Range{"waves_from": {Least: 1, Most: 1e6}, "canary_people": {Least: 1, Most: 1e6},
		"opt_outs_after": {Least: 1, Most: 1e6}, "answers_of": {Least: 1, Most: 1e6}}
	if err := v.put(id.Campaign{}, s); err != nil {
		t.Fatal(err)
	}
	l := b.Launch(t, "Spring")
	v.campaign, v.run = l.CampaignID, l.RunID
	b.In(t, func(tx pgx.Tx) error { return waves.Begin(t.Context(), tx, b.Workspace, v.run, v.limits) })
	return v
}

func (v *sailing) put(campaign id.Campaign, s breaker.Thresholds) error {
	return v.Pool.InWorkspace(v.t.Context(), v.Workspace, func(tx pgx.Tx) error {
		was, err := waves.ReadRules(v.t.Context(), tx, v.Workspace, campaign, v.limits)
		if err != nil {
			return err
		}
		_, err = waves.PutRules(v.t.Context(), tx, v.Actor, campaign, was, s, v.limits)
		return err
	})
}

// tick draws the picture and looks, as the leader does every second.
func (v *sailing) tick() {
	v.t.Helper()
	v.In(v.t, func(tx pgx.Tx) error {
		if err := campaigns.Snapshot(v.t.Context(), tx, v.Workspace, v.run); err != nil {
			return err
		}
		return waves.Tick(v.t.Context(), tx, v.Workspace, v.run, v.limits)
	})
}

func (v *sailing) later(d time.Duration) {
	v.t.Helper()
	if _, err := v.owner.Exec(v.t.Context(), `update clock_offset set shift = shift + $1`, d); err != nil {
		v.t.Fatal(err)
	}
}

// send hands over and brings everybody from ordinal a to b to a state.
func (v *sailing) send(a, b int, state string) {
	v.t.Helper()
	v.Do(v.t, `update message set state = $4, attempt = 1, claim_token = gen_random_uuid(), claimed_at = bareed_now(), accepted_at = bareed_now(), http_status = 200,
		wamid = 'w' || ordinal, delivered_at = case when $4 = 'delivered' then bareed_now() end, held_at = case when $4 = 'held' then bareed_now() end
		where run_id = $1 and ordinal between $2 and $3`, v.run, a, b, state)
	v.Do(v.t, `update run set fed = greatest(fed, $2) where id = $1`, v.run, b)
}

// fail brings people to failed with Meta's code.
func (v *sailing) fail(a, b, code int) {
	v.t.Helper()
	v.send(a, b, "failed")
	v.Do(v.t, `update message set meta_code = $4::int, reason = 'meta_' || $4::int::text where run_id = $1 and ordinal between $2 and $3`, v.run, a, b, code)
}

// optOut keeps the refusals of the first n people of the run.
func (v *sailing) optOut(from, to int, method string) {
	v.t.Helper()
	v.Do(v.t, `insert into consent (workspace_id, id, contact_id, recipient_hash, purpose, action, method, source, policy, occurred_at, actor, hash)
		select workspace_id, gen_random_uuid(), contact_id, recipient_hash, 'marketing', 'opt_out', $4, 'test', 'strict', bareed_now(), 'test', '\x00'
		from message where run_id = $1 and ordinal between $2 and $3`, v.run, from, to, method)
}

func (v *sailing) standing() (s waves.Course) {
	v.t.Helper()
	v.In(v.t, func(tx pgx.Tx) (err error) {
		s, err = waves.Read(v.t.Context(), tx, v.Workspace, v.campaign, v.limits)
		return err
	})
	return s
}

// reach is the last ordinal that may be fed; 0: everybody.
func (v *sailing) reach() (n int) {
	v.t.Helper()
	v.In(v.t, func(tx pgx.Tx) error {
		return tx.QueryRow(v.t.Context(), `select coalesce(wave_to, 0) from run where workspace_id = $1 and id = $2`, v.Workspace, v.run).Scan(&n)
	})
	return n
}

func (v *sailing) want(step string, wave, reach int, waits string) {
	v.t.Helper()
	s := v.standing()
	if s.Open != wave || v.reach() != reach || s.Waits != waits {
		v.t.Errorf("%s: wave %d up to %d waits for %q, want wave %d up to %d for %q", step, s.Open, v.reach(), s.Waits, wave, reach, waits)
	}
}

// stops lists what is open, by reason.
func (v *sailing) stops() map[string]campaigns.Stop {
	v.t.Helper()
	open := map[string]campaigns.Stop{}
	v.In(v.t, func(tx pgx.Tx) error {
		c, err := campaigns.Get(v.t.Context(), tx, v.Workspace, v.campaign)
		for _, s := range c.Stops {
			open[s.Reason] = s
		}
		return err
	})
	return open
}

func (v *sailing) clear(reason string) {
	v.t.Helper()
	v.In(v.t, func(tx pgx.Tx) error {
		_, err := campaigns.Resume(v.t.Context(), tx, v.Actor, v.campaign, campaigns.ResumeRequest{Stops: []id.Stop{v.stopID(tx, reason)}, Reason: "it is fine"})
		return err
	})
}

func (v *sailing) stopID(tx pgx.Tx, reason string) (s id.Stop) {
	c, err := campaigns.Get(v.t.Context(), tx, v.Workspace, v.campaign)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, x := range c.Stops {
		if x.Reason == reason {
			return x.ID
		}
	}
	v.t.Fatalf("no stop %s is open", reason)
	return s
}

func ptr[T any](v T) *T { return &v }

// small is waves for a hundred people: 20, 50, all.
func small() breaker.Thresholds {
	return breaker.Thresholds{WavesFrom: ptr(int64(10)), CanaryPeople: ptr(int64(20)), WaveShares: &[]float64{50}, OptOutsAfter: ptr(int64(10)), AnswersOf: ptr(20)}
}

// Wave by wave, by the database's clock: each opens only behind its gate.
func TestWavesOpenOneAfterTheOther(t *testing.T) {
	t.Parallel()
	v := sail(t, 100, small())
	v.want("begun", 1, 20, "sending")
	v.send(1, 19, "delivered")
	v.tick()
	v.want("one is left", 1, 20, "sending")
	v.send(20, 20, "accepted")
	v.later(3 * time.Hour) // time before it has left is none
	v.tick()
	v.want("all of it has left", 1, 20, "time")
	if s := v.standing(); s.NextAt == nil || s.NextAt.Sub(*s.Waves[0].LeftAt) != 30*time.Minute || s.Accepted != 20 || s.Answered != 19 {
		t.Errorf("at its gate: %+v", s)
	}
	v.later(29 * time.Minute)
	v.tick()
	v.want("a minute early", 1, 20, "time")
	v.later(time.Minute)
	v.tick()
	v.want("half an hour, 95 per cent answered", 2, 50, "sending")

	v.send(21, 50, "accepted")
	v.tick()
	v.later(30 * time.Minute)
	v.tick()
	v.want("half an hour, 38 per cent answered", 2, 50, "answers")
	if s := v.standing(); s.NextAt.Sub(*s.Waves[1].LeftAt) != 2*time.Hour {
		t.Errorf("the longest wait: %s", s.NextAt.Sub(*s.Waves[1].LeftAt))
	}
	v.later(90 * time.Minute)
	v.tick()
	v.want("two hours", 3, 0, "")
	var told []string
	v.In(t, func(tx pgx.Tx) error {
		events, err := campaigns.Events(t.Context(), tx, v.Workspace, v.campaign, 0, 100)
		for _, e := range events {
			if e.Type == "campaign.wave_opened" {
				told = append(told, string(e.Data))
			}
		}
		return err
	})
	if len(told) != 3 || !strings.Contains(told[0], "new_template") || !strings.Contains(told[2], `"people": 100`) {
		t.Errorf("told: %v", told)
	}
}

// People whom the plan leaves out do not fill a wave.
func TestAWaveCountsThoseWhoMayBeSentTo(t *testing.T) {
	t.Parallel()
	v := sail(t, 100, breaker.Thresholds{Waves: ptr(breaker.Never)})
	if v.reach() != 0 || len(v.standing().Waves) != 0 {
		t.Fatalf("never, and yet up to %d", v.reach())
	}
	v.Do(t, `update message set state = 'suppressed', reason = 'opted_out' where run_id = $1 and ordinal <= 30`, v.run)
	if err := v.put(id.Campaign{}, small()); err != nil {
		t.Fatal(err)
	}
	v.In(t, func(tx pgx.Tx) error { return waves.Begin(t.Context(), tx, v.Workspace, v.run, v.limits) })
	v.want("thirty left out", 1, 50, "sending")
}

// A run of which only the first part is planned goes no further than that, and to
// the end of the wave when it is known.
func TestAWaveBeforeThePlanIsDone(t *testing.T) {
	t.Parallel()
	v := sail(t, 100, breaker.Thresholds{Waves: ptr(breaker.Never)})
	v.Do(t, `update run set planned = 10, plan_done = false where id = $1`, v.run)
	v.Do(t, `update message set run_id = run_id, state = 'suppressed', reason = 'x' where run_id = $1 and ordinal > 10`, v.run) // not there yet
	if err := v.put(id.Campaign{}, small()); err != nil {
		t.Fatal(err)
	}
	v.In(t, func(tx pgx.Tx) error { return waves.Begin(t.Context(), tx, v.Workspace, v.run, v.limits) })
	v.want("ten of twenty planned", 1, 10, "plan")
	v.Do(t, `update message set state = 'ready', reason = null where run_id = $1 and ordinal > 10`, v.run)
	v.Do(t, `update run set planned = 100, plan_done = true where id = $1`, v.run)
	v.tick()
	v.want("all planned", 1, 20, "sending")
}

// Waves switched off for a campaign under way open what is left at once.
func TestNoWavesFromNowOn(t *testing.T) {
	t.Parallel()
	v := sail(t, 100, small())
	if err := v.put(v.campaign, breaker.Thresholds{Waves: ptr(breaker.Never)}); err != nil {
		t.Fatal(err)
	}
	v.tick()
	v.want("switched off", 3, 0, "")
}

// Each rule opens its one stop, which explains itself, keeps the gate closed, and
// begins to measure anew when a person lets it pass.
func TestRulesHoldAndAreLetPass(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason   string
		scope    messages.Scope
		measured string
		harm     func(v *sailing, from int)
	}{
		{breaker.OptOuts, messages.ScopeCampaign, "15.0 % (3 / 20)", func(v *sailing, from int) { v.optOut(from, from+2, "keyword") }},
		{breaker.Failures, messages.ScopeCampaign, "15.0 % (3 / 20)", func(v *sailing, from int) { v.fail(from, from+2, 131051) }},
		{breaker.Undeliverable, messages.ScopeCampaign, "30.0 % (6 / 20)", func(v *sailing, from int) { v.fail(from, from+5, 131026) }},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			v := sail(t, 100, small())
			v.send(1, 20, "delivered")
			tt.harm(v, 1)
			v.tick()
			v.tick() // the second finds it open
			s, ok := v.stops()[tt.reason]
			if !ok || s.Scope != tt.scope || s.Threshold == "" || s.OpenedBy != "system:breaker" || s.Next != "waits_for_review" {
				t.Fatalf("the stop: %+v", v.stops())
			}
			if tt.reason != breaker.OptOuts && s.Measured != tt.measured {
				t.Errorf("measured %s, want %s", s.Measured, tt.measured)
			}
			v.later(3 * time.Hour)
			v.tick()
			v.want("held at its gate", 1, 20, "stop")
			v.clear(tt.reason)
			v.tick()
			if len(v.stops()) != 0 {
				t.Errorf("it held again for the same: %+v", v.stops())
			}
			v.tick()
			v.want("let pass", 2, 50, "sending")
			v.send(21, 40, "delivered")
			tt.harm(v, 21)
			v.tick()
			if _, ok := v.stops()[tt.reason]; !ok {
				t.Errorf("what came after is not judged: %+v", v.standing().Rules)
			}
		})
	}
}

// What is no reaction to the campaign does not count against it.
func TestOptOutsOfOtherReasons(t *testing.T) {
	t.Parallel()
	v := sail(t, 100, small())
	v.send(1, 20, "delivered")
	v.optOut(1, 5, "meta_131050")
	v.optOut(6, 10, "import")
	v.optOut(50, 60, "keyword") // not sent to yet
	v.tick()
	if len(v.stops()) != 0 {
		t.Errorf("held: %+v", v.stops())
	}
}

// Meta's 5xx hold the number, end by themselves and are not held against it again.
func TestServerErrorsEndByThemselves(t *testing.T) {
	t.Parallel()
	v := sail(t, 100, small())
	v.send(1, 12, "accepted")
	v.Do(t, `update message set state = 'unknown', accepted_at = null, wamid = null, http_status = 503 where run_id = $1 and ordinal <= 5`, v.run)
	v.tick()
	s, ok := v.stops()[breaker.ServerErrors]
	if !ok || s.Scope != messages.ScopeNumber || s.Until == nil || s.Next != "ends_by_itself" || s.Measured != "41.7 % (5 / 12)" {
		t.Fatalf("the stop: %+v", v.stops())
	}
	v.later(61 * time.Second)
	v.tick()
	if len(v.stops()) != 0 {
		t.Fatalf("after its time: %+v", v.stops())
	}
	v.send(13, 24, "accepted")
	v.tick()
	if len(v.stops()) != 0 {
		t.Errorf("Meta answers again: %+v", v.stops())
	}
	v.Do(t, `update message set http_status = 500 where run_id = $1 and ordinal between 13 and 18`, v.run)
	v.tick()
	if _, ok := v.stops()[breaker.ServerErrors]; !ok {
		t.Error("the probe failed, and nothing holds")
	}
}

// Meta's assessment: feeding waits after so many held, and goes on by itself when
// their statuses flow.
func TestPacingWaitsForMeta(t *testing.T) {
	t.Parallel()
	s := small()
	s.HeldMost = ptr(int64(10))
	v := sail(t, 100, s)
	v.send(1, 9, "held")
	v.tick()
	if len(v.stops()) != 0 {
		t.Fatalf("nine of ten: %+v", v.stops())
	}
	v.send(10, 10, "held")
	v.tick()
	x, ok := v.stops()[breaker.HeldByMeta]
	if !ok || x.Scope != messages.ScopeRun || x.Next != "waits_for_meta" || x.ClearedBy != "meta" || x.Measured != "10" {
		t.Fatalf("the stop: %+v", v.stops())
	}
	v.tick()
	if len(v.stops()) != 1 {
		t.Errorf("still held: %+v", v.stops())
	}
	v.send(1, 2, "delivered")
	v.tick()
	if len(v.stops()) != 0 {
		t.Errorf("statuses flow: %+v", v.stops())
	}
}

func TestRulesAreKeptWithTheirVersion(t *testing.T) {
	t.Parallel()
	v := sail(t, 12, breaker.Thresholds{OptOutsOver: ptr(2.0)})
	read := func(c id.Campaign) (r waves.Breaker) {
		v.In(t, func(tx pgx.Tx) (err error) {
			r, err = waves.ReadRules(t.Context(), tx, v.Workspace, c, v.limits)
			return err
		})
		return r
	}
	put := func(a accounts.Actor, c id.Campaign, was waves.Breaker, s breaker.Thresholds) error {
		return v.Pool.InWorkspace(context.WithoutCancel(t.Context()), v.Workspace, func(tx pgx.Tx) error {
			_, err := waves.PutRules(t.Context(), tx, a, c, was, s, v.limits)
			return err
		})
	}
	old := read(v.campaign)
	if old.Version != 0 || old.Policy.OptOutsOver != 2 || old.Limits["opt_outs_over"].Most != 5 {
		t.Errorf("the workspace's, for a campaign that sets nothing: %+v", old)
	}
	if err := put(v.Actor, v.campaign, old, breaker.Thresholds{OptOutsOver: ptr(3.0)}); err != nil {
		t.Fatal(err)
	}
	for _, stale := range []waves.Breaker{old, {Version: 7}} {
		if err := put(v.Actor, v.campaign, stale, breaker.Thresholds{}); !errs.Is(err, "version.stale") {
			t.Errorf("by version %d: %v", stale.Version, err)
		}
	}
	now := read(v.campaign)
	if now.Version != 1 || now.Policy.OptOutsOver != 3 || read(id.Campaign{}).Policy.OptOutsOver != 2 {
		t.Errorf("the campaign's: %+v", now)
	}
	if err := put(v.Actor, v.campaign, now, breaker.Thresholds{}); err != nil || read(v.campaign).Policy.OptOutsOver != 2 {
		t.Errorf("taken back: %v, %+v", err, read(v.campaign).Policy)
	}
	marketer := v.Actor
	marketer.Role = accounts.Marketer
	if err := put(marketer, v.campaign, read(v.campaign), breaker.Thresholds{}); !errs.Is(err, "auth.role") {
		t.Errorf("by a marketer: %v", err)
	}
	var n int
	v.In(t, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `select count(*) from audit where action = 'breaker.changed'`).Scan(&n)
	})
	if n != 3 {
		t.Errorf("%d entries in the audit, want 3", n)
	}
}
