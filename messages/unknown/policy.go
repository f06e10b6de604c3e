// Package unknown owns what becomes of messages whose request got no answer:
// the two policies, the proof that the evidence policy asks for before it sends
// anything again, and the rows of a resend that a person asked for. What it
// sends again only becomes ready; the ordinary claim with all its gates decides.
//
// The scheduler judges, campaigns/unconfirmed resends by hand. It must not know
// HTTP, Redis or the queue, and it never talks to Meta.
package unknown

import (
	"time"
)

// Policy is what becomes of a message whose outcome is unknown. A run has one
// of the first two; a workspace may also leave the choice to the purpose.
type Policy string

// The policies.
const (
	Hold      Policy = "hold"       // never sent again by itself
	Evidence  Policy = "evidence"   // once, when it is proven that nothing was sent
	ByPurpose Policy = "by_purpose" // Default decides, at the launch
)

// Default is the policy of a run whose campaign and workspace name none. A
// marketing message that does not arrive is a smaller harm than one that
// arrives twice. A utility message is awaited; but as long as the number has
// not been seen to get our callback data back, a receipt could not name the
// message it is for, and silence would prove nothing.
func Default(purpose string, echoSeen bool) Policy {
	if purpose == "utility" && echoSeen {
		return Evidence
	}
	return Hold
}

// Settings are the times of the rules.
type Settings struct {
	After   time.Duration // a message is judged this long after its attempt
	Horizon time.Duration // and is unconfirmed after this long
}

// The times when nothing else is set, and what After may not go below: with
// less, the neighbours themselves would have had no time to be heard of.
const (
	DefaultAfter   = 15 * time.Minute
	FloorAfter     = 10 * time.Minute
	DefaultHorizon = 24 * time.Hour
)

// Filled replaces what is missing and lifts what is below the floor.
func (s Settings) Filled() Settings {
	if s.After == 0 {
		s.After = DefaultAfter
	}
	if s.Horizon == 0 {
		s.Horizon = DefaultHorizon
	}
	s.After = max(s.After, FloorAfter)
	return s
}

// The neighbours of a message are the accepted messages of the same number and
// template that were claimed at most Around before or after it.
const (
	Around        = 5 * time.Minute
	MinNeighbours = 20
	// MaxBacklog is how long an event may wait to be applied. It is far below
	// After, on purpose: a receipt that lies in our own inbox is no silence.
	MaxBacklog = 10 * time.Second
)

// Facts is what is known about one message without an answer and about its
// neighbours.
type Facts struct {
	Age      time.Duration // since the attempt
	Heard    int           // neighbours with Meta's own answer and at least one status
	Silent   int           // neighbours that were accepted and of which no status came
	Held     int           // neighbours that Meta holds or held for quality assessment
	Waiting  bool          // an event of the workspace waits for longer than MaxBacklog
	Lost     bool          // an event since the attempt could not be applied
	EchoSeen bool          // the number has been seen to get callback data back
	Resent   bool          // the evidence policy sent this message again before
}

// Verdict is why a message is not sent again, or Proven.
type Verdict string

// The verdicts, in the order in which they are looked for.
const (
	Proven           Verdict = "proven"
	AlreadyResent    Verdict = "already_resent"
	TooEarly         Verdict = "too_early"
	NoEchoSeen       Verdict = "no_echo_seen"
	EventsWaiting    Verdict = "events_waiting"
	EventsLost       Verdict = "events_lost"
	NeighboursHeld   Verdict = "neighbours_held"
	NeighboursSilent Verdict = "neighbours_silent"
	FewNeighbours    Verdict = "few_neighbours"
)

// Judge is the whole rule of the evidence policy but its last condition: that
// all gates are open is for the claim to say. The wider idea: had Meta accepted
// the message, its first status would have named it; every neighbour's did, so
// this one's would have come too.
func Judge(f Facts, s Settings) Verdict {
	switch {
	case f.Resent:
		return AlreadyResent
	case f.Age < s.Filled().After:
		return TooEarly
	case !f.EchoSeen:
		return NoEchoSeen
	case f.Waiting:
		return EventsWaiting
	case f.Lost:
		return EventsLost
	case f.Held > 0:
		return NeighboursHeld
	case f.Silent > 0:
		return NeighboursSilent
	case f.Heard < MinNeighbours:
		return FewNeighbours
	}
	return Proven
}
