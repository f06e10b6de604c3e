//go:build unix

// Package demands holds the plans that press one demand of the proof hard, where
// the drawn plans touch all of them a little: twenty emptied Redises, a deployment
// every two seconds, fifty stops, a dead worker in real time, twenty thousand
// buttons.
//
// cmd/dev runs them in the long proof. They judge nothing themselves.
package demands

import (
	"time"

	"bareed/internal/prove"
	"bareed/internal/prove/nemesis"
)

// All is every plan, in the order of the demands.
func All() []prove.Options {
	return []prove.Options{emptied(), death(), deployments(), buttons(), stops()}
}

// of makes a proof of a plan that hangs on no seed. 80 messages a second leave.
func of(name string, people int, plan func(main []string) []nemesis.Step) prove.Options {
	return prove.Options{Name: name, Seed: 1, People: people, Rate: 80,
		Plan: func(_ prove.Options, main []string) []nemesis.Step { return plan(main) }}
}

// emptied is F3.
func emptied() prove.Options {
	return of("twenty times without Redis", 4800, func([]string) (plan []nemesis.Step) {
		for i := range 22 {
			do := nemesis.Flush
			if i%4 == 3 {
				do = nemesis.Wipe
			}
			plan = append(plan, nemesis.Step{At: 1500*time.Millisecond + time.Duration(i)*2700*time.Millisecond, Do: do})
		}
		return plan
	})
}

// death is F4.
func death() prove.Options {
	return of("a dead worker", 600, func([]string) []nemesis.Step {
		return []nemesis.Step{{Do: nemesis.Slow, On: "worker-meta", For: 4 * time.Second}, {At: 3 * time.Second, Do: nemesis.Orphan, On: "worker1"}}
	})
}

// deployments is F5.
func deployments() prove.Options {
	return of("a deployment every two seconds", 5200, func([]string) (plan []nemesis.Step) {
		for i := range 30 {
			plan = append(plan, nemesis.Step{At: time.Second + time.Duration(i)*2*time.Second, Do: nemesis.Roll, On: []string{"worker1", "worker2"}[i%2]})
		}
		return plan
	})
}

// buttons is F6. The clock moves on, so that what was deleted comes back meanwhile
// and is pressed again.
func buttons() prove.Options {
	o := of("twenty thousand buttons", 12000, func([]string) []nemesis.Step {
		plan := []nemesis.Step{{At: time.Second, Do: nemesis.Buttons, For: 45 * time.Second, Times: 400}}
		for i := range 14 {
			plan = append(plan, nemesis.Step{At: time.Duration(3+3*i) * time.Second, Do: nemesis.Jump, For: 61 * time.Second})
		}
		return plan
	})
	o.Rate, o.Buttons = 1000, 20_000
	return o
}

// stops is F7.
func stops() prove.Options {
	return of("fifty stops", 8500, func([]string) []nemesis.Step {
		plan := []nemesis.Step{{At: 101 * time.Second, Do: nemesis.Stop, On: "stopped"}, {At: 104 * time.Second, Do: nemesis.Stop, On: "second"}}
		at := time.Second
		for i := range 38 {
			plan = append(plan, nemesis.Step{At: at, Do: nemesis.Pause, On: []string{"main", "second"}[i%2], For: 500 * time.Millisecond})
			at += 1200 * time.Millisecond
		}
		for range 6 {
			plan = append(plan, nemesis.Step{At: at, Do: nemesis.Frozen, On: "main", For: time.Second})
			at += 3 * time.Second
		}
		for i := range 6 {
			plan = append(plan, nemesis.Step{At: at, Do: []string{nemesis.Drop, nemesis.Revoke}[i%2]})
			at += 5 * time.Second
		}
		return plan
	})
}
