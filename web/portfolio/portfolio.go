// Package portfolio owns the page of a business portfolio: its messaging limit,
// the calendar of who uses it, what is kept free and for whom, and who goes first.
//
// web registers it. It judges nothing: numbers/portfolios and campaigns/capacity
// do, the same ones that the API calls.
package portfolio

import (
	"html/template"
	"math"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns/capacity"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/numbers/portfolios"
	"bareed/web/charts"
	"bareed/web/front"
	"bareed/web/ui"
)

// desk has the handlers; what they need comes with the call.
type desk struct{}

// Register adds the pages.
func Register(f *front.Front) {
	var d desk
	f.Handle("GET /portfolios/{portfolio}", d.page)
	f.Handle("POST /portfolios/{portfolio}/reserve", d.reserve)
	f.Handle("POST /portfolios/{portfolio}/shares", d.setShare)
	f.Handle("POST /portfolios/{portfolio}/shares/drop", d.dropShare)
	f.Handle("POST /portfolios/{portfolio}/priority", d.priority)
}

// Routes says who may open them.
func Routes() []front.Route {
	return []front.Route{
		{Route: "GET /portfolios/{portfolio}", Action: accounts.ReadNumbers, Open: true},
		{Route: "POST /portfolios/{portfolio}/reserve", Action: accounts.WriteNumbers},
		{Route: "POST /portfolios/{portfolio}/shares", Action: accounts.WriteNumbers},
		{Route: "POST /portfolios/{portfolio}/shares/drop", Action: accounts.WriteNumbers},
		{Route: "POST /portfolios/{portfolio}/priority", Action: accounts.LaunchCampaigns},
	}
}

// The page shows the week behind and the one ahead.
const week = 7

// view is the page's data.
type view struct {
	Portfolio portfolios.Portfolio
	Calendar  capacity.Calendar
	Chart     template.HTML
	Days      []dayLine
	Campaigns []capacity.Open
	Kinds     []map[string]any
	MayKeep   bool // the settings: by role and by workspace
}

// dayLine is a day of the calendar with its date.
type dayLine struct {
	capacity.CalendarDay
	At    time.Time
	Today bool
}

func (d desk) read(c *front.Call) (v view, err error) {
	portfolio, err := front.ID[id.Portfolio](c, "portfolio")
	if err != nil {
		return v, err
	}
	zone := c.Locale().Zone
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		if v.Portfolio, err = portfolios.Get(c.Ctx(), tx, portfolio); err != nil {
			return err
		}
		v.Calendar, err = capacity.Read(c.Ctx(), tx, c.Pool.Engine(), c.Actor().Workspace, portfolio, zone, capacity.Span{Past: week, Coming: week})
		if err != nil {
			return err
		}
		v.Campaigns, err = capacity.ListOpen(c.Ctx(), tx, c.Actor().Workspace, portfolio)
		return err
	})
	if err != nil {
		return v, err
	}
	v.MayKeep = v.Portfolio.Kept && c.Can(accounts.WriteNumbers)
	for _, k := range portfolios.Kinds() {
		v.Kinds = append(v.Kinds, map[string]any{"value": k, "id": "kind-" + k, "text": c.Locale().Of("portfolio.kind", k)})
	}
	for i, one := range v.Calendar.Days {
		at, err := time.ParseInLocation(time.DateOnly, one.Date, zone)
		if err != nil {
			return v, err
		}
		v.Days = append(v.Days, dayLine{one, at, i == week})
	}
	v.Chart = v.chart(c)
	return v, nil
}

// chart draws the days; its twin is the same in numbers.
func (v view) chart(c *front.Call) template.HTML {
	l := c.Locale()
	k := charts.Columns{
		Frame: charts.Frame{ID: "calendar", Title: c.T("portfolio.calendar"), Quiet: true, Dir: charts.LTR,
			Empty: c.T("portfolio.calendar.empty"), ShowTable: c.T("portfolio.calendar.table"), Heads: []string{c.T("portfolio.day")},
			Format: func(n float64) string { return grouped(int64(n)) }},
		Series: []charts.Series{{Label: c.T("portfolio.used_own"), Class: "c-1"}, {Label: c.T("portfolio.used_others"), Class: "c-2"},
			{Label: c.T("portfolio.planned_own"), Class: "c-waiting"}, {Label: c.T("portfolio.planned_others"), Class: "c-4"}},
		FormatDay:   func(t time.Time) string { return t.In(l.Zone).Format("02/01") },
		ValueAxis:   c.T("portfolio.people"),
		Axis:        c.T("portfolio.axis", "zone", l.ZoneName()),
		OldestFirst: true,
	}
	if l.Dir() == "rtl" {
		k.Dir = charts.RTL
	}
	var used, planned int
	for _, d := range v.Days {
		k.Days = append(k.Days, d.At)
		var n [4]int
		for _, line := range d.Lines {
			at := 0
			if line.Who == capacity.WhoOthers {
				at = 1
			}
			n[at] += line.Used
			n[at+2] += line.Planned
		}
		for i := range n {
			k.Series[i].Values = append(k.Series[i].Values, float64(n[i]))
		}
		used, planned = used+d.Used, planned+d.Planned
	}
	k.Summary = c.T("portfolio.calendar.summary", "used", used, "planned", planned)
	return k.HTML()
}

// grouped writes 12,345.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// percent is the reserve as it stands in the form: 7 for 0.07, which times 100 is
// not 7 to a machine.
func (v view) percent() string {
	return strconv.FormatFloat(math.Round(v.Portfolio.Reserve*1e5)/1e3, 'f', -1, 64)
}

func (d desk) page(c *front.Call) error {
	v, err := d.read(c)
	if err != nil {
		return err
	}
	return c.Render("portfolio", v, front.WithForm(ui.NewForm(url.Values{"reserve": {v.percent()}})))
}

// act does what a form of the page asks for and shows the page again.
func (d desk) act(c *front.Call, done string, do func(tx pgx.Tx, f *ui.Form, portfolio id.Portfolio) error) error {
	v, err := d.read(c)
	if err != nil {
		return err
	}
	f := c.Form().Name("reserve", c.T("portfolio.reserve")).Name("name", c.T("portfolio.share.name")).
		Name("places", c.T("portfolio.share.places")).Name("kinds", c.T("portfolio.share.kinds"))
	err = c.InWorkspace(func(tx pgx.Tx) error { return do(tx, f, v.Portfolio.ID) })
	if err == nil {
		c.Flash("done", done)
		return c.Redirect("/portfolios/" + v.Portfolio.ID.String())
	}
	if !f.Fail(c.Lang(), err) {
		return err
	}
	if !f.Values.Has("reserve") {
		f.Set("reserve", v.percent())
	}
	return c.Refused(err, "portfolio", v, f)
}

// number is what was typed in a field, as a program writes it; empty for what is no
// number, which the field then says.
func number(c *front.Call, f *ui.Form, field string) string {
	typed, ok := ui.Typed(f.Get(field))
	if !ok && f.Get(field) != "" {
		f.Add(field, c.T("ui.form.number"))
	}
	return typed
}

func (d desk) reserve(c *front.Call) error {
	return d.act(c, "portfolio.reserve.saved", func(tx pgx.Tx, f *ui.Form, portfolio id.Portfolio) error {
		percent, err := strconv.ParseFloat(number(c, f, "reserve"), 64)
		if err != nil {
			percent = -1 // is refused
		}
		_, err = portfolios.SetReserve(c.Ctx(), tx, c.Actor(), portfolio, percent/100)
		return err
	})
}

func (d desk) setShare(c *front.Call) error {
	return d.act(c, "portfolio.share.saved", func(tx pgx.Tx, f *ui.Form, portfolio id.Portfolio) error {
		places, err := strconv.Atoi(number(c, f, "places"))
		if err != nil {
			places = 0 // is refused
		}
		_, err = portfolios.SetShare(c.Ctx(), tx, c.Actor(), portfolio, portfolios.Share{Name: f.Get("name"), Places: places, Kinds: f.Values["kinds"]})
		return err
	})
}

func (d desk) dropShare(c *front.Call) error {
	return d.act(c, "portfolio.share.dropped", func(tx pgx.Tx, f *ui.Form, portfolio id.Portfolio) error {
		return portfolios.DropShare(c.Ctx(), tx, c.Actor(), portfolio, f.Get("name"))
	})
}

func (d desk) priority(c *front.Call) error {
	return d.act(c, "portfolio.priority.saved", func(tx pgx.Tx, f *ui.Form, _ id.Portfolio) error {
		campaign, err := id.Parse[id.Campaign](f.Get("campaign"))
		if err != nil {
			return errs.New("not_found")
		}
		_, err = capacity.Set(c.Ctx(), tx, c.Actor(), campaign, f.Get("priority"), f.Get("share"))
		return err
	})
}
