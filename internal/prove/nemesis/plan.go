//go:build unix

package nemesis

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Step is one thing done to the product at a moment after the launch. On names
// a process, a link or a person; For is how long it lasts, Times how often.
type Step struct {
	At    time.Duration
	Do    string
	On    string
	For   time.Duration
	Times int
}

func (s Step) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%6.2fs %s", s.At.Seconds(), s.Do)
	if s.On != "" {
		fmt.Fprintf(&b, " %s", s.On)
	}
	if s.For > 0 {
		fmt.Fprintf(&b, " for %.1fs", s.For.Seconds())
	}
	if s.Times > 0 {
		fmt.Fprintf(&b, " ×%d", s.Times)
	}
	return b.String()
}

// What a Step can Do.
const (
	Kill      = "kill"      // SIGKILL
	Freeze    = "freeze"    // SIGSTOP, then SIGCONT
	Roll      = "roll"      // SIGTERM, and wait for the end
	Flush     = "flush"     // FLUSHALL
	Wipe      = "wipe"      // Redis killed and started empty
	Stale     = "stale"     // Redis killed and started with what it held a while ago
	Crash     = "crash"     // PostgreSQL's immediate shutdown, and a start
	Terminate = "terminate" // database sessions ended by the administrator
	Ended     = "sessions"  // of the database that Terminate found at work and ended
	Cut       = "cut"       // of a link: nothing passes
	Slow      = "slow"      // of a link: answers are late
	Mute      = "mute"      // of a link: answers are swallowed
	Drip      = "drip"      // of a link: answers come in small pieces
	Outage    = "outage"    // Meta's webhooks are held back
	Late      = "late"      // Meta's webhooks take 5 to 15 s
	Storm     = "storm"     // Meta answers 130429
	Fault     = "fault"     // Meta plays the sandbox's fault in On, with its code, to the next Times requests; For is a slow one's
	Gateway   = "gateway"   // Meta's gateway answers with an untyped 502, not accepted
	Buttons   = "buttons"   // of the queues' dashboard: delete, archive, run, cancel
	Refuse    = "refuse"    // a person opts out by the API
	WriteStop = "stop-word" // a person writes STOP
	Pause     = "pause"     // a campaign, and resume
	Stop      = "stop"      // a campaign, for good
	Downgrade = "downgrade" // Meta lowers the template's quality to On, and Redis is emptied
	Jump      = "jump"      // the database's clock goes forward
	Drop      = "drop"      // the number's quality falls; a rule stops it
	Revoke    = "revoke"    // Meta refuses the token now and then; a rule stops it
	Orphan    = "orphan"    // a worker is killed, and what it held is looked at until it is settled
	Frozen    = "frozen"    // every worker frozen, a campaign stopped or somebody opted out, go on
)

// Options of Make.
type Options struct {
	Length    time.Duration // of the sending
	Kills     int
	Flushes   int
	Crashes   int
	Workers   int
	Refusals  int      // people who opt out, half by each way
	People    []string // phones, to choose them from
	Campaigns []string // names; the last is stopped for good, the others paused now and then
}

// Make draws a plan. The same seed and options give the same plan.
func Make(seed uint64, o Options) []Step {
	m := &maker{Options: o, r: rand.New(rand.NewPCG(seed, 0x70726f7665))}
	m.measured()
	m.weather()
	m.kills()
	m.people()
	slices.SortStableFunc(m.steps, func(a, b Step) int { return int(a.At - b.At) })
	return m.steps
}

type maker struct {
	Options
	r     *rand.Rand
	steps []Step
	quiet [][2]time.Duration // in which nothing else may stop the sending
}

func (m *maker) add(at time.Duration, do, on string, length time.Duration, times int) {
	m.steps = append(m.steps, Step{At: at.Round(10 * time.Millisecond), Do: do, On: on, For: length.Round(10 * time.Millisecond), Times: times})
}

// measured places what is measured by the silence that follows it, each in a
// time of its own.
func (m *maker) measured() {
	type event struct {
		do   string
		room time.Duration
		loud bool // others may disturb it
	}
	var list []event
	for range m.Flushes {
		list = append(list, event{Flush, 2500 * time.Millisecond, false})
	}
	for range m.Crashes {
		list = append(list, event{Crash, 3 * time.Second, false})
	}
	list = append(list, event{Roll, 3 * time.Second, false}, event{Frozen, 2500 * time.Millisecond, true}, event{Stop, time.Second, true})
	for i := range max(1, len(list)/4) {
		list = append(list, event{Pause, 2 * time.Second, true}, event{[]string{Wipe, Stale}[i%2], 2500 * time.Millisecond, i%2 == 1})
	}
	m.r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	var sum time.Duration
	for _, e := range list {
		sum += e.room
	}
	at := 1500 * time.Millisecond
	rest := max(0, m.Length-sum-2*at) / time.Duration(len(list))
	for _, e := range list {
		at += time.Duration(m.r.Int64N(int64(rest) + 1))
		if !e.loud {
			m.quiet = append(m.quiet, [2]time.Duration{at - 1500*time.Millisecond, at + e.room})
		}
		m.exclusive(at, e.do)
		at += e.room
	}
}

func (m *maker) exclusive(at time.Duration, do string) {
	switch do {
	case Roll:
		for w := range m.Workers {
			m.add(at+time.Duration(w)*1500*time.Millisecond, Roll, fmt.Sprintf("worker%d", w+1), 0, 0)
		}
	case Pause:
		m.add(at, Pause, m.Campaigns[0], 1200*time.Millisecond, 0)
	case Stop:
		m.add(at, Stop, m.Campaigns[len(m.Campaigns)-1], 0, 0)
	case Frozen:
		m.add(at, Frozen, m.Campaigns[0], 1500*time.Millisecond, 0)
	default:
		m.add(at, do, "", 0, 0)
	}
}

// free draws a moment that is not in a quiet time.
func (m *maker) free() time.Duration {
	for range 1000 {
		at := time.Duration(m.r.Int64N(int64(m.Length)))
		if !slices.ContainsFunc(m.quiet, func(q [2]time.Duration) bool { return at > q[0] && at < q[1] }) {
			return at
		}
	}
	return m.Length
}

// weather is what Meta and the network do.
func (m *maker) weather() {
	third := m.Length / 3
	m.add(m.between(third/2, third), Outage, "", m.between(third/2, third), 0)
	m.add(m.between(2*third, 2*third+third/3), Late, "", third/2, 0)
	// The sending ends in an outage: what expires then has no receipt to save it.
	m.add(m.Length-3*time.Second, Outage, "end", 0, 0)
	rounds := 1 + int(m.Length/(60*time.Second))
	for range rounds {
		m.add(m.free(), Cut, "worker-meta", m.between(300*time.Millisecond, time.Second), 0)
		m.add(m.free(), Slow, "worker-meta", m.between(2*time.Second, 4*time.Second), 0)
		m.add(m.free(), Cut, "postgres", m.between(200*time.Millisecond, 800*time.Millisecond), 0)
		m.add(m.free(), Mute, "postgres-worker1", m.between(time.Second, 3*time.Second), 0)
		m.add(m.free(), Drip, "postgres", m.between(time.Second, 2*time.Second), 0)
		m.add(m.free(), Slow, "redis", m.between(time.Second, 2*time.Second), 0)
		m.add(m.free(), Cut, "redis", m.between(200*time.Millisecond, time.Second), 0)
		m.add(m.free(), Mute, "redis", m.between(500*time.Millisecond, 1500*time.Millisecond), 0)
		m.add(m.free(), Cut, "webhooks", m.between(time.Second, 2*time.Second), 0)
		m.add(m.free(), Mute, "webhooks", m.between(time.Second, 2*time.Second), 0)
		m.add(m.free(), Storm, "", 0, 30)
		m.add(m.free(), Gateway, "", 0, 5)
		m.add(m.free(), Terminate, "", 0, 5)
		m.add(m.free(), Freeze, fmt.Sprintf("worker%d", 1+m.r.IntN(m.Workers)), m.between(time.Second, 3*time.Second), 0)
		m.add(m.free(), Freeze, fmt.Sprintf("scheduler%d", 1+m.r.IntN(2)), m.between(time.Second, 3*time.Second), 0)
		for range 6 {
			m.add(m.free(), Buttons, "", 0, 5+m.r.IntN(30))
		}
	}
}

func (m *maker) kills() {
	for range m.Kills {
		on := "api"
		switch n := m.r.IntN(100); {
		case n < 65:
			on = fmt.Sprintf("worker%d", 1+m.r.IntN(m.Workers))
		case n < 85:
			on = fmt.Sprintf("scheduler%d", 1+m.r.IntN(2))
		}
		m.add(m.free(), Kill, on, 0, 0)
	}
}

// people opt out at any moment, quiet or not.
func (m *maker) people() {
	chosen := m.r.Perm(len(m.People))
	for i := range min(m.Refusals, len(chosen)) {
		do := Refuse
		if i%2 == 1 {
			do = WriteStop
		}
		m.add(time.Duration(m.r.Int64N(int64(m.Length))), do, m.People[chosen[i]], 0, 0)
	}
}

func (m *maker) between(from, to time.Duration) time.Duration {
	return from + time.Duration(m.r.Int64N(int64(to-from)+1))
}
