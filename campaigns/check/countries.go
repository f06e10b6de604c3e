package check

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/campaigns/plan"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Country is how many of the eligible people have their number there, by which
// Meta prices.
type Country struct {
	Country string `json:"country" doc:"ISO 3166-1 alpha-2; empty: not known"`
	People  int64  `json:"people"`
	Windows int64  `json:"windows" doc:"Of them: with an open service window at the check; counted for utility templates only"`
}

const sqlCountCountries = `
insert into plan_check_country (workspace_id, check_id, country, people, windows)
select $1, $2, c.country, c.people, c.windows
from unnest($3::text[], $4::bigint[], $5::bigint[]) as c(country, people, windows)
on conflict (workspace_id, check_id, country) do update
set people = plan_check_country.people + excluded.people,
    windows = plan_check_country.windows + excluded.windows`

// countCountries adds a chunk's eligible people to the counts, in the chunk's
// own transaction.
func countCountries(ctx context.Context, tx pgx.Tx, v *accounts.Vault, ws id.Workspace, c campaigns.Campaign, check id.Check, eligible []plan.Person) error {
	open := make([]bool, len(eligible))
	if c.Purpose == "utility" && len(eligible) > 0 {
		var err error
		if open, err = plan.OpenWindows(ctx, tx, v, ws, c.NumberID, eligible); err != nil {
			return err
		}
	}
	count := map[string]Country{}
	for i, p := range eligible {
		at := count[p.Country()]
		at.People++
		if open[i] {
			at.Windows++
		}
		count[p.Country()] = at
	}
	countries := slices.Sorted(maps.Keys(count))
	people, windows := make([]int64, len(countries)), make([]int64, len(countries))
	for i, code := range countries {
		people[i], windows[i] = count[code].People, count[code].Windows
	}
	if _, err := tx.Exec(ctx, sqlCountCountries, ws, check, countries, people, windows); err != nil {
		return fmt.Errorf("count the countries: %w", err)
	}
	return nil
}

const sqlCountries = `
select country, people, windows
from plan_check_country
where workspace_id = $1
  and check_id = $2
order by people desc, country`

// Countries reads the eligible people of a check by country, most first.
func Countries(ctx context.Context, db pg.DB, ws id.Workspace, check id.Check) ([]Country, error) {
	return pg.All(ctx, db, "read the countries", pgx.RowToStructByPos[Country], sqlCountries, ws, check)
}
