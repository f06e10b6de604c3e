package wizard

import (
	"cmp"
	"strings"

	"bareed/campaigns/transport"
	"bareed/numbers/onboarding"
	"bareed/web/ui"
)

// wayView is the choice between Meta's two ways, as the third step offers it.
type wayView struct {
	Ways, Policies []map[string]any
}

// ways are offered for a marketing template, and for any other that was chosen to go
// by the Marketing Messages API, which does not carry it.
func (v *view) ways(l ui.Locale) *wayView {
	if !strings.EqualFold(v.Template.Category, "MARKETING") && !v.Campaign.Marketing() {
		return nil
	}
	w := &wayView{}
	account := v.Campaign.Account()
	for _, way := range []string{transport.Cloud, transport.MarketingMessages} {
		hint := l.Of("transport.hint", hintOf(way, account), "status", account.Status)
		w.Ways = append(w.Ways, map[string]any{"value": way, "text": l.Of("transport.name", way), "hint": hint})
	}
	for _, policy := range []string{transport.Fallback, transport.Strict} {
		w.Policies = append(w.Policies, map[string]any{"value": policy, "text": l.Of("transport.policy", policy), "hint": l.Of("transport.policy_hint", policy)})
	}
	return w
}

// hintOf names what there is to say about a way: what it is, or why the account
// cannot take it.
func hintOf(way string, a onboarding.Account) string {
	switch {
	case way == transport.Cloud && a.CloudOff:
		return "cloud_off"
	case way == transport.Cloud:
		return "cloud"
	case !a.Known():
		return "untold"
	case a.Ineligible():
		return "ineligible"
	case !a.Ready():
		return "not_onboarded"
	}
	return "ready"
}

func (v *view) fillWay(f *ui.Form) {
	f.Set("transport", v.Campaign.Transport)
	f.Set("product_policy", cmp.Or(v.Campaign.ProductPolicy, transport.Fallback))
	if v.Campaign.ActivitySharing {
		f.Set("activity_sharing", "yes")
	}
}

// wayChange reads the choice; a form that did not offer it leaves it as it is. What
// belongs to the Marketing Messages API is not looked at with the other way: the form
// has it too, unseen.
func wayChange(f *ui.Form) (ch transport.Change) {
	way := f.Get("transport")
	if way == "" {
		return ch
	}
	ch.Transport = &way
	if way == transport.MarketingMessages {
		policy, sharing := f.Get("product_policy"), f.Get("activity_sharing") == "yes"
		ch.ProductPolicy, ch.ActivitySharing = &policy, &sharing
	}
	return ch
}
