package client

import (
	"context"
	"net/http"
)

// By which of Meta's ways a campaign's messages go, and what Meta does with a
// message that the Marketing Messages API cannot take.
const (
	TransportCloud     = "cloud"
	TransportMarketing = "marketing_messages"

	PolicyFallback = "CLOUD_API_FALLBACK" // it goes by the Cloud API
	PolicyStrict   = "STRICT"             // it is refused
)

// Transports is by which ways a number's account can send marketing, as Meta said
// last.
type Transports struct {
	NumberID string `json:"number_id"`
	Cloud    struct {
		Marketing bool // false: Meta refuses marketing templates there (131063)
	}
	MarketingMessages struct {
		Status string // ONBOARDED, ELIGIBLE, PENDING_…, INELIGIBLE_…; empty: not told yet
		Ready  bool
	} `json:"marketing_messages"`
}

// GetTransports reads by which ways a number's account can send marketing.
func (c *Client) GetTransports(ctx context.Context, number string) (out Transports, err error) {
	_, err = c.do(ctx, http.MethodGet, path("numbers", number, "transports"), nil, &out)
	return out, err
}
