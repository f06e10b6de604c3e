package campaigns

import (
	"cmp"
	"maps"
	"slices"

	"bareed/messages"
	"bareed/whatsapp/codes"
)

// FailedBy is how many messages failed for one reason.
type FailedBy struct {
	Reason    string           `json:"reason"`
	People    int64            `json:"people"`
	MetaError *codes.MetaError `json:"meta_error,omitempty" doc:"Meta's code in words, of reasons that are one. Absent in streams."`
}

func failures(by map[string]int64) []FailedBy {
	list := []FailedBy{}
	for _, reason := range slices.Sorted(maps.Keys(by)) {
		list = append(list, FailedBy{Reason: reason, People: by[reason]})
	}
	slices.SortStableFunc(list, func(a, b FailedBy) int { return cmp.Compare(b.People, a.People) })
	return list
}

// Tell puts the codes of the campaign's stops into words ("en" or "ar").
func (c *Campaign) Tell(lang string) { tellStops(lang, c.Stops) }

// Tell puts the report's codes into words.
func (r *Report) Tell(lang string) {
	tellStops(lang, r.Stops)
	for i, f := range r.Failures {
		if code, ok := codes.OfReason(f.Reason); ok {
			r.Failures[i].MetaError = told(lang, code, true)
		}
	}
}

// Tell puts the message's code into words: why it failed, or why it waits. One
// that arrived in the end has none.
func (r *Recipient) Tell(lang string) {
	switch r.State {
	case messages.Failed:
		if code, ok := codes.OfReason(r.Reason); ok {
			r.MetaError = told(lang, code, true)
		}
	case messages.Ready, messages.Sending, messages.Unknown, messages.Unconfirmed:
		if r.MetaCode != 0 {
			r.MetaError = told(lang, codes.Waiting(r.MetaCode), false)
		}
	}
}

// Tell puts the codes of the message and of every attempt into words.
func (t *Timeline) Tell(lang string) {
	t.Recipient.Tell(lang)
	for i, a := range t.Attempts {
		switch {
		case a.MetaCode == 0:
		case a.Outcome == string(codes.StopSending):
			t.Attempts[i].MetaError = told(lang, codes.Waiting(a.MetaCode), false)
		default:
			t.Attempts[i].MetaError = told(lang, a.MetaCode, false)
		}
	}
}

func tellStops(lang string, stops []Stop) {
	for i, s := range stops {
		if s.MetaCode != nil {
			stops[i].MetaError = told(lang, codes.OfStop(s.Reason, *s.MetaCode), s.Failing())
		}
	}
}

// Failing tells whether the messages that opened the stop have failed; with
// other stops of a code they wait for its end.
func (s Stop) Failing() bool { return s.Reason == "refused_in_a_row" || s.Reason == "values_refused" }

func told(lang string, code int, failed bool) *codes.MetaError {
	t := codes.Tell(lang, code, failed)
	return &t
}
