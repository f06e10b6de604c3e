// Package forecast owns the prediction of when a campaign's last message
// leaves: what the portfolio's messaging limit, the number's rate, the hours and
// other campaigns leave of each day, in two lines. One is for a limit that stays
// as it is, one for a limit that Meta raises on the way.
//
// It is arithmetic alone: campaigns/outlook brings the figures, check, the pages
// and the simulator show what comes of them. It must not know the database, nor
// who the people are.
package forecast

import (
	"time"
)

const (
	// Horizon is how far ahead a line looks: what is left then is told as left.
	Horizon = 400 * 24 * time.Hour
	// day is how long a person counts (Meta, messaging limits: a moving 24 hours).
	day = 24 * time.Hour
	// week and riseAfter are Meta's automatic scaling: half of the limit in use
	// within seven days raises it by a step, within six hours.
	week      = 7 * day
	riseAfter = 6 * time.Hour
	riseShare = 0.5
)

// Input is how everything stands at Now.
type Input struct {
	Now    time.Time
	Starts time.Time // when the campaign's first message may leave; Now when earlier
	People int64     // that the campaign still writes to
	Free   int64     // of those: in an open service window or holding a place already, so that they need none

	Limit   int64   // people in 24 h; 0: unlimited
	Reserve float64 // share of the limit that is left to other tools
	Used    []Freed // places that are taken now, oldest first
	Shares  []Share // parts of the usable places that only those may take who name them

	Priority string // high, normal (also empty) or low: what it leaves to others where places are scarce
	Share    string // the share it takes from besides open places; empty: none
	Paced    bool   // PerSecond is its own pace, not the number's

	PerSecond float64 // what the campaign's messages leave at when nothing else holds them
	Number    float64 // what all campaigns of its number leave at together; 0: PerSecond
	Others    []Other // campaigns that claim places of the same portfolio

	// Around gives the hours in which messages may leave that hold an instant, or
	// the next ones, as schedule.Hours.Around; closes is zero when they never end.
	// Nil: at any time.
	Around func(time.Time) (opens, closes time.Time)
	Waves  []Wave         // in rising order; the last one, everybody, is not among them
	Until  time.Time      // nobody is written to then or later; zero: no such time
	Zone   *time.Location // of the calendar; UTC when nil

	Reached int64 // different people of the last seven days, at least
	Good    bool  // the portfolio's quality is what Meta asks for a higher limit
}

// Freed is when so many places are free again.
type Freed struct {
	At     time.Time
	People int64
	Share  string // they were taken from; empty: open ones
}

// Share is a part of a portfolio's usable places (numbers/places).
type Share struct {
	Name   string
	Places int64
}

// Wave is a part of the campaign after which it is watched for a while: nobody is
// written to between its last message and the end of Wait.
type Wave struct {
	People int64 // written to by its end, counted from now
	Wait   time.Duration
}

// Other is another campaign on the same portfolio.
type Other struct {
	Starts     time.Time
	People     int64   // that still need a place
	PerSecond  float64 // as Input's
	SameNumber bool    // it shares the number's rate

	Priority, Share string // as Input's
	Paced           bool
}

// Why a limit is not expected to rise, as Forecast.NoRise.
const (
	Unlimited = "unlimited" // there is no limit
	Enough    = "enough"    // it holds nobody up
	Quality   = "quality"   // Meta raises it at good quality alone
	Review    = "review"    // below 2,000 Meta asks for a verification first
	NotUsed   = "not_used"  // half of it is not used within seven days
)

// Forecast is both lines.
type Forecast struct {
	Zone   string      `json:"zone" doc:"Of the days."`
	Waves  []int64     `json:"waves,omitempty" doc:"It goes in waves: who is reached by the end of each but the last, counted from now. Each is watched for the shortest time before the next."`
	Stays  Prediction  `json:"limit_stays"`
	Rises  *Prediction `json:"limit_rises,omitempty" doc:"If Meta raises the limit a step whenever half of it was used within seven days. Absent: see no_rise."`
	NoRise string      `json:"no_rise,omitempty" enum:"unlimited,enough,quality,review,not_used" doc:"Why there is no second line."`
}

// Prediction is one course of things.
type Prediction struct {
	EndsAt *time.Time  `json:"ends_at,omitempty" doc:"When the last message leaves; absent: people are left."`
	Left   int64       `json:"left,omitempty" doc:"People not reached within 400 days, or before the hours end after which the campaign expires."`
	Waits  bool        `json:"waits" doc:"People wait for a place under the messaging limit."`
	Days   []DayCount  `json:"days" doc:"How many go on which day, in the campaign's zone; days without any are left out."`
	Steps  []LimitRise `json:"steps,omitempty" doc:"When the limit is expected to rise."`
}

// DayCount is how many people one day takes.
type DayCount struct {
	Date   string `json:"date" doc:"2026-12-01"`
	People int64  `json:"people"`
}

// LimitRise is one rise of the limit.
type LimitRise struct {
	At    time.Time `json:"at"`
	Limit int64     `json:"limit" doc:"0: unlimited."`
}

// Predict works both lines out.
func Predict(in Input) Forecast {
	in = in.filled()
	f := Forecast{Zone: in.Zone.String(), Stays: newCourse(in, false).run()}
	for _, w := range in.Waves {
		f.Waves = append(f.Waves, w.People)
	}
	switch {
	case in.Limit == 0:
		f.NoRise = Unlimited
	case !f.Stays.Waits:
		f.NoRise = Enough
	case in.Limit < lowestAutomatic:
		f.NoRise = Review
	case !in.Good:
		f.NoRise = Quality
	default:
		rises := newCourse(in, true).run()
		if len(rises.Steps) == 0 {
			f.NoRise = NotUsed
			break
		}
		f.Rises = &rises
	}
	return f
}

func (in Input) filled() Input {
	if in.Starts.Before(in.Now) {
		in.Starts = in.Now
	}
	if in.Number == 0 {
		in.Number = in.PerSecond
	}
	if in.Zone == nil {
		in.Zone = time.UTC
	}
	in.Free = min(in.Free, in.People)
	return in
}

// lowestAutomatic is the smallest limit that rises by itself: a new portfolio's
// 250 become 2,000 by verification or review (Meta, messaging limits).
const lowestAutomatic = 2000

// Next is the limit one step above; 0 above the last: unlimited.
func Next(limit int64) int64 {
	for _, step := range []int64{250, 2000, 10_000, 100_000} {
		if step > limit {
			return step
		}
	}
	return 0
}

// Usable is what of a limit may be taken when a share of it is left to other tools.
func Usable(limit int64, reserve float64) int64 { return int64(float64(limit)*(1-reserve) + 0.001) }

const (
	// bulk is the part of Meta's rate at which the feeder hands campaigns over: a
	// tenth is left for replies, and a little so that nothing queues (scheduler).
	bulk = 0.9 * 0.985
	// coexistence is Meta's fixed rate of a number that is used in the Business app too.
	coexistence = 20
)

// BulkRate is at how many a second a number's campaigns leave.
func BulkRate(perSecond int, onBizApp bool) float64 {
	if onBizApp {
		perSecond = min(perSecond, coexistence)
	}
	return float64(perSecond) * bulk
}

// Pace is a campaign's own speed on such a number; perMinute 0: none of its own.
func Pace(rate float64, perMinute int) float64 {
	if perMinute > 0 {
		return min(rate, float64(perMinute)/60)
	}
	return rate
}
