package difference_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/difference"
	"bareed/campaigns/plan"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/messages"
)

// newBroadcast has people and no messaging limit.
func newBroadcast(t *testing.T, people int) (*fixture.Broadcast, []id.Contact) {
	t.Helper()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	if _, err := b.Pool.Engine().Exec(t.Context(), `update portfolio set messaging_limit = null where id = $1`, b.Portfolio); err != nil {
		t.Fatal(err)
	}
	return b, b.AddPeople(t, b.Audience, people)
}

// launch checks a campaign and launches it; between changes the world before
// anybody is planned.
func launch(t *testing.T, b *fixture.Broadcast, name string, between func()) campaigns.Launched {
	t.Helper()
	c := b.Campaign(t, name)
	k := b.Check(t, c.ID)
	var l campaigns.Launched
	b.In(t, func(tx pgx.Tx) (err error) {
		l, err = campaigns.Launch(t.Context(), tx, b.Actor, c.ID, campaigns.LaunchRequest{Expected: k.Eligible})
		return err
	})
	between()
	box, err := b.Vault.Box(t.Context(), b.Workspace)
	if err != nil {
		t.Fatal(err)
	}
	for at := (plan.Progress{}); !at.Done; {
		b.In(t, func(tx pgx.Tx) (err error) {
			at, err = plan.Next(t.Context(), tx, b.Vault, box, b.Workspace, l.RunID)
			return err
		})
	}
	b.Do(t, `update run set starts_at = bareed_now() where id = $1`, l.RunID)
	b.In(t, func(tx pgx.Tx) error { return campaigns.Due(t.Context(), tx, b.Workspace, l.RunID) })
	return l
}

// forget takes rows about a person out, which the application may not everywhere.
func forget(t *testing.T, b *fixture.Broadcast, sql string, c id.Contact) {
	t.Helper()
	if _, err := pgtest.Owner(t, b.Pool).Exec(t.Context(), sql, c); err != nil {
		t.Fatal(err)
	}
}

func ordinals(t *testing.T, b *fixture.Broadcast, run id.Run) map[id.Contact]int32 {
	t.Helper()
	of := map[id.Contact]int32{}
	b.In(t, func(tx pgx.Tx) error {
		rows, err := tx.Query(t.Context(), `select contact_id, ordinal from message where run_id = $1`, run)
		if err != nil {
			return err
		}
		var c id.Contact
		var o int32
		_, err = pgx.ForEachRow(rows, []any{&c, &o}, func() error { of[c] = o; return nil })
		return err
	})
	return of
}

func get(t *testing.T, b *fixture.Broadcast, c id.Campaign) (s difference.Summary) {
	t.Helper()
	b.In(t, func(tx pgx.Tx) (err error) {
		s, err = difference.Get(t.Context(), tx, b.Workspace, c, id.Run{})
		return err
	})
	return s
}

// groups are the differences by their two fates.
func groups(s difference.Summary) map[string]int64 {
	by := map[string]int64{}
	for _, g := range s.Differences {
		by[g.AtCheck+">"+g.InRun] = g.People
	}
	return by
}

// send claims everybody who is left and records what Meta says of each; who must
// not be messaged any more is settled as the worker does.
func send(t *testing.T, b *fixture.Broadcast, run id.Run, answers map[int32]messages.Result, not int32) {
	t.Helper()
	var wants []messages.Want
	refused := map[id.Message]bool{}
	for _, o := range ordinals(t, b, run) {
		if o != not {
			m := id.Message{Run: run, Ordinal: o}
			wants, refused[m] = append(wants, messages.Want{Message: m, Token: uuid.New()}), true
		}
	}
	claims, err := messages.ClaimAll(t.Context(), b.Pool, b.Workspace, "test", wants)
	if err != nil {
		t.Fatal(err)
	}
	var results []messages.Result
	for _, c := range claims {
		delete(refused, c.Message)
		r, ok := answers[c.Message.Ordinal]
		if !ok {
			r = messages.Result{Outcome: "accepted", State: messages.Accepted, WAMID: "wamid." + c.Message.String(), HTTP: 200}
		}
		r.Message, r.Token, r.Attempt, r.Hash, r.Portfolio = c.Message, c.Token, c.Attempt, c.Hash, c.Portfolio
		results = append(results, r)
	}
	var left []id.Message
	for m := range refused {
		left = append(left, m)
	}
	b.In(t, func(tx pgx.Tx) error {
		if err := messages.Record(t.Context(), tx, b.Workspace, results); err != nil {
			return err
		}
		return messages.Refused(t.Context(), tx, b.Workspace, left)
	})
}

// Each kind of difference, made by what makes it in life.
func TestEveryKindOfDifference(t *testing.T) {
	t.Parallel()
	b, p := newBroadcast(t, 20)
	agree := func(c id.Contact, granted bool) {
		b.Do(t, `insert into permission (workspace_id, contact_id, purpose, granted, consent_id, since)
			values ($1, $2, 'marketing', $3, gen_random_uuid(), bareed_now())
			on conflict (workspace_id, contact_id, purpose) do update set granted = excluded.granted`, b.Workspace, c, granted)
	}
	forget := func(sql string, c id.Contact) { forget(t, b, sql, c) }
	forget(`delete from permission where contact_id = $1`, p[0])
	agree(p[1], false)
	forget(`delete from contact_attribute where contact_id = $1`, p[2])
	l := launch(t, b, "Everything", func() {
		agree(p[0], true)
		agree(p[2], false)
		agree(p[3], false)
		forget(`delete from audience_member where contact_id = $1`, p[4])
		forget(`delete from permission where contact_id = $1`, b.AddPeople(t, b.Audience, 2)[1])
	})
	of := ordinals(t, b, l.RunID)
	agree(p[5], false)
	send(t, b, l.RunID, map[int32]messages.Result{
		of[p[6]]: {Outcome: "refused_for_good", State: messages.Failed, Reason: "meta_131026", Code: 131026, HTTP: 400},
		of[p[7]]: {Outcome: "unknown", State: messages.Unknown, HTTP: 502},
		of[p[8]]: {Outcome: "accepted", State: messages.Held, WAMID: "wamid.held", HTTP: 200},
		of[p[9]]: {Outcome: "unknown", State: messages.Unknown, HTTP: 502},
	}, of[p[10]])
	b.Do(t, `update message set state = 'unconfirmed', reason = 'no_answer' where run_id = $1 and ordinal = $2`, l.RunID, of[p[9]])

	s := get(t, b, l.CampaignID)
	want := map[string]int64{"eligible>opted_out": 2, "eligible>not_there": 1, "eligible>meta_131026": 1, "eligible>unknown": 1,
		"eligible>unconfirmed": 1, "eligible>waiting": 1, "no_opt_in>accepted": 1, "param_missing>opted_out": 1,
		"not_there>accepted": 1, "not_there>no_opt_in": 1}
	got := groups(s)
	for pair, n := range want {
		if got[pair] != n {
			t.Errorf("%s: %d people, want %d", pair, got[pair], n)
		}
		delete(got, pair)
	}
	if len(got) > 0 {
		t.Errorf("besides: %v", got)
	}
	if s.CheckTotal != 20 || s.CheckEligible != 17 || s.RunTotal != 21 || s.RunAccepted != 12 || s.NotReached != 7 || s.ReachedBesides != 2 ||
		s.People != 22 || s.AsChecked != 11 || s.Different != 11 || s.Unplanned != 0 {
		t.Errorf("the sums: %+v", s)
	}
	if first := s.Differences[0]; first.AtCheck != difference.Eligible || first.InRun != messages.OptedOut {
		t.Errorf("not the most people first: %+v", s.Differences)
	}
	s.Tell("en")
	for _, g := range s.Differences {
		if g.InRun == "meta_131026" != (g.MetaError != nil && g.MetaError.Code == 131026 && g.MetaError.Cause != "") {
			t.Errorf("in words: %+v", g)
		}
	}
	ended(t, b, l)
}

// ended stops the campaign: who waited is left out by that.
func ended(t *testing.T, b *fixture.Broadcast, l campaigns.Launched) {
	t.Helper()
	b.In(t, func(tx pgx.Tx) error {
		_, err := campaigns.End(t.Context(), tx, b.Actor, l.CampaignID)
		return err
	})
	b.In(t, func(tx pgx.Tx) error {
		_, err := campaigns.Finish(t.Context(), tx, b.Workspace, l.RunID)
		return err
	})
	s := get(t, b, l.CampaignID)
	if got := groups(s); got["eligible>stopped"] != 1 || got["eligible>waiting"] != 0 || s.RunState != campaigns.RunStopped {
		t.Errorf("after the stop: %v, %s", got, s.RunState)
	}
}

// A run of which nobody is planned says nothing of anybody, until it is over.
func TestBeforeAndWithoutAPlan(t *testing.T) {
	t.Parallel()
	b, p := newBroadcast(t, 5)
	b.Do(t, `update permission set granted = false where contact_id = $1`, p[0])
	c := b.Campaign(t, "Taken back")
	read := func(run id.Run) (s difference.Summary, err error) {
		err = b.Pool.InWorkspace(t.Context(), b.Workspace, func(tx pgx.Tx) (err error) {
			s, err = difference.Get(t.Context(), tx, b.Workspace, c.ID, run)
			return err
		})
		return s, err
	}
	b.Check(t, c.ID)
	if _, err := read(id.Run{}); !errs.Is(err, "campaign.not_launched") {
		t.Errorf("a draft: %v", err)
	}
	b.In(t, func(tx pgx.Tx) error {
		_, err := campaigns.Launch(t.Context(), tx, b.Actor, c.ID, campaigns.LaunchRequest{Expected: 4})
		return err
	})
	s, err := read(id.Run{})
	if got := groups(s); err != nil || got["eligible>waiting"] != 4 || got["opted_out>waiting"] != 1 || s.Unplanned != 5 || s.RunTotal != 0 {
		t.Errorf("before the plan: %v, %+v, %v", got, s, err)
	}
	b.In(t, func(tx pgx.Tx) error {
		_, err := campaigns.End(t.Context(), tx, b.Actor, c.ID)
		return err
	})
	s, err = read(s.RunID)
	if got := groups(s); err != nil || got["eligible>stopped"] != 4 || got["opted_out>stopped"] != 1 || s.Unplanned != 5 || s.NotReached != 4 {
		t.Errorf("taken back: %v, %+v, %v", got, s, err)
	}
	other := launch(t, b, "Another", func() {})
	if _, err := read(other.RunID); !errs.Is(err, "not_found") {
		t.Errorf("another campaign's run: %v", err)
	}
	if _, err := read(id.New[id.Run]()); !errs.Is(err, "not_found") {
		t.Errorf("no run: %v", err)
	}
	stranger := fixture.NewBroadcast(t, b.Pool)
	err = b.Pool.InWorkspace(t.Context(), stranger.Workspace, func(tx pgx.Tx) error {
		_, err := difference.Get(t.Context(), tx, stranger.Workspace, c.ID, id.Run{})
		return err
	})
	if !errs.Is(err, "not_found") {
		t.Errorf("another workspace: %v", err)
	}
}

// The file has names and numbers as other files have them, and of no one who
// came out as checked.
func TestTheFile(t *testing.T) {
	t.Parallel()
	b, p := newBroadcast(t, 4)
	b.Do(t, `update contact set name = '=cmd()' where id = $1`, p[0])
	l := launch(t, b, "File", func() {
		forget(t, b, `delete from audience_member where contact_id = $1`, p[0])
		b.AddPeople(t, b.Audience, 1)
	})
	of := ordinals(t, b, l.RunID)
	send(t, b, l.RunID, map[int32]messages.Result{
		of[p[1]]: {Outcome: "refused_for_good", State: messages.Failed, Reason: "meta_131026", Code: 131026, HTTP: 400},
	}, 0)
	all := file(t, b, l.CampaignID, difference.Want{})
	if len(all) != 4 || strings.Join(all[0], ",") != "contact_id,name,phone,at_check,in_run,code" {
		t.Fatalf("%v", all)
	}
	for i, want := range []string{"'=cmd(),+9665••••••00,eligible,not_there,", "Person 000001,+9665••••••01,eligible,meta_131026,131026", "Person 000004,+9665••••••04,not_there,accepted,"} {
		if got := strings.Join(all[i+1][1:], ","); got != want {
			t.Errorf("row %d: %s, want %s", i, got, want)
		}
	}
	if got := file(t, b, l.CampaignID, difference.Want{InRun: "meta_131026", Reveal: true}); len(got) != 2 || got[1][2] != "+966500000001" {
		t.Errorf("revealed: %v", got)
	}
	for want, n := range map[difference.Want]int{{AtCheck: "eligible"}: 2, {AtCheck: "not_there"}: 1, {InRun: "not_there"}: 1, {InRun: "accepted"}: 1,
		{AtCheck: "eligible", InRun: "accepted"}: 0, {AtCheck: "not_there", InRun: "not_there"}: 0, {AtCheck: "nonsense"}: 0} {
		if got := file(t, b, l.CampaignID, want); len(got) != n+1 {
			t.Errorf("%+v: %v", want, got)
		}
	}
}

func file(t *testing.T, b *fixture.Broadcast, c id.Campaign, want difference.Want) [][]string {
	t.Helper()
	var p difference.Pair
	b.In(t, func(tx pgx.Tx) (err error) {
		p, err = difference.Find(t.Context(), tx, b.Workspace, c, id.Run{})
		return err
	})
	return written(t, b, p, want)
}

func written(t *testing.T, b *fixture.Broadcast, p difference.Pair, want difference.Want) [][]string {
	t.Helper()
	var out bytes.Buffer
	err := difference.WriteCSV(&out, func(at difference.Place) (rows []difference.Row, then difference.Place, err error) {
		err = b.Pool.InWorkspace(t.Context(), b.Workspace, func(tx pgx.Tx) (err error) {
			rows, then, err = p.Next(t.Context(), tx, b.Workspace, want, at)
			return err
		})
		return rows, then, err
	})
	if err != nil {
		t.Fatal(err)
	}
	list, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return list
}
