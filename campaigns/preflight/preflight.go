// Package preflight owns what Meta's own answer to "can this be sent" (health_status
// of the number and the template) means for a campaign: BLOCKED refuses a launch,
// LIMITED is a warning.
//
// The worker asks Meta at the check and before each firing; campaigns and its check
// read what was answered here. It must not know Meta's wire or runs.
package preflight

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"bareed/internal/errs"
	"bareed/numbers"
	"bareed/templates"
)

// Fresh is how old an answer may be for a launch to go by it. A number's is asked
// for every 15 minutes at least.
const Fresh = 20 * time.Minute

// Finding is one entity that Meta does not let send freely.
type Finding struct {
	Entity  string // PHONE_NUMBER, MESSAGE_TEMPLATE, WABA, BUSINESS, APP
	CanSend string // LIMITED or BLOCKED
	Codes   []int
	Said    []string // Meta's own words: what to do, else what is wrong
}

// Findings are what the fresh answers say, the worst first. known is false when
// there is no fresh answer about the number.
func Findings(n numbers.Number, t templates.Template, now time.Time) (list []Finding, known bool) {
	fresh := func(at *time.Time) bool { return at != nil && now.Sub(*at) <= Fresh }
	if fresh(n.HealthAt) {
		known = true
		list = append(list, of(numbers.StoredHealth(n.Health), "PHONE_NUMBER")...)
	}
	if fresh(t.HealthAt) {
		for _, f := range of(numbers.StoredHealth(t.Health), "MESSAGE_TEMPLATE") {
			if !slices.ContainsFunc(list, func(g Finding) bool { return g.Entity == f.Entity }) {
				list = append(list, f)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Finding) int { return strings.Compare(a.CanSend, b.CanSend) }) // BLOCKED, LIMITED
	return list, known
}

// of takes an answer apart; one without entities speaks of whom it was asked about.
func of(h numbers.HealthRow, asked string) []Finding {
	entities := h.Entities
	if len(entities) == 0 {
		entities = map[string]string{asked: h.CanSend}
	}
	var list []Finding
	for _, entity := range []string{"PHONE_NUMBER", "MESSAGE_TEMPLATE", "WABA", "BUSINESS", "APP"} {
		can := entities[entity]
		if can != "BLOCKED" && can != "LIMITED" {
			continue
		}
		f := Finding{Entity: entity, CanSend: can}
		for _, r := range h.Reasons {
			if r.Entity != entity {
				continue
			}
			if r.Code != 0 && !slices.Contains(f.Codes, r.Code) {
				f.Codes = append(f.Codes, r.Code)
			}
			said := r.Solution
			if said == "" {
				said = r.Description
			}
			if said != "" && !slices.Contains(f.Said, said) {
				f.Said = append(f.Said, said)
			}
		}
		list = append(list, f)
	}
	return list
}

// Refusal is why a launch is refused; nil when nothing is BLOCKED.
func Refusal(list []Finding) *errs.Error {
	for _, f := range list {
		if f.CanSend == "BLOCKED" {
			code, p := f.word("campaign.blocked_by_meta")
			return &errs.Error{Code: code, Params: p}
		}
	}
	return nil
}

// Warning words a finding for a check: the code of the catalogue and its parameters.
func (f Finding) Warning() (code string, p errs.Params) {
	if f.CanSend == "BLOCKED" {
		return f.word("campaign.warn_blocked")
	}
	return f.word("campaign.warn_limited")
}

// word chooses the sentence with Meta's own words, or the one without.
func (f Finding) word(code string) (string, errs.Params) {
	codes := make([]string, len(f.Codes))
	for i, c := range f.Codes {
		codes[i] = fmt.Sprint(c)
	}
	p := errs.Params{"subject": f.Entity}
	if f.CanSend == "BLOCKED" {
		p["codes"] = strings.Join(codes, ", ")
	}
	if len(f.Said) == 0 {
		return code + "_unsaid", p
	}
	p["said"] = strings.Join(f.Said, " ")
	return code, p
}
