package verify

import (
	"encoding/binary"
	"encoding/hex"
	"time"
)

// Person is one recipient's line; its members are in canonical order.
type Person struct {
	Accepted    int        `json:"accepted"`
	AcceptedAt  *time.Time `json:"accepted_at,omitempty"`
	Attempts    int        `json:"attempts"`
	ClaimedAt   *time.Time `json:"claimed_at,omitempty"`
	Consent     string     `json:"consent,omitempty"`
	ConsentHash string     `json:"consent_hash,omitempty"`
	DeliveredAt *time.Time `json:"delivered_at,omitempty"`
	FailedAt    *time.Time `json:"failed_at,omitempty"`
	MetaCode    int        `json:"meta_code,omitempty"`
	MetaID      string     `json:"meta_id,omitempty"`
	Ordinal     int32      `json:"ordinal"`
	Person      string     `json:"person"`
	Reason      string     `json:"reason,omitempty"`
	ResolvedBy  string     `json:"resolved_by,omitempty"`
	State       string     `json:"state"`
	Steps       []Step     `json:"steps,omitempty"`
}

// Step is what came of an attempt that was not plainly accepted, or a decision
// to make another one.
type Step struct {
	At      time.Time `json:"at"`
	Attempt int       `json:"attempt"`
	Outcome string    `json:"outcome"`
}

// states says of each what must be there and what must not.
var states = map[string]struct {
	attempted bool // at least one attempt
	accepted  int  // 1: Meta accepted it, -1: it is not known to have, 0: either
	reason    bool
}{
	"ready":       {false, -1, false},
	"sending":     {true, -1, false},
	"accepted":    {true, 1, false},
	"held":        {true, 1, false},
	"sent":        {true, 1, false},
	"delivered":   {true, 1, false},
	"read":        {true, 1, false},
	"played":      {true, 1, false},
	"failed":      {true, 0, true},
	"suppressed":  {false, 0, true},
	"unknown":     {true, -1, false},
	"unconfirmed": {true, -1, true},
}

// outcomes says of each step whether it leaves open that Meta accepted the
// request (open), or settles that it did not, or that sending again was decided
// on (settles).
var outcomes = map[string]struct{ open, settles bool }{
	"never_left":         {false, true},
	"refused_for_now":    {false, true},
	"refused_for_good":   {false, true},
	"stop_sending":       {false, true},
	"given_back":         {false, true},
	"unknown":            {true, false},
	"expired":            {true, false},
	"resent_by_evidence": {false, true},
	"resent_by_person":   {false, true},
	"second_acceptance":  {false, false},
	"dropped_by_meta":    {false, true},
	"returned_by_person": {false, true},
}

// person checks one line by itself and counts it.
func (c *checker) person(p Person) {
	if p.Ordinal <= c.last || int64(p.Ordinal) > c.Head.Planned {
		c.fault("Person %d stands behind person %d of %d planned: out of order.", p.Ordinal, c.last, c.Head.Planned)
	}
	c.last = p.Ordinal
	if raw, err := hex.DecodeString(p.Person); err != nil || len(raw) < 16 {
		c.fault("Person %d has no keyed hash.", p.Ordinal)
	} else {
		c.persons = append(c.persons, binary.BigEndian.Uint64(raw))
	}
	c.state(p)
	c.steps(p)
	if p.Accepted > 1 {
		c.fault("Meta accepted %d requests for person %d.", p.Accepted, p.Ordinal)
	}
	if p.Attempts > 0 && (p.Consent == "" || p.ConsentHash == "") {
		c.fault("Person %d was attempted, and no consent entry is named.", p.Ordinal)
	}
	c.count(p)
}

func (c *checker) state(p Person) {
	must, known := states[p.State]
	if !known {
		c.fault("Person %d is in the state %q, which there is not.", p.Ordinal, p.State)
		return
	}
	switch {
	case must.attempted && p.Attempts == 0:
		c.fault("Person %d is %s without an attempt.", p.Ordinal, p.State)
	case p.Attempts < 0, (p.Attempts > 0) != (p.ClaimedAt != nil):
		c.fault("Person %d has %d attempts, which does not fit the time of the last.", p.Ordinal, p.Attempts)
	case must.accepted == 1 && (p.AcceptedAt == nil || p.MetaID == ""):
		c.fault("Person %d is %s without Meta's acceptance.", p.Ordinal, p.State)
	case must.accepted == -1 && (p.AcceptedAt != nil || p.MetaID != ""):
		c.fault("Person %d is %s although Meta accepted a request.", p.Ordinal, p.State)
	case must.reason && p.Reason == "":
		c.fault("Person %d is %s without a reason.", p.Ordinal, p.State)
	case p.AcceptedAt != nil && p.Attempts == 0:
		c.fault("Person %d was accepted without an attempt.", p.Ordinal)
	case p.State == "delivered" && p.DeliveredAt == nil:
		c.fault("Person %d is delivered at no time.", p.Ordinal)
	case p.State == "failed" && p.FailedAt == nil:
		c.fault("Person %d failed at no time.", p.Ordinal)
	case c.Head.Final && (p.State == "ready" || p.State == "sending" || p.State == "unknown"):
		c.fault("The run is said to be over, and person %d is %s.", p.Ordinal, p.State)
	}
}

// steps follows a person's attempts: none may follow another that was left
// without an answer, unless it was settled or decided in between.
func (c *checker) steps(p Person) {
	accepted := 0
	if p.AcceptedAt != nil {
		accepted = 1
	}
	open, settled, byEvidence := 0, 0, 0 // open: the attempt that may have been accepted
	for i, s := range p.Steps {
		is, known := outcomes[s.Outcome]
		switch {
		case !known:
			c.fault("Person %d has a step %q, which there is not.", p.Ordinal, s.Outcome)
		case s.Attempt < 1 || s.Attempt > p.Attempts:
			c.fault("Person %d has a step of attempt %d of %d.", p.Ordinal, s.Attempt, p.Attempts)
		case i > 0 && s.Attempt < p.Steps[i-1].Attempt:
			c.fault("Person %d has steps that are out of order.", p.Ordinal)
		case open > 0 && open < s.Attempt:
			c.fault("Person %d was sent attempt %d after attempt %d had no answer, without a proof or a decision.", p.Ordinal, s.Attempt, open)
			open = 0
		}
		switch {
		case is.open && s.Attempt != settled: // a frozen process may report after the decision
			open = s.Attempt
		case is.settles:
			settled = s.Attempt
			if open == s.Attempt {
				open = 0
			}
		}
		switch s.Outcome {
		case "resent_by_evidence":
			byEvidence++
		case "second_acceptance":
			accepted++
		}
	}
	if open > 0 && open < p.Attempts {
		c.fault("Person %d was sent attempt %d after attempt %d had no answer, without a proof or a decision.", p.Ordinal, p.Attempts, open)
	}
	if byEvidence > 1 || byEvidence > 0 && c.Head.Policy == "hold" {
		c.fault("Person %d was sent again by evidence %d times under the policy %s.", p.Ordinal, byEvidence, c.Head.Policy)
	}
	if accepted != p.Accepted {
		c.fault("Person %d is said to have %d accepted requests; the line shows %d.", p.Ordinal, p.Accepted, accepted)
	}
}
