package front

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/id"
)

// gates are what a request passes before its handler, in this order: time
// limits, credential, rate, permission, suspension, the ids in the path, the query,
// the body, the idempotency key. Nothing of the input is judged before the
// caller is known.
func (f *Front) gates(row Route, streamed bool) []gin.HandlerFunc {
	return []gin.HandlerFunc{
		func(c *gin.Context) { f.limitTime(c, row) },
		f.gate(row, func(c *gin.Context) error { return f.known(c, row) }),
		f.gate(row, func(c *gin.Context) error { return f.limitRate(c, row) }),
		f.gate(row, func(c *gin.Context) error { return f.authorise(c, row) }),
		f.gate(row, func(c *gin.Context) error { return checkPath(c, row) }),
		f.gate(row, checkQuery),
		f.gate(row, func(c *gin.Context) error { return f.checkBody(c, row, streamed) }),
		func(c *gin.Context) { f.idempotent(c, row, streamed) },
	}
}

func (f *Front) gate(_ Route, check func(c *gin.Context) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := check(c); err != nil {
			f.Refuse(c, err)
		}
	}
}

// limitTime bounds reading the body, the work and writing the answer.
func (f *Front) limitTime(c *gin.Context, row Route) {
	d := jsonTime
	if row.Long {
		d = uploadTime
	}
	call := callOf(c.Request.Context())
	call.route, call.address, call.query = row, c.ClientIP(), c.Request.URL.Query()
	ctx, cancel := context.WithTimeout(context.WithValue(c.Request.Context(), pathKey{}, c.Request.URL.Path), d)
	defer cancel()
	c.Request = c.Request.WithContext(ctx)
	rc := http.NewResponseController(c.Writer)
	_ = rc.SetReadDeadline(time.Now().Add(d))                   // not every writer can, such as a test's
	_ = rc.SetWriteDeadline(time.Now().Add(d + 30*time.Second)) // the answer has time of its own
	c.Next()
}

// known finds the caller. Who cannot be found is counted by address, so that
// guessing keys is no faster than anything else.
func (f *Front) known(c *gin.Context, row Route) error {
	err := f.authenticate(c, row)
	if err == nil || !isProgram(row.Path()) {
		return err
	}
	if limited := f.rates.TakeAddress(c.Writer.Header(), c.ClientIP()); limited != nil {
		return limited
	}
	return err
}

// limitRate counts the request.
func (f *Front) limitRate(c *gin.Context, row Route) error {
	if row.Public && isProgram(row.Path()) {
		return f.rates.TakeAddress(c.Writer.Header(), c.ClientIP())
	}
	if row.Public {
		return nil
	}
	return f.rates.Take(c.Writer.Header(), callOf(c.Request.Context()).who.Actor)
}

// PathKinds tells for each name in a path what its identifier must look like.
func PathKinds() map[string]func(string) bool {
	return map[string]func(string) bool{
		"audience": is[id.Audience], "card": is[id.RateCard], "campaign": is[id.Campaign], "check": is[id.Check], "contact": is[id.Contact],
		"import": is[id.Import], "job": is[id.Job], "key": is[id.Key], "number": is[id.Number], "run": is[id.Run],
		"stop": is[id.Stop], "template": is[id.Template], "user": is[id.User], "waba": is[id.WABA], "app": is[id.App],
		"session": is[id.Session], "portfolio": is[id.Portfolio], "wording": is[id.Wording],
		"message": func(v string) bool { _, err := id.ParseMessage(v); return err == nil },
		"share":   func(v string) bool { return v != "" && len(v) <= 40 },
	}
}

func is[T any, P interface {
	*T
	UnmarshalText(b []byte) error
}](v string) bool {
	_, err := id.Parse[T, P](v)
	return err == nil
}

// checkPath answers a malformed identifier like one that does not exist.
func checkPath(c *gin.Context, row Route) error {
	if !strings.HasPrefix(row.Path(), "/v1/") {
		return nil
	}
	kinds := PathKinds()
	for _, p := range c.Params {
		if valid, ok := kinds[p.Key]; ok && !valid(p.Value) {
			return errs.New("not_found")
		}
	}
	return nil
}

// checkQuery refuses what could be read in two ways.
func checkQuery(c *gin.Context) error {
	q, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return errs.New("param.syntax")
	}
	for name, values := range q {
		if len(values) > 1 {
			return errs.New("param.duplicate", "name", errs.Clip(name))
		}
	}
	return nil
}

// keyInURL refuses a secret where logs and histories would keep it, and puts it
// on record so that somebody rotates it.
func (f *Front) keyInURL(c *gin.Context) {
	u := c.Request.URL
	if !strings.Contains(u.RawQuery+u.Path, "bk_live_") && !strings.Contains(u.RawQuery+u.Path, "bk_test_") && !u.Query().Has("api_key") {
		return
	}
	for _, values := range u.Query() {
		for _, v := range values {
			if err := accounts.KeyExposed(c.Request.Context(), f.Pool, v, c.ClientIP(), callOf(c.Request.Context()).requestID); err != nil {
				f.Log.ErrorContext(c.Request.Context(), "record the exposed key", "err", err)
			}
		}
	}
	f.Refuse(c, errs.New("auth.key_in_url"))
}

// otherPath is every path without a route: a page, or nothing. Pages find the
// caller's own address in RemoteAddr, also behind a proxy.
func (f *Front) otherPath(c *gin.Context) {
	if f.Web != nil && !strings.HasPrefix(c.Request.URL.Path, "/v1/") && !strings.HasPrefix(c.Request.URL.Path, "/webhooks/") &&
		!strings.HasPrefix(c.Request.URL.Path, "/ops/queues") {
		c.Status(http.StatusOK) // gin presets 404 here
		c.Request.RemoteAddr = net.JoinHostPort(c.ClientIP(), "0")
		f.Web.ServeHTTP(c.Writer, c.Request)
		return
	}
	f.Refuse(c, errs.New("not_found"))
}

// RatePolicy is the RateLimit-Policy header of an answer to a known caller.
func (f *Front) RatePolicy() string { return f.rates.Policy() }

// isProgram tells whether a path is of the programs' surface, where every answer
// says what is left.
func isProgram(path string) bool { return strings.HasPrefix(path, "/v1/") }

// stateRate writes the headers on an answer that was given before anybody was
// counted; it refuses nothing.
func (f *Front) stateRate(w http.ResponseWriter, r *http.Request) {
	if !isProgram(r.URL.Path) || w.Header().Get("RateLimit") != "" {
		return
	}
	address := callOf(r.Context()).address
	if address == "" {
		address, _, _ = net.SplitHostPort(r.RemoteAddr)
	}
	_ = f.rates.TakeAddress(w.Header(), address) // the answer is a refusal already
}
