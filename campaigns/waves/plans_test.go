package waves

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/fixture"
	"bareed/internal/pg/pgtest"
)

// What is read every second is read by keys and small ranges, however many people
// a run has and without any statistics, as in a partition that is new.
func TestMeasuringReadsNoWholeRun(t *testing.T) {
	t.Parallel()
	const people = 40_000
	pool := pgtest.New(t)
	b := fixture.NewBroadcast(t, pool)
	b.AddPeople(t, b.Audience, 2)
	l := b.Launch(t, "Large")
	b.Do(t, `insert into message (workspace_id, run_id, ordinal, contact_id, recipient_key, recipient_hash, address, state, attempt, claim_token, claimed_at, accepted_at, http_status)
		select $1, $2, i, gen_random_uuid(), 'p:' || i, '\x00', '', 'delivered', 1, gen_random_uuid(), bareed_now() - interval '1 minute', bareed_now(), 200
		from generate_series(3, $3::int) i`, b.Workspace, l.RunID, people)
	b.Do(t, `insert into consent (workspace_id, id, contact_id, recipient_hash, purpose, action, method, source, policy, occurred_at, actor, hash)
		select workspace_id, gen_random_uuid(), contact_id, '\x00', 'marketing', 'opt_out', 'keyword', 'test', 'strict', bareed_now(), 'test', '\x00'
		from message where run_id = $1 and ordinal % 200 = 0`, l.RunID)
	hour := time.Now().Add(-time.Hour)
	for _, tt := range []struct {
		name string
		sql  string
		args []any
		most string // part of the plan that must be there
	}{
		{"answers", sqlAnswers, []any{b.Workspace, l.RunID, int32(people), 500, hour, hour, hour}, "Index Scan using message_"},
		{"opt-outs", sqlOptOuts, []any{b.Workspace, l.RunID, hour}, "consent_opt_out"},
		{"held", `select count(*) from message m where m.workspace_id = $1 and m.run_id = $2 and m.state = 'held'`, []any{b.Workspace, l.RunID}, "run_id_ordinal_idx"},
	} {
		b.In(t, func(tx pgx.Tx) error {
			rows, err := tx.Query(t.Context(), "explain (analyze, costs off, timing off) "+tt.sql, tt.args...)
			if err != nil {
				return err
			}
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			plan := strings.Join(lines, "\n")
			if strings.Contains(plan, "Seq Scan on message") || !strings.Contains(plan, tt.most) {
				t.Errorf("%s:\n%s", tt.name, plan)
			}
			return err
		})
	}
}
