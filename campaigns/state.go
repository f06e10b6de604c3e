package campaigns

import "slices"

// State is where a campaign stands. Paused and holding are not among them:
// they are derived from open stops, so both can hold at once.
type State string

// The states of a campaign.
const (
	Draft         State = "draft"
	Checking      State = "checking" // a dry run is under way
	NeedsApproval State = "needs_approval"
	Scheduled     State = "scheduled"
	Starting      State = "starting" // launched: undo grace, first people planned
	Running       State = "running"
	Finishing     State = "finishing" // all handed over, answers still arriving
	Completed     State = "completed"
	Stopped       State = "stopped" // by a person, for good
	Expired       State = "expired" // its time passed before it could be sent
	Failed        State = "failed"
)

// Transitions is every move a campaign may make; what is not here is refused.
var Transitions = map[State][]State{
	Draft:         {Checking, NeedsApproval, Scheduled, Starting},
	Checking:      {Draft},
	NeedsApproval: {Draft, Scheduled, Starting},
	Scheduled:     {Starting, Running, Completed, Stopped, Expired, Failed},
	Starting:      {Running, Scheduled, Completed, Stopped, Expired, Failed},
	Running:       {Finishing, Scheduled, Stopped, Expired},
	Finishing:     {Running, Completed, Stopped},
	Completed:     {Running}, // unconfirmed messages are sent again, by hand
	Stopped:       {},
	Expired:       {},
	Failed:        {},
}

// RunState is where one sending of a campaign stands.
type RunState string

// The states of a run.
const (
	RunPlanning  RunState = "planning"
	RunRunning   RunState = "running" // the feeder takes only these
	RunFinishing RunState = "finishing"
	RunCompleted RunState = "completed"
	RunStopped   RunState = "stopped"
	RunMissed    RunState = "missed"  // later than max_lateness, so never begun
	RunExpired   RunState = "expired" // its time passed with people left
)

// RunTransitions is every move a run may make. Running goes on planning: the
// first chunk is enough to begin.
var RunTransitions = map[RunState][]RunState{
	RunPlanning:  {RunRunning, RunStopped, RunMissed},
	RunRunning:   {RunFinishing, RunStopped, RunExpired},
	RunFinishing: {RunRunning, RunCompleted, RunStopped},
	RunCompleted: {RunRunning},
	RunStopped:   {},
	RunMissed:    {},
	RunExpired:   {},
}

// May tells whether the campaign's machine allows the move.
func (s State) May(to State) bool { return slices.Contains(Transitions[s], to) }

// May tells whether the run's machine allows the move.
func (s RunState) May(to RunState) bool { return slices.Contains(RunTransitions[s], to) }

// Ended tells whether nothing happens to the campaign any more by itself.
func (s State) Ended() bool { return s == Completed || len(Transitions[s]) == 0 }

// Launched tells whether a run exists and may still send.
func (s State) Launched() bool {
	switch s {
	case Scheduled, Starting, Running, Finishing:
		return true
	}
	return false
}

// actions is what a person may do in each state, as the API and pages offer it.
var actions = map[State][]string{
	Draft:         {"edit", "check", "launch", "delete"},
	Checking:      {"edit", "delete"},
	NeedsApproval: {"edit"},
	Scheduled:     {"pause", "resume", "stop"},
	Starting:      {"pause", "resume", "stop"},
	Running:       {"pause", "resume", "stop"},
	Finishing:     {"pause", "resume", "stop"},
	Completed:     {},
	Stopped:       {},
	Expired:       {},
	Failed:        {},
}
