package unconfirmed_test

import (
	"context"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/campaigns/unconfirmed"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/messages"
)

// silent launches a campaign to n people of whom the first k got no answer.
func silent(t *testing.T, n, k int) (*fixture.Broadcast, campaigns.Launched) {
	t.Helper()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	b.AddPeople(t, b.Audience, n)
	l := b.Launch(t, "Spring")
	b.Do(t, `update message set state = 'unconfirmed', reason = 'no_answer', attempt = 1, claim_token = gen_random_uuid(),
		claimed_at = bareed_now() - interval '25 hours' where run_id = $1 and ordinal <= $2`, l.RunID, k)
	b.Do(t, `update message set state = 'read', attempt = 1, claim_token = gen_random_uuid(), claimed_at = bareed_now(), accepted_at = bareed_now(),
		wamid = 'w' || ordinal where run_id = $1 and ordinal > $2`, l.RunID, k)
	return b, l
}

func step(t *testing.T, b *fixture.Broadcast, run id.Run) (done bool) {
	t.Helper()
	b.In(t, func(tx pgx.Tx) (err error) {
		done, err = campaigns.Finish(t.Context(), tx, b.Workspace, run)
		return err
	})
	return done
}

func completed(t *testing.T, b *fixture.Broadcast, run id.Run) {
	t.Helper()
	for range 5 {
		if step(t, b, run) {
			return
		}
	}
	t.Fatal("the run does not complete")
}

type act func(context.Context, pgx.Tx, accounts.Actor, id.Campaign, int64) (unconfirmed.Decided, error)

func do(t *testing.T, b *fixture.Broadcast, a accounts.Actor, c id.Campaign, expected int64, what act) (d unconfirmed.Decided, err error) {
	t.Helper()
	err = b.Pool.InWorkspace(t.Context(), b.Workspace, func(tx pgx.Tx) (err error) {
		d, err = what(t.Context(), tx, a, c, expected)
		return err
	})
	return d, err
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if !errs.Is(err, code) {
		t.Errorf("got %v, want %s", err, code)
	}
}

func count(t *testing.T, b *fixture.Broadcast, sql string, args ...any) (n int) {
	t.Helper()
	b.In(t, func(tx pgx.Tx) error { return tx.QueryRow(t.Context(), sql, args...).Scan(&n) })
	return n
}

func claim(t *testing.T, b *fixture.Broadcast, run id.Run, ordinals ...int32) []messages.Claim {
	t.Helper()
	var wants []messages.Want
	for _, o := range ordinals {
		wants = append(wants, messages.Want{Message: id.Message{Run: run, Ordinal: o}, Token: uuid.New()})
	}
	if _, err := b.Pool.Engine().Exec(t.Context(), `update portfolio set messaging_limit = null, limit_known = true`); err != nil {
		t.Fatal(err)
	}
	got, err := messages.ClaimAll(t.Context(), b.Pool, b.Workspace, "test", wants)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// A completed campaign opens again, sends once more through the claim, and ends
// again.
func TestResendOpensACompletedCampaign(t *testing.T) {
	t.Parallel()
	b, l := silent(t, 5, 3)
	completed(t, b, l.RunID)
	d, err := do(t, b, b.Actor, l.CampaignID, 3, unconfirmed.Resend)
	if err != nil || d.Messages != 3 || d.State != campaigns.Running {
		t.Fatalf("%+v, %v", d, err)
	}
	if n := count(t, b, `select count(*) from message where run_id = $1 and state = 'ready' and feed_after is not null and resolved_by = 'person'`, l.RunID); n != 3 {
		t.Errorf("%d messages are ready, want 3", n)
	}
	if n := count(t, b, `select count(*) from message_attempt where run_id = $1 and outcome = 'resent_by_person'`, l.RunID); n != 3 {
		t.Errorf("%d attempts tell of the decision, want 3", n)
	}
	if n := count(t, b, `select count(*) from audit where action = 'campaign.resent_by_person' and subject = $1`, l.CampaignID.String()); n != 1 {
		t.Errorf("%d audit entries, want 1", n)
	}
	b.Do(t, `update permission set granted = false where contact_id = (select contact_id from message where run_id = $1 and ordinal = 2)`, l.RunID)
	got := claim(t, b, l.RunID, 1, 2, 3)
	if len(got) != 2 || got[0].Attempt != 2 {
		t.Fatalf("claimed %+v: want the second attempt of the two who did not opt out since", got)
	}
	b.In(t, func(tx pgx.Tx) error {
		return messages.Refused(t.Context(), tx, b.Workspace, []id.Message{{Run: l.RunID, Ordinal: 2}})
	})
	b.Do(t, `update message set state = 'read', accepted_at = bareed_now() where run_id = $1 and state = 'sending'`, l.RunID)
	completed(t, b, l.RunID)
	if n := count(t, b, `select count(*) from run where id = $1 and state = 'completed' and ended_at is not null and summary is not null`, l.RunID); n != 1 {
		t.Error("the run did not end again")
	}
}

// What is sent once more goes under a hold when Meta changed the template since.
func TestResendWithAnotherTemplate(t *testing.T) {
	t.Parallel()
	b, l := silent(t, 2, 1)
	completed(t, b, l.RunID)
	b.Do(t, `update template set category = 'UTILITY' where workspace_id = $1`, b.Workspace)
	if _, err := do(t, b, b.Actor, l.CampaignID, 1, unconfirmed.Resend); err != nil {
		t.Fatal(err)
	}
	if got := claim(t, b, l.RunID, 1); len(got) != 0 {
		t.Errorf("%d claimed with a template that nobody approved", len(got))
	}
	if n := count(t, b, `select count(*) from stop where scope_id = $1 and reason = 'template_changed' and cleared_at is null`, l.CampaignID); n != 1 {
		t.Errorf("%d holds", n)
	}
}

func TestDecisionsAreRefusedAndRepeated(t *testing.T) {
	t.Parallel()
	b, l := silent(t, 4, 3)
	stranger := fixture.NewBroadcast(t, b.Pool)
	as := func(r accounts.Role) accounts.Actor {
		a := b.Actor
		a.Role = r
		return a
	}
	for _, what := range []act{unconfirmed.Resend, unconfirmed.Close} {
		_, err := do(t, b, as(accounts.Marketer), l.CampaignID, 3, what)
		wantCode(t, err, "auth.role")
		_, err = do(t, b, as(accounts.Viewer), l.CampaignID, 3, what)
		wantCode(t, err, "auth.role")
		for _, bad := range []int64{0, -1, -9e18} {
			_, err = do(t, b, b.Actor, l.CampaignID, bad, what)
			wantCode(t, err, "campaign.unconfirmed_expected")
		}
		for _, other := range []int64{2, 4, 9e18} {
			_, err = do(t, b, b.Actor, l.CampaignID, other, what)
			wantCode(t, err, "campaign.unconfirmed_changed")
		}
		_, err = do(t, b, b.Actor, id.New[id.Campaign](), 3, what)
		wantCode(t, err, "not_found")
		_, err = do(t, stranger, stranger.Actor, l.CampaignID, 3, what)
		wantCode(t, err, "not_found")
		_, err = do(t, b, b.Actor, b.Campaign(t, "Draft "+uuid.NewString()).ID, 3, what)
		wantCode(t, err, "campaign.not_launched")
	}
	first, err := do(t, b, as(accounts.Admin), l.CampaignID, 3, unconfirmed.Close)
	if err != nil {
		t.Fatal(err)
	}
	again, err := do(t, b, b.Actor, l.CampaignID, 3, unconfirmed.Close)
	if err != nil || again.Messages != first.Messages {
		t.Errorf("the same decision again: %+v, %v", again, err)
	}
	_, err = do(t, b, b.Actor, l.CampaignID, 3, unconfirmed.Resend)
	wantCode(t, err, "campaign.unconfirmed_changed")
	if n := count(t, b, `select count(*) from audit where action = 'campaign.unconfirmed_closed'`); n != 1 {
		t.Errorf("%d audit entries, want 1", n)
	}
}

func TestResendOfAStoppedCampaignIsRefused(t *testing.T) {
	t.Parallel()
	b, l := silent(t, 3, 2)
	b.In(t, func(tx pgx.Tx) error {
		_, err := campaigns.End(t.Context(), tx, b.Actor, l.CampaignID)
		return err
	})
	_, err := do(t, b, b.Actor, l.CampaignID, 2, unconfirmed.Resend)
	wantCode(t, err, "campaign.not_resendable")
	if _, err := do(t, b, b.Actor, l.CampaignID, 2, unconfirmed.Close); err != nil {
		t.Errorf("closing: %v", err)
	}
}

// Of many at once one decides, and all are told the same.
func TestOneResendOfMany(t *testing.T) {
	t.Parallel()
	b, l := silent(t, 30, 20)
	completed(t, b, l.RunID)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			d, err := do(t, b, b.Actor, l.CampaignID, 20, unconfirmed.Resend)
			if err != nil || d.Messages != 20 {
				t.Errorf("%+v, %v", d, err)
			}
		})
	}
	all.Wait()
	if n := count(t, b, `select count(*) from message_attempt where run_id = $1`, l.RunID); n != 20 {
		t.Errorf("%d attempts tell of a decision, want 20", n)
	}
	if n := count(t, b, `select count(*) from audit where action = 'campaign.resent_by_person'`); n != 1 {
		t.Errorf("%d audit entries, want 1", n)
	}
}
