package campaigndesk

import (
	"net/url"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/campaigns/board"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/ui"
)

// campaignGroups are the chips over the list, in their order.
var campaignGroups = []struct {
	name   string
	states []campaigns.State
}{
	{"all", nil},
	{"draft", []campaigns.State{campaigns.Draft, campaigns.Checking, campaigns.NeedsApproval}},
	{"scheduled", []campaigns.State{campaigns.Scheduled, campaigns.Starting}},
	{"running", []campaigns.State{campaigns.Running, campaigns.Finishing}},
	{"completed", []campaigns.State{campaigns.Completed}},
	{"ended", []campaigns.State{campaigns.Stopped, campaigns.Expired, campaigns.Failed}},
}

// campaignsView is the list. Filters and options are what parts read.
type campaignsView struct {
	Rows               []campaignRow
	Filters            []map[string]any
	Numbers, Templates []map[string]any
	Group              string
	Narrowed           bool // by anything
	Live               bool // a row moves
	Limit              int
	Limits             []map[string]any
	First, Next        string
}

// campaignRow is one campaign of the list.
type campaignRow struct {
	campaigns.Campaign
	board.Line
	Chips    []map[string]any
	Owner    string
	Segments []ui.Segment
	Handed   int64 // no longer waiting
	Moves    bool
}

func (d *desk) campaignsPage(c *front.Call) error {
	q := c.R.URL.Query()
	group, f, err := listFilter(c)
	if err != nil {
		return err
	}
	view := campaignsView{Group: group, Limit: c.Limit()}
	var list []campaigns.Campaign
	var lines map[id.Campaign]board.Line
	var choices []board.Choice
	var owners map[string]string
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		ws := c.Actor().Workspace
		if list, err = campaigns.List(c.Ctx(), tx, ws, f); err != nil {
			return err
		}
		of := make([]id.Campaign, len(list))
		for i := range list {
			of[i] = list[i].ID
		}
		if lines, err = board.Lines(c.Ctx(), tx, ws, of...); err != nil {
			return err
		}
		if owners, err = owned(c, tx); err != nil {
			return err
		}
		choices, err = board.Choices(c.Ctx(), tx, ws)
		return err
	})
	if err != nil {
		return err
	}
	list, view.Next = front.Older(c, "campaigns", list, func(item campaigns.Campaign) string { return item.ID.String() })
	view.First = c.Newest()
	for _, item := range list {
		row := rowOf(c, item, lines[item.ID], owners)
		view.Rows, view.Live = append(view.Rows, row), view.Live || row.Moves
	}
	view.choose(c, q, choices)
	form := ui.NewForm(url.Values{"q": {q.Get("q")}, "number": {q.Get("number")}, "template": {q.Get("template")}})
	return c.Render("campaigns", view, front.WithForm(form))
}

func listFilter(c *front.Call) (group string, f campaigns.Filter, err error) {
	f = campaigns.Filter{Search: strings.TrimSpace(c.Query("q")), Limit: c.Limit() + 1}
	group = "all"
	for _, g := range campaignGroups {
		if g.name == c.Query("state") {
			group, f.States = g.name, g.states
		}
	}
	// What is no identifier narrows to nothing that exists, so it is left out.
	f.Number, _ = id.Parse[id.Number](c.Query("number"))
	f.Template, _ = id.Parse[id.Template](c.Query("template"))
	f.After, err = front.AfterID[id.Campaign](c, "campaigns")
	return group, f, err
}

// with is a query with one value changed; the cursor belongs to what was.
func with(q url.Values, name, value string) string {
	next := url.Values{}
	for k, v := range q {
		if k != "cursor" && len(v) > 0 && v[0] != "" {
			next.Set(k, v[0])
		}
	}
	next.Set(name, value)
	if value == "" {
		next.Del(name)
	}
	return next.Encode()
}

// owned names the members by their actor's text.
func owned(c *front.Call, tx pgx.Tx) (map[string]string, error) {
	members, err := accounts.ListMembers(c.Ctx(), tx, c.Actor().Workspace, id.User{}, 500)
	names := make(map[string]string, len(members))
	for _, m := range members {
		if names[m.ID.String()] = m.Name; m.Name == "" {
			names[m.ID.String()] = m.Email
		}
	}
	return names, err
}

// ownerName is who an actor's text means to a reader.
func ownerName(c *front.Call, actor string, names map[string]string) string {
	if n, ok := names[actor]; ok {
		return n
	}
	kind, _, _ := strings.Cut(strings.ReplaceAll(actor, ":", "_"), "_")
	return c.Locale().Of("campaigns.actor", kind)
}

func rowOf(c *front.Call, item campaigns.Campaign, l board.Line, owners map[string]string) campaignRow {
	seen := l.Total - l.Waiting
	row := campaignRow{Campaign: item, Line: l, Owner: ownerName(c, item.CreatedBy, owners), Moves: item.State.Launched() && item.State != campaigns.Scheduled,
		Chips: campaignChips(c.Locale(), item.State, item.Paused, item.Holding), Handed: seen}
	t := c.Locale()
	if item.State == campaigns.Scheduled && seen == l.Total && l.Accepted+l.Failed+l.Suppressed == 0 {
		row.Handed = 0 // its time has not come
	}
	row.Segments = []ui.Segment{
		{Kind: "read", Label: t.T("campaign.read"), Value: l.Read}, {Kind: "delivered", Label: t.T("campaign.delivered"), Value: l.Delivered - l.Read},
		{Kind: "sent", Label: t.T("campaign.accepted"), Value: l.Accepted - l.Delivered}, {Kind: "failed", Label: t.T("campaign.failed"), Value: l.Failed},
		{Kind: "unsent", Label: t.T("campaign.suppressed"), Value: l.Suppressed},
	}
	return row
}

// choose fills what the list can be narrowed to.
func (v *campaignsView) choose(c *front.Call, q url.Values, all []board.Choice) {
	counts := map[string]int64{}
	for _, choice := range all {
		switch u, _ := uuid.Parse(choice.Value); choice.Kind {
		case "state":
			counts[choice.Value] = choice.Count
		case "number":
			v.Numbers = append(v.Numbers, map[string]any{"value": id.Number(u).String(), "text": choice.Name})
		case "template":
			v.Templates = append(v.Templates, map[string]any{"value": id.Template(u).String(), "text": choice.Name + " · " + choice.Note})
		}
	}
	for _, g := range campaignGroups {
		n, name := int64(0), g.name
		for _, state := range g.states {
			n += counts[string(state)]
		}
		if g.name == "all" {
			name = ""
		}
		v.Filters = append(v.Filters, map[string]any{"href": "/campaigns?" + with(q, "state", name), "text": c.Locale().Of("campaigns.group", g.name),
			"count": n, "current": g.name == v.Group})
	}
	v.Narrowed = v.Group != "all" || q.Get("q")+q.Get("number")+q.Get("template")+q.Get("cursor") != ""
	v.Limits = pageSizes("/campaigns?", q, v.Limit)
}

// pageSizes are the links to 25, 50 and 100 rows.
func pageSizes(path string, q url.Values, now int) []map[string]any {
	var list []map[string]any
	for _, n := range []string{"25", "50", "100"} {
		list = append(list, map[string]any{"href": path + with(q, "limit", n), "text": n, "current": map[int]string{25: "25", 50: "50", 100: "100"}[now] == n})
	}
	return list
}
