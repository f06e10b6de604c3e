package client

import (
	"bytes"
	"context"
	"io"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// Money is an amount in millionths of its currency's unit.
type Money struct {
	Micros   int64 `json:"amount_micros"`
	Currency string
}

// RateCard is one version of Meta's prices in one currency.
type RateCard struct {
	ID         string
	Name       string
	Currency   string
	ValidFrom  string `json:"valid_from"` // 2026-10-01
	ValidTo    string `json:"valid_to"`   // the day another version took over; empty: none has
	Rows       int
	SHA256     string `json:"sha256"`
	UploadedBy string `json:"uploaded_by"`
	Rates      []Rate // not in lists
}

// Rate is the price of one message of a category to a market, while so many of
// the month are sent.
type Rate struct {
	Market   string
	Category string
	From     int64 `json:"volume_from"`
	To       int64 `json:"volume_to"` // 0: no end
	Micros   int64 `json:"amount_micros"`
}

// ListRateCards reads the versions, the newest upload first.
func (c *Client) ListRateCards(ctx context.Context) iter.Seq2[RateCard, error] {
	return all[RateCard](ctx, c, path("rate-cards"), nil)
}

// CreateRateCard uploads a card (CSV) whose prices hold from a day on, such as
// 2026-10-01. The same file for the same day is kept once.
func (c *Client) CreateRateCard(ctx context.Context, name, validFrom string, file []byte, options ...Option) (out RateCard, err error) {
	call := newCall(http.MethodPost, path("rate-cards"))
	call.query = url.Values{"valid_from": {validFrom}, "filename": {name}}
	call.header.Set("Content-Type", "text/csv")
	call.body = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file)), nil }
	call.out = &out
	_, err = c.send(ctx, call, options...)
	return out, err
}

// GetRateCard reads a card with every price.
func (c *Client) GetRateCard(ctx context.Context, card string) (RateCard, error) {
	return get[RateCard](ctx, c, path("rate-cards", card))
}

// ExportRateCard writes the file as it was uploaded.
func (c *Client) ExportRateCard(ctx context.Context, card string, to io.Writer) error {
	return c.Call(ctx, http.MethodGet, path("rate-cards", card, "file.csv"), nil, to)
}

// Estimate is what the messages of a check would cost if all were delivered.
type Estimate struct {
	CampaignID string `json:"campaign_id"`
	CheckID    string `json:"check_id"`
	Category   string
	Day        string
	Why        string // why no rate card applies
	Total      *Money // nil: no price is known
	Complete   bool
	People     int64
	Free       int64
	Unpriced   int64
	Lines      []EstimateLine
	Budgets    BudgetVerdict
}

// EstimateLine is one country's part.
type EstimateLine struct {
	Country  string
	Market   string
	Category string
	People   int64
	Free     int64
	Before   int64
	Amount   *Money // nil: not known
	Why      string
}

// GetCheckCost reads what a campaign would cost.
func (c *Client) GetCheckCost(ctx context.Context, campaign, check string) (Estimate, error) {
	return get[Estimate](ctx, c, path("campaigns", campaign, "checks", check, "cost"))
}

// Cost is what a campaign's newest run did cost.
type Cost struct {
	CampaignID string     `json:"campaign_id"`
	RunID      string     `json:"run_id"`
	CountedAt  *time.Time `json:"counted_at"`
	Estimated  *Money
	Actual     *Money
	People     int64
	Delivered  int64
	Charged    int64
	Free       map[string]int64
	Unpriced   map[string]int64
	Open       int64
	Lines      []CostLine
	Variance   *Variance
}

// CostLine is what one country's messages of one category cost.
type CostLine struct {
	Country  string
	Market   string
	Category string
	Model    string `json:"pricing_model"`
	Charged  int64
	Free     int64
	Unpriced int64
	Amount   *Money
}

// Variance is why the cost is not what was estimated; the causes add up to the
// difference.
type Variance struct {
	Estimated  Money
	Actual     Money
	Difference Money
	Causes     []Cause
}

// Cause is one cause's part of a difference.
type Cause struct {
	Cause    string
	Amount   Money
	Messages int64
}

// GetCost reads what a campaign did cost.
func (c *Client) GetCost(ctx context.Context, campaign string) (Cost, error) {
	return get[Cost](ctx, c, path("campaigns", campaign, "cost"))
}
