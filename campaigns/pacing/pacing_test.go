package pacing_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/campaigns/pacing"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/messages"
)

// dropped launches a campaign to n people of whom Meta held and dropped the first k.
func dropped(t *testing.T, n, k int) (*fixture.Broadcast, campaigns.Launched) {
	t.Helper()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	b.AddPeople(t, b.Audience, n)
	l := b.Launch(t, "Spring")
	b.Do(t, `update message set state = 'held', reason = 'meta_132015', attempt = 1, claim_token = gen_random_uuid(), claimed_at = bareed_now(),
		accepted_at = bareed_now(), held_at = bareed_now(), wamid = 'h' || ordinal where run_id = $1 and ordinal <= $2`, l.RunID, k)
	b.Do(t, `update message set state = 'read', attempt = 1, claim_token = gen_random_uuid(), claimed_at = bareed_now(), accepted_at = bareed_now(),
		wamid = 'w' || ordinal where run_id = $1 and ordinal > $2`, l.RunID, k)
	return b, l
}

func giveBack(t *testing.T, b *fixture.Broadcast, a accounts.Actor, c id.Campaign, expected int64) (out pacing.Returned, err error) {
	t.Helper()
	err = b.Pool.InWorkspace(t.Context(), b.Workspace, func(tx pgx.Tx) (err error) {
		out, err = pacing.Return(t.Context(), tx, a, c, expected)
		return err
	})
	return out, err
}

func read(t *testing.T, b *fixture.Broadcast, c id.Campaign) (s pacing.Held) {
	t.Helper()
	b.In(t, func(tx pgx.Tx) (err error) {
		s, err = pacing.Read(t.Context(), tx, b.Workspace, c)
		return err
	})
	return s
}

// A person names the figure they saw; twice is once; a campaign that is over opens
// again; the audit and the events say who.
func TestReturn(t *testing.T) {
	t.Parallel()
	b, l := dropped(t, 6, 4)
	b.Do(t, `update message set held_at = bareed_now() - interval '25 hours' where run_id = $1 and state = 'held'`, l.RunID)
	for range 5 {
		b.In(t, func(tx pgx.Tx) error {
			_, err := campaigns.Finish(t.Context(), tx, b.Workspace, l.RunID)
			return err
		})
	}
	if s := read(t, b, l.CampaignID); s.State != campaigns.Completed || s.Dropped != 4 || !s.Returnable {
		t.Fatalf("over after a day: %+v", s)
	}
	marketer := b.Actor
	marketer.Role = accounts.Marketer
	for name, try := range map[string]struct {
		who      accounts.Actor
		expected int64
		code     string
	}{
		"by a marketer":   {marketer, 4, "auth.role"},
		"of none":         {b.Actor, 0, "campaign.held_expected"},
		"of another many": {b.Actor, 3, "campaign.held_changed"},
	} {
		if _, err := giveBack(t, b, try.who, l.CampaignID, try.expected); !errs.Is(err, try.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range 2 {
		out, err := giveBack(t, b, b.Actor, l.CampaignID, 4)
		if err != nil || out.Messages != 4 || out.State != campaigns.Running {
			t.Fatalf("%+v, %v", out, err)
		}
	}
	if s := read(t, b, l.CampaignID); s.Dropped != 0 || s.State != campaigns.Running {
		t.Errorf("afterwards: %+v", s)
	}
	var ready, lines, entries, events int
	b.In(t, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `
			select (select count(*) from message where run_id = $1 and state = 'ready' and wamid is null and accepted_at is null and octet_length(dropped) = 32),
				(select count(*) from message_attempt where run_id = $1 and outcome = 'returned_by_person'),
				(select count(*) from audit where action = 'campaign.held_returned'),
				(select count(*) from campaign_event where type = 'campaign.held_returned')`, l.RunID).Scan(&ready, &lines, &entries, &events)
	})
	if ready != 4 || lines != 4 || entries != 1 || events != 1 {
		t.Errorf("%d ready, %d lines, %d in the audit, %d events", ready, lines, entries, events)
	}
}

// What was stopped is not opened again.
func TestNoReturnAfterAStop(t *testing.T) {
	t.Parallel()
	b, l := dropped(t, 3, 2)
	b.In(t, func(tx pgx.Tx) error {
		_, err := campaigns.End(t.Context(), tx, b.Actor, l.CampaignID)
		return err
	})
	if _, err := giveBack(t, b, b.Actor, l.CampaignID, 2); !errs.Is(err, "campaign.not_resendable") {
		t.Errorf("%v", err)
	}
	var reason string
	b.In(t, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `select reason from message where run_id = $1 and ordinal = 1`, l.RunID).Scan(&reason)
	})
	if reason != messages.DroppedByMeta {
		t.Errorf("it became %s", reason)
	}
}
