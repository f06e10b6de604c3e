package client

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Variables say what fills a template's parameters.
type Variables struct {
	Header    []Value          `json:"header,omitempty"`
	Body      []Value          `json:"body,omitempty"`
	BodyNamed map[string]Value `json:"body_named,omitempty"`
	Buttons   map[string]Value `json:"buttons,omitempty"`
}

// Value is an attribute of the person with what stands in for it, or a text.
type Value struct {
	Attribute string `json:"attribute,omitempty"`
	Fallback  string `json:"fallback,omitempty"`
	Text      string `json:"text,omitempty"`
}

// NewCampaign defines a campaign.
type NewCampaign struct {
	Name          string    `json:"name"`
	NumberID      string    `json:"number_id"`
	TemplateID    string    `json:"template_id"`
	AudienceIDs   []string  `json:"audience_ids"`
	Variables     Variables `json:"variables"`
	UnknownPolicy string    `json:"unknown_policy,omitempty"`
	PerMinute     *int      `json:"per_minute,omitempty"`
	FinishWithin  *int      `json:"finish_within_minutes,omitempty"` // instead of PerMinute
	SendAt        string    `json:"send_at,omitempty"`               // 2026-12-01T10:00:00Z, or without Z and with Zone
	Zone          string    `json:"zone,omitempty"`
	Schedule      *Rules    `json:"schedule,omitempty"` // instead of SendAt and Zone

	Transport       string `json:"transport,omitempty"`        // TransportCloud when empty, or TransportMarketing
	ProductPolicy   string `json:"product_policy,omitempty"`   // with TransportMarketing: PolicyFallback when empty, or PolicyStrict
	ActivitySharing bool   `json:"activity_sharing,omitempty"` // with TransportMarketing
}

// CampaignChange changes a draft: what is nil stays, what Clear names (per_minute,
// finish_within_minutes, send_at, zone, schedule, unknown_policy, transport,
// product_policy) is taken away.
type CampaignChange struct {
	Name          *string    `json:"name,omitempty"`
	NumberID      *string    `json:"number_id,omitempty"`
	TemplateID    *string    `json:"template_id,omitempty"`
	AudienceIDs   *[]string  `json:"audience_ids,omitempty"`
	Variables     *Variables `json:"variables,omitempty"`
	UnknownPolicy *string    `json:"unknown_policy,omitempty"`
	PerMinute     *int       `json:"per_minute,omitempty"`
	FinishWithin  *int       `json:"finish_within_minutes,omitempty"` // instead of PerMinute
	SendAt        *string    `json:"send_at,omitempty"`
	Zone          *string    `json:"zone,omitempty"`
	Schedule      *Rules     `json:"schedule,omitempty"` // replaces SendAt and Zone

	Transport       *string  `json:"transport,omitempty"` // another one begins with its own defaults
	ProductPolicy   *string  `json:"product_policy,omitempty"`
	ActivitySharing *bool    `json:"activity_sharing,omitempty"`
	Clear           []string `json:"-"`
}

// MarshalJSON writes null for what is cleared.
func (c CampaignChange) MarshalJSON() ([]byte, error) {
	type plain CampaignChange
	b, err := json.Marshal(plain(c))
	if err != nil || len(c.Clear) == 0 {
		return b, err
	}
	m := map[string]json.RawMessage{}
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, err
	}
	for _, name := range c.Clear {
		m[name] = json.RawMessage("null")
	}
	return json.Marshal(m)
}

// Campaign is a campaign as it stands.
type Campaign struct {
	ID            string
	Name          string
	State         string
	Paused        bool // a person's stop is open
	Holding       bool // a rule's stop is open
	Stops         []Stop
	Actions       []string // what may be done in this state
	NumberID      string   `json:"number_id"`
	TemplateID    string   `json:"template_id"`
	AudienceIDs   []string `json:"audience_ids"`
	Purpose       string
	Variables     Variables
	UnknownPolicy string `json:"unknown_policy"`
	PerMinute     int    `json:"per_minute"`
	FinishWithin  int    `json:"finish_within_minutes"`
	Schedule      *Schedule
	RunID         string `json:"run_id"`
	NextRunID     string `json:"next_run_id"` // the run that waits while RunID is on its way or over
	Version       int
	CreatedBy     string     `json:"created_by"`
	CreatedAt     time.Time  `json:"created_at"`
	UpdatedAt     time.Time  `json:"updated_at"`
	LaunchedAt    *time.Time `json:"launched_at"`
	EndedAt       *time.Time `json:"ended_at"`
	Tagged                   // for UpdateCampaign

	Transport       string
	ProductPolicy   string `json:"product_policy"` // of TransportMarketing
	ActivitySharing bool   `json:"activity_sharing"`
}

// Stop is what holds a campaign, number or template.
type Stop struct {
	ID        string
	Scope     string
	Reason    string
	ByRule    bool `json:"by_rule"`
	Threshold string
	Measured  string
	MetaCode  *int       `json:"meta_code"`
	MetaError *MetaError `json:"meta_error"`
	Since     time.Time
	Until     *time.Time
	OpenedBy  string `json:"opened_by"`
	Next      string
	ClearedBy string `json:"cleared_by"`
}

// CampaignFilter narrows a list; the zero value is all of them.
type CampaignFilter struct {
	States   []string
	Search   string // a part of the name
	PageSize int
}

// ListCampaigns ranges over the campaigns, newest first.
func (c *Client) ListCampaigns(ctx context.Context, f CampaignFilter) iter.Seq2[Campaign, error] {
	return all[Campaign](ctx, c, path("campaigns"), url.Values{"state": {strings.Join(f.States, ",")}, "search": {f.Search}, "limit": {atOnce(f.PageSize)}})
}

// CreateCampaign makes a draft.
func (c *Client) CreateCampaign(ctx context.Context, n NewCampaign, options ...Option) (Campaign, error) {
	return ask[Campaign](ctx, c, http.MethodPost, path("campaigns"), n, options...)
}

// GetCampaign reads one.
func (c *Client) GetCampaign(ctx context.Context, campaign string) (Campaign, error) {
	return get[Campaign](ctx, c, path("campaigns", campaign))
}

// UpdateCampaign changes a draft of the version that etag names.
func (c *Client) UpdateCampaign(ctx context.Context, campaign, etag string, change CampaignChange) (Campaign, error) {
	return ask[Campaign](ctx, c, http.MethodPatch, path("campaigns", campaign), change, ifMatch(etag))
}

// DeleteCampaign deletes a draft.
func (c *Client) DeleteCampaign(ctx context.Context, campaign string) error {
	return c.Call(ctx, http.MethodDelete, path("campaigns", campaign), nil, nil)
}

// DuplicateCampaign makes a draft like it, whatever its state, named with (copy)
// behind. A time that has passed and deleted audiences are left out.
func (c *Client) DuplicateCampaign(ctx context.Context, campaign string, options ...Option) (Campaign, error) {
	return ask[Campaign](ctx, c, http.MethodPost, path("campaigns", campaign, "duplicate"), nil, options...)
}

// PauseCampaign pauses it.
func (c *Client) PauseCampaign(ctx context.Context, campaign string, options ...Option) (Campaign, error) {
	return ask[Campaign](ctx, c, http.MethodPost, path("campaigns", campaign, "pause"), nil, options...)
}

// Resume says which stops of rules are cleared beside the pause, and why.
type Resume struct {
	Stops      []string `json:"stops,omitempty"`
	ClearHolds bool     `json:"clear_holds,omitempty"`
	Reason     string   `json:"reason,omitempty"`
}

// ResumeCampaign clears the pause.
func (c *Client) ResumeCampaign(ctx context.Context, campaign string, r Resume, options ...Option) (Campaign, error) {
	return ask[Campaign](ctx, c, http.MethodPost, path("campaigns", campaign, "resume"), r, options...)
}

// StopCampaign stops it for good.
func (c *Client) StopCampaign(ctx context.Context, campaign string, options ...Option) (Campaign, error) {
	return ask[Campaign](ctx, c, http.MethodPost, path("campaigns", campaign, "stop"), nil, options...)
}

// CheckRequested is where a check will be found.
type CheckRequested struct {
	JobID      string `json:"job_id"`
	CheckID    string `json:"check_id"`
	CampaignID string `json:"campaign_id"`
}

// CheckCampaign begins a dry run; see WaitJob and GetCheck.
func (c *Client) CheckCampaign(ctx context.Context, campaign string, options ...Option) (CheckRequested, error) {
	return ask[CheckRequested](ctx, c, http.MethodPost, path("campaigns", campaign, "check"), nil, options...)
}

// Check is the result of a dry run.
type Check struct {
	ID         string
	JobID      string `json:"job_id"`
	CampaignID string `json:"campaign_id"`
	State      string
	Total      int64
	Eligible   int64            // the expected recipients of a launch
	Suppressed map[string]int64 // reason → people
	Placeless  int64            // of the eligible: need no place under the messaging limit
	Fresh      int64            `json:"fresh_consents"` // of the eligible: consented within 90 days
	Forecast   *Forecast        // nil until the check is complete
	Growth     *Growth          // nil when nobody would wait for places
	Version    int              `json:"campaign_version"`
	Outdated   bool
	Warnings   []struct {
		Code   string
		Params map[string]any
	}
	CreatedAt  time.Time  `json:"created_at"`
	FinishedAt *time.Time `json:"finished_at"`
}

// GetCheck reads a dry run.
func (c *Client) GetCheck(ctx context.Context, campaign, check string) (Check, error) {
	return get[Check](ctx, c, path("campaigns", campaign, "checks", check))
}

// ExportCheck writes every person of a dry run as CSV, those of one reason when
// it is given.
func (c *Client) ExportCheck(ctx context.Context, campaign, check, reason string, to io.Writer) error {
	rows := path("campaigns", campaign, "checks", check, "rows.csv")
	if reason != "" {
		rows += "?reason=" + url.QueryEscape(reason)
	}
	return c.Call(ctx, http.MethodGet, rows, nil, to)
}

// Launch is what a launch needs: the eligible people of the newest check.
type Launch struct {
	ExpectedRecipients int64  `json:"expected_recipients"`
	At                 string `json:"at,omitempty"`
	Zone               string `json:"zone,omitempty"`
	UndoSeconds        *int   `json:"undo_seconds,omitempty"`
	AcceptQuality      bool   `json:"accept_quality,omitempty"` // marketing on a number rated YELLOW or RED
}

// Launched is an accepted launch; nothing is delivered yet.
type Launched struct {
	CampaignID string `json:"campaign_id"`
	RunID      string `json:"run_id"`
	State      string
	Recipients int64
	StartsAt   time.Time `json:"starts_at"`
	Schedule   *Schedule
}

// LaunchCampaign launches. Give an IdempotencyKey of your own when the calling
// process may die in between.
func (c *Client) LaunchCampaign(ctx context.Context, campaign string, l Launch, options ...Option) (Launched, error) {
	return ask[Launched](ctx, c, http.MethodPost, path("campaigns", campaign, "launch"), l, options...)
}

// Number is a sending number.
type Number struct {
	ID            string
	WABAID        string `json:"waba_id"`
	PortfolioID   string `json:"portfolio_id"`
	MetaWABAID    string `json:"meta_waba_id"`
	PhoneNumberID string `json:"phone_number_id"`
	DisplayPhone  string `json:"display_phone"`
	VerifiedName  string `json:"verified_name"`
	Status        string
	Quality       string
	CanSend       bool `json:"can_send"`
	PerSecond     int  `json:"per_second"`
	Limit         struct {
		Known, Unlimited bool
		People           *int
		Used             int64
		Reserve          string
	}
	Stops          []Stop
	SyncedAt       *time.Time `json:"synced_at"`
	SyncProblem    string     `json:"sync_problem"`
	CreatedAt      time.Time  `json:"created_at"`
	DisconnectedAt *time.Time `json:"disconnected_at"`
	Webhook        *struct {
		Path        string
		VerifyToken string `json:"verify_token"`
	}
	Tagged // for UpdateToken
}

// Connection is what Meta's dashboards say about a number.
type Connection struct {
	AppID         string `json:"app_id"`
	AppSecret     string `json:"app_secret"`
	VerifyToken   string `json:"verify_token,omitempty"`
	WABAID        string `json:"waba_id"`
	PhoneNumberID string `json:"phone_number_id"`
	Token         string `json:"token"`
}

// ListNumbers ranges over the connected numbers.
func (c *Client) ListNumbers(ctx context.Context) iter.Seq2[Number, error] {
	return all[Number](ctx, c, path("numbers"), nil)
}

// ConnectNumber connects a number; a signed-in person must do it.
func (c *Client) ConnectNumber(ctx context.Context, n Connection, options ...Option) (Number, error) {
	return ask[Number](ctx, c, http.MethodPost, path("numbers"), n, options...)
}

// GetNumber reads one.
func (c *Client) GetNumber(ctx context.Context, number string) (Number, error) {
	return get[Number](ctx, c, path("numbers", number))
}

// UpdateToken replaces the access token; etag may be empty.
func (c *Client) UpdateToken(ctx context.Context, number, etag, token string) (Number, error) {
	return ask[Number](ctx, c, http.MethodPut, path("numbers", number, "token"), map[string]string{"token": token}, ifMatch(etag))
}

// DisconnectNumber disconnects it.
func (c *Client) DisconnectNumber(ctx context.Context, number string) error {
	return c.Call(ctx, http.MethodDelete, path("numbers", number), nil, nil)
}

// Template is a message template of Meta's.
type Template struct {
	ID         string
	WABAID     string `json:"waba_id"`
	Name       string
	Language   string
	Category   string
	Purpose    string
	Status     string
	Quality    string
	Sendable   bool
	Parameters []struct {
		Component, Name, Kind, Label, Example string
		Index, Max                            int
		Required                              bool
	}
	Preview struct {
		Header, Body, Footer string
		Buttons              []string
	}
	SyncedAt time.Time `json:"synced_at"`
	Stops    []Stop
}

// TemplateFilter narrows a list; the zero value is all of them.
type TemplateFilter struct{ Number, Status, Category, Language, Name string }

// ListTemplates ranges over the templates.
func (c *Client) ListTemplates(ctx context.Context, f TemplateFilter) iter.Seq2[Template, error] {
	return all[Template](ctx, c, path("templates"), url.Values{"number": {f.Number}, "status": {f.Status}, "category": {f.Category},
		"language": {f.Language}, "name": {f.Name}})
}

// GetTemplate reads one.
func (c *Client) GetTemplate(ctx context.Context, template string) (Template, error) {
	return get[Template](ctx, c, path("templates", template))
}

// SyncTemplates has Meta asked again, within seconds.
func (c *Client) SyncTemplates(ctx context.Context, options ...Option) error {
	return c.Call(ctx, http.MethodPost, path("templates", "sync"), nil, nil, options...)
}
