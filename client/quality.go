package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// Change is something Meta changed of a number, template, account or portfolio.
type Change struct {
	Subject string // num_…, tpl_…, waba_…, pf_…
	What    string // quality, status, health, messaging_limit, category …
	Was     string
	Became  string
	Source  string // poll or webhook
	At      time.Time
	Until   *time.Time // a restriction's end; when an announced category comes
}

// ChangesOf narrows ListChanges; empty parts do not. What goes with one of the others.
type ChangesOf struct {
	Number   string // with its account and portfolio
	Template string
	What     string
}

// ListChanges ranges over what Meta changed, newest first.
func (c *Client) ListChanges(ctx context.Context, of ChangesOf) iter.Seq2[Change, error] {
	return all[Change](ctx, c, path("changes"), url.Values{"number": {of.Number}, "template": {of.Template}, "what": {of.What}})
}

// CampaignTemplate is the template of a launched campaign: as it was approved and
// as it is.
type CampaignTemplate struct {
	TemplateID  string          `json:"template_id"`
	Approved    TemplateVersion `json:"approved"`
	Now         TemplateVersion `json:"now"`
	Differences []Difference    // none: it is what was approved
}

// TemplateVersion is what of a template is compared; Content is the beginning of a hash.
type TemplateVersion struct {
	Category, Status, Quality, Content string
}

// Difference is a part of a template that changed: content, category, status or
// quality. Lines are of content alone.
type Difference struct {
	What, Was, Became string
	Lines             []struct{ Change, Part, Text string } // same, removed, added
}

// GetCampaignTemplate reads how a campaign's template stands to what was approved.
func (c *Client) GetCampaignTemplate(ctx context.Context, campaign string) (CampaignTemplate, error) {
	return get[CampaignTemplate](ctx, c, path("campaigns", campaign, "template"))
}

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
func (c *Client) GetTransports(ctx context.Context, number string) (Transports, error) {
	return get[Transports](ctx, c, path("numbers", number, "transports"))
}

// MetaError is one of Meta's error codes in words, in the client's language.
type MetaError struct {
	Code    int
	Title   string // Meta's own
	Cause   string
	Action  string // what can be done
	Retried string // by_itself, after_stop, when_proven, not_this_message, never
	Retry   string // Retried as a sentence
}

// FailedBy is how many messages failed for one reason.
type FailedBy struct {
	Reason    string
	People    int64
	MetaError *MetaError `json:"meta_error"` // nil: no code of Meta's
}

// ErrorCode is a row of the error table: what a code does to a message, its
// campaign and its person.
type ErrorCode struct {
	MetaError
	Last        int      // where a row stands for several codes: the last of them
	HTTPStatus  int      `json:"http_status"`
	Planes      []string // answer, status, management
	Outcome     string   // refused_for_now, refused_for_good, stop, unknown
	Scope       string   // message, recipient, template, campaign, number, waba, workspace
	Stop        string   // reason of the stop that the first one opens
	StopSeconds int      `json:"stop_seconds"` // 0: a person clears it
	Rule        string   // in_a_row, share
	Person      string   // opt_out, undeliverable, blocked, cool_off, window, country
}

// GetErrorCodes reads the whole table.
func (c *Client) GetErrorCodes(ctx context.Context) ([]ErrorCode, error) {
	var out struct{ Data []ErrorCode }
	err := c.Call(ctx, http.MethodGet, path("error-codes"), nil, &out)
	return out.Data, err
}
