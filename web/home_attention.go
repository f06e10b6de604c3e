package web

import (
	"slices"
	"time"

	"bareed/campaigns/overview"
	"bareed/internal/id"
	"bareed/numbers"
	"bareed/web/front"
)

// attention is one thing that waits for a person.
type attention struct {
	Kind  string // danger, warn
	Icon  string
	Title string
	Text  string
	Href  string
	Since *time.Time
	rank  int
}

// attention lists what holds or failed, the widest first: what is restricted or
// cannot be asked, what a rule holds, failed imports, paused templates, pauses.
func (f *homeFacts) attention(c *front.Call) []attention {
	var list []attention
	told := map[[16]byte]bool{}
	for _, h := range f.held {
		told[h.ScopeID] = true
		list = append(list, heldAttention(c, h))
	}
	for _, x := range f.twice {
		list = append(list, attention{Kind: "danger", Icon: "danger", Title: c.T("home.twice", "name", x.Name),
			Text: c.T("home.twice.text"), Href: "/campaigns/" + x.Campaign.String(), Since: &x.Since, rank: 1})
	}
	for _, x := range f.warned {
		list = append(list, attention{Kind: "warn", Icon: "warning", Title: c.T("home.warning", "name", x.Name),
			Text: c.Locale().Of("waves.warning", x.Reason) + ". " + c.Locale().Of("waves.warning", x.Reason+".text"), Href: "/campaigns/" + x.Campaign.String(), Since: &x.At, rank: 5})
	}
	for _, n := range f.numbers {
		list = append(list, numberAttention(c, n, told[n.ID] || told[n.WABA])...)
	}
	for _, i := range f.imports {
		if i.State == "failed" && c.Clock().Sub(i.CreatedAt) < 7*24*time.Hour {
			list = append(list, attention{Kind: "danger", Icon: "upload", Title: c.T("home.import_failed", "file", i.File),
				Text: c.T("home.import_failed.text"), Href: "/audiences/" + i.Audience.String(), Since: i.FinishedAt, rank: 4})
		}
	}
	for _, t := range f.paused {
		if !told[t.ID] {
			list = append(list, attention{Kind: "warn", Icon: "pause", Title: c.T("home.template_paused", "name", t.Name),
				Text: reasonText(c, "template_paused"), Href: "/templates/" + t.ID.String(), rank: 5})
		}
	}
	slices.SortStableFunc(list, func(a, b attention) int { return a.rank - b.rank })
	return list
}

// heldAttention tells a stop: what it holds, why, and where to look.
func heldAttention(c *front.Call, h overview.Held) attention {
	a := attention{Kind: "warn", Icon: "hold", Since: &h.Since, Text: reasonText(c, h.Reason), rank: 2}
	key := map[string]string{"workspace": "home.held.workspace", "portfolio": "home.held.portfolio", "waba": "home.held.waba",
		"number": "home.held.number", "template": "home.held.template"}[h.Scope]
	switch h.Scope {
	case "workspace", "portfolio", "waba":
		a.Kind, a.rank, a.Href = "danger", 0, "/numbers"
	case "number":
		a.Kind, a.rank, a.Href = "danger", 1, "/numbers/"+id.Number(h.ScopeID).String()
	case "template":
		a.Href = "/templates/" + id.Template(h.ScopeID).String()
	default:
		key = "home.held.campaign"
		a.Href = "/campaigns/" + h.Campaign.String()
		if !h.ByRule {
			key, a.Icon, a.rank, a.Text = "home.held.paused", "pause", 6, "" // the title says it
		}
	}
	a.Title = c.T(key, "name", h.Name)
	return a
}

// numberAttention tells of a number that may not send, or about which Meta
// cannot be asked; held: a stop says so already.
func numberAttention(c *front.Call, n numbers.Number, held bool) []attention {
	href := "/numbers/" + n.ID.String()
	var list []attention
	if n.Status != numbers.Connected && !held {
		list = append(list, attention{Kind: "danger", Icon: "danger", Title: c.T("home.held.number", "name", n.DisplayPhone),
			Text: c.Locale().Of("numbers.status", n.Status), Href: href, rank: 1})
	}
	if n.SyncProblem == numbers.TokenInvalid || n.SyncProblem == numbers.NotAllowed {
		list = append(list, attention{Kind: "danger", Icon: "key", Title: c.T("home.token", "name", n.DisplayPhone),
			Text: c.Locale().Of("numbers.problem", n.SyncProblem), Href: href + "#credentials", Since: n.SyncedAt, rank: 0})
	}
	return list
}

// reasonText is a stop's reason in a sentence.
func reasonText(c *front.Call, reason string) string { return c.Locale().OfKind("stops.title", reason) }
