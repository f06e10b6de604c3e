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
func (c *Client) GetCampaignTemplate(ctx context.Context, campaign string) (out CampaignTemplate, err error) {
	_, err = c.do(ctx, http.MethodGet, path("campaigns", campaign, "template"), nil, &out)
	return out, err
}
