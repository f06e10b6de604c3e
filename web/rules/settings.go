package rules

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"bareed/campaigns/breaker"
	"bareed/web/ui"
)

// kind is how a setting is typed.
type kind int

const (
	whole  kind = iota // a whole number
	share              // a number
	shares             // several numbers
	choice             // one of values
	ticks              // any of values
)

// setting is a rule's place on the page; its name is that of the API.
type setting struct {
	name, group, unit string
	kind              kind
	values            []string // of a choice
}

// settings is the page, in its order.
var settings = []setting{
	{name: "opt_outs_over", group: "holds", unit: "percent", kind: share},
	{name: "opt_outs_after", group: "holds", unit: "people"},
	{name: "failures_over", group: "holds", unit: "percent", kind: share},
	{name: "undeliverable_over", group: "holds", unit: "percent", kind: share},
	{name: "answers_of", group: "holds", unit: "messages"},
	{name: "held_most", group: "holds", unit: "messages"},
	{name: "server_errors_over", group: "holds", unit: "percent", kind: share},
	{name: "server_errors_seconds", group: "holds", unit: "seconds"},
	{name: "server_errors_retry", group: "holds", unit: "seconds"},
	{name: "off", group: "holds", kind: ticks},

	{name: "waves", group: "waves", kind: choice, values: []string{breaker.ByRisk, breaker.Always, breaker.Never}},
	{name: "waves_from", group: "waves", unit: "people"},
	{name: "waves_utility", group: "waves", kind: choice, values: []string{"true", "false"}},
	{name: "canary_people", group: "waves", unit: "people"},
	{name: "canary_share", group: "waves", unit: "percent", kind: share},
	{name: "canary_order", group: "waves", kind: choice, values: []string{breaker.Engaged, breaker.Random}},
	{name: "wave_shares", group: "waves", unit: "percent", kind: shares},
	{name: "wave_wait", group: "waves", unit: "minutes"},
	{name: "wave_answered", group: "waves", unit: "percent", kind: share},
	{name: "wave_longest", group: "waves", unit: "minutes"},

	{name: "reads_below", group: "warns", unit: "percent", kind: share},
	{name: "reads_after", group: "warns", unit: "people"},
	{name: "list_over", group: "warns", unit: "percent", kind: share},
}

// value reads what was typed; false: it is no such value.
func (s setting) value(text string) (any, bool) {
	typed, _ := ui.Typed(text)
	switch s.kind {
	case whole:
		n, err := strconv.ParseInt(typed, 10, 32)
		return n, err == nil
	case share:
		n, err := strconv.ParseFloat(typed, 64)
		return n, err == nil && n-n == 0 // no infinity, and a number
	case shares:
		list := []float64{}
		for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",،; %٪", r) }) {
			typed, _ := ui.Typed(part)
			n, err := strconv.ParseFloat(typed, 64)
			if err != nil || n-n != 0 {
				return nil, false
			}
			list = append(list, n)
		}
		return list, true
	}
	if s.name == "waves_utility" {
		yes, err := strconv.ParseBool(text)
		return yes, err == nil
	}
	return text, true // what is none of the values is refused by its owner
}

// options are what can be chosen.
func (s setting) options(l ui.Locale, optional []string) []map[string]any {
	values := s.values
	if s.kind == ticks {
		values = optional
	}
	list := make([]map[string]any, 0, len(values))
	for _, v := range values {
		list = append(list, map[string]any{"value": v, "id": s.name + "-" + v, "text": l.Of("rules.value", v)})
	}
	return list
}

// byName is what is set, or in force, by the names of the API.
func byName(v any) (map[string]any, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write the rules: %w", err)
	}
	all := map[string]any{}
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, fmt.Errorf("read the rules: %w", err)
	}
	return all, nil
}

// thresholds is byName the other way round.
func thresholds(set map[string]any) (s breaker.Thresholds, err error) {
	b, err := json.Marshal(set)
	if err != nil {
		return s, fmt.Errorf("write the rules: %w", err)
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("read the rules: %w", err)
	}
	return s, nil
}
