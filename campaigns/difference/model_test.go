package difference_test

import (
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/difference"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
)

// life is one person's two fates as they are stored: at the check a reason, empty
// for the eligible; in the run a state with its reason. gone: not there.
type life struct {
	reason, state, why string
}

const gone = "gone"

var (
	someReasons = []string{"", "", "", "opted_out", "no_opt_in", "frequency_cap", gone}
	someStates  = [][2]string{{"ready"}, {"sending"}, {"accepted"}, {"held"}, {"sent"}, {"delivered"}, {"read"}, {"played"}, {"failed", "meta_131026"},
		{"failed", "render"}, {"suppressed", "opted_out"}, {"suppressed", "no_opt_in"}, {"suppressed", "stopped"}, {"unknown"}, {"unconfirmed", "no_answer"}, {gone}}
)

func chance(r *rand.Rand) life {
	state := someStates[r.IntN(len(someStates))]
	return life{someReasons[r.IntN(len(someReasons))], state[0], state[1]}
}

// fates are the words for a life in a run whose plan says unplanned of who has no
// message.
func (l life) fates(unplanned string) (atCheck, inRun string) {
	atCheck, inRun = l.reason, l.state
	switch l.reason {
	case "":
		atCheck = "eligible"
	case gone:
		atCheck = "not_there"
	}
	switch l.state {
	case gone:
		inRun = unplanned
	case "ready", "sending":
		inRun = "waiting"
	case "failed", "suppressed":
		inRun = l.why
	case "accepted", "held", "sent", "delivered", "read", "played":
		inRun = "accepted"
	}
	return atCheck, inRun
}

// tally is what the summary must say, counted person by person.
func tally(lives []life, unplanned string) (s difference.Summary, by map[string]int64) {
	by = map[string]int64{}
	for _, l := range lives {
		if l.reason == gone && l.state == gone {
			continue
		}
		at, in := l.fates(unplanned)
		s.People++
		if l.reason != gone {
			s.CheckTotal++
		}
		if l.state != gone {
			s.RunTotal++
		} else if unplanned != "not_there" {
			s.Unplanned++
		}
		if at == "eligible" {
			s.CheckEligible++
		}
		if in == "accepted" {
			s.RunAccepted++
		}
		if at == in || at == "eligible" && in == "accepted" {
			s.AsChecked++
		} else {
			s.Different++
			by[at+">"+in]++
		}
	}
	return s, by
}

// live writes the lives over a check and a run of everybody.
func live(t *testing.T, b *fixture.Broadcast, run id.Run, people []id.Contact, lives []life) {
	t.Helper()
	reasons, states, whys := make([]string, len(lives)), make([]string, len(lives)), make([]string, len(lives))
	for i, l := range lives {
		reasons[i], states[i], whys[i] = l.reason, l.state, l.why
	}
	owner := pgtest.Owner(t, b.Pool)
	for _, sql := range []string{
		`update plan_check_row r set reason = nullif(x.reason, '') from unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) as x(contact, reason, state, why)
		where r.contact_id = x.contact and $1::uuid is not null`,
		`delete from plan_check_row where reason = 'gone' and $1::uuid is not null and ($2::uuid[], $3::text[], $4::text[], $5::text[]) is not null`,
		`update message m set state = x.state, reason = nullif(x.why, '') from unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) as x(contact, reason, state, why)
		where m.run_id = $1 and m.contact_id = x.contact and x.state <> 'gone'`,
		`delete from message m using unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) as x(contact, reason, state, why)
		where m.run_id = $1 and m.contact_id = x.contact and x.state = 'gone'`,
	} {
		if _, err := owner.Exec(t.Context(), sql, run, people, reasons, states, whys); err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever became of people, the figures add up, the groups are those that a count
// person by person finds, and the file has exactly their people.
func TestTheSums(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test's chance
	b, people := newBroadcast(t, 300)
	l := launch(t, b, "Random", func() {})
	lives := make([]life, len(people))
	for i := range lives {
		lives[i] = chance(r)
	}
	live(t, b, l.RunID, people, lives)
	for _, run := range []struct {
		state, unplanned string
		planned          bool
	}{{"finishing", "not_there", true}, {"running", "waiting", false}, {"stopped", "stopped", false}, {"expired", "expired", false}} {
		b.Do(t, `update run set state = $2, plan_done = $3 where id = $1`, l.RunID, run.state, run.planned)
		s := get(t, b, l.CampaignID)
		want, by := tally(lives, run.unplanned)
		if !maps.Equal(groups(s), by) {
			t.Errorf("%s: %v, want %v", run.state, groups(s), by)
		}
		if s.People != want.People || s.CheckTotal != want.CheckTotal || s.CheckEligible != want.CheckEligible || s.RunTotal != want.RunTotal ||
			s.RunAccepted != want.RunAccepted || s.Unplanned != want.Unplanned || s.AsChecked != want.AsChecked || s.Different != want.Different {
			t.Errorf("%s: %+v, want %+v", run.state, s, want)
		}
		if s.AsChecked+s.Different != s.People || s.CheckEligible-s.NotReached+s.ReachedBesides != s.RunAccepted {
			t.Errorf("%s: it does not add up: %+v", run.state, s)
		}
		inFiles(t, b, l.CampaignID, s)
	}
}

// inFiles reads the file in small pages, whole and group by group.
func inFiles(t *testing.T, b *fixture.Broadcast, c id.Campaign, s difference.Summary) {
	t.Helper()
	var p difference.Pair
	b.In(t, func(tx pgx.Tx) (err error) {
		p, err = difference.Find(t.Context(), tx, b.Workspace, c, id.Run{})
		return err
	})
	p.Pages(37)
	by, seen := map[string]int64{}, map[string]bool{}
	for _, row := range written(t, b, p, difference.Want{})[1:] {
		by[row[3]+">"+row[4]]++
		if seen[row[0]] {
			t.Errorf("%s is there twice", row[0])
		}
		seen[row[0]] = true
	}
	if !maps.Equal(by, groups(s)) {
		t.Errorf("the file has %v, the summary %v", by, groups(s))
	}
	p.Pages(300) // the last page is a whole one
	for _, g := range s.Differences {
		if rows := written(t, b, p, difference.Want{AtCheck: g.AtCheck, InRun: g.InRun}); int64(len(rows)) != g.People+1 {
			t.Errorf("%+v has %d rows", g, len(rows)-1)
		}
	}
}
