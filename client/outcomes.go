package client

import (
	"context"
	"io"
	"net/http"
	"net/url"
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

// Differences is a campaign's check beside what came of it: CheckEligible -
// NotReached + ReachedBesides = RunAccepted, AsChecked + Different = People.
type Differences struct {
	CampaignID     string    `json:"campaign_id"`
	CheckID        string    `json:"check_id"`
	CheckedAt      time.Time `json:"checked_at"`
	RunID          string    `json:"run_id"`
	RunState       string    `json:"run_state"`
	CheckTotal     int64     `json:"check_total"`
	CheckEligible  int64     `json:"check_eligible"`
	RunTotal       int64     `json:"run_total"`
	RunAccepted    int64     `json:"run_accepted"`
	Unplanned      int64
	NotReached     int64 `json:"not_reached"`
	ReachedBesides int64 `json:"reached_besides"`
	People         int64
	AsChecked      int64 `json:"as_checked"`
	Different      int64
	Differences    []Differing
}

// Differing is people who were one thing at the check and are another in the run.
type Differing struct {
	AtCheck   string `json:"at_check"` // eligible, a reason, not_there
	InRun     string `json:"in_run"`   // accepted, a reason, meta_131026, unknown, unconfirmed, waiting, not_there
	People    int64
	MetaError *MetaError `json:"meta_error"`
}

// GetDifferences reads who came out otherwise than the check said.
func (c *Client) GetDifferences(ctx context.Context, campaign string) (Differences, error) {
	return get[Differences](ctx, c, path("campaigns", campaign, "differences"))
}

// ExportDifferences writes those people as CSV, of one difference where the two
// are given.
func (c *Client) ExportDifferences(ctx context.Context, campaign, atCheck, inRun string, to io.Writer) error {
	q := url.Values{"at_check": {atCheck}, "in_run": {inRun}}
	return c.Call(ctx, http.MethodGet, path("campaigns", campaign, "differences", "rows.csv")+"?"+q.Encode(), nil, to)
}
