package sandbox

import (
	"strings"

	"bareed/sandbox/strict"
)

// The edges a message is posted to.
const (
	edgeMessages  = "messages"
	edgeMarketing = "marketing_messages"
)

// marketingLite is Meta's category of what went by the Marketing Messages API; what
// fell back to the Cloud API is priced as marketing.
const marketingLite = "marketing_lite"

// carries refuses a template on the edge that does not carry it: the marketing edge
// has marketing templates alone, of an account that is set up for it, and an account
// can take them away from the other one.
func (w *waba) carries(t *template, byMarketing bool) *strict.Refusal {
	marketing := strings.EqualFold(t.Category, "MARKETING")
	switch {
	case byMarketing && !marketing:
		return strict.Refuse(134100, "the template is "+t.Category)
	case byMarketing && w.MarketingStatus != "ONBOARDED":
		return strict.Refuse(134102, "the account is "+w.MarketingStatus+" for the Marketing Messages API")
	case !byMarketing && marketing && w.CloudMarketingOff:
		return strict.Refuse(131063, "disable_marketing_messages_on_cloud_api is set")
	}
	return nil
}

// pricedAs is the category that the statuses of an accepted template name.
func (t *template) pricedAs(byMarketing bool) string {
	if byMarketing {
		return marketingLite
	}
	return strings.ToLower(t.Category)
}
