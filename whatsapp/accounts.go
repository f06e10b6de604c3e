package whatsapp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// WABA is a WhatsApp business account. Words are Meta's own; Raw keeps the answer.
type WABA struct {
	ID       string
	Name     string
	Currency string
	Timezone string
	Country  string
	Status   string
	// ReviewStatus: only APPROVED can use the API.
	ReviewStatus   string
	PortfolioID    string // owner_business_info.id: messaging limits hang on it
	PortfolioName  string
	MessagingLimit string
	// MarketingStatus is marketing_messages_onboarding_status: ONBOARDED can use the
	// Marketing Messages API; "" when Meta did not say.
	MarketingStatus string
	// CloudMarketing is false when this account refuses marketing templates on the
	// Cloud API (131063); nil when Meta did not say.
	CloudMarketing *bool
	Health         Health
	Raw            json.RawMessage
}

// UnmarshalJSON reads Meta's object leniently and keeps it in Raw.
func (w *WABA) UnmarshalJSON(b []byte) error {
	m := fields(b)
	if m == nil {
		return errors.New("a WABA must be an object")
	}
	owner := fields(m["owner_business_info"])
	*w = WABA{
		ID: text(m, "id"), Name: text(m, "name"), Currency: text(m, "currency"), Timezone: text(m, "timezone_id"),
		Country: text(m, "country"), Status: text(m, "status"), ReviewStatus: text(m, "account_review_status"),
		PortfolioID: text(owner, "id"), PortfolioName: text(owner, "name"), MessagingLimit: limitName(m),
		MarketingStatus: storable(text(m, "marketing_messages_onboarding_status")),
		Health:          readHealth(m["health_status"]), Raw: append(json.RawMessage(nil), b...),
	}
	if off := text(m, "disable_marketing_messages_on_cloud_api"); off == "true" || off == "false" {
		on := off == "false"
		w.CloudMarketing = &on
	}
	return nil
}

// wabaFields are read from every account; marketingFields only newer versions of
// the Graph API have, and an unknown name refuses the whole question (100).
const (
	wabaFields = "id,name,currency,timezone_id,country,status,account_review_status,owner_business_info," +
		"whatsapp_business_manager_messaging_limit,health_status"
	marketingFields = ",marketing_messages_onboarding_status,disable_marketing_messages_on_cloud_api"
)

// GetWABA reads an account with its portfolio and limit.
func (c *Client) GetWABA(ctx context.Context, token Token, wabaID string) (WABA, error) {
	if !nodeID.MatchString(wabaID) {
		return WABA{}, ErrMalformedID
	}
	var w WABA
	err := c.get(ctx, token, wabaID, "", url.Values{"fields": {wabaFields + marketingFields}}, &w)
	var refused *Error
	if errors.As(err, &refused) && refused.HasCode && refused.Code == codeInvalidParameter {
		w = WABA{}
		err = c.get(ctx, token, wabaID, "", url.Values{"fields": {wabaFields}}, &w)
	}
	return w, err
}

// Portfolio is a business portfolio: the owner of the messaging limit.
type Portfolio struct {
	ID             string `json:"id"`
	Name           string `json:"name"`
	MessagingLimit string `json:"whatsapp_business_manager_messaging_limit"`
}

// GetPortfolio reads a portfolio's name and limit.
func (c *Client) GetPortfolio(ctx context.Context, token Token, portfolioID string) (Portfolio, error) {
	if !nodeID.MatchString(portfolioID) {
		return Portfolio{}, ErrMalformedID
	}
	var p Portfolio
	q := url.Values{"fields": {"id,name,whatsapp_business_manager_messaging_limit"}}
	err := c.get(ctx, token, portfolioID, "", q, &p)
	return p, err
}

// Template is one language of a template. Components are Meta's JSON as it came.
type Template struct {
	ID              string
	Name            string
	Language        string
	Status          string // only APPROVED can be sent
	Category        string
	CorrectCategory string // set when Meta is about to move it
	ParameterFormat string // POSITIONAL or NAMED
	Quality         string // GREEN, YELLOW, RED, UNKNOWN
	RejectedReason  string
	Components      json.RawMessage
	Raw             json.RawMessage
}

// UnmarshalJSON reads Meta's object leniently and keeps it in Raw.
func (t *Template) UnmarshalJSON(b []byte) error {
	m := fields(b)
	if m == nil {
		return errors.New("a template must be an object")
	}
	*t = Template{
		ID: text(m, "id"), Name: text(m, "name"), Language: text(m, "language"), Status: text(m, "status"),
		Category: text(m, "category"), CorrectCategory: text(m, "correct_category"),
		ParameterFormat: text(m, "parameter_format"), Quality: text(fields(m["quality_score"]), "score"),
		RejectedReason: text(m, "rejected_reason"), Components: m["components"], Raw: append(json.RawMessage(nil), b...),
	}
	return nil
}

// TemplatePage is one page of a WABA's templates; After is "" on the last.
type TemplatePage struct {
	Templates []Template
	After     string
}

const templateFields = "id,name,language,status,category,correct_category,parameter_format,components,quality_score,rejected_reason"

// ListTemplates reads one page (limit 1 to 250). A stale cursor answers
// *Error with CodeInvalidCursor: start again with after "".
func (c *Client) ListTemplates(ctx context.Context, token Token, wabaID, after string, limit int) (TemplatePage, error) {
	if !nodeID.MatchString(wabaID) {
		return TemplatePage{}, ErrMalformedID
	}
	q := url.Values{"fields": {templateFields}, "limit": {strconv.Itoa(min(max(limit, 1), 250))}}
	if after != "" {
		q.Set("after", after)
	}
	var p page[Template]
	if err := c.get(ctx, token, wabaID, "message_templates", q, &p); err != nil {
		return TemplatePage{}, err
	}
	return TemplatePage{Templates: p.Data, After: p.next(after)}, nil
}

// TokenInfo is what Meta says about a token. Zero times mean "never".
type TokenInfo struct {
	Valid             bool
	AppID             string
	Type              string // SYSTEM_USER, USER, …
	ExpiresAt         time.Time
	DataAccessExpires time.Time
	Scopes            []string
	// Code is the error Meta attaches to an invalid token, else 0.
	Code int
}

// UnmarshalJSON reads the object inside "data".
func (t *TokenInfo) UnmarshalJSON(b []byte) error {
	m := fields(b)
	if m == nil {
		return errors.New("token information must be an object")
	}
	*t = TokenInfo{
		Valid: text(m, "is_valid") == "true", AppID: text(m, "app_id"), Type: text(m, "type"),
		ExpiresAt: instant(m, "expires_at").at, DataAccessExpires: instant(m, "data_access_expires_at").at,
	}
	_ = json.Unmarshal(m["scopes"], &t.Scopes)
	if code := number(fields(m["error"]), "code"); code != nil {
		t.Code = *code
	}
	return nil
}

// DebugToken inspects a token, with itself or another one as the credential.
func (c *Client) DebugToken(ctx context.Context, credential, inspected Token) (TokenInfo, error) {
	var doc struct {
		Data TokenInfo `json:"data"`
	}
	err := c.get(ctx, credential, "debug_token", "", url.Values{"input_token": {inspected.Raw()}}, &doc)
	return doc.Data, err
}

// Subscription overrides where the webhooks of one WABA go; empty means the
// app's own callback.
type Subscription struct {
	CallbackURL string `json:"override_callback_uri,omitempty"`
	VerifyToken string `json:"verify_token,omitempty"`
}

// SubscribedApp is an app that gets a WABA's webhooks.
type SubscribedApp struct {
	ID   string
	Name string
}

// SubscribeApp subscribes the token's app to a WABA's webhooks; repeating it is harmless.
func (c *Client) SubscribeApp(ctx context.Context, token Token, wabaID string, s Subscription) error {
	if !nodeID.MatchString(wabaID) {
		return ErrMalformedID
	}
	var doc struct {
		Success bool `json:"success"`
	}
	if err := c.call(ctx, http.MethodPost, token, wabaID, "subscribed_apps", nil, s, &doc); err != nil {
		return err
	}
	if !doc.Success {
		return errors.New("meta did not confirm the subscription")
	}
	return nil
}

// GetSubscribedApps lists the apps that get a WABA's webhooks.
func (c *Client) GetSubscribedApps(ctx context.Context, token Token, wabaID string) ([]SubscribedApp, error) {
	if !nodeID.MatchString(wabaID) {
		return nil, ErrMalformedID
	}
	var doc page[struct {
		App struct {
			ID   flexString `json:"id"`
			Name string     `json:"name"`
		} `json:"whatsapp_business_api_data"`
	}]
	if err := c.get(ctx, token, wabaID, "subscribed_apps", nil, &doc); err != nil {
		return nil, err
	}
	apps := make([]SubscribedApp, 0, len(doc.Data))
	for _, d := range doc.Data {
		apps = append(apps, SubscribedApp{ID: string(d.App.ID), Name: d.App.Name})
	}
	return apps, nil
}
