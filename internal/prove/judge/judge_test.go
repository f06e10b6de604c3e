//go:build unix

package judge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bareed/internal/prove/judge"
	"bareed/internal/prove/nemesis"
	"bareed/sandbox"
	"bareed/sandbox/journal"
)

const (
	mainRun   = "0197a0000000700080000000000000aa"
	secondRun = "0197a0000000700080000000000000bb"
	number    = "904000000000001"
)

var began = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func phone(i int) string { return fmt.Sprintf("+9665%08d", i) }

func after(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }

// story is a case with its tables: forty people in one run and one in another,
// one request every 100 ms from the first second on, all accepted and read.
type story struct {
	judge.Case
	tables judge.Tables
}

func good() *story {
	s := &story{Case: judge.Case{Runs: map[string]string{"main": mainRun, "second": secondRun}, People: map[string][]string{}, Slots: 4, Possible: 2,
		Lag: func(time.Time, time.Time) time.Duration { return 0 }, Number: number, Rate: 80, End: after(6000)}}
	for i := range 40 {
		s.plan("main", phone(i), "read")
		s.post(mainRun, phone(i), after(1000+100*i), true)
	}
	s.plan("second", phone(100), "read")
	s.post(secondRun, phone(100), after(5000), true)
	s.Summary.Statuses = map[string]int64{"delivered": 41, "read": 41}
	s.Summary.Numbers = map[string]sandbox.NumberSummary{number: {MaxRequestsPerSecond: 11}}
	return s
}

func (s *story) plan(name, to, state string) {
	s.People[name] = append(s.People[name], to)
	seen := state == "read"
	s.tables.Messages = append(s.tables.Messages, judge.Message{Run: s.Runs[name], Ordinal: int32(len(s.People[name])), Address: to, State: state,
		Delivered: seen, Read: seen})
}

func (s *story) post(run, to string, at time.Time, accepted bool) {
	e := journal.Entry{Seq: int64(len(s.Entries) + 1), At: at, Recipient: strings.TrimPrefix(to, "+"), CallbackData: "v1." + run + ".1.1.mac"}
	e.Accepted = accepted
	s.Entries = append(s.Entries, e)
}

// row is the main run's i-th message.
func (s *story) row(i int) *judge.Message { return &s.tables.Messages[i] }

// unsent takes the only request of somebody of the main run away.
func (s *story) unsent(i int) {
	to := strings.TrimPrefix(phone(i), "+")
	s.Entries = slices.DeleteFunc(s.Entries, func(e journal.Entry) bool { return e.Recipient == to && strings.Contains(e.CallbackData, mainRun) })
}

// fate changes what became of one: its row, and whether receipts came.
func (s *story) fate(i int, state string) {
	r := s.row(i)
	r.State, r.Delivered, r.Read = state, false, false
	s.Summary.Statuses["delivered"]--
	s.Summary.Statuses["read"]--
}

func (s *story) mark(m nemesis.Mark) { s.Marks = append(s.Marks, m) }

func (s *story) refuse(i int, at time.Time) {
	s.tables.OptOuts = append(s.tables.OptOuts, judge.OptOut{Address: phone(i), At: &at})
}

// TestGood: a case in which nothing is wrong, with everything that the bounds
// permit, is clean.
func TestGood(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(s *story){
		"as it is": func(*story) {},
		"one person in two runs": func(s *story) {
			s.plan("second", phone(0), "read")
			s.post(secondRun, phone(0), after(5100), true)
			s.Summary.Statuses["delivered"]++
			s.Summary.Statuses["read"]++
		},
		"refused for now, then accepted": func(s *story) { s.post(mainRun, phone(3), after(900), false) },
		"suppressed and not sent":        func(s *story) { s.fate(5, "suppressed"); s.unsent(5) },
		"failed after it was accepted":   func(s *story) { s.fate(5, "failed") },
		"unconfirmed as far as faults explain it": func(s *story) {
			for i := range 2 {
				s.fate(i, "unconfirmed")
				s.unsent(i)
			}
		},
		"opted out just after":       func(s *story) { s.refuse(3, after(1301)) },
		"opted out as the POST left": func(s *story) { s.refuse(3, after(1300-249)) },
		"paused, and went on after": func(s *story) {
			s.mark(nemesis.Mark{Do: nemesis.Pause, On: "main", At: after(4901), Until: after(4950)})
		},
		"what the slots had":           func(s *story) { s.mark(nemesis.Mark{Do: nemesis.Stop, On: "main", At: after(4699)}) },
		"the stop of another campaign": func(s *story) { s.mark(nemesis.Mark{Do: nemesis.Stop, On: "second", At: after(5001)}) },
		"quality dropped at the end":   func(s *story) { s.mark(nemesis.Mark{Do: nemesis.Downgrade, On: "RED", At: after(5001)}) },
		"Redis emptied":                func(s *story) { s.mark(nemesis.Mark{Do: nemesis.Flush, At: after(2550)}) },
		"PostgreSQL crashed":           func(s *story) { s.mark(nemesis.Mark{Do: nemesis.Crash, At: after(2550)}) },
		"emptied when all was over":    func(s *story) { s.mark(nemesis.Mark{Do: nemesis.Flush, At: after(9000)}) },
		"evidence settled each":        func(s *story) { s.Evidence = true },
		"evidence settles nothing of a stopped campaign": func(s *story) {
			s.Evidence = true
			s.fate(4, "unconfirmed")
			s.unsent(4)
			s.mark(nemesis.Mark{Do: nemesis.Stop, On: "main", At: after(5001)})
		},
		"a worker died": func(s *story) {
			s.mark(nemesis.Mark{Do: nemesis.Orphan, On: "worker1", At: after(2000)})
			s.mark(nemesis.Mark{Do: nemesis.OrphanUnknown, On: "worker1", At: after(2000), Until: after(52000)})
			s.mark(nemesis.Mark{Do: nemesis.OrphanSettled, On: "3", At: after(52000), Until: after(57000)})
		},
		"a rolling restart": func(s *story) {
			s.mark(nemesis.Mark{Do: nemesis.Roll, On: "worker1", At: after(2000), Until: after(2500)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := good()
			change(s)
			if f := judge.Decide(s.Case, s.tables); len(f.Breaches) > 0 {
				t.Errorf("a good case is judged %q", f.Breaches)
			}
		})
	}
}

// TestBreaches: each thing that must not be is found, alone, by its own words; here
// of people and what is reported of them.
func TestBreaches(t *testing.T) {
	t.Parallel()
	judged(t, map[string]wrong{
		"twice": {func(s *story) { s.post(mainRun, phone(7), after(3000), true) },
			[]string{"messaged 2 times", "1 people were messaged twice"}},
		"twice, and every row looks right": {func(s *story) {
			for i := range 5 {
				s.post(mainRun, phone(i), after(3000), true)
			}
		}, []string{"messaged 2 times", "messaged 2 times", "messaged 2 times", "5 people were messaged twice"}},
		"no row": {func(s *story) { s.People["main"] = append(s.People["main"], phone(77)) },
			[]string{"1 people are lost"}},
		"never came to an end": {func(s *story) { s.fate(9, "ready"); s.unsent(9) },
			[]string{"1 people are lost: no row, or one that came to no end map[ready:1]"}},
		"still sending": {func(s *story) { s.fate(9, "sending") },
			[]string{"1 people are lost"}},
		"two rows for one person": {func(s *story) { s.tables.Messages = append(s.tables.Messages, *s.row(2)) },
			[]string{"two rows for one person", "41 messages were read, 42 are shown as read"}},
		"suppressed, and was sent": {func(s *story) { s.fate(4, "suppressed") },
			[]string{"suppressed, and was sent", "1 messages are reported wrongly"}},
		"accepted, and was not": {func(s *story) { s.fate(4, "accepted"); s.unsent(4) },
			[]string{"accepted, and was not", "1 messages are reported wrongly"}},
		"read, and was not": {func(s *story) { s.unsent(4) },
			[]string{"read, and was not", "1 messages are reported wrongly"}},
		"sent, and of no row": {func(s *story) { s.post(mainRun, phone(99), after(3000), false) },
			[]string{"1 messages are reported wrongly"}},
		"unconfirmed, and was sent": {func(s *story) { s.fate(4, "unconfirmed") },
			[]string{"unconfirmed, and was sent", "1 messages are reported wrongly"}},
		"more unconfirmed than the faults explain": {func(s *story) {
			for i := range 3 {
				s.fate(i, "unconfirmed")
				s.unsent(i)
			}
		}, []string{"3 unconfirmed, the faults explain 2"}},
		"could not be rendered": {func(s *story) { s.fate(4, "failed"); s.row(4).Reason = "render"; s.unsent(4) },
			[]string{"failed to render", "1 messages are reported wrongly"}},
		"unknown although every answer came": {func(s *story) { s.Clean = true; s.tables.Uncertain = 2 },
			[]string{"2 answers became unknown although every answer came"}},
	})
}

// TestStopsThatLeak: what leaves after an opt-out, a stop, a pause or a drop.
func TestStopsThatLeak(t *testing.T) {
	t.Parallel()
	judged(t, map[string]wrong{
		"after an opt-out": {func(s *story) { s.refuse(3, after(1300-251)) },
			[]string{"1 POSTs began more than 250 ms after an opt-out's commit, the last 251 ms"}},
		"after an opt-out, in another run": {func(s *story) { s.refuse(100, after(4000)) },
			[]string{"1 POSTs began more than 250 ms after an opt-out's commit"}},
		"after an opt-out, and refused": {func(s *story) { s.refuse(3, after(1400)); s.post(mainRun, phone(3), after(2000), false) },
			[]string{"1 POSTs began more than 250 ms after an opt-out's commit"}},
		"an opt-out whose time is not known": {func(s *story) { s.tables.OptOuts = append(s.tables.OptOuts, judge.OptOut{Address: phone(3)}) },
			[]string{"an opt-out has no time of its commit"}},
		"one late POST after a stop": {func(s *story) { s.mark(nemesis.Mark{Do: nemesis.Stop, On: "main", At: after(4649)}) },
			[]string{"a stop leaked: a POST began 251 ms after the stop of main"}},
		"more POSTs than slots": {func(s *story) {
			for i := range 5 {
				s.post(mainRun, phone(i), after(5001+i), false)
			}
			s.mark(nemesis.Mark{Do: nemesis.Frozen, On: "main", At: after(5000)})
		}, []string{"a stop leaked: 5 POSTs after the frozen of main, the workers have 4 slots"}},
		"during a pause": {func(s *story) {
			s.mark(nemesis.Mark{Do: nemesis.Pause, On: "main", At: after(4000), Until: after(4350)})
		},
			[]string{"a stop leaked: a POST began 300 ms after the pause of main"}},
		"any campaign after a drop of quality": {func(s *story) {
			s.mark(nemesis.Mark{Do: nemesis.Downgrade, On: "RED", At: after(4600), Until: after(5500)})
		},
			[]string{"a stop leaked: a POST began 400 ms after the downgrade of RED"}},
		"any campaign after the token's end": {func(s *story) { s.mark(nemesis.Mark{Do: nemesis.Revoke, At: after(4600), Until: after(5500)}) },
			[]string{"a stop leaked: a POST began 400 ms after the revoke of"}},
		"any campaign after the number's drop": {func(s *story) { s.mark(nemesis.Mark{Do: nemesis.Drop, At: after(4600), Until: after(5500)}) },
			[]string{"a stop leaked: a POST began 400 ms after the drop of"}},
	})
}

// TestLateAndLost: what takes too long after a fault, and receipts that are not there.
func TestLateAndLost(t *testing.T) {
	t.Parallel()
	judged(t, map[string]wrong{
		"unconfirmed where evidence had to settle": {func(s *story) { s.Evidence = true; s.fate(4, "unconfirmed"); s.unsent(4) },
			[]string{"1 unconfirmed, where evidence had to settle each"}},
		"a dead worker holds the others up": {func(s *story) {
			s.Entries = slices.DeleteFunc(s.Entries, func(e journal.Entry) bool { return e.At.After(after(2000)) && e.At.Before(after(3100)) })
			for i := 11; i < 21; i++ {
				s.fate(i, "suppressed")
			}
			s.mark(nemesis.Mark{Do: nemesis.Orphan, On: "worker1", At: after(2000)})
		}, []string{"s of silence after the death of a worker"}},
		"a dead worker's claims stay": {func(s *story) { s.mark(nemesis.Mark{Do: nemesis.OrphanUnknown, At: after(2000), Until: after(52001)}) },
			[]string{"s until a dead worker's claims were unknown"}},
		"receipts do not settle a dead worker's claims": {func(s *story) { s.mark(nemesis.Mark{Do: nemesis.OrphanSettled, At: after(2000), Until: after(7001)}) },
			[]string{"s until receipts settled a dead worker's claims"}},
		"silence after Redis was emptied": {func(s *story) {
			for i := 12; i < 38; i++ { // nothing from 2.2 s to 4.8 s
				s.fate(i, "suppressed")
				s.unsent(i)
			}
			s.mark(nemesis.Mark{Do: nemesis.Wipe, At: after(2150)})
		}, []string{"s of silence after the wipe of Redis"}},
		"silence after PostgreSQL came back": {func(s *story) {
			s.post(secondRun, phone(100), after(16000), false)
			s.End = after(17000)
			s.mark(nemesis.Mark{Do: nemesis.Crash, At: after(5000)})
		}, []string{"s of silence after PostgreSQL came back"}},
		"claims left behind by SIGTERM": {func(s *story) { s.mark(nemesis.Mark{Do: "roll-unknown", On: "3", At: after(2000)}) },
			[]string{"3 claims were left behind"}},
		"no end after SIGTERM": {func(s *story) { s.mark(nemesis.Mark{Do: "roll-late", On: "worker1", At: after(2000)}) },
			[]string{"worker1 did not end"}},
		"a bad end after SIGTERM": {func(s *story) { s.mark(nemesis.Mark{Do: "roll-bad", On: "worker2", At: after(2000)}) },
			[]string{"worker2 ended badly"}},
		"rank lowered": {func(s *story) { s.row(6).State = "delivered" },
			[]string{"41 messages were read, 40 are shown as read"}},
		"a receipt lost": {func(s *story) { s.row(6).State = "delivered"; s.row(6).Read = false },
			[]string{"1 acknowledged receipts are not there (delivered: 41 of 41, read: 40 of 41)"}},
		"receipts of somebody lost": {func(s *story) { s.row(6).State = "accepted"; s.row(6).Read, s.row(6).Delivered = false, false },
			[]string{"2 acknowledged receipts are not there"}},
	})
}

// TestPace: how many requests may arrive in a second, and how many more when Meta
// itself stood still before.
func TestPace(t *testing.T) {
	t.Parallel()
	judged(t, map[string]wrong{
		"too many in a second": {func(s *story) { s.Summary.Numbers[number] = sandbox.NumberSummary{MaxRequestsPerSecond: 97} },
			[]string{"97 requests in one second, the number may 80"}},
		"what left while Meta stood still": {func(s *story) {
			s.Summary.Numbers[number] = sandbox.NumberSummary{MaxRequestsPerSecond: 136}
			s.mark(nemesis.Mark{Do: nemesis.Freeze, On: "sandbox", At: after(2000), Until: after(2500)})
		}, nil},
		"more than left while Meta stood still": {func(s *story) {
			s.Summary.Numbers[number] = sandbox.NumberSummary{MaxRequestsPerSecond: 137}
			s.mark(nemesis.Mark{Do: nemesis.Freeze, On: "sandbox", At: after(2000), Until: after(2500)})
			s.mark(nemesis.Mark{Do: nemesis.Freeze, On: "worker1", At: after(3000), Until: after(9000)})
		}, []string{"137 requests in one second, the number may 80"}},
	})
}

// wrong is a change to a good case, and what it must be found as: in this order,
// and nothing else.
type wrong struct {
	change func(s *story)
	want   []string
}

func judged(t *testing.T, cases map[string]wrong) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := good()
			c.change(s)
			f := judge.Decide(s.Case, s.tables)
			if !slices.EqualFunc(f.Breaches, c.want, strings.Contains) {
				t.Errorf("judged %q, want %q", f.Breaches, c.want)
			}
		})
	}
}

// TestLag: what the machine itself was late by is no breach, and is told.
func TestLag(t *testing.T) {
	t.Parallel()
	s := good()
	s.Lag = func(time.Time, time.Time) time.Duration { return 30 * time.Millisecond }
	s.refuse(3, after(1300-270))
	s.mark(nemesis.Mark{Do: nemesis.Stop, On: "main", At: after(4630)})
	f := judge.Decide(s.Case, s.tables)
	if len(f.Breaches) > 0 || f.AllowedLateMS != 30 {
		t.Errorf("judged %q, lag %.0f ms", f.Breaches, f.AllowedLateMS)
	}
}

// TestFigures: what is told beside the breaches.
func TestFigures(t *testing.T) {
	t.Parallel()
	s := good()
	s.fate(0, "unconfirmed")
	s.refuse(3, after(1250))
	s.mark(nemesis.Mark{Do: nemesis.Stop, On: "main", At: after(4750)})
	s.mark(nemesis.Mark{Do: nemesis.Flush, At: after(2550)})
	f := judge.Decide(s.Case, s.tables)
	if f.Recipients != 41 || f.Unconfirmed != 1 || f.UnconfirmedSent != 1 || f.OptOuts != 1 || f.AfterOptOut != 1 || f.AfterOptOutMS != 50 ||
		f.Stops != 1 || f.AfterStop != 2 || f.AfterStopMS != 150 || f.Emptied != 1 || f.SilenceFlushMS != 100 || f.States["read"] != 40 {
		t.Errorf("%+v", f)
	}
}
