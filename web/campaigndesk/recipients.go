package campaigndesk

import (
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/internal/id"
	"bareed/messages"
	"bareed/web/front"
	"bareed/whatsapp/codes"
)

// peopleGroups are the states behind each figure, in the order of the chips.
var peopleGroups = []struct {
	name   string
	states []messages.State
	count  func(r campaigns.Report) int64
}{
	{"all", nil, func(r campaigns.Report) int64 { return r.Total }},
	{"waiting", []messages.State{messages.Ready, messages.Sending}, func(r campaigns.Report) int64 { return r.Ready + r.Sending }},
	{"accepted", []messages.State{messages.Accepted, messages.Sent, messages.Delivered, messages.Read, messages.Played}, func(r campaigns.Report) int64 { return r.Accepted }},
	{"delivered", []messages.State{messages.Delivered, messages.Read, messages.Played}, func(r campaigns.Report) int64 { return r.Delivered }},
	{"read", []messages.State{messages.Read, messages.Played}, func(r campaigns.Report) int64 { return r.Read }},
	{"held", []messages.State{messages.Held}, func(r campaigns.Report) int64 { return r.Held }},
	{"failed", []messages.State{messages.Failed}, func(r campaigns.Report) int64 { return r.FailedTotal }},
	{"suppressed", []messages.State{messages.Suppressed}, func(r campaigns.Report) int64 { return r.SuppressedTotal }},
	{"unconfirmed", []messages.State{messages.Unknown, messages.Unconfirmed}, func(r campaigns.Report) int64 { return r.Unknown + r.Unconfirmed }},
}

// messageLook is a state's colour and icon.
var messageLook = map[messages.State][2]string{
	messages.Ready: {"wait", "clock"}, messages.Sending: {"info", "send"}, messages.Accepted: {"info", "check"}, messages.Held: {"warn", "hold"},
	messages.Sent: {"info", "send"}, messages.Delivered: {"ok", "done"}, messages.Read: {"ok", "done"}, messages.Played: {"ok", "play"},
	messages.Failed: {"danger", "danger"}, messages.Suppressed: {"mute", "minus"}, messages.Unknown: {"warn", "help"}, messages.Unconfirmed: {"warn", "help"},
}

// personRow is one person's message.
type personRow struct {
	campaigns.Recipient
	Chip map[string]any
	Why  string
}

// personOf puts one person's message into words; lacks is missing's.
func personOf(c *front.Call, r campaigns.Recipient, lacks string) personRow {
	l, look := c.Locale(), messageLook[r.State]
	p := personRow{Recipient: r, Chip: map[string]any{"kind": look[0], "icon": look[1], "text": l.Of("people.state", r.State)}}
	if code, ok := codes.OfReason(r.Reason); ok {
		p.Why = codes.Tell(l.Lang, code, true).Cause
	} else if r.Reason != "" {
		p.Why = whyNot(l, r.Reason, lacks)
	}
	return p
}

type recipientsView struct {
	Campaign    campaigns.Campaign
	Report      campaigns.Report
	Rows        []personRow
	Filters     []map[string]any
	Group       string
	Reason      string // in words; empty: all
	AnyReason   string // the same without the reason
	Limits      []map[string]any
	First, Next string
	File        string
}

func groupFilter(c *front.Call) (group string, f campaigns.RecipientFilter) {
	group, f = "all", campaigns.RecipientFilter{Reason: c.Query("reason"), Reveal: c.Can(accounts.SeePhones)}
	for _, g := range peopleGroups {
		if g.name == c.Query("state") {
			group, f.States = g.name, g.states
		}
	}
	return group, f
}

func (d *desk) recipientsPage(c *front.Call) error {
	v, q := recipientsView{}, c.R.URL.Query()
	var f campaigns.RecipientFilter
	v.Group, f = groupFilter(c)
	f.Limit = c.Limit() + 1
	after, err := c.After("recipients", q.Get("cursor"))
	if err != nil {
		return err
	}
	if n, err := strconv.ParseInt(after, 10, 32); err == nil {
		f.After = int32(n)
	}
	var list []campaigns.Recipient
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		if v.Campaign, v.Report, err = launched(c, tx); err != nil {
			return err
		}
		list, err = campaigns.Recipients(c.Ctx(), tx, c.Actor().Workspace, v.Campaign.ID, f)
		return err
	})
	if err != nil {
		return err
	}
	base := "/campaigns/" + v.Campaign.ID.String() + "/recipients?"
	list, v.Next = front.Older(c, "recipients", list, func(r campaigns.Recipient) string { return strconv.Itoa(int(r.MessageID.Ordinal)) })
	v.First = c.Newest()
	lacks := missing(c.Locale(), v.Campaign)
	for _, r := range list {
		v.Rows = append(v.Rows, personOf(c, r, lacks))
	}
	v.narrow(c, q, base)
	return c.Render("recipients", v)
}

func (v *recipientsView) narrow(c *front.Call, q url.Values, base string) {
	only := url.Values{"limit": q["limit"]}
	for _, g := range peopleGroups {
		n := g.count(v.Report)
		if n == 0 && g.name != v.Group && g.name != "all" {
			continue
		}
		v.Filters = append(v.Filters, map[string]any{"href": base + with(only, "state", g.name), "text": c.Locale().Of("people.group", g.name), "count": n, "current": g.name == v.Group})
	}
	if reason := q.Get("reason"); reason != "" {
		v.Reason, v.AnyReason = personOf(c, campaigns.Recipient{Reason: reason}, missing(c.Locale(), v.Campaign)).Why, base+with(q, "reason", "")
	}
	v.Limits = pageSizes(base, q, c.Limit())
	v.File = "/campaigns/" + v.Campaign.ID.String() + "/recipients.csv?" + with(url.Values{"state": q["state"], "reason": q["reason"]}, "limit", "")
}

// recipientsFile writes the people as CSV, page by page, so that a million rows
// need no memory and no long transaction.
func (d *desk) recipientsFile(c *front.Call) error {
	campaign, err := front.ID[id.Campaign](c, "campaign")
	if err != nil {
		return err
	}
	_, f := groupFilter(c)
	f.Limit = 2000
	var out *front.Sheet
	for {
		var rows []campaigns.Recipient
		err := c.InWorkspace(func(tx pgx.Tx) (err error) {
			rows, err = campaigns.Recipients(c.Ctx(), tx, c.Actor().Workspace, campaign, f)
			return err
		})
		if err != nil {
			return err
		}
		if out == nil { // there is such a campaign
			out = c.Sheet(campaign.String(), "message_id", "contact_id", "name", "address", "state", "reason", "meta_code", "accepted_at", "sent_at", "delivered_at", "read_at", "failed_at")
		}
		for _, r := range rows {
			out.Row(r.MessageID.String(), r.ContactID.String(), front.PlainCell(r.Name), r.Address, string(r.State), r.Reason, code(r.MetaCode),
				stamp(r.AcceptedAt), stamp(r.SentAt), stamp(r.DeliveredAt), stamp(r.ReadAt), stamp(r.FailedAt))
			f.After = r.MessageID.Ordinal
		}
		if err := out.Flush(); err != nil || len(rows) < f.Limit {
			return err
		}
	}
}

func code(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func stamp(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
