package sandbox

import (
	"bareed/sandbox/journal"
)

// Summary is the judge's count, and what was seen of statuses, numbers,
// portfolios and webhooks since the process started.
type Summary struct {
	journal.Counts
	// Statuses counts messages per kind, each once however often it was posted.
	Statuses   map[string]int64            `json:"statuses"`
	OverLimit  int64                       `json:"over_limit"` // accepted, never delivered
	Numbers    map[string]NumberSummary    `json:"numbers"`
	Portfolios map[string]PortfolioSummary `json:"portfolios"`
	Webhooks   WebhookSummary              `json:"webhooks"`
}

// NumberSummary holds the most requests and acceptances of any sliding second.
type NumberSummary struct {
	MaxAcceptedPerSecond int `json:"max_accepted_per_second"`
	MaxRequestsPerSecond int `json:"max_requests_per_second"`
}

// PortfolioSummary counts people reached outside windows in 24 hours.
type PortfolioSummary struct {
	Uniques24h    int `json:"uniques_24h"`
	MaxUniques24h int `json:"max_uniques_24h"`
	Limit         int `json:"limit"` // 0 = unlimited
}

// WebhookSummary: Pending are events and POSTs not yet acknowledged.
type WebhookSummary struct {
	Posts        int64 `json:"posts"`
	Acknowledged int64 `json:"acknowledged"`
	Refused      int64 `json:"refused"`
	Events       int64 `json:"events"`
	GivenUp      int64 `json:"given_up"`
	Pending      int   `json:"pending"`
}

// Summary counts everything so far.
func (s *Server) Summary() Summary {
	sum := Summary{Counts: s.journal.Counts(), Statuses: map[string]int64{}, Numbers: map[string]NumberSummary{}, Portfolios: map[string]PortfolioSummary{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	for kind, n := range s.counts.statuses {
		sum.Statuses[stepNames[kind]] = n
	}
	sum.OverLimit = s.counts.overLimit
	for id, n := range s.numbers {
		sum.Numbers[id] = NumberSummary{MaxAcceptedPerSecond: n.rate.Most, MaxRequestsPerSecond: n.asked.Most}
	}
	for id, p := range s.portfolios {
		sum.Portfolios[id] = PortfolioSummary{Uniques24h: p.reached.Count(s.now()), MaxUniques24h: p.reached.Most, Limit: p.People()}
	}
	sum.Webhooks = s.counts.webhooks
	sum.Webhooks.Pending = s.queue.Len() + s.inFlight
	return sum
}

// Entries gives up to limit entries of the journal with a sequence above after.
func (s *Server) Entries(after int64, limit int) []journal.Entry {
	return s.journal.Entries(after, limit)
}
