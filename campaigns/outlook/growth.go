package outlook

import (
	"bareed/campaigns/growth"
)

// Growth is the plan that earns higher limits with the campaign's people; fresh
// is how many of them have a fresh consent.
func (o Outlook) Growth(fresh int64) growth.Plan {
	in := growth.Input{Starts: later(o.Input.Now, o.Input.Starts), Zone: o.Input.Zone, Limit: o.Input.Limit, Reserve: o.Input.Reserve,
		List: o.Input.People - o.Input.Free, Fresh: fresh, Good: o.Input.Good, PerDay: int64(o.Input.PerSecond * 86_400)}
	for _, u := range o.Input.Used {
		in.Reached += u.People
	}
	return growth.Make(in)
}
