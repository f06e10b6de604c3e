//go:build unix

// Package judge compares what the product says with what really happened: the
// sandbox's journal, written before Meta's part decides anything.
//
// The proof rig calls it at the end of a run. It changes nothing and knows
// nothing of how the product works inside, only what its tables claim.
package judge

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"bareed/internal/prove/nemesis"
	"bareed/sandbox"
	"bareed/sandbox/journal"
)

// Case is what there is to judge.
type Case struct {
	Entries  []journal.Entry
	Summary  sandbox.Summary
	Admin    *pgxpool.Pool       // for Judge
	Runs     map[string]string   // name → run, 32 hexadecimal digits
	People   map[string][]string // name → phones that had to be planned
	Marks    []nemesis.Mark
	Slots    int                                    // of all workers
	Possible int                                    // unknown messages that the faults can explain
	Lag      func(from, to time.Time) time.Duration // how late this machine woke the rig up
	Number   string                                 // Meta's id
	Rate     int                                    // of the number, a second
	Clean    bool                                   // no fault made an answer uncertain: nothing may be unknown
	Evidence bool                                   // what never left was sent again: nothing may stay unconfirmed
	End      time.Time                              // of the sending
}

// Figures are what was found.
type Figures struct {
	Recipients      int            `json:"recipients"`
	Requests        int64          `json:"requests"`
	Accepted        int64          `json:"accepted"`
	Twice           int            `json:"messaged_twice"`
	Lost            int            `json:"lost"`
	Wrong           int            `json:"wrongly_reported"`
	Unconfirmed     int            `json:"unconfirmed"`
	UnconfirmedSent int            `json:"unconfirmed_but_sent"`
	OfStopped       int            `json:"unconfirmed_of_stopped_campaigns"`
	States          map[string]int `json:"states"`
	ReceiptsLost    int64          `json:"receipts_lost"`
	OptOuts         int            `json:"opt_outs"`
	AfterOptOut     int            `json:"posts_after_opt_out"`
	AfterOptOutMS   float64        `json:"last_post_after_opt_out_ms"`
	Stops           int            `json:"stops"`
	AfterStop       int            `json:"most_posts_after_stop"`
	AfterStopMS     float64        `json:"last_post_after_stop_ms"`
	MaxPerSecond    int            `json:"max_requests_per_second"`
	Emptied         int            `json:"measured_flushes"`
	SilenceFlushMS  float64        `json:"longest_silence_after_flush_ms"`
	ResumeCrashMS   float64        `json:"longest_resume_after_crash_ms"`
	OrphanSilenceMS float64        `json:"silence_after_a_workers_death_ms"`
	OrphanUnknownMS float64        `json:"a_dead_workers_claims_unknown_after_ms"`
	OrphanSettledMS float64        `json:"a_dead_workers_claims_settled_after_ms"`
	RollUnknown     int            `json:"unknown_after_sigterm"`
	RollMS          float64        `json:"longest_sigterm_ms"`
	AllowedLateMS   float64        `json:"rig_lag_ms"`
	Breaches        []string       `json:"breaches"`
}

type key struct{ run, phone string }

type trial struct {
	Case
	f        Figures
	accepted map[key][]journal.Entry
	all      map[key][]journal.Entry
	rows     map[key]Message
}

// Judge reads what the product's tables claim, and decides.
func Judge(ctx context.Context, c Case) (Figures, error) {
	tables, err := Read(ctx, c.Admin)
	if err != nil {
		return Figures{}, err
	}
	return Decide(c, tables), nil
}

// Decide looks at everything and returns what it found; Breaches says in words
// what must not be.
func Decide(c Case, tables Tables) Figures {
	t := &trial{Case: c, accepted: map[key][]journal.Entry{}, all: map[key][]journal.Entry{}, rows: map[key]Message{}}
	t.f.States, t.f.Breaches = map[string]int{}, []string{}
	t.f.Requests, t.f.Accepted = c.Summary.Requests, c.Summary.Accepted
	t.sortJournal()
	t.sortRows(tables.Messages)
	t.certain(tables.Uncertain)
	t.twice()
	t.everybody()
	t.reported()
	t.receipts()
	t.pace()
	t.optOuts(tables.OptOuts)
	t.stops()
	t.silences()
	t.rolls()
	t.orphans()
	return t.f
}

func (t *trial) breach(format string, args ...any) {
	t.f.Breaches = append(t.f.Breaches, fmt.Sprintf(format, args...))
}

func digits(phone string) string { return strings.TrimPrefix(phone, "+") }

// sortJournal sorts the journal by run and person.
func (t *trial) sortJournal() {
	for _, e := range t.Entries {
		run := e.CallbackData
		if p := strings.Split(e.CallbackData, "."); len(p) == 5 {
			run = p[1]
		}
		k := key{run, digits(e.Recipient)}
		t.all[k] = append(t.all[k], e)
		if e.Accepted {
			t.accepted[k] = append(t.accepted[k], e)
		}
	}
}

func (t *trial) sortRows(list []Message) {
	for _, r := range list {
		k := key{r.Run, digits(r.Address)}
		if _, twice := t.rows[k]; twice {
			t.breach("two rows for one person in run %s, ordinal %d", r.Run, r.Ordinal)
		}
		t.rows[k] = r
		t.f.States[r.State]++
	}
}

// certain is for proofs in which every answer came: nothing may ever have been
// unknown.
func (t *trial) certain(uncertain int) {
	if t.Clean && uncertain > 0 {
		t.breach("%d answers became unknown although every answer came", uncertain)
	}
}

// twice is F1 and F2's first half.
func (t *trial) twice() {
	for k, list := range t.accepted {
		if len(list) > 1 {
			if t.f.Twice++; t.f.Twice <= 3 {
				t.breach("messaged %d times: run %s, journal entries %d and %d, %s apart", len(list), k.run, list[0].Seq, list[1].Seq,
					list[1].At.Sub(list[0].At).Round(time.Millisecond))
			}
		}
	}
	if t.f.Twice > 0 {
		t.breach("%d people were messaged twice", t.f.Twice)
	}
}

// everybody looks for people that had to be planned and are nowhere, and for
// rows that never came to an end.
func (t *trial) everybody() {
	stuck := map[string]int{}
	for name, people := range t.People {
		for _, phone := range people {
			t.f.Recipients++
			r, there := t.rows[key{t.Runs[name], digits(phone)}]
			switch {
			case !there:
				t.f.Lost++
			case r.State == "ready" || r.State == "sending" || r.State == "unknown" || r.State == "held":
				t.f.Lost++
				stuck[r.State]++
			}
		}
	}
	if t.f.Lost > 0 {
		t.breach("%d people are lost: no row, or one that came to no end %v", t.f.Lost, stuck)
	}
}

// reported compares each row with the journal.
func (t *trial) reported() {
	for k, r := range t.rows {
		if wrong := t.wrongly(k, r); wrong != "" {
			if t.f.Wrong++; t.f.Wrong <= 3 {
				t.breach("run %s ordinal %d is reported as %s", k.run, r.Ordinal, wrong)
			}
		}
	}
	for k := range t.all {
		if _, ok := t.rows[k]; !ok {
			t.f.Wrong++
		}
	}
	if t.f.Wrong > 0 {
		t.breach("%d messages are reported wrongly", t.f.Wrong)
	}
	if n := t.f.Unconfirmed - t.f.OfStopped; t.Evidence && n > 0 {
		t.breach("%d unconfirmed, where evidence had to settle each", n)
	}
	if t.f.Unconfirmed > t.Possible {
		t.breach("%d unconfirmed, the faults explain %d", t.f.Unconfirmed, t.Possible)
	}
}

// wrongly is what is wrong with a message's state beside what Meta took; empty:
// nothing. It counts those whose end is not known.
func (t *trial) wrongly(k key, r Message) string {
	sent := len(t.accepted[k]) > 0
	switch r.State {
	case "suppressed":
		if sent {
			return "suppressed, and was sent"
		}
	case "accepted", "held", "sent", "delivered", "read", "played":
		if !sent {
			return r.State + ", and was not"
		}
	case "unconfirmed", "unknown":
		t.f.Unconfirmed++
		if t.stopped(k.run) {
			t.f.OfStopped++
		}
		if sent {
			t.f.UnconfirmedSent++
			return r.State + ", and was sent"
		}
	case "failed":
		if r.Reason == "render" {
			return "failed to render"
		}
	}
	return ""
}

// stopped tells whether a run was stopped for good: nothing of it is sent again.
func (t *trial) stopped(run string) bool {
	return slices.ContainsFunc(t.Marks, func(m nemesis.Mark) bool { return m.Do == nemesis.Stop && t.Runs[m.On] == run })
}

// receipts: what Meta posted and we acknowledged must be there.
func (t *trial) receipts() {
	var delivered, read int64
	for _, r := range t.rows {
		if r.Delivered {
			delivered++
		}
		if r.Read {
			read++
		}
	}
	if read > 0 && int64(t.f.States["read"]) != read {
		t.breach("%d messages were read, %d are shown as read: a later status lowered them", read, t.f.States["read"])
	}
	lost := t.Summary.Statuses["delivered"] - delivered + t.Summary.Statuses["read"] - read
	t.f.ReceiptsLost = max(0, lost)
	if lost > 0 {
		t.breach("%d acknowledged receipts are not there (delivered: %d of %d, read: %d of %d)", lost, delivered, t.Summary.Statuses["delivered"],
			read, t.Summary.Statuses["read"])
	}
}

// pace: requests depart evenly, below the rate; a busy machine lets them arrive in
// clusters, and what departed while Meta itself stood still arrives at once.
func (t *trial) pace() {
	t.f.MaxPerSecond = t.Summary.Numbers[t.Number].MaxRequestsPerSecond
	still := time.Duration(0)
	for _, m := range t.Marks {
		if m.Do == nemesis.Freeze && m.On == "sandbox" {
			still = max(still, m.Until.Sub(m.At))
		}
	}
	if t.f.MaxPerSecond > t.Rate+t.Rate/5+int(still.Seconds()*float64(t.Rate)) {
		t.breach("%d requests in one second, the number may %d", t.f.MaxPerSecond, t.Rate)
	}
}
