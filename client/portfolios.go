package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
)

// Portfolio is a business portfolio's messaging limit and what was decided about it.
type Portfolio struct {
	ID               string
	MetaBusinessID   string `json:"meta_business_id"`
	Known, Unlimited bool
	People           *int // Meta's limit: unique people in 24 hours
	Reserve          float64
	Usable           *int
	Used             int64
	Kept             bool // this workspace keeps the settings
	Shares           []PortfolioShare
}

// PortfolioShare is a part of the places that only those may take who name it.
type PortfolioShare struct {
	Name   string
	Places int
	Used   int64
	Kinds  []string
}

// Calendar is who used and will use a portfolio's places on which day.
type Calendar struct {
	PortfolioID string `json:"portfolio_id"`
	Zone        string
	Usable      *int
	Days        []CalendarDay
	Later       int
}

// CalendarDay is one day of it.
type CalendarDay struct {
	Date          string
	Used, Planned int
	Free          *int
	Lines         []struct {
		Who           string // campaign, messages, others
		CampaignID    string `json:"campaign_id"`
		Name          string
		Used, Planned int
	}
}

// Priority is how a campaign stands to others where places are scarce.
type Priority struct {
	CampaignID  string `json:"campaign_id"`
	PortfolioID string `json:"portfolio_id"`
	Priority    string // high, normal, low
	Share       string
}

// ListPortfolios ranges over the portfolios with a connected number.
func (c *Client) ListPortfolios(ctx context.Context) iter.Seq2[Portfolio, error] {
	return all[Portfolio](ctx, c, path("portfolios"), nil)
}

// GetPortfolio reads one.
func (c *Client) GetPortfolio(ctx context.Context, portfolio string) (Portfolio, error) {
	return get[Portfolio](ctx, c, path("portfolios", portfolio))
}

// UpdatePortfolio keeps a part of the limit free, 0 to 0.9; a signed-in person must.
func (c *Client) UpdatePortfolio(ctx context.Context, portfolio string, reserve float64) (Portfolio, error) {
	return ask[Portfolio](ctx, c, http.MethodPatch, path("portfolios", portfolio), map[string]float64{"reserve": reserve})
}

// SetShare keeps places for those who name the share; a signed-in person must.
func (c *Client) SetShare(ctx context.Context, portfolio, share string, places int, kinds ...string) (Portfolio, error) {
	return ask[Portfolio](ctx, c, http.MethodPut, path("portfolios", portfolio, "shares", share), map[string]any{"places": places, "kinds": append([]string{}, kinds...)})
}

// DropShare gives its places back to all.
func (c *Client) DropShare(ctx context.Context, portfolio, share string) error {
	return c.Call(ctx, http.MethodDelete, path("portfolios", portfolio, "shares", share), nil, nil)
}

// GetCalendar reads the days before today and those from today on.
func (c *Client) GetCalendar(ctx context.Context, portfolio string, past, coming int) (Calendar, error) {
	days := url.Values{"past": {strconv.Itoa(past)}, "coming": {strconv.Itoa(coming)}}
	return get[Calendar](ctx, c, path("portfolios", portfolio, "calendar")+"?"+days.Encode())
}

// GetPriority reads a campaign's.
func (c *Client) GetPriority(ctx context.Context, campaign string) (Priority, error) {
	return get[Priority](ctx, c, path("campaigns", campaign, "priority"))
}

// SetPriority changes it, also while the campaign runs; share may be empty.
func (c *Client) SetPriority(ctx context.Context, campaign, priority, share string) (Priority, error) {
	return ask[Priority](ctx, c, http.MethodPut, path("campaigns", campaign, "priority"), map[string]string{"priority": priority, "share": share})
}
