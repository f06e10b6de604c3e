package campaigndesk

import (
	"html/template"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/board"
	"bareed/messages"
	"bareed/web/ahead"
	"bareed/web/charts"
	"bareed/web/front"
	"bareed/web/phone"
	"bareed/web/ui"
	"bareed/whatsapp/codes"
)

// figuresView is a report in words and drawings.
type figuresView struct {
	campaigns.Report
	Base             string // of links to the people behind a figure
	Whole            int64  // planned, or expected while the plan grows
	Handed           int64  // no longer waiting
	Eligible         int64
	Waiting          int64
	Unanswered       int64 // no answer, for now or for good
	Chips            []map[string]any
	Stops            []stopView
	Progress, Funnel template.HTML
	Unsent, Refused  []reasonView
	Ended            bool
	Ahead            bool // it waits for its first time, so there is nothing to count
}

// reasonView is one reason with its people.
type reasonView struct {
	Reason, Code      string
	N                 int64
	Text, Advice      string
	Title             string // Meta's own, of a code
	Again             string // whether it is sent again, in words
	Href              string
	Share, ShareWhole int64
}

// missing names what people may lack of what the template says, in words; empty
// when everything has a fallback.
func missing(l ui.Locale, c campaigns.Campaign) string {
	return phone.Columns(l, c.Variables.Unbacked())
}

// whyNot says why a message was not sent; lacks is missing's.
func whyNot(l ui.Locale, reason, lacks string) string {
	if reason == messages.ParamMissing && lacks != "" {
		return l.T("reasons.text.param_missing.of", "name", lacks)
	}
	return known(l, "reasons.text.", reason)
}

// figuresOf puts a report into words and drawings; lacks is missing's.
func figuresOf(l ui.Locale, r campaigns.Report, lacks string) *figuresView {
	v := &figuresView{Report: r, Base: "/campaigns/" + r.CampaignID.String() + "/recipients", Waiting: r.Ready + r.Sending, Unanswered: r.Unknown + r.Unconfirmed, Eligible: r.Total - r.SuppressedTotal, Whole: r.Total,
		Chips: campaignChips(l, r.State, r.Paused, r.Holding), Ended: r.State.Ended(),
		Ahead: r.State == campaigns.Scheduled && r.RunState == campaigns.RunPlanning && r.Total == 0}
	if !r.Planned {
		v.Whole = max(r.Total, r.Expected)
	}
	v.Handed = r.Total - v.Waiting
	v.Stops = stopsOf(l, r.CampaignID, r.Stops, v.Waiting)
	v.Progress, v.Funnel = progressChart(l, v), funnelChart(l, v)
	v.Unsent = reasonsOf(r.Suppressed, v.Base+"?state=suppressed", func(x *reasonView) {
		x.Text, x.Advice = whyNot(l, x.Reason, lacks), known(l, "reasons.advice.", x.Reason)
	})
	v.Refused = reasonsOf(r.Failed, v.Base+"?state=failed", func(x *reasonView) {
		x.Code = strings.TrimPrefix(x.Reason, "meta_")
		code, ok := codes.OfReason(x.Reason)
		if !ok {
			x.Text, x.Advice, x.Again = known(l, "reasons.text.", x.Reason), known(l, "reasons.advice.", x.Reason), codes.Tell(l.Lang, codes.InvalidBeforeSend, true).Retry
			return
		}
		told := codes.Tell(l.Lang, code, true)
		x.Title, x.Text, x.Advice, x.Again = told.Title, told.Cause, told.Action, told.Retry
	})
	return v
}

// known is the text of a prefix of keys and a value, or that of other.
func known(l ui.Locale, prefix, value string) string {
	family := strings.TrimSuffix(prefix, ".")
	if text := l.Of(family, value); text != value {
		return text
	}
	return l.T(prefix+"other", "code", value)
}

// reasonsOf puts the most frequent first.
func reasonsOf(by map[string]int64, base string, fill func(*reasonView)) []reasonView {
	var list []reasonView
	var whole int64
	for _, reason := range slices.SortedFunc(maps.Keys(by), func(a, b string) int {
		if by[a] != by[b] {
			return int(by[b] - by[a])
		}
		return strings.Compare(a, b)
	}) {
		x := reasonView{Reason: reason, N: by[reason], Href: base + "&reason=" + reason}
		fill(&x)
		list, whole = append(list, x), whole+x.N
	}
	for i := range list {
		list[i].ShareWhole = whole
	}
	return list
}

// frame is what every chart here shares.
func frame(l ui.Locale, id string, heads ...string) charts.Frame {
	f := charts.Frame{ID: id, Title: l.T("campaign." + id), Dir: charts.Dir(l.Dir()), Empty: l.T("campaign.chart.empty"), ShowTable: l.T("campaign.chart.table"), Quiet: true}
	for _, h := range heads {
		f.Heads = append(f.Heads, l.T("campaign.head."+h))
	}
	f.Format = func(v float64) string { return l.T("campaign.count", "count", int64(v)) }
	return f
}

func progressChart(l ui.Locale, v *figuresView) template.HTML {
	p := charts.Progress{Frame: frame(l, "progress", "step", "people"), Total: float64(v.Whole)}
	p.Summary = l.T("campaign.progress.sum", "done", v.Handed, "total", v.Whole)
	p.ShowTable = ""
	for _, x := range []struct {
		key, class string
		n          int64
	}{
		{"campaign.read", "c-read", v.Read}, {"campaign.delivered.only", "c-delivered", v.Delivered - v.Read},
		{"campaign.accepted.only", "c-accepted", v.Accepted - v.Delivered}, {"campaign.held", "c-1", v.Held},
		{"campaign.failed", "c-failed", v.FailedTotal}, {"campaign.unconfirmed", "c-4", v.Unanswered},
		{"campaign.suppressed", "c-suppressed", v.SuppressedTotal}, {"campaign.waiting", "c-waiting", v.Waiting},
	} {
		if x.n > 0 {
			p.Segments = append(p.Segments, charts.Segment{Label: l.T(x.key), Value: float64(x.n), Class: x.class})
		}
	}
	return p.HTML()
}

func funnelChart(l ui.Locale, v *figuresView) template.HTML {
	f := charts.Funnel{Frame: frame(l, "funnel", "step", "people", "share"), ShareNote: l.T("campaign.funnel.note"),
		FormatShare: func(r float64) string { return l.Percent(r, 1) }}
	f.Summary = l.T("campaign.funnel.sum", "accepted", l.Percent(v.Accepted, v.Eligible), "delivered", l.Percent(v.Delivered, v.Accepted), "read", l.Percent(v.Read, v.Delivered))
	f.Steps = []charts.Step{{Label: l.T("campaign.total"), Value: float64(v.Total), Class: "c-5"}, {Label: l.T("campaign.eligible"), Value: float64(v.Eligible), Class: "c-waiting"},
		{Label: l.T("campaign.accepted"), Value: float64(v.Accepted), Class: "c-accepted"}, {Label: l.T("campaign.delivered"), Value: float64(v.Delivered), Class: "c-delivered"},
		{Label: l.T("campaign.read"), Value: float64(v.Read), Class: "c-read"}}
	return f.HTML()
}

// paceView is the time line, the speed now and when it ends.
type paceView struct {
	Chart     template.HTML
	PerMinute int64
	Finish    *time.Time
	Ahead     *ahead.View // people wait for places under the messaging limit
	Nth       int64
	Every     time.Duration
}

// readPace draws how fast the run went and foretells its end.
func (d *desk) readPace(c *front.Call, tx pgx.Tx, r campaigns.Report) (*paceView, error) {
	l, ws := c.Locale(), c.Actor().Workspace
	var until time.Time
	if !r.State.Ended() && r.State != campaigns.Finishing {
		until = c.Clock()
	}
	p, err := board.ReadPace(c.Ctx(), tx, ws, r.RunID, r.Total, until)
	if err != nil || len(p.Times) == 0 {
		return nil, err
	}
	from, to := p.Times[0], p.Times[len(p.Times)-1].Add(p.Every)
	stops, err := board.PastStops(c.Ctx(), tx, ws, r.RunID, from, to)
	if err != nil {
		return nil, err
	}
	v := &paceView{Nth: p.Nth, Every: p.Every, Chart: paceLine(l, p, stops).HTML()}
	if r.State == campaigns.Running && !r.Paused && !r.Holding {
		v.PerMinute = p.PerMinute()
		return v, d.foresee(c, tx, v, r, until)
	}
	return v, nil
}

// paceLine is the chart of what was accepted over time, with the stops shaded.
func paceLine(l ui.Locale, p board.Pace, stops []board.PastStop) charts.TimeLine {
	to := p.Times[len(p.Times)-1].Add(p.Every)
	t := charts.TimeLine{Frame: frame(l, "pace", "time"), Times: p.Times, Zone: l.Zone, Axis: l.T("campaign.pace.axis", "zone", l.ZoneName()), ValueAxis: l.T("campaign.head.messages")}
	t.Series = []charts.Series{{Label: l.T("campaign.head.messages"), Class: "c-accepted"}}
	for _, n := range p.Counts {
		t.Series[0].Values = append(t.Series[0].Values, float64(n))
	}
	for _, x := range stops {
		over := to
		if x.Over != nil && x.Over.Before(to) {
			over = *x.Over
		}
		t.Stops = append(t.Stops, charts.Stop{From: x.Since, To: over, Label: stopTitle(l, x.Reason)})
	}
	t.Summary = l.T("campaign.pace.sum", "most", slices.Max(p.Counts), "span", l.Span(p.Every))
	t.FormatTime = func(at time.Time) string { return l.Day(at) + " " + at.In(l.Zone).Format("15:04:05") }
	t.FormatTick = func(at time.Time, step time.Duration) string {
		switch {
		case step < time.Minute:
			return at.Format("15:04:05")
		case step >= 24*time.Hour || at.Hour() == 0 && at.Minute() == 0:
			return strconv.Itoa(at.Day()) + "/" + strconv.Itoa(int(at.Month()))
		}
		return at.Format("15:04")
	}
	return t
}
