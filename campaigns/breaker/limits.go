package breaker

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"bareed/internal/errs"
)

// Range is what a threshold may be set to, both ends included.
type Range struct {
	Least float64 `json:"least"`
	Most  float64 `json:"most"`
}

// Limits is what the operator permits of each threshold, by its name in JSON,
// and the waves of workspaces that set nothing. The zero value is the program's own.
type Limits struct {
	Ranges   map[string]Range
	Waves    string
	Optional []string // rules that a workspace may switch off, by reason
}

// builtIn is how far a workspace may go where the operator says nothing: loose
// enough for every honest list, and never so loose that a rule says nothing.
var builtIn = map[string]Range{
	"opt_outs_over":         {0.1, 5},
	"opt_outs_after":        {20, 5000},
	"failures_over":         {1, 40},
	"undeliverable_over":    {1, 60},
	"answers_of":            {50, 2000},
	"server_errors_over":    {5, 60},
	"server_errors_seconds": {10, 300},
	"server_errors_retry":   {15, 900},
	"held_most":             {1, 5000},
	"waves_from":            {100, 100_000},
	"canary_people":         {50, 50_000},
	"canary_share":          {0, 50},
	"wave_shares":           {0.1, 99},
	"wave_wait":             {1, 1440},
	"wave_answered":         {0, 100},
	"wave_longest":          {1, 2880},
	"reads_below":           {5, 90},
	"reads_after":           {20, 5000},
	"list_over":             {5, 90},
}

// switchable are the rules that an operator may leave to workspaces to switch off:
// those about how people take a campaign. What Meta says of itself holds always.
var switchable = []string{OptOuts, Failures, Undeliverable}

// ParseLimits reads the operator's own limits: name=least..most, separated by
// commas, and optional=rule+rule for the rules that may be switched off. What is
// not named stays as built in; waves is the default mode, or empty.
func ParseLimits(text, waves string) (Limits, error) {
	l := Limits{Ranges: map[string]Range{}, Waves: waves}
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		name, ends, _ := strings.Cut(part, "=")
		if name == "optional" {
			l.Optional = strings.Split(ends, "+")
			if i := slices.IndexFunc(l.Optional, notSwitchable); i >= 0 {
				return l, fmt.Errorf("read the breaker's limits: %q is not one of %s", l.Optional[i], strings.Join(switchable, ", "))
			}
			continue
		}
		least, most, ok := strings.Cut(ends, "..")
		a, err1 := strconv.ParseFloat(least, 64)
		b, err2 := strconv.ParseFloat(most, 64)
		if _, known := builtIn[name]; !known || !ok || err1 != nil || err2 != nil || !(a <= b) { // also what is no number
			return l, fmt.Errorf("read the breaker's limits: %q is not one of %s with least..most", part,
				strings.Join(slices.Sorted(maps.Keys(builtIn)), ", "))
		}
		l.Ranges[name] = Range{a, b}
	}
	return l, nil
}

func notSwitchable(rule string) bool { return !slices.Contains(switchable, rule) }

// All is every limit in force.
func (l Limits) All() map[string]Range {
	all := maps.Clone(builtIn)
	maps.Copy(all, l.Ranges)
	return all
}

// number is a threshold with its name.
type number struct {
	name  string
	value float64
	set   func(float64)
}

// numbers lists the policy's thresholds; each can be set through the list.
func (p *Policy) numbers() []number {
	list := []number{
		share("opt_outs_over", &p.OptOutsOver), count("opt_outs_after", &p.OptOutsAfter),
		share("failures_over", &p.FailuresOver), share("undeliverable_over", &p.UndeliverableOver),
		count("answers_of", &p.AnswersOf), share("server_errors_over", &p.ServerErrorsOver),
		count("server_errors_seconds", &p.ServerErrorsSeconds), count("server_errors_retry", &p.ServerErrorsRetry),
		count("held_most", &p.HeldMost), count("waves_from", &p.WavesFrom),
		count("canary_people", &p.CanaryPeople), share("canary_share", &p.CanaryShare),
		count("wave_wait", &p.WaveWait), share("wave_answered", &p.WaveAnswered), count("wave_longest", &p.WaveLongest),
		share("reads_below", &p.ReadsBelow), count("reads_after", &p.ReadsAfter), share("list_over", &p.ListOver),
	}
	for i := range p.WaveShares {
		list = append(list, share("wave_shares", &p.WaveShares[i]))
	}
	return list
}

func share(name string, at *float64) number {
	return number{name, *at, func(v float64) { *at = v }}
}

func count[T int | int64](name string, at *T) number {
	return number{name, float64(*at), func(v float64) { *at = T(v) }}
}

// Resolve is the policy in force: the defaults, over them the workspace's
// settings and the campaign's, each threshold within the operator's limits as
// they are now.
func (l Limits) Resolve(settings ...Thresholds) Policy {
	p := Default()
	if l.Waves != "" {
		p.Waves = l.Waves
	}
	return l.Over(p, settings...)
}

// Over lays settings over a policy, each threshold within the operator's limits.
func (l Limits) Over(p Policy, settings ...Thresholds) Policy {
	for _, s := range settings {
		p = s.over(p)
	}
	p.WaveShares = slices.Clone(p.WaveShares) // a setting's own slice is not to be changed
	p.Off = l.permitted(p.Off)
	all := l.All()
	for _, n := range p.numbers() {
		r := all[n.name]
		if v := min(max(n.value, r.Least), r.Most); v != n.value {
			n.set(v)
		}
	}
	return p
}

// permitted leaves of the rules that are switched off those that still may be.
func (l Limits) permitted(off []string) []string {
	list := []string{}
	for _, rule := range off {
		if slices.Contains(l.Optional, rule) && !slices.Contains(list, rule) {
			list = append(list, rule)
		}
	}
	slices.Sort(list)
	return list
}

// Check refuses settings outside the operator's limits and values that there are
// not: breaker.settings with every fault at its place.
func (l Limits) Check(s Thresholds) error {
	p := s.over(l.Resolve()) // what is not set cannot be wrong, also where the default is outside
	all, e := l.All(), errs.New("breaker.settings")
	for _, n := range p.numbers() {
		if r := all[n.name]; n.value < r.Least || n.value > r.Most {
			e.At("/"+n.name, "breaker.out_of_limits", "got", n.value, "least", r.Least, "most", r.Most)
		}
	}
	if !slices.Contains([]string{ByRisk, Always, Never}, p.Waves) {
		e.At("/waves", "breaker.unknown_value", "got", p.Waves, "values", "by_risk, always, never")
	}
	if p.CanaryOrder != Engaged && p.CanaryOrder != Random {
		e.At("/canary_order", "breaker.unknown_value", "got", p.CanaryOrder, "values", "engaged, random")
	}
	for i, rule := range p.Off {
		switch {
		case notSwitchable(rule):
			e.At("/off/"+strconv.Itoa(i), "breaker.unknown_value", "got", rule, "values", strings.Join(switchable, ", "))
		case !slices.Contains(l.Optional, rule):
			e.At("/off/"+strconv.Itoa(i), "breaker.not_optional", "got", rule)
		}
	}
	if len(p.WaveShares) > 8 || !slices.IsSorted(p.WaveShares) {
		e.At("/wave_shares", "breaker.wave_shares")
	}
	if p.WaveLongest < p.WaveWait {
		e.At("/wave_longest", "breaker.wave_longest", "got", p.WaveLongest, "wait", p.WaveWait)
	}
	if len(e.Fields) == 0 {
		return nil
	}
	return e
}
