// Package queue owns every background task: its payload, queue, identifier and
// timeout, all on one page (tasks.go), and the library that carries them, asynq,
// which no other package sees.
//
// The scheduler enqueues (Client), the worker handles (Mux, Servers), the api
// mounts the dashboard. It knows no table and no rule of theirs.
//
// Rows are the truth, tasks are hints. A task may be lost (Redis was emptied),
// handed out twice (an acknowledgement was lost, a lease ran out) or come late,
// and whoever handles it looks into PostgreSQL for what is to be done. Hence:
// a task carries identifiers, never data; an identifier that is taken means the
// hint is already there; what cannot be read is dropped, because the scheduler
// feeds every row again that stays behind; and nothing of ours is ever archived.
package queue

// The queues, one per kind of work and never one per number: a server asks its
// queues one after another.
const (
	Send      = "send"       // campaign, test and api messages
	SendReply = "send_reply" // replies; served beside Send, never behind it
	Events    = "events"
	Import    = "import"
	Sync      = "sync"
)

// names lists them for the dashboard and the statistics.
var names = [...]string{Send, SendReply, Events, Import, Sync}
