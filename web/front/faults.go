package front

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"bareed/internal/errs"
	"bareed/internal/pg"
)

// fault is what the page of faults prints.
type fault struct {
	errs.Problem
	Kind string // missing, forbidden, refused, broken: picks the page's words
	Time time.Time
}

// fail answers an error: a caller without a session is sent to sign in,
// everybody else gets a page that says what happened and what to do. Nothing of
// the inside is shown; the request id finds it in the log.
func (c *Call) fail(err error) {
	if c.written {
		c.brokenOff(err)
	}
	e := c.personal(err)
	p := e.Problem(c.lang)
	if p.Status == http.StatusUnauthorized && !c.wantsPlain() {
		c.signIn(e)
		return
	}
	if e.Code == "auth.no_workspace" && c.Who.Operator {
		_ = c.Redirect(OperatorsPath) // nothing else is theirs
		return
	}
	if p.RetryAfter > 0 {
		c.W.Header().Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	if c.wantsPlain() {
		c.written = true
		http.Error(c.W, p.Detail, p.Status)
		return
	}
	if err := c.RenderStatus(p.Status, "fault", fault{p, kindOf(p.Status), c.Clock()}); err != nil {
		c.Log.Log(context.WithoutCancel(c.Ctx()), c.gravity(), "write the page of faults", "request_id", c.RequestID, "err", err)
		c.plainly(p)
	}
}

// plainly is the last resort when even the page of faults cannot be made, as
// without a database: the same page for somebody who is not signed in.
func (c *Call) plainly(p errs.Problem) {
	c.Signed, c.space = false, nil
	c.Who.Actor.Workspace = [16]byte{}
	if err := c.RenderStatus(p.Status, "fault", fault{p, kindOf(p.Status), c.Clock()}); err != nil {
		c.written = true
		http.Error(c.W, p.Detail+" ("+c.RequestID+")", p.Status)
	}
}

// wantsPlain tells a script's request, which no page would help.
func (c *Call) wantsPlain() bool {
	return strings.Contains(c.R.Header.Get("Accept"), "text/event-stream")
}

// signIn sends the browser to sign in and back here.
func (c *Call) signIn(e *errs.Error) {
	if e.Code == "auth.session" {
		c.Flash("info", "sign_in.ended")
		c.End()
	}
	target := "/sign-in"
	if here := c.here(); here != "/" {
		target += "?next=" + url.QueryEscape(here)
	}
	_ = c.Redirect(target)
}

// personal turns any error into one a person may see; what is not ours is
// logged and shows as internal.
func (c *Call) personal(err error) *errs.Error {
	e, inside := errs.Shown(err, pg.Full(err), pg.Momentary(err))
	if inside {
		c.Log.Log(context.WithoutCancel(c.Ctx()), c.gravity(), "page ended badly", "request_id", c.RequestID, "route", c.row.Route, "code", e.Code, "err", err)
	}
	return e
}

// gravity is how bad it is that a page did not come. A reader who went away is
// no fault of ours.
func (c *Call) gravity() slog.Level {
	if errors.Is(c.Ctx().Err(), context.Canceled) { // the server does so when the connection ends
		return slog.LevelInfo
	}
	return slog.LevelError
}

// brokenOff ends an answer that has begun, so that the reader sees that it is
// not whole.
func (c *Call) brokenOff(err error) {
	c.Log.Log(context.WithoutCancel(c.Ctx()), c.gravity(), "page broken off", "request_id", c.RequestID, "route", c.row.Route, "err", err)
	panic(http.ErrAbortHandler)
}

func kindOf(status int) string {
	switch {
	case status == http.StatusNotFound:
		return "missing"
	case status == http.StatusForbidden:
		return "forbidden"
	case status >= 500:
		return "broken"
	}
	return "refused"
}

func notFound(*Call) error    { return errs.New("not_found") }
func crossOrigin(*Call) error { return errs.New("csrf") }
