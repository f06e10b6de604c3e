package client

import (
	"context"
	"net/http"
	"time"
)

// FrequencyRule permits so many marketing messages to a person in so many days.
type FrequencyRule struct {
	Most int `json:"most"`
	Days int `json:"days"`
}

// SendingSettings is what a workspace keeps from its people.
type SendingSettings struct {
	Frequency        []FrequencyRule `json:"frequency"`
	CoolOffHours     int             `json:"cool_off_hours"`    // after Meta's 131049; 24 or more
	BlockedCountries []string        `json:"blocked_countries"` // ISO 3166-1 alpha-2
}

// SendingRules is what holds.
type SendingRules struct {
	SendingSettings
	CountedFrom       *time.Time `json:"counted_from"` // campaigns planned before do not count; nil: no frequency rule
	OperatorCountries []string   `json:"operator_countries"`
	Version           int
	Tagged
}

// GetSendingRules reads the workspace's.
func (c *Client) GetSendingRules(ctx context.Context) (SendingRules, error) {
	return get[SendingRules](ctx, c, path("sending-rules"))
}

// SetSendingRules sets them in place of what was set; etag is that of what was
// read. A key cannot: sign in.
func (c *Client) SetSendingRules(ctx context.Context, etag string, s SendingSettings) (SendingRules, error) {
	return ask[SendingRules](ctx, c, http.MethodPut, path("sending-rules"), s, ifMatch(etag))
}

// Frequency is whether a campaign may pass the frequency rules.
type Frequency struct {
	CampaignID string `json:"campaign_id"`
	Pass       bool
	Reason     string
	Rules      []FrequencyRule
}

// GetFrequency reads it.
func (c *Client) GetFrequency(ctx context.Context, campaign string) (Frequency, error) {
	return get[Frequency](ctx, c, path("campaigns", campaign, "frequency"))
}

// SetFrequency lets a campaign pass the rules, for a reason in writing, or no
// longer. A key cannot: sign in.
func (c *Client) SetFrequency(ctx context.Context, campaign string, pass bool, reason string) (Frequency, error) {
	in := map[string]any{"pass": pass}
	if reason != "" {
		in["reason"] = reason
	}
	return ask[Frequency](ctx, c, http.MethodPut, path("campaigns", campaign, "frequency"), in)
}

// Budget is an amount that may be spent; Amount is nil for none.
type Budget struct {
	Amount  *Money
	Version int
	Tagged
}

// MonthBudget is the workspace's budget of the month and how it stands.
type MonthBudget struct {
	Budget
	Month    string // 2026-11, in the workspace's zone
	Spent    *Money // delivered, at a known price
	Promised *Money // what launched campaigns may still cost
	Left     *Money
	Unpriced int64 // delivered without a known price
}

// BudgetVerdict is how an estimate stands to the budgets.
type BudgetVerdict struct {
	Campaign *Money
	Month    *MonthBudget
	Remarks  []struct {
		Code    string
		Refuses bool // the launch is refused
	}
}

// GetBudget reads the workspace's.
func (c *Client) GetBudget(ctx context.Context) (MonthBudget, error) {
	return get[MonthBudget](ctx, c, path("budget"))
}

// SetBudget sets it, nil takes it away; etag is that of what was read.
func (c *Client) SetBudget(ctx context.Context, etag string, amount *Money) (MonthBudget, error) {
	return ask[MonthBudget](ctx, c, http.MethodPut, path("budget"), budgetBody(amount), ifMatch(etag))
}

// GetCampaignBudget reads a campaign's own, of each of its sendings.
func (c *Client) GetCampaignBudget(ctx context.Context, campaign string) (Budget, error) {
	return get[Budget](ctx, c, path("campaigns", campaign, "budget"))
}

// SetCampaignBudget sets it, nil takes it away; etag is that of what was read.
func (c *Client) SetCampaignBudget(ctx context.Context, campaign, etag string, amount *Money) (Budget, error) {
	return ask[Budget](ctx, c, http.MethodPut, path("campaigns", campaign, "budget"), budgetBody(amount), ifMatch(etag))
}

func budgetBody(amount *Money) any {
	if amount == nil {
		return struct{}{}
	}
	return map[string]any{"amount": map[string]any{"amount_micros": amount.Micros, "currency": amount.Currency}}
}
