package worker

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"

	"bareed/internal/clock"
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
	// crowded is how long a message waits when its lane holds too many slots.
	crowded = 250 * time.Millisecond
	// patience is how long a task waits to claim before it is given back, which
	// is a write and comes again.
	patience = time.Second
)

// sendMessage sends one message, if everything still permits it: claim,
// departure time, last look, POST, record. Only the claim permits; all the rest
// may be lost, repeated or late without harm. The departure is booked behind the
// claim, because one that a slow claim missed would be lost to the number.
//
// The queue's context is left behind on purpose: it ends when a lease is lost
// or somebody presses a button on the dashboard, and a POST must not be cut in
// half by that.
func (w *Worker) sendMessage(ctx context.Context, t queue.SendMessage) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTime)
	defer cancel()
	m := messageOf(t)
	in := lane{t.Number, t.Reply}
	if left := w.slots.resting(in); left > 0 {
		return w.giveBack(ctx, t.Workspace, m, left)
	}
	if !w.slots.take(ctx, in) {
		return w.giveBack(ctx, t.Workspace, m, crowded)
	}
	defer w.slots.leave(in)
	from, err := w.senders.get(ctx, t.Workspace, t.Number)
	if err != nil {
		return w.noSender(ctx, t, err)
	}
	if !w.claimers.take(ctx, in, claimers(from.perSecond), patience) {
		return w.giveBack(ctx, t.Workspace, m, crowded)
	}
	booked := sync.OnceFunc(func() { w.claimers.leave(in) })
	defer booked()
	if left := w.breakers.hold(t.Number, w.Clock()); left > 0 {
		return w.giveBack(ctx, t.Workspace, m, left)
	}
	w.reach(beforeClaim)
	began := time.Now()
	claim, err := w.claims.ask(ctx, t.Workspace, messages.Want{Message: m, Token: uuid.New(), Known: w.known()})
	if err != nil || claim == nil {
		return err
	}
	w.reach(afterClaim)
	if claim.Number != t.Number { // the gates are the run's number's, the task's token would be another's
		booked()
		return w.unused(ctx, t, *claim, crowded)
	}
	return w.post(ctx, t, from, *claim, began, booked)
}

func messageOf(t queue.SendMessage) id.Message { return id.Message{Run: t.Run, Ordinal: t.Ordinal} }

// post waits for the departure, takes the last look, POSTs and records. From
// here on the claim is ours: whatever happens is recorded, and what cannot be
// recorded becomes unknown at the claim's deadline.
func (w *Worker) post(ctx context.Context, t queue.SendMessage, from sender, c messages.Claim, began time.Time, booked func()) error {
	body, err := w.render(from.box, c)
	if err != nil {
		booked()
		w.Log.Error("render a message", "message", c.Message, "error", err)
		return w.record(ctx, t.Workspace, w.failBuild(c))
	}
	w.unbuilt.note(c.Message.Run, false)
	ask := limits.Ask{Number: t.Number, Contact: t.Contact, PerSecond: from.perSecond, Bulk: !t.Reply}
	grant, again := w.depart(ctx, ask, began, booked)
	if !grant.OK {
		return w.unused(ctx, t, c, again)
	}
	left := w.Clock()
	body.MayLeave = func() bool { return !tooOld(began) } // a connection may have taken seconds
	got := w.Meta.SendTemplate(ctx, from.token, from.number.PhoneNumberID, body)
	w.reach(afterAnswer)
	if got.Stayed {
		ask.Held = grant
		_, again = w.stay(ctx, ask, crowded)
		return w.unused(ctx, t, c, again)
	}
	w.noteAnswer(t.Number, left, got)
	w.tellLimits(ctx, t.Number, ask, grant, got)
	defer w.reach(afterRecord)
	return w.record(ctx, t.Workspace, w.settle(ctx, t.Workspace, c, got))
}

// unused gives a claim back of which nothing left, to be offered again after a time.
func (w *Worker) unused(ctx context.Context, t queue.SendMessage, c messages.Claim, again time.Duration) error {
	r := messages.Return(c)
	r.Again = again
	return w.record(ctx, t.Workspace, answer{claim: c, result: r})
}

// depart books a departure, sleeps until then and takes the last look: nothing
// leaves on a claim older than that. A grant that is not OK means do not POST,
// and again is when the message may be offered anew. booked is called as soon as
// another message may claim in this one's place.
func (w *Worker) depart(ctx context.Context, ask limits.Ask, began time.Time, booked func()) (grant limits.Grant, again time.Duration) {
	for {
		grant, again := w.book(ctx, ask, began)
		booked()
		if !grant.OK {
			return w.stay(ctx, ask, again)
		}
		err := w.Limits.Depart(ctx, grant)
		ask.Held = grant
		if tooOld(began) {
			return w.stay(ctx, ask, crowded)
		}
		if err == nil {
			return grant, 0
		}
		if !errors.Is(err, limits.ErrLate) {
			return w.stay(ctx, ask, crowded)
		}
	}
}

// tooOld tells whether nothing may leave any more on a claim asked for then. Two
// clocks: the monotonic one stops while the machine is suspended, the wall clock
// does not.
func tooOld(began time.Time) bool {
	return time.Since(began) > lastLook || time.Now().Round(0).Sub(began.Round(0)) > lastLook
}

// book asks the limiter, in turn, until it grants a departure or could only
// grant one that this claim would miss. A claim that is too old by now asks for
// none, which would be lost to the number, and comes back after a pause: at once,
// it would meet the same slow database again and again.
func (w *Worker) book(ctx context.Context, ask limits.Ask, began time.Time) (grant limits.Grant, again time.Duration) {
	in := lane{ask.Number, !ask.Bulk}
	if !w.askers.take(ctx, in, askers, lastLook-time.Since(began)) {
		return limits.Grant{}, crowded
	}
	defer w.askers.leave(in)
	for {
		if tooOld(began) {
			return limits.Grant{}, crowded
		}
		grant, err := w.Limits.Take(ctx, ask)
		if err != nil {
			w.Log.Warn("ask the limiter", "error", err)
			return limits.Grant{}, time.Second
		}
		if grant.OK {
			return grant, 0
		}
		if grant.Reason == limits.Pair { // the person's own limit: nobody else need wait for it
			return limits.Grant{}, grant.Retry
		}
		if time.Since(began)+grant.Retry > lastLook {
			w.slots.rest(in, min(grant.Retry, time.Second))
			return limits.Grant{}, grant.Retry
		}
		if !clock.Pause(ctx, grant.Retry) {
			return limits.Grant{}, crowded
		}
	}
}

// stay gives the pair's place back that a message which did not leave held.
func (w *Worker) stay(ctx context.Context, ask limits.Ask, again time.Duration) (limits.Grant, time.Duration) {
	if err := w.Limits.Release(ctx, ask, ask.Held); err != nil {
		w.Log.Warn("release the pair", "error", err)
	}
	return limits.Grant{}, again
}

// tellLimits slows the number down when Meta says so, or when nobody answers.
func (w *Worker) tellLimits(ctx context.Context, n id.Number, ask limits.Ask, grant limits.Grant, got whatsapp.SendResult) {
	var err error
	switch {
	case got.Code == whatsapp.CodeMaintenance: // before the rest of the 5xx, of which it is one
		err = w.Limits.Rest(ctx, n, max(got.RetryAfter, time.Minute))
	case got.Code == whatsapp.CodeThroughput || got.Outcome == whatsapp.Unknown && got.HTTPStatus >= 500:
		err = w.Limits.Throttled(ctx, n, got.RetryAfter)
	case got.Outcome == whatsapp.RefusedForNow && got.Code != whatsapp.CodePairRate:
		err = w.Limits.Rest(ctx, n, max(got.RetryAfter, time.Second))
	case got.Outcome == whatsapp.NeverLeft:
		err = errors.Join(w.Limits.Release(ctx, ask, grant), w.Limits.Rest(ctx, n, time.Second))
	}
	if err != nil {
		w.Log.Warn("tell the limiter", "error", err)
	}
}
