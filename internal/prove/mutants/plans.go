//go:build unix

package mutants

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"bareed/internal/prove"
	"bareed/internal/prove/clocks"
	"bareed/internal/prove/nemesis"
	"bareed/sandbox"
)

const second = time.Second

// fixed makes a proof of a plan that hangs on no seed.
func fixed(name string, people int, faults []sandbox.Fault, plan func(main []string) []nemesis.Step) Plan {
	return planned(prove.Options{Name: name, People: people, Faults: faults,
		Plan: func(_ prove.Options, main []string) []nemesis.Step { return plan(main) }})
}

// planned paces the number at 80 a second, Meta's usual rate. A stop of the plan
// that could not be measured is a breach: the proof would say less than it seems to.
func planned(o prove.Options) Plan {
	o.Seed, o.Rate, o.Quiet = 1, 80, true
	return Plan{o.Name, func(soft, hard context.Context, binary string, log io.Writer) (prove.Result, error) {
		fmt.Fprintf(log, "%-10s %s\n", "plan", o.Name)
		o, steps := o, o.Plan
		o.Binary, o.Out = binary, log
		stops := 0
		o.Plan = func(o prove.Options, main []string) []nemesis.Step {
			plan := steps(o, main)
			for _, s := range plan {
				if slices.Contains([]string{nemesis.Pause, nemesis.Stop, nemesis.Frozen, nemesis.Downgrade}, s.Do) {
					stops++
				}
			}
			return plan
		}
		r, err := prove.Run(soft, hard, o)
		if err == nil && r.Stops != stops {
			r.Breaches = append(r.Breaches, fmt.Sprintf("the plan has %d stops, %d were measured", stops, r.Stops))
		}
		return r, err
	}}
}

// noFaults is not nil, which would be the usual ones.
func noFaults() []sandbox.Fault { return []sandbox.Fault{} }

// away: no receipt comes until the sending is over.
var away = nemesis.Step{Do: nemesis.Outage, On: "end"}

// lostAnswers: many answers are lost, workers are killed with POSTs under way, and
// no receipt comes to the rescue.
func lostAnswers() Plan {
	return fixed("lost-answers", 400, []sandbox.Fault{{Kind: sandbox.KindCut, Probability: 0.1}, {Kind: sandbox.KindReset, Probability: 0.05},
		{Kind: sandbox.KindHTMLAccept, Probability: 0.05}, {Kind: sandbox.KindCutBody, Probability: 0.05}}, func([]string) []nemesis.Step {
		return []nemesis.Step{away, {Do: nemesis.Slow, On: "worker-meta", For: 8 * second},
			{At: 2500 * time.Millisecond, Do: nemesis.Kill, On: "worker1"}, {At: 4 * second, Do: nemesis.Kill, On: "worker2"},
			{At: 5500 * time.Millisecond, Do: nemesis.Kill, On: "worker1"}, {At: 7 * second, Do: nemesis.Kill, On: "worker2"}}
	})
}

// killed: workers are killed again and again while Meta has accepted what they
// wait to be told of, and no receipt comes.
func killed() Plan {
	return fixed("killed", 600, []sandbox.Fault{{Kind: sandbox.KindSlow, Probability: 0.5, SlowMS: 700}}, func([]string) []nemesis.Step {
		plan := []nemesis.Step{away}
		for i := range 12 {
			plan = append(plan, nemesis.Step{At: 2*second + time.Duration(i)*second, Do: nemesis.Kill, On: []string{"worker1", "worker2"}[i%2]})
		}
		return plan
	})
}

// refusals: many people opt out shortly before their turn.
func refusals() Plan {
	return fixed("refusals", 400, noFaults(), func(main []string) (plan []nemesis.Step) {
		for i, phone := range main[len(main)-60:] {
			do := nemesis.Refuse
			if i%3 == 0 {
				do = nemesis.WriteStop
			}
			plan = append(plan, nemesis.Step{At: time.Duration(i) * 40 * time.Millisecond, Do: do, On: phone})
		}
		return plan
	})
}

// stops: campaigns are paused and stopped, also with the workers' queues full.
func stops() Plan {
	return fixed("stops", 1500, noFaults(), func([]string) []nemesis.Step {
		return []nemesis.Step{{At: 2 * second, Do: nemesis.Frozen, On: "main", For: 1500 * time.Millisecond},
			{At: 6 * second, Do: nemesis.Pause, On: "main", For: second}, {At: 9 * second, Do: nemesis.Frozen, On: "main", For: 1500 * time.Millisecond},
			{At: 12 * second, Do: nemesis.Stop, On: "stopped"}, {At: 12 * second, Do: nemesis.Frozen, On: "second", For: 1500 * time.Millisecond}}
	})
}

// crashes: PostgreSQL loses what it had not written, again and again.
func crashes() Plan {
	return fixed("crashes", 1200, noFaults(), func([]string) []nemesis.Step {
		plan := []nemesis.Step{away}
		for i := range 4 {
			plan = append(plan, nemesis.Step{At: time.Duration(2+5*i) * second, Do: nemesis.Crash})
		}
		return plan
	})
}

// sessions: the administrator ends the database sessions that claim, in the middle
// of it. Nothing else is disturbed, or nothing would be sent meanwhile.
func sessions() Plan {
	return fixed("sessions", 1000, noFaults(), func([]string) []nemesis.Step {
		return []nemesis.Step{away, {At: 2 * second, Do: nemesis.Terminate, On: "w.token", Times: 1000}}
	})
}

// receipts: webhooks come in any order, several times, while their taker and its
// database are ended.
func receipts() Plan {
	return fixed("receipts", 600, noFaults(), func([]string) []nemesis.Step {
		plan := []nemesis.Step{{At: second, Do: nemesis.Terminate, Times: 60}, {At: 5 * second, Do: nemesis.Crash}}
		for i := range 20 { // an event is on its way for some milliseconds only
			plan = append(plan, nemesis.Step{At: 2*second + time.Duration(i)*500*time.Millisecond, Do: nemesis.Kill, On: "api"})
		}
		return plan
	})
}

// dashboard: somebody presses every button, and every answer comes.
func dashboard() Plan {
	return planned(prove.Options{Name: "dashboard", People: 600, Faults: noFaults(), Clean: true, Plan: func(prove.Options, []string) []nemesis.Step {
		plan := []nemesis.Step{away, {Do: nemesis.Slow, On: "worker-meta", For: 14 * second}}
		for i := range 24 {
			plan = append(plan, nemesis.Step{At: second + time.Duration(i)*500*time.Millisecond, Do: nemesis.Buttons, Times: 200})
		}
		return append(plan, nemesis.Step{At: 3 * second, Do: nemesis.Frozen, On: "stopped", For: second},
			nemesis.Step{At: 3300 * time.Millisecond, Do: nemesis.Buttons, Times: 500})
	}})
}

// emptied: Redis forgets everything, and the rate must hold all the same, also when
// the workers stand still for nearly a second and then have as much before them.
func emptied() Plan {
	return fixed("emptied", 1200, noFaults(), func([]string) (plan []nemesis.Step) {
		for i := range 6 {
			at := time.Duration(2+2*i) * second
			if i%3 == 0 {
				plan = append(plan, nemesis.Step{At: at, Do: nemesis.Flush})
			}
			for _, worker := range []string{"worker1", "worker2"} {
				plan = append(plan, nemesis.Step{At: at + 1200*time.Millisecond, Do: nemesis.Freeze, On: worker, For: 800 * time.Millisecond})
			}
		}
		return plan
	})
}

// forgotten: Redis forgets everything while Meta has accepted what the workers
// wait to be told of, for longer than a new Redis takes to grant departures, and
// no receipt comes.
func forgotten() Plan {
	return fixed("forgotten", 1000, []sandbox.Fault{{Kind: sandbox.KindSlow, Probability: 0.25, SlowMS: 2000}}, func([]string) []nemesis.Step {
		plan := []nemesis.Step{away}
		for i, do := range []string{nemesis.Flush, nemesis.Wipe, nemesis.Flush, nemesis.Wipe} {
			plan = append(plan, nemesis.Step{At: 2*second + time.Duration(i)*3*second, Do: do})
		}
		return plan
	})
}

// drops: the template's quality falls twice, and the queue forgets.
func drops() Plan {
	return fixed("drops", 1200, noFaults(), func([]string) []nemesis.Step {
		return []nemesis.Step{{At: 3 * second, Do: nemesis.Downgrade, On: "YELLOW", For: 2500 * time.Millisecond},
			{At: 9 * second, Do: nemesis.Downgrade, On: "RED", For: 2500 * time.Millisecond}}
	})
}

// clocks: what recurs fires through a change of clocks, on a machine that stands
// elsewhere.
func zones() Plan {
	return Plan{"clocks", func(soft, hard context.Context, binary string, log io.Writer) (r prove.Result, err error) {
		fmt.Fprintf(log, "%-10s clocks\n", "plan")
		found, err := clocks.Run(soft, hard, clocks.Options{Out: log, Binary: binary})
		r.Requests, r.Breaches = int64(found.Messages), found.Breaches
		return r, err
	}}
}

// oneSided: one worker wrote that Meta refused messages for now, and never hears
// that it was written. First some are refused for good, so that every statement is
// known on every connection and needs no answer to be carried out. Then Meta stands
// still until every slot waits for it, but less than the second after which an idle
// connection is asked whether it lives; it refuses them all at once, and the
// database's answers to that worker are swallowed from just before on, until well
// after the time of the refusal (6 to 7.5 s). Redis forgets before that time, or the
// task, which the first worker still holds, would have no twin. So what the first
// writes again at last meets the claim of the other, which waits for a slow Meta or
// was told nothing by it: as seldom that the number need not rest.
func oneSided() Plan {
	faults := []sandbox.Fault{{Kind: sandbox.KindRefuse, Code: 131026, Count: 75}}
	return planned(prove.Options{Name: "one-sided", People: 250, Faults: faults, Plan: func(prove.Options, []string) []nemesis.Step {
		return []nemesis.Step{away, {At: 3500 * time.Millisecond, Do: nemesis.Fault, On: "refuse 131056", Times: 64},
			{At: 3550 * time.Millisecond, Do: nemesis.Freeze, On: "sandbox", For: 850 * time.Millisecond},
			{At: 4350 * time.Millisecond, Do: nemesis.Mute, On: "postgres-worker1", For: 11 * second},
			{At: 8 * second, Do: nemesis.Flush}, {At: 9 * second, Do: nemesis.Fault, On: "no_id", Times: 10},
			{At: 9100 * time.Millisecond, Do: nemesis.Fault, On: "slow", Times: 40, For: 8 * second},
			{At: 27 * second, Do: nemesis.Slow, On: "worker-meta", For: second}}
	}})
}
