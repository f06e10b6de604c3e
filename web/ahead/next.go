package ahead

import (
	"bareed/campaigns/forecast"
	"bareed/campaigns/growth"
	"bareed/web/ui"
)

// Next says how many more people a limit asks for before Meta raises it, given
// how many were reached at least.
func Next(l ui.Locale, limit, reached int64, reserve float64) string {
	p := growth.Make(growth.Input{Limit: limit, Reached: reached, Reserve: reserve, List: 10 * limit, Good: true})
	switch next := forecast.Next(limit); {
	case p.Why == growth.Review:
		return l.Of("ahead.growth.why", p.Why)
	case next == 0:
		return l.T("ahead.next.none", "n", p.Needed)
	default:
		return l.T("ahead.next", "n", p.Needed, "limit", next)
	}
}
