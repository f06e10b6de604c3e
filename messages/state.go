// Package messages owns the ledger: one row per run and person, the claim that
// alone permits a POST to Meta, what came of it, what Meta says later, and the
// stops that hold any of it.
//
// campaigns plans into it, the worker claims, records and applies statuses, the
// scheduler feeds and repairs. It must not know HTTP, Redis or the queue, and
// it never talks to Meta.
package messages

// State of a message. The order of a message's life is in transitions.
type State string

// The states. What counts as what in a report is in the accounting identity:
// total = suppressed + ready + sending + held + accepted (with sent, delivered,
// read, played) + failed + unknown + unconfirmed.
const (
	Ready       State = "ready"       // may be claimed
	Sending     State = "sending"     // claimed: at most one POST may leave until the deadline
	Accepted    State = "accepted"    // Meta answered with a message id
	Held        State = "held"        // accepted, and Meta holds it for quality assessment
	Sent        State = "sent"        // Meta sent it on
	Delivered   State = "delivered"   // it arrived
	Read        State = "read"        // it was read
	Played      State = "played"      // its voice or video was played
	Failed      State = "failed"      // definitely did not arrive
	Suppressed  State = "suppressed"  // was not to be sent
	Unknown     State = "unknown"     // a POST may have left; no answer and no receipt yet
	Unconfirmed State = "unconfirmed" // unknown for good, unless a receipt still comes
)

// States lists all of them in the order of a message's life.
func States() []State {
	return []State{Ready, Sending, Accepted, Held, Sent, Delivered, Read, Played, Failed, Suppressed, Unknown, Unconfirmed}
}

// Transitions lists every allowed step. An echo (a status that carries our
// callback data) proves that Meta accepted the message, so it may lift a row
// out of any state in which a POST can have left, ready and suppressed included.
func Transitions() map[State][]State {
	return map[State][]State{
		Ready:       {Sending, Suppressed, Accepted, Sent, Delivered, Read, Played, Failed},
		Sending:     {Ready, Accepted, Held, Sent, Delivered, Read, Played, Failed, Unknown},
		Accepted:    {Sent, Delivered, Read, Played, Failed},
		Held:        {Ready, Sent, Delivered, Read, Played, Failed},
		Sent:        {Delivered, Read, Played, Failed},
		Failed:      {Delivered, Read, Played},
		Delivered:   {Read, Played},
		Read:        {Played},
		Played:      {},
		Suppressed:  {Sent, Delivered, Read, Played},
		Unknown:     {Ready, Accepted, Held, Sent, Delivered, Read, Played, Failed, Unconfirmed},
		Unconfirmed: {Accepted, Held, Sent, Delivered, Read, Played, Failed},
	}
}

// rank orders what Meta can say of a message; a status never lowers it. A late
// delivered is true although a failed came first, so it ranks higher.
func rank(s State) int {
	switch s {
	case Accepted, Held:
		return 1
	case Sent:
		return 2
	case Failed:
		return 3
	case Delivered:
		return 4
	case Read:
		return 5
	case Played:
		return 6
	default:
		return 0
	}
}

// Reasons a message is suppressed for.
const (
	NoOptIn        = "no_opt_in"
	OptedOut       = "opted_out"
	ConsentExpired = "consent_expired"
	ParamMissing   = "param_missing"
	NoAddress      = "no_address"
	Duplicate      = "duplicate"
	Deleted        = "deleted"
	Expired        = "expired"
	Stopped        = "stopped"
)
