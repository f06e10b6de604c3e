package front

import (
	"context"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/id"
)

// policy lets a page load only what we serve, run no inline script or style,
// and be framed by nobody.
const policy = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// serve takes a request through the gates, in this order: headers, time,
// session, permission, suspension, the form. Nothing of the input is judged
// before the caller is known.
func (f *Front) serve(w http.ResponseWriter, r *http.Request, row Route, h Handler) {
	c := f.begin(w, r, row)
	d := pageTime
	if row.Long {
		d = longTime
	}
	ctx, cancel := context.WithTimeout(r.Context(), d)
	defer cancel()
	c.R = r.WithContext(ctx)
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(d)) // not every writer can, such as a test's
	_ = rc.SetWriteDeadline(time.Now().Add(d + 30*time.Second))
	defer c.recover()
	if err := f.pass(c); err != nil {
		c.fail(err)
		return
	}
	if err := h(c); err != nil {
		c.fail(err)
	}
}

// begin sets what every page's answer has. The request id is the one that the
// server in front gave, if there is one.
func (f *Front) begin(w http.ResponseWriter, r *http.Request, row Route) *Call {
	h := w.Header()
	if h.Get("Request-Id") == "" {
		h.Set("Request-Id", id.New[id.Request]().String())
	}
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Cookie, Accept-Language")
	c := &Call{W: w, R: r, Front: f, row: row, RequestID: h.Get("Request-Id"), began: f.Clock()}
	c.lang = errs.Language(r.Header.Get("Accept-Language"))
	if chosen, err := r.Cookie(languageCookie); err == nil && (chosen.Value == "ar" || chosen.Value == "en") {
		c.lang = chosen.Value
	}
	return c
}

// pass finds the caller and judges what they may.
func (f *Front) pass(c *Call) error {
	if err := c.identify(); err != nil && !c.row.Public {
		return err
	}
	if err := c.permit(); err != nil {
		return err
	}
	if c.R.Method == http.MethodPost && !c.row.Long {
		c.R.Body = http.MaxBytesReader(c.W, c.R.Body, maxForm)
		if err := c.R.ParseForm(); err != nil {
			return errs.New("body.broken_off").Because(err)
		}
	}
	return nil
}

func (c *Call) permit() error {
	who := c.Who
	switch {
	case c.row.Public:
		return nil
	case c.row.Action == accounts.ReadSelf:
		return nil
	case who.Actor.Workspace.IsZero():
		return errs.New("auth.no_workspace")
	}
	if err := accounts.Allow(who.Actor, c.row.Action); err != nil {
		return err
	}
	if who.Suspended && !c.row.Open {
		return errs.New("workspace.suspended")
	}
	return nil
}

// Address is where the request came from.
func (c *Call) Address() string { return address(c.R) }

// address is where the request came from, as the server in front found out.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// recover answers a panic with the page of faults, as long as nothing was
// written.
func (c *Call) recover() {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && err == http.ErrAbortHandler { //nolint:errorlint // the sentinel itself is thrown
		panic(p)
	}
	c.Log.ErrorContext(c.R.Context(), "panic", "request_id", c.RequestID, "route", c.row.Route, "panic", p, "stack", string(debug.Stack()))
	if c.written {
		panic(http.ErrAbortHandler)
	}
	c.fail(errs.New("internal"))
}
