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
func (c *Client) GetPortfolio(ctx context.Context, portfolio string) (out Portfolio, err error) {
	_, err = c.do(ctx, http.MethodGet, path("portfolios", portfolio), nil, &out)
	return out, err
}

// UpdatePortfolio keeps a part of the limit free, 0 to 0.9; a signed-in person must.
func (c *Client) UpdatePortfolio(ctx context.Context, portfolio string, reserve float64) (out Portfolio, err error) {
	_, err = c.do(ctx, http.MethodPatch, path("portfolios", portfolio), map[string]float64{"reserve": reserve}, &out)
	return out, err
}

// SetShare keeps places for those who name the share; a signed-in person must.
func (c *Client) SetShare(ctx context.Context, portfolio, share string, places int, kinds ...string) (out Portfolio, err error) {
	_, err = c.do(ctx, http.MethodPut, path("portfolios", portfolio, "shares", share), map[string]any{"places": places, "kinds": append([]string{}, kinds...)}, &out)
	return out, err
}

// DropShare gives its places back to all.
func (c *Client) DropShare(ctx context.Context, portfolio, share string) error {
	_, err := c.do(ctx, http.MethodDelete, path("portfolios", portfolio, "shares", share), nil, nil)
	return err
}

// GetCalendar reads the days before today and those from today on.
func (c *Client) GetCalendar(ctx context.Context, portfolio string, past, coming int) (out Calendar, err error) {
	call := newCall(http.MethodGet, path("portfolios", portfolio, "calendar"))
	call.query, call.out = url.Values{"past": {strconv.Itoa(past)}, "coming": {strconv.Itoa(coming)}}, &out
	_, err = c.send(ctx, call)
	return out, err
}

// GetPriority reads a campaign's.
func (c *Client) GetPriority(ctx context.Context, campaign string) (out Priority, err error) {
	_, err = c.do(ctx, http.MethodGet, path("campaigns", campaign, "priority"), nil, &out)
	return out, err
}

// SetPriority changes it, also while the campaign runs; share may be empty.
func (c *Client) SetPriority(ctx context.Context, campaign, priority, share string) (out Priority, err error) {
	_, err = c.do(ctx, http.MethodPut, path("campaigns", campaign, "priority"), map[string]string{"priority": priority, "share": share}, &out)
	return out, err
}
