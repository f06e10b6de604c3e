package campaigns_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/plan"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
)

// fates are all the reasons the planner can give, with what makes them.
var fates = []struct {
	reason string
	make   func(t *testing.T, b *fixture.Broadcast, c id.Contact)
}{
	{"", func(*testing.T, *fixture.Broadcast, id.Contact) {}},
	{"no_opt_in", func(t *testing.T, b *fixture.Broadcast, c id.Contact) {
		b.Do(t, `update permission set purpose = 'utility' where workspace_id = $1 and contact_id = $2`, b.Workspace, c)
	}},
	{"opted_out", func(t *testing.T, b *fixture.Broadcast, c id.Contact) {
		b.Do(t, `update permission set granted = false where workspace_id = $1 and contact_id = $2`, b.Workspace, c)
	}},
	{"opted_out", func(t *testing.T, b *fixture.Broadcast, c id.Contact) { suppress(t, b, c, "opted_out", "marketing") }},
	{"blocked", func(t *testing.T, b *fixture.Broadcast, c id.Contact) {
		suppress(t, b, c, "blocked_at_meta", "marketing")
	}},
	{"not_on_whatsapp", func(t *testing.T, b *fixture.Broadcast, c id.Contact) {
		suppress(t, b, c, "undeliverable", "marketing")
	}},
	{"country_barred", func(t *testing.T, b *fixture.Broadcast, c id.Contact) {
		b.Do(t, `update identity set country = 'AE' where workspace_id = $1 and contact_id = $2`, b.Workspace, c)
		b.Do(t, `insert into country_bar (workspace_id, waba_id, country, until) values ($1, $2, 'AE', bareed_now() + interval '1 day'),
			($1, $2, 'SA', bareed_now() - interval '1 second')`, b.Workspace, b.WABA)
	}},
	{"deleted", func(t *testing.T, b *fixture.Broadcast, c id.Contact) { suppress(t, b, c, "erased", "marketing") }},
	{"", func(t *testing.T, b *fixture.Broadcast, c id.Contact) { suppress(t, b, c, "opted_out", "utility") }},
	{"", func(t *testing.T, b *fixture.Broadcast, c id.Contact) {
		suppress(t, b, c, "opted_out", "marketing")
		b.Do(t, `update suppression set lifted_at = bareed_now() where workspace_id = $1 and recipient_hash = $2`, b.Workspace, hashOf(t, b, c))
	}},
	{"consent_expired", func(t *testing.T, b *fixture.Broadcast, c id.Contact) {
		b.Do(t, `update permission set expires_at = bareed_now() where workspace_id = $1 and contact_id = $2`, b.Workspace, c)
	}},
	{"", func(t *testing.T, b *fixture.Broadcast, c id.Contact) {
		b.Do(t, `update permission set expires_at = bareed_now() + interval '1 hour' where workspace_id = $1 and contact_id = $2`, b.Workspace, c)
	}},
	{"no_address", func(t *testing.T, b *fixture.Broadcast, c id.Contact) {
		b.Do(t, `delete from identity where workspace_id = $1 and contact_id = $2`, b.Workspace, c)
	}},
	{"", func(t *testing.T, b *fixture.Broadcast, c id.Contact) { // a username's owner without a phone
		b.Do(t, `update identity set kind = 'bsuid', portfolio_id = $3 where workspace_id = $1 and contact_id = $2`, b.Workspace, c, b.Portfolio)
	}},
	{"no_address", func(t *testing.T, b *fixture.Broadcast, c id.Contact) { // known to another portfolio only
		b.Do(t, `update identity set kind = 'bsuid', portfolio_id = gen_random_uuid() where workspace_id = $1 and contact_id = $2`, b.Workspace, c)
	}},
	{"deleted", func(t *testing.T, b *fixture.Broadcast, c id.Contact) {
		b.Do(t, `update contact set erased_at = bareed_now() where workspace_id = $1 and id = $2`, b.Workspace, c)
	}},
	{"param_missing", func(t *testing.T, b *fixture.Broadcast, c id.Contact) {
		b.Do(t, `delete from contact_attribute where workspace_id = $1 and contact_id = $2`, b.Workspace, c)
	}},
	{"param_missing", func(t *testing.T, b *fixture.Broadcast, c id.Contact) {
		b.Do(t, `update contact_attribute set text = '  ' where workspace_id = $1 and contact_id = $2`, b.Workspace, c)
	}},
	{"param_not_sendable", func(t *testing.T, b *fixture.Broadcast, c id.Contact) {
		b.Do(t, `update contact_attribute set text = E'two\nlines' where workspace_id = $1 and contact_id = $2`, b.Workspace, c)
	}},
	{"param_not_sendable", func(t *testing.T, b *fixture.Broadcast, c id.Contact) {
		b.Do(t, `update contact_attribute set text = $3 where workspace_id = $1 and contact_id = $2`, b.Workspace, c, strings.Repeat("x", 1025))
	}},
	{"us_marketing", living("US")},
	{"", living("CA")}, // the same +1
	{"us_marketing", func(t *testing.T, b *fixture.Broadcast, c id.Contact) { // known by a business-scoped id alone
		b.Do(t, `update identity set kind = 'bsuid', key = 'US.1349', value = 'US.1349', country = '', portfolio_id = $3 where workspace_id = $1 and contact_id = $2`,
			b.Workspace, c, b.Portfolio)
	}},
	{"country_blocked", func(t *testing.T, b *fixture.Broadcast, c id.Contact) {
		b.Do(t, `insert into sending_rule (workspace_id, blocked_countries, updated_by) values ($1, '{CU,KP}', 'test')`, b.Workspace)
		living("CU")(t, b, c)
	}},
	{"cooling_off", func(t *testing.T, b *fixture.Broadcast, c id.Contact) { cool(t, b, c, time.Hour) }},
	{"", func(t *testing.T, b *fixture.Broadcast, c id.Contact) { cool(t, b, c, -time.Second) }},
}

// living moves a person's phone to a country.
func living(country string) func(t *testing.T, b *fixture.Broadcast, c id.Contact) {
	return func(t *testing.T, b *fixture.Broadcast, c id.Contact) {
		b.Do(t, `update identity set country = $3 where workspace_id = $1 and contact_id = $2`, b.Workspace, c, country)
	}
}

func cool(t *testing.T, b *fixture.Broadcast, c id.Contact, d time.Duration) {
	t.Helper()
	b.Do(t, `insert into cool_off (workspace_id, recipient_hash, until) values ($1, $2, bareed_now() + $3::interval)`, b.Workspace, hashOf(t, b, c), d)
}

func hashOf(t *testing.T, b *fixture.Broadcast, c id.Contact) []byte {
	t.Helper()
	return b.Vault.RecipientHash("p:" + text(t, b, `select key from identity where workspace_id = $1 and contact_id = $2`, b.Workspace, c))
}

func suppress(t *testing.T, b *fixture.Broadcast, c id.Contact, reason, purpose string) {
	t.Helper()
	b.Do(t, `insert into suppression (workspace_id, recipient_hash, purpose, key_version, reason) values ($1, $2, $3, 1, $4)`,
		b.Workspace, hashOf(t, b, c), purpose, reason)
}

func TestCheckAndPlanDecideAlike(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 0)
	people := b.AddPeople(t, b.Audience, len(fates))
	want := map[string]int64{}
	for i, f := range fates {
		f.make(t, b, people[i])
		if f.reason != "" {
			want[f.reason]++
		}
	}
	c := create(t, b, "Everybody")
	k := b.Check(t, c.ID)
	if k.State != "completed" || k.Total != int64(len(fates)) || !maps.Equal(k.Suppressed, want) {
		t.Errorf("check: %+v, want suppressed %v", k, want)
	}
	l, err := launch(t, b, c.ID, campaigns.LaunchRequest{Expected: k.Eligible})
	if err != nil {
		t.Fatal(err)
	}
	planAll(t, b, l.RunID)
	for i, f := range fates {
		checked := text(t, b, `select coalesce(reason, '') from plan_check_row where workspace_id = $1 and contact_id = $2`, b.Workspace, people[i])
		planned := text(t, b, `select case state when 'suppressed' then reason else '' end from message where run_id = $1 and contact_id = $2`, l.RunID, people[i])
		if checked != f.reason || planned != f.reason {
			t.Errorf("person %d: checked %q, planned %q, want %q", i, checked, planned, f.reason)
		}
		ordinal := number(t, b, `select ordinal from message where run_id = $1 and contact_id = $2`, l.RunID, people[i])
		if ordinal != i+1 {
			t.Errorf("person %d has ordinal %d", i, ordinal)
		}
	}
	parameters(t, b, l.RunID)
}

// parameters opens what was sealed: only in its place, and only what is ready
// has any.
func parameters(t *testing.T, b *fixture.Broadcast, run id.Run) {
	t.Helper()
	box, err := b.Vault.Box(t.Context(), b.Workspace)
	if err != nil {
		t.Fatal(err)
	}
	var sealed []byte
	b.In(t, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `select parameters from message where run_id = $1 and ordinal = 1`, run).Scan(&sealed)
	})
	plain, err := box.Open(sealed, "message.parameters/"+run.String()+"/1")
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]string
	if err := json.Unmarshal(plain, &values); err != nil || !strings.HasPrefix(values["body.1"], "Name") {
		t.Errorf("parameters %v, %v", values, err)
	}
	if _, err := box.Open(sealed, "message.parameters/"+run.String()+"/2"); err == nil {
		t.Error("the parameters open in another row's place")
	}
	if n := number(t, b, `select count(*) from message where run_id = $1 and (state = 'ready') <> (parameters is not null)`, run); n != 0 {
		t.Errorf("%d rows have parameters they should not have, or lack theirs", n)
	}
}

func TestOverlappingAudiencesReachAPersonOnce(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 0)
	second := b.AddAudience(t, "Second")
	b.AddPeople(t, b.Audience, plan.Size+10)
	b.AddPeople(t, second, plan.Size+10)
	b.Do(t, `insert into audience_member (workspace_id, audience_id, contact_id)
		select workspace_id, $2, contact_id from audience_member where workspace_id = $1 and audience_id = $3
		order by contact_id limit 1500`, b.Workspace, second, b.Audience)
	d := definition(b, "Both")
	d.AudienceIDs = []id.Audience{second, b.Audience, second}
	c := must(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.Create(ctx, tx, b.Actor, d)
	})
	k := b.Check(t, c.ID)
	if k.Eligible != 2*plan.Size+20 {
		t.Fatalf("eligible %d", k.Eligible)
	}
	l, err := launch(t, b, c.ID, campaigns.LaunchRequest{Expected: k.Eligible})
	if err != nil {
		t.Fatal(err)
	}
	planAll(t, b, l.RunID)
	if n := number(t, b, `select count(*) from message where run_id = $1`, l.RunID); n != 2*plan.Size+20 {
		t.Errorf("%d messages", n)
	}
}

// TestPlanSurvivesKills kills the task inside chunks and between them; at the
// end every person has exactly one message, without a gap in the ordinals.
func TestPlanSurvivesKills(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 3*plan.Size+7)
	_, run := launched(t, b, "Killed")
	box, err := b.Vault.Box(t.Context(), b.Workspace)
	if err != nil {
		t.Fatal(err)
	}
	kills := 0
	for after := 2 * time.Millisecond; ; after += 15 * time.Millisecond {
		ctx, kill := context.WithTimeout(t.Context(), after)
		var at plan.Progress
		err := b.Pool.InWorkspace(ctx, b.Workspace, func(tx pgx.Tx) (err error) {
			at, err = plan.Next(ctx, tx, b.Vault, box, b.Workspace, run)
			return err
		})
		kill()
		if err == nil && at.Done || errors.Is(err, plan.ErrTaken) {
			break
		}
		if err != nil {
			kills++
		}
	}
	if kills == 0 {
		t.Error("no chunk was killed")
	}
	var count, first, last, contacts int
	b.In(t, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `select count(*), min(ordinal), max(ordinal), count(distinct contact_id) from message where run_id = $1`, run).
			Scan(&count, &first, &last, &contacts)
	})
	if want := 3*plan.Size + 7; count != want || first != 1 || last != want || contacts != want {
		t.Errorf("%d messages, ordinals %d to %d, %d people; want %d", count, first, last, contacts, want)
	}
}

func TestTwoPlannersWriteOnePlan(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 2*plan.Size+1)
	_, run := launched(t, b, "Twins")
	box, err := b.Vault.Box(t.Context(), b.Workspace)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 2)
	for range 2 {
		go func() {
			var at plan.Progress
			var err error
			for !at.Done && (err == nil || errors.Is(err, plan.ErrTaken)) {
				err = b.Pool.InWorkspace(t.Context(), b.Workspace, func(tx pgx.Tx) (err error) {
					at, err = plan.Next(t.Context(), tx, b.Vault, box, b.Workspace, run)
					return err
				})
				if errors.Is(err, plan.ErrTaken) && number(t, b, `select plan_done::int from run where workspace_id = $1 and id = $2`, b.Workspace, run) == 1 {
					break
				}
			}
			ended <- err
		}()
	}
	for range 2 {
		if err := <-ended; err != nil && !errors.Is(err, plan.ErrTaken) {
			t.Error(err)
		}
	}
	if n := number(t, b, `select count(*) from message where run_id = $1`, run); n != 2*plan.Size+1 {
		t.Errorf("%d messages", n)
	}
	if n := number(t, b, `select planned from run where workspace_id = $1 and id = $2`, b.Workspace, run); n != 2*plan.Size+1 {
		t.Errorf("planned %d", n)
	}
}

// A run that is stopped while it is planned goes on being planned, with nobody to be
// sent to: each of its people has a row that says why. Until then it is not settled.
func TestPlanAccountsForAStoppedRun(t *testing.T) {
	t.Parallel()
	const people = plan.Size + 5
	b := newBroadcast(t, people)
	c, run := launched(t, b, "Stopped")
	first := planChunk(t, b, run).Planned
	must(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.End(ctx, tx, b.Actor, c)
	})
	for range 5 {
		if finish(t, b, run) {
			t.Fatalf("settled with %d of %d people", first, people)
		}
	}
	if n := number(t, b, `select count(*) from message where run_id = $1 and state = 'ready'`, run); n != 0 {
		t.Errorf("%d messages of a stopped run are ready", n)
	}
	if !must(t, b, func(ctx context.Context, tx pgx.Tx) (bool, error) { return plan.Lease(ctx, tx, b.Workspace, run) }) {
		t.Fatal("nobody may plan the rest")
	}
	for !planChunk(t, b, run).Done {
	}
	if n := number(t, b, `select count(*) from message where run_id = $1 and state = 'ready'`, run); n != 0 {
		t.Errorf("%d messages were planned to be sent", n)
	}
	for range 5 {
		finish(t, b, run)
	}
	r := must(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Report, error) {
		return campaigns.GetReport(ctx, tx, b.Workspace, c)
	})
	if r.Total != people || r.Suppressed["stopped"] != people || !r.Planned || !r.Balanced {
		t.Errorf("the report: %+v", r)
	}
	if n := number(t, b, `select count(*) from run where id = $1 and settled_at is not null`, run); n != 1 {
		t.Error("not settled")
	}
}

// Of a run whose time had not come nobody is planned when it is stopped.
func TestStoppedBeforeItsTimeIsNotPlanned(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 3)
	c, run := launched(t, b, "Called off")
	b.Do(t, `update run set starts_at = bareed_now() + interval '1 hour', state = 'planning' where id = $1`, run)
	must(t, b, func(ctx context.Context, tx pgx.Tx) (campaigns.Campaign, error) {
		return campaigns.End(ctx, tx, b.Actor, c)
	})
	b.Do(t, `update run set starts_at = bareed_now() - interval '1 hour' where id = $1`, run)
	if must(t, b, func(ctx context.Context, tx pgx.Tx) (bool, error) { return plan.Lease(ctx, tx, b.Workspace, run) }) {
		t.Error("it may be planned")
	}
	if !finish(t, b, run) {
		t.Error("not settled")
	}
}

// TestAPhoneThatMovesWhilePlanning: an import gives an already planned phone to
// a contact that comes later; the person still gets one message.
func TestAPhoneThatMovesWhilePlanning(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 0)
	people := b.AddPeople(t, b.Audience, plan.Size+2)
	_, run := launched(t, b, "Moved")
	planChunk(t, b, run) // the canary
	planChunk(t, b, run)
	b.Do(t, `delete from identity where workspace_id = $1 and contact_id = $2`, b.Workspace, people[plan.Size+1])
	b.Do(t, `update identity set contact_id = $3 where workspace_id = $1 and contact_id = $2`, b.Workspace, people[0], people[plan.Size+1])
	if at := planChunk(t, b, run); !at.Done || at.Planned != plan.Size+1 {
		t.Errorf("got %+v", at)
	}
	if n := number(t, b, `select max(ordinal) from message where run_id = $1`, run); n != plan.Size+1 {
		t.Errorf("last ordinal %d", n)
	}
}

func BenchmarkPlan(b *testing.B) {
	f := fixture.NewBroadcast(b, pgtest.New(b))
	f.AddPeople(b, f.Audience, 100_000)
	for n := range b.N {
		_, run := launched(b, f, "Bench "+string(rune('a'+n)))
		b.ResetTimer()
		planAll(b, f, run)
		b.StopTimer()
	}
	b.ReportMetric(100_000*float64(b.N)/b.Elapsed().Seconds(), "people/s")
}
