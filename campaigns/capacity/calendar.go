package capacity

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/numbers/places"
	"bareed/numbers/portfolios"
)

// Calendar is who used a portfolio's places on which day, and who will.
type Calendar struct {
	PortfolioID id.Portfolio  `json:"portfolio_id"`
	Zone        string        `json:"zone" doc:"IANA zone in which the days begin: the workspace's"`
	Usable      *int          `json:"usable" doc:"Places in 24 hours less the reserve; null when unlimited or unknown, and then no places are kept or foreseen"`
	Days        []CalendarDay `json:"days" doc:"Oldest first"`
	Later       int           `json:"later" doc:"Places wanted after the last day"`
}

// CalendarDay is one day of the calendar.
type CalendarDay struct {
	Date    string         `json:"date" doc:"2026-11-23"`
	Used    int            `json:"used" doc:"Places taken on this day so far, by everybody"`
	Planned int            `json:"planned" doc:"Places that campaigns which run or wait will take, at most"`
	Free    *int           `json:"free" doc:"Usable places that nobody has taken or planned; null for a past day and without a limit"`
	Lines   []CalendarLine `json:"lines" doc:"The workspace's campaigns by name, then its other messages, then other workspaces as one"`
}

// CalendarLine is one user of a day's places.
type CalendarLine struct {
	Who        string      `json:"who" doc:"campaign, messages (tests, replies, by API) or others (other workspaces of the portfolio)"`
	CampaignID id.Campaign `json:"campaign_id,omitzero"`
	Name       string      `json:"name,omitempty"`
	Used       int         `json:"used"`
	Planned    int         `json:"planned"`
}

// The users of places.
const (
	WhoCampaign = "campaign"
	WhoMessages = "messages"
	WhoOthers   = "others"
)

// Span is how many days a calendar shows: some of the past, and today with those
// to come.
type Span struct {
	Past, Coming int
}

// user is a line's key before it has a name.
type user struct {
	own      bool
	campaign id.Campaign
}

const sqlUsed = `
select (u.at at time zone $4)::date - (bareed_now() at time zone $4)::date,
    u.workspace_id = $2, case when u.workspace_id = $2 then r.campaign_id end, sum(u.places)
from place_use u
left join run r on r.id = u.run_id and r.workspace_id = u.workspace_id
where u.portfolio_id = $1
  and u.at >= $3
group by 1, 2, 3
having sum(u.places) <> 0`

// sqlDemands is every run of the portfolio, of any workspace, that has people to
// reach still. One that is not planned yet has the people of its check.
const sqlDemands = `
select r.workspace_id = $2, case when r.workspace_id = $2 then r.campaign_id end, r.kind,
    greatest(r.starts_at, bareed_now()),
    greatest(r.planned, case when r.plan_done then 0 else coalesce(r.expected, 0) end)::int - r.fed,
    least(coalesce(r.per_minute, 1000000), 60 * case when n.is_on_biz_app then least(n.per_second, 20) else n.per_second end) * 1440,
    case when r.kind <> 'campaign' then 'high' else coalesce(c.priority, 'normal') end,
    coalesce(c.share, '')
from run r
join number n on n.workspace_id = r.workspace_id and n.id = r.number_id
left join campaign c on c.workspace_id = r.workspace_id and c.id = r.campaign_id
where r.portfolio_id = $1
  and r.state in ('planning', 'running')
order by r.id`

// sqlFreeing counts the places that are over by then: they come free meanwhile.
const sqlFreeing = `
select count(*)
from place
where portfolio_id = $1
  and over_at <= $2`

// Read draws the calendar of a portfolio in which the workspace has a number, in
// the zone's days. engine finds what other workspaces do.
func Read(ctx context.Context, tx pgx.Tx, engine pg.DB, ws id.Workspace, portfolio id.Portfolio, zone *time.Location, span Span) (Calendar, error) {
	c := Calendar{PortfolioID: portfolio, Zone: zone.String()}
	p, err := portfolios.Get(ctx, tx, portfolio)
	if err != nil {
		return c, err
	}
	c.Usable = p.Usable
	b := book{calendar: &c, users: map[user]int{}, used: make([]map[int]int, span.Past+span.Coming)}
	days, err := b.days(ctx, engine, p, zone, span)
	if err != nil {
		return c, err
	}
	if err := b.past(ctx, engine, ws, portfolio, days[0].from, span); err != nil {
		return c, err
	}
	if err := b.future(ctx, engine, ws, p, days, span); err != nil {
		return c, err
	}
	if err := b.names(ctx, tx, ws); err != nil {
		return c, err
	}
	b.write(days, span)
	return c, nil
}

// book collects the calendar's lines.
type book struct {
	calendar *Calendar
	users    map[user]int   // to a key
	lines    []CalendarLine // by key
	used     []map[int]int
	planned  []map[int]int // from today
}

func (b *book) key(u user) int {
	if k, ok := b.users[u]; ok {
		return k
	}
	l := CalendarLine{Who: WhoOthers}
	switch {
	case u.own && !u.campaign.IsZero():
		l = CalendarLine{Who: WhoCampaign, CampaignID: u.campaign}
	case u.own:
		l.Who = WhoMessages
	}
	b.lines = append(b.lines, l)
	b.users[u] = len(b.lines) - 1
	return len(b.lines) - 1
}

const sqlNow = `select bareed_now()`

// days are those of the span, with what of the limit is to be had on each.
func (b *book) days(ctx context.Context, engine pg.DB, p portfolios.Portfolio, zone *time.Location, span Span) ([]day, error) {
	var now time.Time
	if err := engine.QueryRow(ctx, sqlNow).Scan(&now); err != nil {
		return nil, fmt.Errorf("read the time: %w", err)
	}
	y, m, d := now.In(zone).Date()
	all := make([]day, 0, span.Past+span.Coming)
	for i := -span.Past; i < span.Coming; i++ {
		all = append(all, day{from: time.Date(y, m, d+i, 0, 0, 0, 0, zone), to: time.Date(y, m, d+i+1, 0, 0, 0, 0, zone)})
	}
	if p.Usable == nil {
		return all, nil
	}
	var freeing int
	if err := engine.QueryRow(ctx, sqlFreeing, p.ID, all[span.Past].to).Scan(&freeing); err != nil {
		return nil, fmt.Errorf("count the places that come free: %w", err)
	}
	for i := span.Past; i < len(all); i++ {
		pool := places.Pool{Limit: *p.People, Effective: *p.Usable}
		for _, s := range p.Shares {
			share := places.Share{Name: s.Name, Size: s.Places, Kinds: s.Kinds}
			if i == span.Past {
				share.Used = int(s.Used)
			}
			pool.Shares = append(pool.Shares, share)
		}
		if i == span.Past {
			pool.Taken = int(p.Used) - freeing
		}
		all[i].pool = pool
	}
	return all, nil
}

func (b *book) past(ctx context.Context, engine pg.DB, ws id.Workspace, portfolio id.Portfolio, from time.Time, span Span) error {
	rows, err := engine.Query(ctx, sqlUsed, portfolio, ws, from, b.calendar.Zone)
	if err != nil {
		return fmt.Errorf("read the use of places: %w", err)
	}
	var at, n int
	var u user
	_, err = pgx.ForEachRow(rows, []any{&at, &u.own, &u.campaign, &n}, func() error {
		if i := at + span.Past; i >= 0 && i < len(b.used) {
			if b.used[i] == nil {
				b.used[i] = map[int]int{}
			}
			b.used[i][b.key(u)] += n
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the use of places: %w", err)
	}
	return nil
}

func (b *book) future(ctx context.Context, engine pg.DB, ws id.Workspace, p portfolios.Portfolio, days []day, span Span) error {
	if p.Usable == nil {
		return nil
	}
	rows, err := engine.Query(ctx, sqlDemands, p.ID, ws)
	if err != nil {
		return fmt.Errorf("read what runs will need: %w", err)
	}
	var all []demand
	var u user
	var d demand
	_, err = pgx.ForEachRow(rows, []any{&u.own, &u.campaign, &d.kind, &d.starts, &d.people, &d.perDay, &d.priority, &d.share}, func() error {
		if d.people > 0 {
			d.key = b.key(u)
			all = append(all, d)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read what runs will need: %w", err)
	}
	b.planned, b.calendar.Later = forecast(days[span.Past:], all)
	return nil
}

const sqlNames = `
select id, name
from campaign
where workspace_id = $1
  and id = any ($2)`

func (b *book) names(ctx context.Context, tx pgx.Tx, ws id.Workspace) error {
	var ids []id.Campaign
	for _, l := range b.lines {
		if l.Who == WhoCampaign {
			ids = append(ids, l.CampaignID)
		}
	}
	rows, err := tx.Query(ctx, sqlNames, ws, ids)
	if err != nil {
		return fmt.Errorf("read the campaigns' names: %w", err)
	}
	var c id.Campaign
	var name string
	_, err = pgx.ForEachRow(rows, []any{&c, &name}, func() error {
		b.lines[b.users[user{true, c}]].Name = name
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the campaigns' names: %w", err)
	}
	return nil
}

// write puts the days together, the largest user of each first, others last.
func (b *book) write(days []day, span Span) {
	for i, d := range days {
		one := CalendarDay{Date: d.from.Format(time.DateOnly), Lines: []CalendarLine{}}
		coming := i - span.Past
		for k, l := range b.lines {
			l.Used = b.used[i][k]
			if coming >= 0 && coming < len(b.planned) {
				l.Planned = b.planned[coming][k]
			}
			if l.Used == 0 && l.Planned == 0 {
				continue
			}
			one.Used += l.Used
			one.Planned += l.Planned
			one.Lines = append(one.Lines, l)
		}
		if coming >= 0 && b.calendar.Usable != nil {
			free := max(0, d.pool.Effective-d.pool.Taken-one.Planned)
			one.Free = &free
		}
		slices.SortStableFunc(one.Lines, func(x, y CalendarLine) int {
			if (x.Who == WhoOthers) != (y.Who == WhoOthers) {
				return map[bool]int{true: 1, false: -1}[x.Who == WhoOthers]
			}
			return y.Used + y.Planned - x.Used - x.Planned
		})
		b.calendar.Days = append(b.calendar.Days, one)
	}
}
