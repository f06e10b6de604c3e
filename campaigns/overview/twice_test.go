package overview_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/overview"
	"bareed/internal/fixture"
	"bareed/internal/pg/pgtest"
)

func TestWhatWasAcceptedTwice(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	b, other := fixture.NewBroadcast(t, pool), fixture.NewBroadcast(t, pool)
	for _, of := range []*fixture.Broadcast{b, other} {
		of.AddPeople(t, of.Audience, 3)
	}
	run, theirs := b.Launch(t, "Eid"), other.Launch(t, "Theirs")
	note := func(of *fixture.Broadcast, run any, ordinal int, outcome, ago string) {
		of.Do(t, `insert into message_attempt (workspace_id, run_id, ordinal, attempt, claim_token, outcome, at)
			values ($1, $2, $3, 1, gen_random_uuid(), $4, bareed_now() - $5::interval)`, of.Workspace, run, ordinal, outcome, ago)
	}
	note(b, run.RunID, 1, "second_acceptance", "1 hour")
	note(b, run.RunID, 2, "second_acceptance", "2 hours")
	note(b, run.RunID, 3, "expired", "1 hour")
	note(b, run.RunID, 3, "second_acceptance", "9 days")
	note(other, theirs.RunID, 1, "second_acceptance", "1 hour")
	var list []overview.Twice
	b.In(t, func(tx pgx.Tx) (err error) {
		list, err = overview.ListTwice(t.Context(), tx, b.Workspace, time.Now().AddDate(0, 0, -7))
		return err
	})
	if len(list) != 1 || list[0].Name != "Eid" || list[0].Campaign != run.CampaignID || list[0].Messages != 2 || time.Since(list[0].Since) < 119*time.Minute {
		t.Errorf("%+v", list)
	}
}
