package breaker

import (
	"fmt"
	"slices"
)

// The reasons of warnings. A warning holds nothing: a person should look.
const (
	ReadsLow = "reads_low" // the first hour was read far less than is usual for the number
	ListPoor = "list_poor" // so many could not be reached or may not be messaged that the list is in doubt
)

// Hour is how a run was taken in its first hour.
type Hour struct {
	Delivered int64
	Read      int64 // of those
}

func (h Hour) share() float64 { return float64(h.Read) * 100 / float64(max(h.Delivered, 1)) }

// leastHours is how many earlier first hours there must be before one is called
// usual.
const leastHours = 3

// FirstHour compares a run's first hour with the median of the number's earlier
// ones. Hours with too few deliveries say nothing, here and there.
func (p Policy) FirstHour(h Hour, before []Hour) Finding {
	var shares []float64
	for _, b := range before {
		if b.Delivered >= p.ReadsAfter {
			shares = append(shares, b.share())
		}
	}
	usual := median(shares)
	x := Finding{Kind: Warn, Reach: TheCampaign, Reason: ReadsLow,
		Threshold: fmt.Sprintf("< %s × %.1f %%", percent(p.ReadsBelow), usual),
		Measured:  fmt.Sprintf("%.1f %% (%d / %d)", h.share(), h.Read, h.Delivered)}
	x.Judged = h.Delivered >= p.ReadsAfter && len(shares) >= leastHours
	x.Over = x.Judged && h.share() < usual*p.ReadsBelow/100
	return x
}

// median is the middle of the values, of an even number the mean of the two; 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// List judges who was written to: answered is everybody delivered to or failed,
// poor those of them that failed with 131026 (cannot be reached), 131049 (Meta's
// own limit of marketing messages) or 130472 (Meta's experiment).
func (p Policy) List(answered, poor int64) Finding {
	x := Finding{Kind: Warn, Reach: TheCampaign, Reason: ListPoor, Threshold: fmt.Sprintf("> %s (≥ %d)", percent(p.ListOver), p.AnswersOf)}
	return x.of(poor, answered, int64(p.AnswersOf), p.ListOver)
}
