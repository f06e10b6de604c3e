// Package pages lists what people's pages read, so that the plans of it can be
// looked at beside a large run like those of the hot statements.
//
// bench calls it. It knows the nouns and nothing of how plans are read.
package pages

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/overview"
	"bareed/consents"
	"bareed/contacts/directory"
	"bareed/internal/id"
	"bareed/numbers"
)

// Read is one look of a page: in a transaction of the workspace, or as engine.
// Most is how many rows of a large table it may look at.
type Read struct {
	Name   string
	Engine bool
	Most   float64
	Do     func(ctx context.Context, tx pgx.Tx) error
}

// few is for looks that are about a page of things, however many there are.
const few = 2000

// Of lists the looks at a workspace, a portfolio and an audience of everybody.
func Of(ws id.Workspace, folio id.Portfolio, everybody id.Audience) []Read {
	ago := func() time.Time { return time.Now().AddDate(0, 0, -14) }
	find := func(q directory.Query) func(ctx context.Context, tx pgx.Tx) error {
		q.Limit = 51
		return func(ctx context.Context, tx pgx.Tx) error {
			_, _, err := directory.Find(ctx, tx, ws, q)
			return err
		}
	}
	return []Read{
		{Name: "home: the days", Most: few, Do: func(ctx context.Context, tx pgx.Tx) error {
			_, err := overview.Days(ctx, tx, ws, time.Now(), time.UTC, 14)
			return err
		}},
		{Name: "home: under way", Most: few, Do: func(ctx context.Context, tx pgx.Tx) error {
			_, err := overview.GetUnderway(ctx, tx, ws)
			return err
		}},
		{Name: "home: held", Most: few, Do: func(ctx context.Context, tx pgx.Tx) error {
			_, err := overview.ListHeld(ctx, tx, ws, 20)
			return err
		}},
		{Name: "home: who left", Most: few, Do: func(ctx context.Context, tx pgx.Tx) error {
			_, err := consents.GetOverview(ctx, tx, ws, ago())
			return err
		}},
		{Name: "operator: open runs", Engine: true, Most: few, Do: func(ctx context.Context, tx pgx.Tx) error {
			_, err := overview.ListOpen(ctx, tx, 500)
			return err
		}},
		{Name: "operator: intake", Engine: true, Most: 10_000, Do: func(ctx context.Context, tx pgx.Tx) error {
			_, err := overview.GetIntake(ctx, tx)
			return err
		}},
		{Name: "numbers: own places", Engine: true, Most: few, Do: func(ctx context.Context, tx pgx.Tx) error {
			_, err := numbers.OwnPlaces(ctx, tx, ws, []numbers.Portfolio{{ID: folio}})
			return err
		}},
		{Name: "contacts: page", Most: few, Do: find(directory.Query{})},
		{Name: "contacts: page of an audience", Most: few, Do: find(directory.Query{Audience: everybody})},
		{Name: "contacts: a phone number", Most: few, Do: find(directory.Query{Text: "+97150 0000007"})},
		{Name: "contacts: a name nobody has", Most: directory.LookedThrough, Do: find(directory.Query{Text: "nobody"})},
		{Name: "contacts: the same in an audience", Most: directory.LookedThrough, Do: find(directory.Query{Text: "nobody", Audience: everybody})},
	}
}
