package client

import (
	"context"
	"io"
	"net/http"
	"time"
)

// Unconfirmed is how many of a campaign's messages got no answer for good.
type Unconfirmed struct {
	CampaignID    string `json:"campaign_id"`
	RunID         string `json:"run_id"`
	State         string // of the campaign
	Open          int64  // nobody has decided on them
	Closed        int64
	UnknownPolicy string `json:"unknown_policy"`
	Resendable    bool
}

// Decided is what was decided about unconfirmed messages.
type Decided struct {
	CampaignID string `json:"campaign_id"`
	RunID      string `json:"run_id"`
	State      string
	Messages   int64
	At         time.Time
}

// GetUnconfirmed reads how many messages got no answer.
func (c *Client) GetUnconfirmed(ctx context.Context, campaign string) (Unconfirmed, error) {
	return get[Unconfirmed](ctx, c, path("campaigns", campaign, "unconfirmed"))
}

// ResendUnconfirmed sends them again; expected is Open of what was read. A key
// cannot: sign in.
func (c *Client) ResendUnconfirmed(ctx context.Context, campaign string, expected int64, options ...Option) (Decided, error) {
	return ask[Decided](ctx, c, http.MethodPost, path("campaigns", campaign, "unconfirmed", "resend"), map[string]int64{"expected": expected}, options...)
}

// CloseUnconfirmed lets them be; expected is Open of what was read.
func (c *Client) CloseUnconfirmed(ctx context.Context, campaign string, expected int64, options ...Option) (Decided, error) {
	return ask[Decided](ctx, c, http.MethodPost, path("campaigns", campaign, "unconfirmed", "close"), map[string]int64{"expected": expected}, options...)
}

// GetCertificate writes the proof of a campaign's run as it comes; bareed verify
// checks it. One that broke off has no seal.
func (c *Client) GetCertificate(ctx context.Context, campaign string, to io.Writer) error {
	return c.Call(ctx, http.MethodGet, path("campaigns", campaign, "certificate"), nil, to)
}
