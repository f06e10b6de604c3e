// Package caps owns what a workspace keeps from its people whatever a campaign
// says: how many marketing messages one person may get, how long somebody is left
// alone whom Meta wants left alone (131049), and the countries nothing goes to.
//
// campaigns/plan decides by it, in the check and in the run alike; api and web
// show and change it; the scheduler sweeps. It must not know messages' states
// beyond whether one counts, nor HTTP or Meta.
package caps

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"bareed/contacts"
	"bareed/internal/errs"
)

// Frequency is one rule: at most so many marketing messages to a person in so
// many days, over all campaigns of the workspace.
type Frequency struct {
	Most int `json:"most" doc:"Messages, 1 to 100"`
	Days int `json:"days" doc:"Of 24 hours, 1 to 30"`
}

// SendingSettings is what a workspace sets.
type SendingSettings struct {
	Frequency        []Frequency `json:"frequency" required:"false" doc:"Every one holds; none: people get what campaigns send them. Marketing only."`
	CoolOffHours     int         `json:"cool_off_hours" required:"false" doc:"How long a person gets no marketing after Meta refused a message to them with 131049: 24 to 720. For refusals from now on."`
	BlockedCountries []string    `json:"blocked_countries" required:"false" doc:"ISO 3166-1 alpha-2: no campaign goes there, whatever it is for"`
}

// Default is what holds for those who set nothing.
func Default() SendingSettings {
	return SendingSettings{Frequency: []Frequency{}, CoolOffHours: leastCoolOff, BlockedCountries: []string{}}
}

// The bounds of settings. Meta asks for a day at least after 131049.
const (
	mostRules    = 5
	mostMessages = 100
	mostDays     = 30
	leastCoolOff = 24
	mostCoolOff  = 720
	mostBlocked  = 250
)

// waited is the longest that a message may have waited between its plan and its
// sending and still count.
const waited = 31 * 24 * time.Hour

// kept is how long a turn is kept: the longest rule and the longest wait.
const kept = mostDays*24*time.Hour + waited

// Check cleans settings and refuses those that cannot hold: caps.settings with
// every fault at its place.
func (s SendingSettings) Check() (SendingSettings, error) {
	e := errs.New("caps.settings")
	if len(s.Frequency) > mostRules {
		e.At("/frequency", "field.too_long", "field", "frequency", "max", mostRules)
	}
	for i, f := range s.Frequency {
		at := "/frequency/" + strconv.Itoa(i)
		if f.Most < 1 || f.Most > mostMessages {
			e.At(at+"/most", "caps.range", "got", f.Most, "min", 1, "max", mostMessages)
		}
		if f.Days < 1 || f.Days > mostDays {
			e.At(at+"/days", "caps.range", "got", f.Days, "min", 1, "max", mostDays)
		}
	}
	if s.CoolOffHours == 0 {
		s.CoolOffHours = leastCoolOff
	}
	if s.CoolOffHours < leastCoolOff || s.CoolOffHours > mostCoolOff {
		e.At("/cool_off_hours", "caps.range", "got", s.CoolOffHours, "min", leastCoolOff, "max", mostCoolOff)
	}
	if len(s.BlockedCountries) > mostBlocked {
		e.At("/blocked_countries", "field.too_long", "field", "blocked_countries", "max", mostBlocked)
	}
	var countries []string
	for i, c := range s.BlockedCountries {
		code := strings.ToUpper(strings.TrimSpace(c))
		if !contacts.IsCountry(code) {
			e.At("/blocked_countries/"+strconv.Itoa(i), "caps.country", "got", errs.Clip(c))
		}
		countries = append(countries, code)
	}
	slices.Sort(countries)
	s.BlockedCountries = append([]string{}, slices.Compact(countries)...)
	s.Frequency = append([]Frequency{}, s.Frequency...)
	if len(e.Fields) > 0 {
		return s, e
	}
	return s, nil
}

// Over tells whether one more message at an instant would be more than a rule
// permits, after those at the times given. What is due later than the instant
// counts too: who was planned first goes.
func Over(rules []Frequency, times []time.Time, at time.Time) bool {
	return slices.ContainsFunc(rules, func(f Frequency) bool {
		since, n := at.Add(-f.span()), 0
		for _, t := range times {
			if t.After(since) {
				n++
			}
		}
		return n >= f.Most
	})
}

// Longest is the time that the longest rule looks back; 0 without a rule.
func Longest(rules []Frequency) time.Duration {
	var longest time.Duration
	for _, f := range rules {
		longest = max(longest, f.span())
	}
	return longest
}

func (f Frequency) span() time.Duration { return time.Duration(f.Days) * 24 * time.Hour }

// ParseCountries reads a list of codes as an operator or a person writes it:
// separated by commas or spaces.
func ParseCountries(text string) ([]string, error) {
	var list []string
	for _, code := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '،' || r == ' ' || r == '\n' || r == '\t' || r == '\r' }) {
		code = strings.ToUpper(code)
		if !contacts.IsCountry(code) {
			return nil, fmt.Errorf("read the countries: %q is no code of two letters like KP", code)
		}
		list = append(list, code)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}
