package board_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/board"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/messages"
)

// The speed is that of the last minute, and stretches without a message count.
func TestPerMinute(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	pace := func(every time.Duration, counts ...int64) board.Pace {
		p := board.Pace{Every: every, Counts: counts}
		for i := range counts {
			p.Times = append(p.Times, at.Add(time.Duration(i)*every))
		}
		return p
	}
	for name, c := range map[string]struct {
		pace board.Pace
		want int64
	}{
		"nothing":              {board.Pace{}, 0},
		"three seconds":        {pace(time.Second, 10, 20, 30), 1200},
		"only the last minute": {pace(30*time.Second, 900, 10, 20), 30},
		"two long stretches":   {pace(10*time.Minute, 900, 100, 300), 20},
		"none lately":          {pace(30*time.Second, 900, 0, 0), 0},
	} {
		if got := c.pace.PerMinute(); got != c.want {
			t.Errorf("%s: %d a minute, want %d", name, got, c.want)
		}
	}
}

func TestBoardOfARun(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	b := fixture.NewBroadcast(t, pool)
	b.AddPeople(t, b.Audience, 40)
	l := b.Launch(t, "Eid")
	draft := b.Campaign(t, "Later").ID
	at := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	b.Do(t, `
		update message
		set state = 'delivered', accepted_at = $2::timestamptz + ordinal * interval '10 seconds',
			delivered_at = $2::timestamptz + ordinal * interval '10 seconds' + interval '3 seconds'
		where run_id = $1 and ordinal <= 20`, l.RunID, at)
	b.In(t, func(tx pgx.Tx) error { return campaigns.Snapshot(t.Context(), tx, b.Workspace, l.RunID) })
	b.Do(t, `
		insert into stop (workspace_id, id, scope, scope_id, reason, by_rule, since, cleared_at, opened_by)
		values ($1, $2, 'number', $3, 'quality_red', true, $4, $4::timestamptz + interval '1 minute', 'system:test')`,
		b.Workspace, id.New[id.Stop](), b.Number, at)
	b.In(t, func(tx pgx.Tx) error {
		lines, err := board.Lines(t.Context(), tx, b.Workspace, l.CampaignID, draft)
		if err != nil {
			return err
		}
		if x := lines[l.CampaignID]; x.Total != 40 || x.Delivered != 20 || x.Waiting != 20 || x.Phone != "+966500000000" || x.StartsAt == nil {
			t.Errorf("the line: %+v", x)
		}
		if x := lines[draft]; x.Total != 0 || x.StartsAt != nil || x.Template == "" {
			t.Errorf("the draft's line: %+v", x)
		}
		choices, err := board.Choices(t.Context(), tx, b.Workspace)
		if err != nil || len(choices) != 4 { // two states, a number, a template
			t.Errorf("choices: %+v, %v", choices, err)
		}
		return err
	})
	b.In(t, func(tx pgx.Tx) error {
		p, err := board.ReadPace(t.Context(), tx, b.Workspace, l.RunID, 40, time.Time{})
		if err != nil {
			return err
		}
		var n int64
		for i, x := range p.Counts {
			if n += x; i > 0 && p.Times[i].Sub(p.Times[i-1]) != p.Every {
				t.Errorf("a gap before %v", p.Times[i])
			}
		}
		if n != 20 || p.Nth != 1 || len(p.Times) > 91 {
			t.Errorf("%d messages in %d stretches, each %d-th", n, len(p.Times), p.Nth)
		}
		later, err := board.ReadPace(t.Context(), tx, b.Workspace, l.RunID, 40, at.Add(3*time.Hour))
		if err != nil {
			return err
		}
		if last := later.Times[len(later.Times)-1]; at.Add(3*time.Hour).Sub(last) > 2*later.Every || len(later.Times) > 91 {
			t.Errorf("it goes on to %v in %d stretches of %v", last, len(later.Times), later.Every)
		}
		w, err := board.ReadWaits(t.Context(), tx, b.Workspace, l.RunID, 40)
		if err != nil {
			return err
		}
		if w.Median != 3 || w.Counts[2] != 20 {
			t.Errorf("waits: %+v", w)
		}
		stops, err := board.PastStops(t.Context(), tx, b.Workspace, l.RunID, at.Add(30*time.Second), at.Add(time.Hour))
		if err != nil || len(stops) != 1 || stops[0].Scope != messages.ScopeNumber || stops[0].Over == nil {
			t.Errorf("stops: %+v, %v", stops, err)
		}
		stops, err = board.PastStops(t.Context(), tx, b.Workspace, l.RunID, at.Add(2*time.Minute), at.Add(time.Hour))
		if err != nil || len(stops) != 0 {
			t.Errorf("stops of later: %+v, %v", stops, err)
		}
		_, err = board.ReadPassage(t.Context(), tx, b.Workspace, id.Message{Run: l.RunID, Ordinal: 41})
		if !errs.Is(err, "not_found") {
			t.Errorf("a message that is not there: %v", err)
		}
		return nil
	})
	// Nothing of it is another workspace's.
	other := fixture.NewBroadcast(t, pool)
	other.In(t, func(tx pgx.Tx) error {
		lines, err := board.Lines(t.Context(), tx, other.Workspace, l.CampaignID)
		if err != nil {
			return err
		}
		p, err := board.ReadPace(t.Context(), tx, other.Workspace, l.RunID, 40, time.Time{})
		if err != nil || len(lines)+len(p.Times) != 0 {
			t.Errorf("another's: %v %v %v", lines, p.Times, err)
		}
		return nil
	})
}
