package worker

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/limits"
	"bareed/messages"
	"bareed/queue"
	"bareed/whatsapp"
)

const (
	// sendTime bounds one task: departure, claim, POST (15 s) and record, less
	// than a claim lives.
	sendTime = 40 * time.Second
	// lastLook is how old a claim may be when its POST leaves. It is what makes
	// "nothing leaves later than 250 ms after a stop" true even when this
	// process was frozen between claim and POST.
	lastLook = 250 * time.Millisecond
	// crowded is how long a message waits when its number holds too many slots.
	crowded = 250 * time.Millisecond
)

// sendMessage sends one message, if everything still permits it: departure
// time, claim, last look, POST, record. Only the claim permits; all the rest
// may be lost, repeated or late without harm.
//
// The queue's context is left behind on purpose: it ends when a lease is lost
// or somebody presses a button on the dashboard, and a POST must not be cut in
// half by that.
func (w *Worker) sendMessage(ctx context.Context, t queue.SendMessage) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTime)
	defer cancel()
	m := id.Message{Run: t.Run, Ordinal: t.Ordinal}
	if !w.slots.take(t.Number) {
		return w.giveBack(ctx, t.Workspace, m, crowded)
	}
	defer w.slots.leave(t.Number)
	from, err := w.senders.get(ctx, t.Workspace, t.Number)
	if err != nil {
		return err
	}
	ask := limits.Ask{Number: t.Number, Contact: t.Contact, PerSecond: from.perSecond, Bulk: !t.Reply}
	grant, err := w.take(ctx, ask)
	if err != nil {
		return err
	}
	if !grant.OK {
		return w.giveBack(ctx, t.Workspace, m, grant.Retry)
	}
	began := time.Now()
	claim, err := w.claims.ask(ctx, t.Workspace, messages.Want{Message: m, Token: uuid.New()})
	if err != nil {
		return err
	}
	if claim == nil {
		return w.Limits.Release(ctx, ask, grant)
	}
	return w.post(ctx, t, from, *claim, ask, grant, began)
}

// nearly is how long a slot may wait for a departure to be had; longer, and the
// task is given back, so that no slot sleeps for one number.
const nearly = 50 * time.Millisecond

// take books a departure, waiting for it nearly at most.
func (w *Worker) take(ctx context.Context, ask limits.Ask) (limits.Grant, error) {
	began := time.Now()
	for {
		grant, err := w.Limits.Take(ctx, ask)
		if err != nil || grant.OK || time.Since(began)+grant.Retry > nearly {
			return grant, err
		}
		select {
		case <-ctx.Done():
			return grant, ctx.Err()
		case <-time.After(grant.Retry):
		}
	}
}

// post waits for the departure, takes the last look, POSTs and records. From
// here on the claim is ours: whatever happens is recorded, and what cannot be
// recorded becomes unknown at the claim's deadline.
func (w *Worker) post(ctx context.Context, t queue.SendMessage, from sender, c messages.Claim,
	ask limits.Ask, grant limits.Grant, began time.Time) error {
	body, err := w.render(from.box, c)
	if err != nil {
		w.Log.Error("render a message", "message", c.Message, "error", err)
		r := messages.Return(c)
		r.Outcome, r.State, r.Reason = "render", messages.Failed, "render"
		return w.record(ctx, t.Workspace, answer{claim: c, result: r})
	}
	if !w.depart(ctx, ask, grant, began) {
		if err := w.Limits.Release(ctx, ask, grant); err != nil {
			w.Log.Warn("release the pair", "error", err)
		}
		return w.record(ctx, t.Workspace, answer{claim: c, result: messages.Return(c)})
	}
	got := w.Meta.SendTemplate(ctx, from.token, from.number.PhoneNumberID, body)
	w.tellLimits(ctx, t.Number, ask, grant, got)
	return w.record(ctx, t.Workspace, w.judge(c, got))
}

// depart sleeps until the departure and takes the last look. A departure that
// was missed is booked anew while the claim is young; false: do not POST.
func (w *Worker) depart(ctx context.Context, ask limits.Ask, grant limits.Grant, began time.Time) bool {
	for {
		err := w.Limits.Depart(ctx, grant)
		// Two clocks: the monotonic one stops while the machine is suspended,
		// the wall clock does not.
		if time.Since(began) > lastLook || time.Now().Round(0).Sub(began.Round(0)) > lastLook {
			return false
		}
		if err == nil {
			return true
		}
		if !errors.Is(err, limits.ErrLate) {
			return false
		}
		ask.Held = grant
		if grant, err = w.Limits.Take(ctx, ask); err != nil || !grant.OK {
			return false
		}
	}
}

func (w *Worker) giveBack(ctx context.Context, ws id.Workspace, m id.Message, after time.Duration) error {
	return w.Pool.InWorkspace(ctx, ws, func(tx pgx.Tx) error {
		return messages.GiveBack(ctx, tx, ws, after, m)
	})
}

// tellLimits slows the number down when Meta says so, or when nobody answers.
func (w *Worker) tellLimits(ctx context.Context, n id.Number, ask limits.Ask, grant limits.Grant, got whatsapp.SendResult) {
	var err error
	switch {
	case got.Code == whatsapp.CodeThroughput || got.Outcome == whatsapp.Unknown && got.HTTPStatus >= 500:
		err = w.Limits.Throttled(ctx, n, got.RetryAfter)
	case got.Outcome == whatsapp.RefusedForNow && got.Code != whatsapp.CodePairRate:
		err = w.Limits.Rest(ctx, n, max(got.RetryAfter, time.Second))
	case got.Code == codeMaintenance:
		err = w.Limits.Rest(ctx, n, time.Minute)
	case got.Outcome == whatsapp.NeverLeft:
		err = errors.Join(w.Limits.Release(ctx, ask, grant), w.Limits.Rest(ctx, n, time.Second))
	}
	if err != nil {
		w.Log.Warn("tell the limiter", "error", err)
	}
}

// codeMaintenance: the number is being upgraded, for about a minute.
const codeMaintenance = 131057
