package sandbox

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"bareed/sandbox/journal"
	"bareed/sandbox/strict"
)

// Kinds of Fault. Those that say "accepted" write the message to the journal as
// accepted and send its statuses, whatever the answer looks like.
const (
	KindRefuse     = "refuse"      // Meta's error with Code
	KindFail       = "fail"        // accepted, then a failed status with Code
	KindHTML       = "html"        // a gateway's 502 page, not accepted
	KindHTMLAccept = "html_accept" // the same page after acceptance
	KindCutBefore  = "cut_before"  // connection closed, not accepted
	KindCut        = "cut"         // accepted, connection closed
	KindReset      = "reset"       // accepted, connection reset
	KindCutBody    = "cut_body"    // accepted, answer broken off
	KindSlow       = "slow"        // accepted, answered after SlowMS
	KindRedirect   = "redirect"    // 307 to another host, not accepted
	KindNoID       = "no_id"       // accepted, 200 without the id
	// KindFallback is what only the marketing edge has: it cannot take the message.
	// With CLOUD_API_FALLBACK the message is accepted and priced as marketing, with
	// STRICT it is refused with Code (134102 when none is given). The other edge
	// does not notice it.
	KindFallback = "cloud_fallback"
)

// Fault is something that goes wrong on purpose. Empty filters match everything.
type Fault struct {
	ID          string  `json:"id,omitempty"` // given by the sandbox
	NumberID    string  `json:"phone_number_id,omitempty"`
	Template    string  `json:"template,omitempty"` // name
	Recipient   string  `json:"recipient,omitempty"`
	Kind        string  `json:"kind"`
	Code        int     `json:"code,omitempty"`
	HTTPStatus  int     `json:"http_status,omitempty"` // 0: the error table's
	RetryAfterS int     `json:"retry_after_s,omitempty"`
	SlowMS      int     `json:"slow_ms,omitempty"`     // 20000
	Count       int     `json:"count,omitempty"`       // how often; 0 without end
	Probability float64 `json:"probability,omitempty"` // 0 means always

	// Only the magic numbers force what follows.
	forceRead, forceDelivered bool
}

var faultKinds = []string{
	KindRefuse, KindFail, KindHTML, KindHTMLAccept, KindCutBefore, KindCut, KindReset, KindCutBody, KindSlow, KindRedirect, KindNoID,
	KindFallback,
}

// AddFault appends a fault; the first that matches a request is played.
func (s *Server) AddFault(f Fault) (Fault, error) {
	if !slices.Contains(faultKinds, f.Kind) {
		return f, fmt.Errorf("kind must be one of %s", strings.Join(faultKinds, ", "))
	}
	if f.Probability < 0 || f.Probability > 1 || f.Count < 0 || f.SlowMS < 0 {
		return f, fmt.Errorf("probability is between 0 and 1, count and slow_ms are not negative")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f.ID = fmt.Sprintf("fault_%d", s.next())
	s.faults = append(s.faults, &f)
	return f, nil
}

// ClearFaults removes one fault, or all with an empty id.
func (s *Server) ClearFaults(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = slices.DeleteFunc(s.faults, func(f *Fault) bool { return id == "" || f.ID == id })
}

// fault needs mu; it gives the fault to play, nil for none, and uses it up.
func (s *Server) fault(n *number, in *strict.Request) *Fault {
	for i, f := range s.faults {
		if f.NumberID != "" && f.NumberID != n.ID || f.Recipient != "" && f.Recipient != def(in.To, in.Recipient) ||
			f.Template != "" && (in.Template == nil || in.Template.Name != f.Template) {
			continue
		}
		if f.Probability > 0 && !s.chance(f.Probability) {
			continue
		}
		if f.Count > 0 {
			if f.Count--; f.Count == 0 {
				s.faults = slices.Delete(s.faults, i, i+1)
			}
		}
		return f
	}
	return nil
}

// refuses plays the kinds that do not accept; f may be nil.
func (f *Fault) refuses(rep *reply, in *strict.Request) *strict.Refusal {
	if f == nil {
		return nil
	}
	switch f.Kind {
	case KindRefuse:
		return &strict.Refusal{Code: f.Code, Status: f.HTTPStatus, Details: "scripted", RetryAfter: f.RetryAfterS}
	case KindHTML:
		rep.decision.Fate = journal.FateHTML
		return &strict.Refusal{Status: 502}
	case KindCutBefore:
		rep.decision.Fate = journal.FateCut
		return &strict.Refusal{Status: 499}
	case KindRedirect:
		rep.decision.Fate = journal.FateRedirect
		return &strict.Refusal{Status: 307}
	case KindFallback:
		if in.ProductPolicy() == strict.PolicyStrict {
			return strict.Refuse(cmp.Or(f.Code, 134102), "scripted")
		}
	}
	return nil
}

// shape plays the kinds that accept; f may be nil.
func (f *Fault) shape(rep *reply, msg *message) {
	if f == nil {
		return
	}
	fate := map[string]string{
		KindHTMLAccept: journal.FateHTML, KindCut: journal.FateCut, KindReset: journal.FateReset,
		KindCutBody: journal.FateCutBody, KindSlow: journal.FateSlow, KindNoID: journal.FateNoID,
	}[f.Kind]
	rep.decision.Fate = def(fate, rep.decision.Fate)
	if f.Kind == KindSlow {
		rep.slow = 20 * time.Second
		if f.SlowMS > 0 {
			rep.slow = time.Duration(f.SlowMS) * time.Millisecond
		}
	}
	if f.Kind == KindFail {
		msg.failCode = f.Code
	}
	if f.Kind == KindFallback && msg.category == marketingLite {
		msg.category = "marketing"
	}
	if f.forceDelivered {
		msg.noArrive, msg.noRead, msg.read, msg.failCode = false, !f.forceRead, f.forceRead, 0
	}
}
