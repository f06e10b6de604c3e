package sandbox

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// controlRoutes are the switches of the sandbox, JSON in and out. A POST answers
// 200 with {"ok":true} or what it made, 400 with {"error":…}.
func (s *Server) controlRoutes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("POST /sandbox/seed", control(s.Apply))
	m.HandleFunc("POST /sandbox/apps", control(func(v App) error { return s.Apply(Seed{Apps: []App{v}}) }))
	m.HandleFunc("POST /sandbox/portfolios", control(func(v Portfolio) error { return s.Apply(Seed{Portfolios: []Portfolio{v}}) }))
	m.HandleFunc("POST /sandbox/wabas", control(func(v WABA) error { return s.Apply(Seed{WABAs: []WABA{v}}) }))
	m.HandleFunc("POST /sandbox/numbers", control(func(v Number) error { return s.Apply(Seed{Numbers: []Number{v}}) }))
	m.HandleFunc("POST /sandbox/templates", control(func(v Template) error { return s.Apply(Seed{Templates: []Template{v}}) }))
	m.HandleFunc("POST /sandbox/tokens", control(func(v Token) error { return s.Apply(Seed{Tokens: []Token{v}}) }))
	m.HandleFunc("POST /sandbox/people", control(func(v Person) error { return s.Apply(Seed{People: []Person{v}}) }))

	m.HandleFunc("GET /sandbox/scenario", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.Scenario()) })
	m.HandleFunc("POST /sandbox/scenario", s.patchScenario)
	m.HandleFunc("POST /sandbox/faults", controlValue(s.AddFault))
	m.HandleFunc("DELETE /sandbox/faults", func(w http.ResponseWriter, r *http.Request) {
		s.ClearFaults(r.URL.Query().Get("id"))
		writeJSON(w, http.StatusOK, done)
	})
	m.HandleFunc("POST /sandbox/holds", controlValue(s.holdAction))
	m.HandleFunc("POST /sandbox/number", control(s.SetNumber))
	m.HandleFunc("POST /sandbox/template", control(s.SetTemplate))
	m.HandleFunc("POST /sandbox/limit", control(s.SetLimit))
	m.HandleFunc("POST /sandbox/event", control(s.SendEvent))
	m.HandleFunc("POST /sandbox/user_preferences", control(s.SendUserPreference))
	m.HandleFunc("POST /sandbox/inbound", controlValue(func(in Inbound) (map[string]string, error) {
		id, err := s.SendInbound(in)
		return map[string]string{"wamid": id}, err
	}))
	m.HandleFunc("POST /sandbox/verify", func(w http.ResponseWriter, r *http.Request) {
		controlValue(func(v struct {
			AppID string `json:"app_id"`
		}) (map[string]bool, error) {
			return done, s.VerifyCallback(r.Context(), v.AppID)
		})(w, r)
	})
	m.HandleFunc("POST /sandbox/clock", controlValue(func(v struct {
		AdvanceMS int64 `json:"advance_ms"`
	}) (map[string]time.Time, error) {
		err := s.AdvanceClock(time.Duration(v.AdvanceMS) * time.Millisecond)
		return map[string]time.Time{"now": s.Now()}, err
	}))
	m.HandleFunc("GET /sandbox/clock", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]time.Time{"now": s.Now()})
	})
	m.HandleFunc("POST /sandbox/reset", control(func(struct{}) error { return s.Reset() }))
	m.HandleFunc("GET /sandbox/journal", s.getJournal)
	m.HandleFunc("GET /sandbox/journal/summary", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.Summary()) })
	return m
}

var done = map[string]bool{"ok": true}

// control wraps a method that takes a JSON body and gives nothing.
func control[T any](apply func(T) error) http.HandlerFunc {
	return controlValue(func(v T) (map[string]bool, error) { return done, apply(v) })
}

// controlValue wraps a method that takes a JSON body and gives a value. Unknown
// names are refused, so that a misspelled scenario does not prove nothing.
func controlValue[T, R any](apply func(T) (R, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var v T
		var out any
		err := decode(w, r, &v)
		if err == nil || errors.Is(err, io.EOF) {
			out, err = apply(v)
		}
		conclude(w, out, err)
	}
}

func decode(w http.ResponseWriter, r *http.Request, into any) error {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<20))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}

func conclude(w http.ResponseWriter, out any, err error) {
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	writeJSON(w, http.StatusOK, out)
}

// patchScenario changes only the settings that the body names.
func (s *Server) patchScenario(w http.ResponseWriter, r *http.Request) {
	sc := s.Scenario()
	err := decode(w, r, &sc)
	if err == nil {
		err = s.SetScenario(sc)
	}
	conclude(w, sc, err)
}

// holdRequest is the body of POST /sandbox/holds: action hold, release or drop.
type holdRequest struct {
	Action string `json:"action"`
	Pause  bool   `json:"pause_template,omitempty"`
	Hold
}

func (s *Server) holdAction(v holdRequest) (map[string]int, error) {
	switch v.Action {
	case "hold":
		s.AddHold(v.Hold)
		return map[string]int{"messages": 0}, nil
	case "release":
		return map[string]int{"messages": s.ReleaseHolds()}, nil
	case "drop":
		return map[string]int{"messages": s.DropHolds(v.Pause)}, nil
	default:
		return nil, errors.New("action is hold, release or drop")
	}
}

// getJournal pages by sequence: ?after=N&limit=M (1000, at most 100000).
func (s *Server) getJournal(w http.ResponseWriter, r *http.Request) {
	after, _ := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit <= 0 {
		limit = 1000
	}
	entries := s.Entries(after, min(limit, 100_000))
	next := after
	if len(entries) > 0 {
		next = entries[len(entries)-1].Seq
	}
	writeJSON(w, http.StatusOK, map[string]any{"entries": entries, "next": next})
}
