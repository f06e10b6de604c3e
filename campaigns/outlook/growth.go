package outlook

import (
	"bareed/campaigns/growth"
)

// Growth is the plan that earns higher limits with the campaign's people; fresh
// is how many of them have a fresh consent, target the limit at which it ends, 0
// for as far as the people need.
func (o Outlook) Growth(fresh, target int64) growth.Growth {
	if !o.Known {
		return growth.Growth{Days: []growth.GrowthDay{}, Why: growth.Unknown}
	}
	in := growth.Input{Starts: later(o.Input.Now, o.Input.Starts), Zone: o.Input.Zone, Limit: o.Input.Limit, Target: target, Reserve: o.Input.Reserve,
		List: o.Input.People - o.Input.Free, Fresh: fresh, Good: o.Input.Good, PerDay: int64(o.Input.PerSecond * 86_400)}
	for _, u := range o.Input.Used {
		in.Reached += u.People
	}
	return growth.Make(in)
}
