package pages

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/difference"
	"bareed/internal/id"
)

// Differences lists the looks at a campaign's check beside its run of so many
// people: the summary, which reads both whole on purpose, and the pages of the file.
func Differences(ws id.Workspace, campaign id.Campaign, people int) []Read {
	page := func(name string, want difference.Want) Read {
		return Read{Name: name, Most: 15_000, Do: func(ctx context.Context, tx pgx.Tx) error {
			p, err := difference.Find(ctx, tx, ws, campaign, id.Run{})
			if err == nil {
				_, _, err = p.Next(ctx, tx, ws, want, difference.Place{})
			}
			return err
		}}
	}
	return []Read{
		{Name: "differences: the summary (counts the run)", Most: float64(people) * 1.2, Do: func(ctx context.Context, tx pgx.Tx) error {
			_, err := difference.Get(ctx, tx, ws, campaign, id.Run{})
			return err
		}},
		page("differences: 5,000 people of the check", difference.Want{}),
		page("differences: 5,000 people of the run", difference.Want{AtCheck: difference.NotThere}),
	}
}
