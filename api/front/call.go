package front

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/id"
)

// call is what is known about one request; it travels in the context.
type call struct {
	requestID string
	lang      string
	address   string // of the caller
	query     url.Values
	started   time.Time
	route     Route
	who       accounts.Identity
	code      string // of the problem it ended with
}

// Lang is the language the caller wants, "en" or "ar".
func Lang(ctx context.Context) string { return callOf(ctx).lang }

// RequestID is the id of the request.
func RequestID(ctx context.Context) string { return callOf(ctx).requestID }

// Address is where the request came from.
func Address(ctx context.Context) string { return callOf(ctx).address }

// Caller is the credential that was checked; zero on public routes.
func Caller(ctx context.Context) accounts.Identity { return callOf(ctx).who }

type callKey struct{}

// callOf finds the call of a request's context; an empty one outside of any.
func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{lang: "en"}
}

var validRequestID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// begin gives the request its id and the headers every answer has.
func (f *Front) begin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{requestID: r.Header.Get("X-Request-Id"), lang: errs.Language(r.Header.Get("Accept-Language")), started: f.Clock()}
		if !validRequestID.MatchString(c.requestID) {
			c.requestID = id.New[id.Request]().String()
		}
		h := w.Header()
		h.Set("Request-Id", c.requestID)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		if len(f.BaseURL) > 8 && f.BaseURL[:8] == "https://" {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callKey{}, c)))
	})
}

// observe counts and logs the request when it has ended.
func (f *Front) observe(c *gin.Context) {
	f.metrics.inFlight.Inc()
	defer f.metrics.inFlight.Dec()
	c.Next()
	call := callOf(c.Request.Context())
	name := call.route.Route
	if name == "" {
		name = "other"
	}
	took := f.Clock().Sub(call.started)
	f.metrics.observe(name, c.Writer.Status(), took)
	f.Log.LogAttrs(c.Request.Context(), level(c.Writer.Status()), "request",
		logAttrs(name, c.Writer.Status(), took, call)...)
	if ws := call.who.Actor.Workspace; !ws.IsZero() {
		f.journal.add(entry{workspace: ws, at: call.started, requestID: call.requestID,
			actor: call.who.Actor.String(), route: name, status: c.Writer.Status(), took: took, key: call.who.Key})
	}
}

// recover answers a panic with a problem, as long as nothing was written.
func (f *Front) recover(c *gin.Context) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if err, ok := p.(error); ok && err == http.ErrAbortHandler { //nolint:errorlint // the sentinel itself is thrown
			panic(p)
		}
		f.Log.ErrorContext(c.Request.Context(), "panic", "request_id", callOf(c.Request.Context()).requestID,
			"route", c.FullPath(), "panic", p, "stack", string(debug.Stack()))
		if !c.Writer.Written() {
			f.Refuse(c, errs.New("internal"))
		}
		c.Abort()
	}()
	c.Next()
}
