package queue

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/hibiken/asynq"

	"bareed/internal/id"
)

// Task is one of the payloads below, and nothing else.
//
// Each has a Feed, counted up or taken from a clock by whoever enqueues: the
// same Feed twice is one task, a new Feed gets past a task of the same row that
// is stuck or archived. Twins are harmless.
type Task interface {
	Name() string  // type of task, as in the table
	Queue() string // where it waits
	ID() string    // its identifier in the queue, the same for the same row and Feed

	complete() bool // every identifier is there
}

// Spec says what a type of task is, for the documentation and the dashboard.
type Spec struct {
	Name    string
	Queue   string
	Timeout time.Duration // whole seconds: asynq cuts the rest off
	Meaning string

	decode func([]byte) (Task, error)
}

// specs is the table of all background work.
var specs = [...]Spec{
	{
		Name: "message:send", Queue: Send, Timeout: time.Minute, // longer than a claim lives
		Meaning: "Send one message of a run, if it is still ready and every gate is open. Replies wait in " + SendReply + ".",
		decode:  decode[SendMessage],
	},
	{
		Name: "contacts:import", Queue: Import, Timeout: time.Hour,
		Meaning: "Read an uploaded file into contacts, consents and rejected rows.",
		decode:  decode[ImportContacts],
	},
	{
		Name: "campaigns:check", Queue: Import, Timeout: 10 * time.Minute,
		Meaning: "Work out whom a campaign would reach and what stands against it, without sending.",
		decode:  decode[CheckCampaign],
	},
	{
		Name: "campaigns:plan", Queue: Import, Timeout: 10 * time.Minute,
		Meaning: "Write the messages of a run, one per recipient, in the order of sending.",
		decode:  decode[PlanRun],
	},
	{
		Name: "events:apply", Queue: Events, Timeout: time.Minute,
		Meaning: "Apply stored webhook events, statuses above all, to their messages.",
		decode:  decode[ApplyEvents],
	},
	{
		Name: "waba:sync", Queue: Sync, Timeout: time.Minute,
		Meaning: "Read a WABA's numbers, templates, quality and limits from Meta.",
		decode:  decode[SyncWABA],
	},
}

// Tasks lists every type of task there is.
func Tasks() []Spec { return append([]Spec(nil), specs[:]...) }

// SendMessage sends one message of a run.
type SendMessage struct {
	Workspace id.Workspace `json:"w"`
	Run       id.Run       `json:"r"`
	Ordinal   int32        `json:"o"`
	Contact   id.Contact   `json:"c"`
	Number    id.Number    `json:"n"`
	Feed      int64        `json:"f"`
	Reply     bool         `json:"y,omitempty"` // the run is of kind reply
}

// ImportContacts reads one uploaded file.
type ImportContacts struct {
	Workspace id.Workspace `json:"w"`
	Import    id.Import    `json:"i"`
	Feed      int64        `json:"f"`
}

// CheckCampaign works out one check (dry run).
type CheckCampaign struct {
	Workspace id.Workspace `json:"w"`
	Check     id.Check     `json:"k"`
	Feed      int64        `json:"f"`
}

// PlanRun writes a run's messages.
type PlanRun struct {
	Workspace id.Workspace `json:"w"`
	Run       id.Run       `json:"r"`
	Feed      int64        `json:"f"`
}

// ApplyEvents applies stored webhook events of one workspace; hundreds at a
// time are usual.
type ApplyEvents struct {
	Workspace id.Workspace `json:"w"`
	Events    []id.Event   `json:"e"`
	Feed      int64        `json:"f"`
}

// SyncWABA brings the mirror of one WABA up to date.
type SyncWABA struct {
	Workspace id.Workspace `json:"w"`
	WABA      id.WABA      `json:"a"`
	Feed      int64        `json:"f"`
}

func (SendMessage) Name() string    { return "message:send" }
func (ImportContacts) Name() string { return "contacts:import" }
func (CheckCampaign) Name() string  { return "campaigns:check" }
func (PlanRun) Name() string        { return "campaigns:plan" }
func (ApplyEvents) Name() string    { return "events:apply" }
func (SyncWABA) Name() string       { return "waba:sync" }

// Queue puts replies ahead of everything else.
func (t SendMessage) Queue() string {
	if t.Reply {
		return SendReply
	}
	return Send
}
func (ImportContacts) Queue() string { return Import }
func (CheckCampaign) Queue() string  { return Import }
func (PlanRun) Queue() string        { return Import }
func (ApplyEvents) Queue() string    { return Events }
func (SyncWABA) Queue() string       { return Sync }

// ID names the message and the feed.
func (t SendMessage) ID() string {
	return fed(id.Message{Run: t.Run, Ordinal: t.Ordinal}.String(), t.Feed)
}
func (t ImportContacts) ID() string { return fed(t.Import.String(), t.Feed) }
func (t CheckCampaign) ID() string  { return fed(t.Check.String(), t.Feed) }
func (t PlanRun) ID() string        { return fed(t.Run.String(), t.Feed) }
func (t SyncWABA) ID() string       { return fed(t.WABA.String(), t.Feed) }

// ID names the first and last event and how many there are: batches are cut
// from the events in order, so other batches have another name.
func (t ApplyEvents) ID() string {
	if len(t.Events) == 0 {
		return fed("evt_none", t.Feed)
	}
	first, last := t.Events[0], t.Events[len(t.Events)-1]
	return fed(first.String()+"-"+last.String()[len("evt_"):]+"x"+strconv.Itoa(len(t.Events)), t.Feed)
}

func fed(name string, feed int64) string { return name + "." + strconv.FormatInt(feed, 10) }

func (t SendMessage) complete() bool {
	return !t.Workspace.IsZero() && !t.Run.IsZero() && !t.Contact.IsZero() && !t.Number.IsZero() && t.Ordinal >= 0
}
func (t ImportContacts) complete() bool { return !t.Workspace.IsZero() && !t.Import.IsZero() }
func (t CheckCampaign) complete() bool  { return !t.Workspace.IsZero() && !t.Check.IsZero() }
func (t PlanRun) complete() bool        { return !t.Workspace.IsZero() && !t.Run.IsZero() }
func (t SyncWABA) complete() bool       { return !t.Workspace.IsZero() && !t.WABA.IsZero() }
func (t ApplyEvents) complete() bool {
	for _, e := range t.Events {
		if e.IsZero() {
			return false
		}
	}
	return !t.Workspace.IsZero() && len(t.Events) > 0
}

// errPayload says no more, since a payload nobody can read may hold anything.
var errPayload = errors.New("unreadable payload")

func decode[T Task](payload []byte) (Task, error) {
	var t T
	if err := json.Unmarshal(payload, &t); err != nil || !t.complete() {
		return nil, errPayload
	}
	return t, nil
}

func specOf(name string) (Spec, bool) {
	for _, s := range specs {
		if s.Name == name {
			return s, true
		}
	}
	return Spec{}, false
}

// encode refuses an incomplete task: its handler would only drop it.
func encode(t Task) (*asynq.Task, error) {
	spec, ok := specOf(t.Name())
	if !ok || !t.complete() {
		return nil, fmt.Errorf("enqueue %s: %w", t.Name(), errPayload)
	}
	payload, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("enqueue %s: %w", t.Name(), err)
	}
	// A task whose tries run out is archived without having run, and so is one
	// whose worker crashed on its last try: there is no last try.
	return asynq.NewTask(t.Name(), payload, asynq.Queue(t.Queue()), asynq.TaskID(t.ID()),
		asynq.Timeout(spec.Timeout), asynq.MaxRetry(math.MaxInt32)), nil
}
