//go:build unix

package judge

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/prove/nemesis"
	"bareed/sandbox/journal"
)

const sqlOptOuts = `
select distinct on (m.contact_id) m.address, pg_xact_commit_timestamp(p.xmin)
from permission p
join message m on m.workspace_id = p.workspace_id and m.contact_id = p.contact_id
where p.purpose = 'marketing'
  and not p.granted`

// late is how long after a gate's commit a POST may start.
const late = 250 * time.Millisecond

// optOuts is F8.
func (t *trial) optOuts(ctx context.Context) error {
	rows, err := t.Admin.Query(ctx, sqlOptOuts)
	if err != nil {
		return fmt.Errorf("read the opt-outs: %w", err)
	}
	type optOut struct {
		Address string
		At      *time.Time
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[optOut])
	if err != nil {
		return fmt.Errorf("read the opt-outs: %w", err)
	}
	at := map[string]time.Time{}
	for _, o := range list {
		if o.At != nil {
			at[digits(o.Address)] = *o.At
		}
	}
	t.f.OptOuts = len(at)
	bad := 0
	for k, entries := range t.all {
		since, ok := at[k.phone]
		if !ok {
			continue
		}
		for _, e := range entries {
			after := e.At.Sub(since)
			if after <= 0 {
				continue
			}
			t.f.AfterOptOut++
			t.f.AfterOptOutMS = max(t.f.AfterOptOutMS, ms(after))
			if after > late+t.lag(since, e.At) {
				bad++
			}
		}
	}
	if bad > 0 {
		t.breach("%d POSTs began more than 250 ms after an opt-out's commit, the last %.0f ms", bad, t.f.AfterOptOutMS)
	}
	return nil
}

// lag is what the machine itself was late by; it bounds what can be measured.
func (t *trial) lag(from, to time.Time) time.Duration {
	d := t.Lag(from, to)
	t.f.AllowedLateMS = max(t.f.AllowedLateMS, ms(d))
	return d
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// stops is F7: pauses, stops, pauses of frozen workers.
func (t *trial) stops() {
	for _, m := range t.Marks {
		switch m.Do {
		case nemesis.Pause, nemesis.Stop, nemesis.Frozen, nemesis.Drop, nemesis.Revoke: // the last two stop every run
		default:
			continue
		}
		t.f.Stops++
		n, last := 0, time.Duration(0)
		for _, e := range t.Entries {
			if !strings.Contains(e.CallbackData, t.Runs[m.On]) || !e.At.After(m.At) || !m.Until.IsZero() && !e.At.Before(m.Until) {
				continue
			}
			n++
			last = max(last, e.At.Sub(m.At))
		}
		t.f.AfterStop, t.f.AfterStopMS = max(t.f.AfterStop, n), max(t.f.AfterStopMS, ms(last))
		if n > t.Slots {
			t.breach("%d POSTs after the %s of %s, the workers have %d slots", n, m.Do, m.On, t.Slots)
		}
		if n > 0 && last > late+t.lag(m.At, m.At.Add(last)) {
			t.breach("a POST began %.0f ms after the %s of %s", ms(last), m.Do, m.On)
		}
	}
}

// silences are F3 and F9.
func (t *trial) silences() {
	for _, m := range t.Marks {
		switch m.Do {
		case nemesis.Flush, nemesis.Wipe:
			if !t.sending(m.At) {
				continue
			}
			t.f.Emptied++
			d := t.silence(m.At, m.At.Add(2500*time.Millisecond))
			t.f.SilenceFlushMS = max(t.f.SilenceFlushMS, ms(d))
			if d > 2*time.Second+t.lag(m.At, m.At.Add(d)) {
				t.breach("%.1f s of silence after the %s of Redis", d.Seconds(), m.Do)
			}
		case nemesis.Crash:
			d := t.silence(m.At, m.At.Add(11*time.Second))
			t.f.ResumeCrashMS = max(t.f.ResumeCrashMS, ms(d))
			if d > 10*time.Second+t.lag(m.At, m.At.Add(d)) {
				t.breach("%.1f s of silence after PostgreSQL came back", d.Seconds())
			}
		}
	}
}

// sending tells whether messages were leaving just before: otherwise a silence
// says nothing about what happened then.
func (t *trial) sending(at time.Time) bool {
	n := 0
	for _, e := range t.Entries {
		if e.At.Before(at) && e.At.After(at.Add(-time.Second)) {
			n++
		}
	}
	return n >= 5
}

// silence is the longest gap between requests in a time; what lies behind the
// last request of all is no silence but the end.
func (t *trial) silence(from, to time.Time) time.Duration {
	if len(t.Entries) == 0 {
		return 0
	}
	end := slices.MaxFunc(t.Entries, func(a, b journal.Entry) int { return a.At.Compare(b.At) }).At
	if !t.End.IsZero() && t.End.Before(end) {
		end = t.End
	}
	if end.Before(to) {
		to = end
	}
	times := []time.Time{from}
	for _, e := range t.Entries {
		if e.At.After(from) && e.At.Before(to) {
			times = append(times, e.At)
		}
	}
	times = append(times, to)
	slices.SortFunc(times, func(a, b time.Time) int { return cmp.Compare(a.UnixNano(), b.UnixNano()) })
	longest := time.Duration(0)
	for i := 1; i < len(times); i++ {
		longest = max(longest, times[i].Sub(times[i-1]))
	}
	return longest
}

// rolls is F5.
func (t *trial) rolls() {
	for _, m := range t.Marks {
		switch m.Do {
		case nemesis.Roll:
			t.f.RollMS = max(t.f.RollMS, ms(m.Until.Sub(m.At)))
		case "roll-unknown":
			t.f.RollUnknown++
			t.breach("%s claims were left behind by a worker that SIGTERM ended", m.On)
		case "roll-late":
			t.breach("%s did not end within 40 s of SIGTERM", m.On)
		case "roll-bad":
			t.breach("%s ended badly after SIGTERM", m.On)
		}
	}
}

// orphans is F4: the others go on at once, what the dead worker held is unknown
// within 50 s, and what Meta took of it known within 5 s of the receipts.
func (t *trial) orphans() {
	bound := func(what string, found *float64, d, allowed time.Duration, m nemesis.Mark) {
		*found = max(*found, ms(d))
		if d > allowed+t.lag(m.At, m.At.Add(d)) {
			t.breach("%.1f s %s", d.Seconds(), what)
		}
	}
	for _, m := range t.Marks {
		switch m.Do {
		case nemesis.Orphan:
			bound("of silence after the death of a worker", &t.f.OrphanSilenceMS, t.silence(m.At, m.At.Add(2*time.Second)), time.Second, m)
		case nemesis.OrphanUnknown:
			bound("until a dead worker's claims were unknown", &t.f.OrphanUnknownMS, m.Until.Sub(m.At), 50*time.Second, m)
		case nemesis.OrphanSettled:
			bound("until receipts settled a dead worker's claims", &t.f.OrphanSettledMS, m.Until.Sub(m.At), 5*time.Second, m)
		}
	}
}
