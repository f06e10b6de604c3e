// Package asset is what a business has at Meta, as the sandbox is told of it:
// apps, portfolios, accounts, numbers, templates, tokens and people. It knows
// their names in JSON, how a read of the Graph API shows them, and how Meta
// writes a person's ids.
//
// The sandbox keeps them and changes them; callers know the types by the
// sandbox's names. It must not know requests, limits or webhooks.
package asset

import (
	"encoding/json"

	"bareed/whatsapp"
)

// App is a Meta app: where webhooks go and what signs them.
type App struct {
	ID          string `json:"app_id"`
	Name        string `json:"name,omitempty"`
	Secret      string `json:"secret"`
	VerifyToken string `json:"verify_token"`
	CallbackURL string `json:"callback_url"`
}

// Portfolio owns the messaging limit, a tier name such as TIER_2K.
type Portfolio struct {
	ID    string `json:"id"`
	Name  string `json:"name,omitempty"`
	Limit string `json:"limit"`
}

// People is the limit as a number of people; 0 without one.
func (p Portfolio) People() int {
	n, unlimited, ok := whatsapp.ParseTier(p.Limit)
	if unlimited || !ok {
		return 0
	}
	return n
}

// WABA is a business account; AppIDs are subscribed to its webhooks at once.
type WABA struct {
	ID           string   `json:"id"`
	Name         string   `json:"name,omitempty"`
	PortfolioID  string   `json:"portfolio_id"`
	Currency     string   `json:"currency,omitempty"`
	TimezoneID   string   `json:"timezone_id,omitempty"`
	Country      string   `json:"country,omitempty"`
	Status       string   `json:"status,omitempty"`                // ACTIVE
	ReviewStatus string   `json:"account_review_status,omitempty"` // APPROVED
	AppIDs       []string `json:"app_ids,omitempty"`
	// MarketingStatus: only ONBOARDED can use the Marketing Messages API; ELIGIBLE.
	MarketingStatus string `json:"marketing_messages_onboarding_status,omitempty"`
	// CloudMarketingOff refuses marketing templates on the Cloud API.
	CloudMarketingOff bool `json:"disable_marketing_messages_on_cloud_api,omitempty"`
}

// Number is a sending number. MPS 0 means 80, or 20 with OnBizApp.
type Number struct {
	ID           string `json:"id"`
	WABAID       string `json:"waba_id"`
	DisplayPhone string `json:"display_phone_number"`
	VerifiedName string `json:"verified_name,omitempty"`
	MPS          int    `json:"mps,omitempty"`
	Quality      string `json:"quality_rating,omitempty"` // GREEN
	Status       string `json:"status,omitempty"`         // CONNECTED
	OnBizApp     bool   `json:"is_on_biz_app,omitempty"`
	NameStatus   string `json:"name_status,omitempty"` // APPROVED
	// Health overrides what is derived from status and quality.
	Health string `json:"health,omitempty"`
}

// Template is one language of a template, components in Meta's form.
type Template struct {
	ID              string          `json:"id"`
	WABAID          string          `json:"waba_id"`
	Name            string          `json:"name"`
	Language        string          `json:"language"`
	Category        string          `json:"category,omitempty"`         // MARKETING
	Status          string          `json:"status,omitempty"`           // APPROVED
	Quality         string          `json:"quality_score,omitempty"`    // UNKNOWN
	ParameterFormat string          `json:"parameter_format,omitempty"` // POSITIONAL
	CorrectCategory string          `json:"correct_category,omitempty"`
	Components      json.RawMessage `json:"components"`
}

// Token is an access token. WABAIDs empty means every account; Scopes empty
// means messaging and management.
type Token struct {
	Token     string   `json:"token"`
	AppID     string   `json:"app_id"`
	Revoked   bool     `json:"revoked,omitempty"`
	Scopes    []string `json:"scopes,omitempty"`
	WABAIDs   []string `json:"waba_ids,omitempty"`
	ExpiresAt int64    `json:"expires_at,omitempty"` // seconds since 1970, 0 never
}

// Person is somebody with WhatsApp. Everybody exists without being named; a
// named one can hide the number (only the business-scoped id is then shown).
type Person struct {
	Phone    string `json:"phone"` // E.164
	Name     string `json:"name,omitempty"`
	Username string `json:"username,omitempty"`
	Hidden   bool   `json:"hidden,omitempty"`
}

// Seed is a whole set in one call; what exists is replaced, what was counted stays.
type Seed struct {
	Apps       []App       `json:"apps"`
	Portfolios []Portfolio `json:"portfolios"`
	WABAs      []WABA      `json:"wabas"`
	Numbers    []Number    `json:"numbers"`
	Templates  []Template  `json:"templates"`
	Tokens     []Token     `json:"tokens"`
	People     []Person    `json:"people"`
}
