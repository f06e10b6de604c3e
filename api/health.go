package api

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/internal/errs"
)

// Check is one thing the process needs to do its work. Probe returns nil when
// it is there; only an *errs.Error's sentence is shown, never another error.
type Check struct {
	Name  string // redis, schema
	Probe func(ctx context.Context) error
}

// checked is one line of /readyz.
type checked struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
}

// alive is the answer of /healthz.
type alive struct {
	Status string `json:"status" enum:"alive"`
}

// readiness is the answer of /readyz.
type readiness struct {
	Status string    `json:"status" enum:"ready,not ready"`
	Checks []checked `json:"checks"`
}

// notReady: 503 has the same body as 200.
func notReady(op *huma.Operation) {
	op.Responses["503"] = &huma.Response{Description: "Not ready", Content: op.Responses["200"].Content}
}

func (s *Server) health() {
	raw(s, "GET /healthz", func(c *gin.Context, _ accounts.Actor) error {
		c.JSON(http.StatusOK, alive{Status: "alive"})
		return nil
	}, front.Answers[alive](s.Front, "Alive"))
	raw(s, "GET /readyz", s.ready, front.Answers[readiness](s.Front, "Readiness"), notReady)
}

// ready asks every part, each within two seconds.
func (s *Server) ready(c *gin.Context, _ accounts.Actor) error {
	lang := front.Lang(c.Request.Context())
	status, word := http.StatusOK, "ready"
	var parts []checked
	for _, check := range append([]Check{{Name: "database", Probe: s.database}}, s.Checks...) {
		part := s.probe(c.Request.Context(), check, lang)
		if !part.OK {
			status, word = http.StatusServiceUnavailable, "not ready"
		}
		parts = append(parts, part)
	}
	c.JSON(status, readiness{Status: word, Checks: parts})
	return nil
}

func (s *Server) probe(ctx context.Context, check Check, lang string) checked {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	err := check.Probe(ctx)
	if err == nil {
		return checked{Name: check.Name, OK: true}
	}
	s.Log.WarnContext(ctx, "not ready", "part", check.Name, "err", err)
	part := checked{Name: check.Name, Detail: errs.Sentence(lang, "ready.unreachable", errs.Params{"part": check.Name})}
	var e *errs.Error
	if errors.As(err, &e) {
		part.Detail = errs.Sentence(lang, e.Code, e.Params)
	}
	return part
}

// database tells whether both roles can read.
func (s *Server) database(ctx context.Context) error {
	var one bool
	if err := s.Pool.Engine().QueryRow(ctx, `select one from clock_offset`).Scan(&one); err != nil {
		return err
	}
	return s.Pool.App().QueryRow(ctx, `select one from clock_offset`).Scan(&one)
}

// openapi serves the description of every route under /v1.
func (s *Server) openapi() {
	document := sync.OnceValues(s.OpenAPI)
	raw(s, "GET /openapi.json", func(c *gin.Context, _ accounts.Actor) error {
		b, err := document()
		if err != nil {
			return err
		}
		c.Header("Cache-Control", "public, max-age=300")
		c.Data(http.StatusOK, "application/json", b)
		return nil
	}, front.Answers[map[string]any](s.Front, "Description"))
}
