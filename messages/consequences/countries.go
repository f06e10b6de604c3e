package consequences

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
)

// countryMost people of one country within a day bar it for a day: what is left
// of it would be refused the same way (130497). Then it is tried anew.
const countryMost = 5

// sqlRefuseCountry finds the country of the number that was messaged; a person
// known by a business-scoped id alone has none.
const sqlRefuseCountry = `
with person as (
    select n.waba_id, i.country, m.recipient_hash
    from message m
    join number n on n.workspace_id = $1 and n.id = $4
    join identity i on i.workspace_id = $1 and i.contact_id = m.contact_id and i.kind = 'phone' and i.value = m.address
    where m.workspace_id = $1
      and m.run_id = $2
      and m.ordinal = $3
      and i.country <> ''
    limit 1)
insert into country_refusal (workspace_id, waba_id, country, recipient_hash, at)
select $1, waba_id, country, recipient_hash, $5
from person
on conflict (workspace_id, waba_id, country, recipient_hash) do update
set at = greatest(country_refusal.at, excluded.at)
returning waba_id, country`

const sqlBarCountry = `
insert into country_bar (workspace_id, waba_id, country, until)
select $1, $2, $3, bareed_now() + interval '24 hours'
where (
    select count(*)
    from country_refusal r
    where r.workspace_id = $1
      and r.waba_id = $2
      and r.country = $3
      and r.at > bareed_now() - interval '24 hours') >= $4
on conflict (workspace_id, waba_id, country) do update
set until = excluded.until, since = case when country_bar.until > bareed_now() then country_bar.since else bareed_now() end`

const sqlForgetRefusals = `
delete from country_refusal
where workspace_id = $1
  and waba_id = $2
  and country = $3`

// refuseCountry notes whose country the account may not message, and bars the
// countries of which that happened to enough people. From the commit on no
// message to them is claimed.
func refuseCountry(ctx context.Context, tx pgx.Tx, ws id.Workspace, list []Failure) error {
	for _, f := range list {
		var waba id.WABA
		var country string
		err := tx.QueryRow(ctx, sqlRefuseCountry, ws, f.Message.Run, f.Message.Ordinal, f.Number, f.At).Scan(&waba, &country)
		if err == pgx.ErrNoRows {
			continue
		}
		if err != nil {
			return fmt.Errorf("note a country that may not be messaged: %w", err)
		}
		tag, err := tx.Exec(ctx, sqlBarCountry, ws, waba, country, countryMost)
		if err != nil {
			return fmt.Errorf("bar a country: %w", err)
		}
		if tag.RowsAffected() == 0 {
			continue
		}
		if _, err := tx.Exec(ctx, sqlForgetRefusals, ws, waba, country); err != nil {
			return fmt.Errorf("forget refusals of a barred country: %w", err)
		}
	}
	return nil
}
