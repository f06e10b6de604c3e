package client

import (
	"context"
	"net/http"
	"time"
)

// BreakerPolicy is every threshold in force; shares are per cent, waits minutes.
type BreakerPolicy struct {
	OptOutsOver         float64   `json:"opt_outs_over"`
	OptOutsAfter        int64     `json:"opt_outs_after"`
	FailuresOver        float64   `json:"failures_over"`
	UndeliverableOver   float64   `json:"undeliverable_over"`
	AnswersOf           int       `json:"answers_of"`
	ServerErrorsOver    float64   `json:"server_errors_over"`
	ServerErrorsSeconds int       `json:"server_errors_seconds"`
	ServerErrorsRetry   int       `json:"server_errors_retry"`
	HeldMost            int64     `json:"held_most"`
	Waves               string    // by_risk, always, never
	WavesFrom           int64     `json:"waves_from"`
	WavesUtility        bool      `json:"waves_utility"`
	CanaryPeople        int64     `json:"canary_people"`
	CanaryShare         float64   `json:"canary_share"`
	CanaryOrder         string    `json:"canary_order"` // engaged, random
	WaveShares          []float64 `json:"wave_shares"`
	WaveWait            int       `json:"wave_wait"`
	WaveAnswered        float64   `json:"wave_answered"`
	WaveLongest         int       `json:"wave_longest"`
	ReadsBelow          float64   `json:"reads_below"`
	ReadsAfter          int64     `json:"reads_after"`
	ListOver            float64   `json:"list_over"`
	Off                 []string  // rules that are switched off, by the reason of their stop
}

// BreakerSettings is what a workspace or a campaign sets; nil leaves a part to the
// next wider one.
type BreakerSettings struct {
	OptOutsOver         *float64   `json:"opt_outs_over,omitempty"`
	OptOutsAfter        *int64     `json:"opt_outs_after,omitempty"`
	FailuresOver        *float64   `json:"failures_over,omitempty"`
	UndeliverableOver   *float64   `json:"undeliverable_over,omitempty"`
	AnswersOf           *int       `json:"answers_of,omitempty"`
	ServerErrorsOver    *float64   `json:"server_errors_over,omitempty"`
	ServerErrorsSeconds *int       `json:"server_errors_seconds,omitempty"`
	ServerErrorsRetry   *int       `json:"server_errors_retry,omitempty"`
	HeldMost            *int64     `json:"held_most,omitempty"`
	Waves               *string    `json:"waves,omitempty"`
	WavesFrom           *int64     `json:"waves_from,omitempty"`
	WavesUtility        *bool      `json:"waves_utility,omitempty"`
	CanaryPeople        *int64     `json:"canary_people,omitempty"`
	CanaryShare         *float64   `json:"canary_share,omitempty"`
	CanaryOrder         *string    `json:"canary_order,omitempty"`
	WaveShares          *[]float64 `json:"wave_shares,omitempty"`
	WaveWait            *int       `json:"wave_wait,omitempty"`
	WaveAnswered        *float64   `json:"wave_answered,omitempty"`
	WaveLongest         *int       `json:"wave_longest,omitempty"`
	ReadsBelow          *float64   `json:"reads_below,omitempty"`
	ReadsAfter          *int64     `json:"reads_after,omitempty"`
	ListOver            *float64   `json:"list_over,omitempty"`
	Off                 *[]string  `json:"off,omitempty"`
}

// Breaker is what holds campaigns by rule: what is set, and what is in force.
type Breaker struct {
	Settings BreakerSettings
	Policy   BreakerPolicy
	RunID    string                                   `json:"run_id"` // a campaign's run under way, whose policy it is
	Limits   map[string]struct{ Least, Most float64 } // what the operator permits
	Optional []string                                 // rules that the operator permits to be switched off
	Changes  map[string]BreakerChange                 // the last change of each setting
	Version  int
	Tagged
}

// BreakerChange is the last change of one setting; nil: nothing was, or is, set.
type BreakerChange struct {
	Was, Became any
	By          string
	At          time.Time
}

// GetBreaker reads the workspace's rules.
func (c *Client) GetBreaker(ctx context.Context) (Breaker, error) {
	return get[Breaker](ctx, c, path("breaker"))
}

// SetBreaker sets them in place of what was set; etag is that of what was read. A
// key cannot: sign in.
func (c *Client) SetBreaker(ctx context.Context, etag string, s BreakerSettings) (Breaker, error) {
	return ask[Breaker](ctx, c, http.MethodPut, path("breaker"), s, ifMatch(etag))
}

// GetCampaignBreaker reads a campaign's rules.
func (c *Client) GetCampaignBreaker(ctx context.Context, campaign string) (Breaker, error) {
	return get[Breaker](ctx, c, path("campaigns", campaign, "breaker"))
}

// SetCampaignBreaker sets rules of a campaign's own, as SetBreaker does.
func (c *Client) SetCampaignBreaker(ctx context.Context, campaign, etag string, s BreakerSettings) (Breaker, error) {
	return ask[Breaker](ctx, c, http.MethodPut, path("campaigns", campaign, "breaker"), s, ifMatch(etag))
}

// Waves is a campaign's waves, what the next one waits for, and what is measured.
type Waves struct {
	CampaignID string `json:"campaign_id"`
	RunID      string `json:"run_id"`
	Waves      []Wave
	Open       int        // the wave that may be sent now; 0: none
	Waits      string     // plan, sending, stop, time, answers
	NextAt     *time.Time `json:"next_at"`
	Accepted   int64
	Answered   int64
	Needed     float64 // per cent of accepted
	Rules      []struct {
		Kind, Reach, Reason, Threshold, Measured string
		Judged, Over, Off                        bool
	}
	Warnings []struct { // what is worth a look and holds nothing
		Reason, Threshold, Measured string
		At                          time.Time
	}
	At time.Time
}

// Wave is one step of a run.
type Wave struct {
	Wave     int
	People   int64      // who may be sent to by its end
	OpenedAt *time.Time `json:"opened_at"`
	LeftAt   *time.Time `json:"left_at"`
	PassedAt *time.Time `json:"passed_at"`
	State    string     // waiting, sending, gate, passed
}

// GetWaves reads a campaign's waves.
func (c *Client) GetWaves(ctx context.Context, campaign string) (Waves, error) {
	return get[Waves](ctx, c, path("campaigns", campaign, "waves"))
}

// Held is what Meta holds of a campaign.
type Held struct {
	CampaignID string `json:"campaign_id"`
	RunID      string `json:"run_id"`
	State      string
	Assessed   int64 // Meta judges the first ones
	Paused     int64 // Meta has paused the template
	Dropped    int64 // Meta dropped them
	Returnable bool
}

// GetHeld reads what Meta holds.
func (c *Client) GetHeld(ctx context.Context, campaign string) (Held, error) {
	return get[Held](ctx, c, path("campaigns", campaign, "held"))
}

// ReturnHeld has dropped messages sent anew; expected is Dropped of what was read.
// A key cannot: sign in.
func (c *Client) ReturnHeld(ctx context.Context, campaign string, expected int64, options ...Option) (Decided, error) {
	return ask[Decided](ctx, c, http.MethodPost, path("campaigns", campaign, "held", "return"), map[string]int64{"expected": expected}, options...)
}
