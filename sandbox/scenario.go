package sandbox

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"bareed/sandbox/asset"
)

// Scenario is how the sandbox behaves in general. Times are milliseconds,
// ranges [from, to], probabilities 0 to 1.
type Scenario struct {
	LatencyMS       int `json:"latency_ms"`
	LatencyJitterMS int `json:"latency_jitter_ms"`

	DeliverProbability float64 `json:"deliver_probability"`
	ReadProbability    float64 `json:"read_probability"`
	FailProbability    float64 `json:"fail_probability"`
	FailCode           int     `json:"fail_code"`
	SentDelayMS        [2]int  `json:"sent_delay_ms"`
	DeliveredDelayMS   [2]int  `json:"delivered_delay_ms"`
	ReadDelayMS        [2]int  `json:"read_delay_ms"`

	// DoubleProbability sends a status again in another body, RepeatProbability a
	// whole body again. Reorder shuffles. Outage holds every webhook back.
	DoubleProbability float64 `json:"double_probability"`
	RepeatProbability float64 `json:"repeat_probability"`
	Reorder           bool    `json:"reorder"`
	Outage            bool    `json:"outage"`
	BatchSize         int     `json:"batch_size"`

	Magic bool `json:"magic"` // the +999 numbers
	// PairIntervalMS 0 switches the pair limit off.
	PairIntervalMS int `json:"pair_interval_ms"`
	PairBurst      int `json:"pair_burst"`
	// ThroughputSlack is the share a number may exceed its rate by, 0 none.
	ThroughputSlack float64 `json:"throughput_slack"`
	// ManagementPerHour limits reads per account (80007); 0 off.
	ManagementPerHour int `json:"management_per_hour"`
	// OverLimitCode makes messages over the portfolio's limit fail with a code;
	// 0 is silence, as vendors report of Meta.
	OverLimitCode int `json:"over_limit_code"`
}

// DefaultScenario is a quick and healthy Meta.
func DefaultScenario() Scenario {
	return Scenario{
		DeliverProbability: 1, ReadProbability: 0.6, FailCode: 131026,
		SentDelayMS: [2]int{20, 80}, DeliveredDelayMS: [2]int{20, 120}, ReadDelayMS: [2]int{20, 200},
		BatchSize: 100, Magic: true, PairIntervalMS: 6000, PairBurst: 45,
	}
}

// Scenario gives the present settings.
func (s *Server) Scenario() Scenario {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.scenario
}

// SetScenario replaces the settings; it holds for messages accepted from now on,
// and for webhooks at once.
func (s *Server) SetScenario(sc Scenario) error {
	for _, p := range []float64{sc.DeliverProbability, sc.ReadProbability, sc.FailProbability, sc.DoubleProbability, sc.RepeatProbability} {
		if p < 0 || p > 1 {
			return errors.New("a probability is between 0 and 1")
		}
	}
	if sc.DoubleProbability > 0.9 {
		return errors.New("double_probability above 0.9 would hardly end")
	}
	for _, r := range [][2]int{sc.SentDelayMS, sc.DeliveredDelayMS, sc.ReadDelayMS, {sc.LatencyMS, sc.LatencyMS + sc.LatencyJitterMS}} {
		if r[0] < 0 || r[1] < r[0] {
			return errors.New("a range of milliseconds goes from low to high")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scenario = sc
	s.rouse()
	return nil
}

// rouse makes the pump look again.
func (s *Server) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// AdvanceClock moves the sandbox's own time forward: limits free up, webhooks
// fall due, service windows close.
func (s *Server) AdvanceClock(d time.Duration) error {
	if d < 0 {
		return errors.New("the clock only goes forward")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += d
	s.rouse()
	return nil
}

// Reset forgets everything, the journal too.
func (s *Server) Reset() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	s.rouse()
	return s.journal.Reset()
}

// Hold keeps back matching messages after the first After of them, as pacing
// does: the answer says held_for_quality_assessment and no status comes until
// ReleaseHolds or DropHolds. Empty filters match everything.
type Hold struct {
	PortfolioID string `json:"portfolio_id,omitempty"`
	NumberID    string `json:"phone_number_id,omitempty"`
	Template    string `json:"template,omitempty"` // name
	After       int    `json:"after,omitempty"`
	passed      int
}

// AddHold begins holding.
func (s *Server) AddHold(h Hold) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holds = append(s.holds, &h)
}

// isHeld needs mu and an accepted message.
func (s *Server) isHeld(m *message) bool {
	if m.failCode != 0 {
		return false
	}
	for _, h := range s.holds {
		if h.PortfolioID != "" && h.PortfolioID != m.number.waba.PortfolioID || h.NumberID != "" && h.NumberID != m.number.ID ||
			h.Template != "" && (m.template == nil || m.template.Name != h.Template) {
			continue
		}
		if h.passed < h.After {
			h.passed++
			continue
		}
		return true
	}
	return false
}

// ReleaseHolds ends all holds and sends what was held on its way; it says how many.
func (s *Server) ReleaseHolds() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.endHolds(0)
}

// DropHolds ends all holds with bad feedback: every held message fails with
// 132015, and its template is paused with a webhook when pause is set.
func (s *Server) DropHolds(pause bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var templates []*template
	for _, m := range s.held {
		if m.template != nil && !slices.Contains(templates, m.template) {
			templates = append(templates, m.template)
		}
	}
	n := s.endHolds(132015)
	for _, t := range templates {
		if pause {
			s.templateStatus(t, "PAUSED", "FIRST_PAUSE")
		}
	}
	return n
}

func (s *Server) endHolds(code int) int {
	held := s.held
	s.holds, s.held = nil, nil
	for _, m := range held {
		m.failCode = code
		s.schedule(m)
	}
	return len(held)
}

// SetNumber changes what reads of a number show; empty values stay. With webhook
// a phone_number_quality_update in the form from before October 2025 goes out,
// otherwise the change can only be seen by reading, as today.
func (s *Server) SetNumber(c NumberChange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.numbers[c.NumberID]
	if n == nil {
		return fmt.Errorf("number %s is not known", c.NumberID)
	}
	if c.MPS > 0 {
		n.MPS = c.MPS
	}
	n.Quality, n.Status, n.Health = def(c.Quality, n.Quality), def(c.Status, n.Status), def(c.Health, n.Health)
	if c.Webhook {
		event := "FLAGGED"
		if n.Quality == "GREEN" {
			event = "UNFLAGGED"
		}
		s.change(n.waba, n.WABAID, "phone_number_quality_update", map[string]any{
			"display_phone_number": asset.Digits(n.DisplayPhone), "event": event, "current_limit": n.waba.portfolio.Limit,
		})
	}
	return nil
}

// NumberChange is what SetNumber takes.
type NumberChange struct {
	NumberID string `json:"phone_number_id"`
	Quality  string `json:"quality_rating,omitempty"`
	Status   string `json:"status,omitempty"`
	Health   string `json:"health,omitempty"`
	MPS      int    `json:"mps,omitempty"`
	Webhook  bool   `json:"webhook,omitempty"`
}
