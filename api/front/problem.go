package front

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"bareed/internal/errs"
	"bareed/internal/pg"
)

// problemError is a problem on its way through huma.
type problemError struct {
	errs.Problem
}

func (p *problemError) Error() string             { return p.Code }
func (p *problemError) GetStatus() int            { return p.Status }
func (p *problemError) ContentType(string) string { return "application/problem+json" }

// quotaExceeded is the type of a 429 (draft-ietf-httpapi-ratelimit-headers-10,
// section 6.1); violated-policies names the quotas.
const quotaExceeded = "https://iana.org/assignments/http-problem-types#quota-exceeded"

// asProblem turns any error into what may leave: our own errors as they are,
// everything else as "internal", logged with the request id.
func (f *Front) asProblem(ctx context.Context, path string, err error) *problemError {
	call := callOf(ctx)
	e := f.personal(ctx, err)
	call.code = e.Code
	p := e.Problem(call.lang)
	p.RequestID = call.requestID
	if violated, ok := e.Params["violated"].([]string); ok {
		p.Type, p.Violated = quotaExceeded, violated
	}
	if len(path) <= 256 && !strings.Contains(path, "bk_") {
		p.Instance = path
	}
	return &problemError{p}
}

func (f *Front) personal(ctx context.Context, err error) *errs.Error {
	e, inside := errs.Shown(err, pg.Full(err), pg.Momentary(err))
	if inside {
		f.Log.ErrorContext(ctx, "request ended badly", "request_id", callOf(ctx).requestID, "code", e.Code, "err", err)
	}
	return e
}

// Megabytes writes a size for a sentence.
func Megabytes(n int64) string { return strconv.FormatInt(n>>20, 10) }

// Refuse ends a gin request with a problem.
func (f *Front) Refuse(c *gin.Context, err error) {
	f.writeProblem(c.Writer, c.Request, err)
	c.Abort()
}

// writeProblem writes a problem outside of huma.
func (f *Front) writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	f.stateRate(w, r)
	p := f.asProblem(r.Context(), r.URL.Path, err)
	h := w.Header()
	for k, v := range problemHeaders(&p.Problem) {
		h[k] = v
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Language", p.Lang)
	w.WriteHeader(p.Status)
	if r.Method == http.MethodHead {
		return
	}
	if err := json.NewEncoder(w).Encode(p.Problem); err != nil {
		f.Log.DebugContext(r.Context(), "write the problem", "err", err)
	}
}

// Problem renders an error as Refuse would, for a page that prints it itself,
// and the headers that belong to it.
func (f *Front) Problem(ctx context.Context, path string, err error) (errs.Problem, http.Header) {
	p := f.asProblem(ctx, path, err)
	return p.Problem, problemHeaders(&p.Problem)
}

// problemHeaders are the headers a problem brings along.
func problemHeaders(p *errs.Problem) http.Header {
	h := http.Header{}
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="bareed"`)
	}
	return h
}

// translate turns what huma says about an input into our own problem. Its
// messages name no value of the caller beyond the place.
func (f *Front) translate(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	e := errs.New(codeOfStatus(m.Status))
	if m.Status == http.StatusRequestEntityTooLarge {
		e = errs.New("body.too_large", "limit", Megabytes(MaxJSON))
	}
	for _, d := range m.Errors {
		if d != nil {
			e.Fields = append(e.Fields, fieldOf(d))
		}
	}
	u := ctx.URL()
	if m.Status >= 500 {
		f.Log.ErrorContext(ctx.Context(), "huma refused", "request_id", callOf(ctx.Context()).requestID, "err", m.Detail)
	}
	p := f.asProblem(ctx.Context(), u.Path, e)
	p.Status = m.Status
	return p, nil
}

func codeOfStatus(status int) string {
	switch {
	case status == http.StatusBadRequest:
		return "body.missing"
	case status == http.StatusRequestTimeout:
		return "timeout"
	case status == http.StatusUnsupportedMediaType || status == http.StatusNotAcceptable:
		return "content_type"
	case status >= 500:
		return "internal"
	}
	return "invalid"
}

func level(status int) slog.Level {
	if status >= 500 {
		return slog.LevelError
	}
	return slog.LevelInfo
}

func logAttrs(route string, status int, took time.Duration, c *call) []slog.Attr {
	return []slog.Attr{
		slog.String("route", route), slog.Int("status", status), slog.Duration("took", took),
		slog.String("request_id", c.requestID), slog.String("code", c.code), slog.String("actor", c.who.Actor.ID),
	}
}
