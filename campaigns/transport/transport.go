// Package transport owns by which of Meta's two ways a campaign's messages go: the
// Cloud API, or the Marketing Messages API with what Meta does when that cannot
// take a message. It holds the rules of that choice: who may take which way.
//
// campaigns keeps the choice and freezes it into the run at the launch, check and
// guard ask the rules, api and web show it. It must not know runs, the database or
// Meta's wire.
package transport

import (
	"strings"

	"bareed/internal/errs"
	"bareed/numbers/onboarding"
)

// The two ways.
const (
	Cloud             = "cloud"              // POST /{phone number id}/messages
	MarketingMessages = "marketing_messages" // POST /{phone number id}/marketing_messages
)

// What Meta does with a message that the Marketing Messages API cannot take.
const (
	Fallback = "CLOUD_API_FALLBACK"
	Strict   = "STRICT"
)

// Choice is the way of a campaign, and of a run for its whole life.
type Choice struct {
	Transport       string `json:"transport" doc:"cloud: Meta's Cloud API; marketing_messages: Meta's Marketing Messages API. A run keeps the one it was launched with."`
	ProductPolicy   string `json:"product_policy,omitempty" doc:"With marketing_messages, what Meta does with a message that it cannot take: CLOUD_API_FALLBACK sends it by the Cloud API, STRICT refuses it."`
	ActivitySharing bool   `json:"activity_sharing" doc:"With marketing_messages: Meta may use what people do with these messages to optimise others."`
}

// Change is a partial edit of a choice; nil leaves a part as it is, and an empty
// text is the part's default.
type Change struct {
	Transport       *string
	ProductPolicy   *string
	ActivitySharing *bool
}

// Apply lays the change over what stands. Another way begins with its own
// defaults: what the old one had is not the new one's.
func (c Change) Apply(is Choice) Choice {
	if c.Transport != nil && (Choice{Transport: *c.Transport}).Filled().Transport != is.Transport {
		is = Choice{Transport: *c.Transport}
	}
	if c.ProductPolicy != nil {
		is.ProductPolicy = *c.ProductPolicy
	}
	if c.ActivitySharing != nil {
		is.ActivitySharing = *c.ActivitySharing
	}
	return is.Filled()
}

// Filled is the choice with the defaults of what it does not say: the Cloud API,
// and for the other way the fallback to it.
func (c Choice) Filled() Choice {
	if c.Transport == "" {
		c.Transport = Cloud
	}
	if c.Marketing() && c.ProductPolicy == "" {
		c.ProductPolicy = Fallback
	}
	return c
}

// Marketing tells whether messages go by the Marketing Messages API.
func (c Choice) Marketing() bool { return c.Transport == MarketingMessages }

// Check finds what is wrong with a filled choice for a template of a category, in
// Meta's words; empty: not known.
func (c Choice) Check(category string) []*errs.Error {
	var list []*errs.Error
	add := func(code, pointer string) { list = append(list, errs.New(code).At(pointer, "")) }
	if c.Transport != Cloud && c.Transport != MarketingMessages {
		add("campaign.transport", "/transport")
		return list
	}
	if c.ProductPolicy != "" && (!c.Marketing() || c.ProductPolicy != Fallback && c.ProductPolicy != Strict) {
		add("campaign.product_policy", "/product_policy")
	}
	if c.ActivitySharing && !c.Marketing() {
		add("campaign.activity_sharing", "/activity_sharing")
	}
	if e := c.Carries(category); e != nil {
		list = append(list, e)
	}
	return list
}

// Carries refuses a template that the way does not carry: the Marketing Messages
// API has marketing templates alone (Meta, error 134100).
func (c Choice) Carries(category string) *errs.Error {
	if !c.Marketing() || category == "" || marketing(category) {
		return nil
	}
	return errs.New("campaign.transport_category", "category", strings.ToUpper(category)).At("/transport", "")
}

func marketing(category string) bool { return strings.EqualFold(category, "MARKETING") }

// Lacks is what keeps an account from sending a template of a category this way;
// nil when nothing does, as far as Meta has told.
func (c Choice) Lacks(a onboarding.Account, category string) *errs.Error {
	if e := c.Carries(category); e != nil {
		return e
	}
	code := ""
	switch {
	case c.Marketing() && a.Ineligible():
		code = "campaign.ineligible"
	case c.Marketing() && a.Known() && !a.Ready():
		code = "campaign.not_onboarded"
	case !c.Marketing() && marketing(category) && a.CloudOff:
		return errs.New("campaign.cloud_marketing_off").At("/transport", "")
	default:
		return nil
	}
	return errs.New(code, "status", a.Status).At("/transport", "")
}

// Unsure is the code of a warning of the check, because Meta has not told what
// Lacks would need; empty when it has.
func (c Choice) Unsure(a onboarding.Account) string {
	if c.Marketing() && !a.Known() {
		return "campaign.warn_onboarding_unknown"
	}
	return ""
}
