package wizard

import (
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/plan"
	"bareed/contacts"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/ui"
)

const maxAudiencesShown = 200

// audienceView is the second step's own part.
type audienceView struct {
	All    []contacts.Audience
	Chosen int
	One    id.Audience // the chosen one, where there is only one: a file is imported into it
	Reach  plan.Reach  // of the chosen ones, each person once
}

func (s *desk) audienceView(c *front.Call, tx pgx.Tx, v *view, f *ui.Form) (*audienceView, error) {
	a := &audienceView{}
	var err error
	if a.All, err = contacts.ListAudiences(c.Ctx(), tx, c.Actor().Workspace, id.Audience{}, maxAudiencesShown); err != nil {
		return nil, err
	}
	chosen := chosenAudiences(f)
	a.Chosen = len(chosen)
	if len(chosen) == 1 {
		a.One = chosen[0]
	}
	if len(chosen) > 0 {
		a.Reach, err = plan.CountReach(c.Ctx(), tx, c.Actor().Workspace, chosen, v.Campaign.Purpose)
	}
	return a, err
}

// chosenAudiences are the ticked ones in the order of their ids, as a draft
// keeps them.
func chosenAudiences(f *ui.Form) []id.Audience {
	list := []id.Audience{}
	for _, text := range f.Values["audience"] {
		if a, err := id.Parse[id.Audience](text); err == nil && !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	slices.SortFunc(list, func(a, b id.Audience) int { return slices.Compare(a[:], b[:]) })
	return list
}

func audienceChange(_ *front.Call, f *ui.Form, ch *campaigns.Change) {
	chosen := chosenAudiences(f)
	ch.AudienceIDs = &chosen
}

// digits reads a number as people write it: digits of both scripts, without
// what stands between thousands.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '٠' && r <= '٩':
			return '0' + r - '٠'
		case r == ',' || r == '٬' || r == ' ' || r == '\u00a0':
			return -1
		}
		return r
	}, s)
}
