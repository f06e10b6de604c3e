package client

import (
	"context"
	"iter"
	"net/url"
	"time"
)

// Rules are when a campaign is sent: once, or again and again, within hours.
type Rules struct {
	At                 string      `json:"at,omitempty"` // once: 2026-12-01T10:00, with Zone
	Recurring          *Recurrence `json:"recurring,omitempty"`
	Zone               string      `json:"zone,omitempty"`           // IANA name
	RecipientTime      bool        `json:"recipient_time,omitempty"` // each person's own zone; Zone where it is not known
	Window             *Window     `json:"window,omitempty"`
	QuietHours         *Span       `json:"quiet_hours,omitempty"`
	MaxLatenessMinutes *int        `json:"max_lateness_minutes,omitempty"` // nil: 60
}

// Recurrence is what recurs.
type Recurrence struct {
	Every    string   `json:"every"`              // day, week, month, cron
	Time     string   `json:"time,omitempty"`     // 10:00
	Weekdays []string `json:"weekdays,omitempty"` // monday …
	Day      int      `json:"day,omitempty"`      // of the month
	LastDay  bool     `json:"last_day,omitempty"`
	Cron     string   `json:"cron,omitempty"`  // five fields
	Start    string   `json:"start,omitempty"` // 2026-12-01
	End      string   `json:"end,omitempty"`
}

// Window is the part of the day in which messages may leave.
type Window struct {
	From  string `json:"from"`
	To    string `json:"to"`
	After string `json:"after,omitempty"` // of people left at its end: continue, expire
}

// Span is a part of the day; over midnight when it ends before it begins.
type Span struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Schedule is when a campaign runs, as the answer tells it.
type Schedule struct {
	At                          time.Time // zero: at launch
	Zone, Local, Adjusted, Runs string
	RecipientTime               bool `json:"recipient_time"`
	Recurring                   *Recurrence
	Window                      *Window
	QuietHours                  *Span      `json:"quiet_hours"`
	MaxLatenessMinutes          *int       `json:"max_lateness_minutes"`
	Next                        []Schedule // the coming firings of what recurs
	Notes                       []Note
}

// Note is what is special about coming firings.
type Note struct {
	Code   string
	Params map[string]any
	Text   string
}

// Firing is one firing of a campaign.
type Firing struct {
	RunID       string `json:"run_id"`
	State       string
	Reason      string    // why it was missed
	StartsAt    time.Time `json:"starts_at"`
	Zone, Local string
	StartedAt   *time.Time `json:"started_at"`
	EndedAt     *time.Time `json:"ended_at"`
	LateSeconds int64      `json:"late_seconds"`
	Total       int64
	Suppressed  int64
	Accepted    int64
	Delivered   int64
	Failed      int64
}

// ListFirings ranges over a campaign's firings, newest first: the one that waits,
// those that were sent and those that were missed.
func (c *Client) ListFirings(ctx context.Context, campaign string) iter.Seq2[Firing, error] {
	return all[Firing](ctx, c, path("campaigns", campaign, "firings"), url.Values{})
}
