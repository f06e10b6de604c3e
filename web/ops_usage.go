package web

import (
	"time"

	"bareed/numbers/budget"
)

// usageLine is an account's calls to Meta in the last hour.
type usageLine struct {
	budget.Usage
	Used   int
	Kind   string // of the meter
	Paused bool
}

// usageLines leaves out who was not asked in the last two hours.
func usageLines(list []budget.Usage, now time.Time) (lines []usageLine) {
	for _, u := range list {
		l := usageLine{Usage: u, Used: u.Used(now.UTC()), Paused: u.PauseUntil != nil && u.PauseUntil.After(now)}
		if l.Used == 0 && !l.Paused {
			continue
		}
		l.Kind = "ok"
		if l.Paused {
			l.Kind = "danger"
		}
		lines = append(lines, l)
	}
	return lines
}
