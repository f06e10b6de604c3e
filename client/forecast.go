package client

import (
	"context"
	"net/url"
	"strconv"
	"time"
)

// Forecast says when a campaign's last message would leave.
type Forecast struct {
	Zone   string  // of the days
	Waves  []int64 // it goes in waves: who is reached by the end of each but the last
	Stays  Line    `json:"limit_stays"`
	Rises  *Line   `json:"limit_rises"` // nil: see NoRise
	NoRise string  `json:"no_rise"`     // unlimited, enough, quality, review, not_used
}

// Line is one course of things.
type Line struct {
	EndsAt *time.Time `json:"ends_at"` // nil: people are left
	Left   int64
	Waits  bool // people wait for places under the messaging limit
	Days   []struct {
		Date   string
		People int64
	}
	Steps []struct {
		At    time.Time
		Limit int64 // 0: unlimited
	}
}

// Growth is what to send on which days to earn a higher messaging limit.
type Growth struct {
	Days []struct {
		Date   string
		Limit  int64 // that the day begins with; 0: unlimited
		Send   int64
		Fresh  int64  // of those, to people with a consent of the last 90 days
		Earns  *int64 // the limit the day earns; 0: unlimited
		Review bool   // Meta looks at the portfolio
	}
	Left    int64
	Ends    int64  `json:"limit_at_end"` // 0: unlimited
	Needed  int64  // different people still to be reached at the limit of today
	Without int64  `json:"days_without"` // days the list takes if the limit never rises
	Why     string // why the plan counts on no higher limit
}

// PlanGrowth plans how the number's portfolio earns a higher messaging limit with
// a list of so many people, fresh of them with a consent of the last 90 days. A
// target of 0 goes as far as the list needs.
func (c *Client) PlanGrowth(ctx context.Context, number string, people, fresh, target int64) (Growth, error) {
	q := url.Values{}
	for name, n := range map[string]int64{"people": people, "fresh": fresh, "target": target} {
		q.Set(name, strconv.FormatInt(n, 10))
	}
	return get[Growth](ctx, c, path("numbers", number, "growth")+"?"+q.Encode())
}
