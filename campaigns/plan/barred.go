package plan

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
)

// sqlBarred begins with what is barred, which nearly always is nothing.
const sqlBarred = `
select i.contact_id, i.value
from country_bar cb
cross join unnest($3::uuid[]) as p(contact_id)
cross join lateral (
    select i.contact_id, i.value
    from identity i
    where i.workspace_id = $1
      and i.contact_id = p.contact_id
      and i.kind = 'phone'
      and i.country = cb.country) i
where cb.workspace_id = $1
  and cb.waba_id = $2
  and cb.until > bareed_now()`

// markBarred finds people whose phone is of a country that Meta does not let the
// account message. The claim asks again.
func markBarred(ctx context.Context, db pg.DB, s Scope, people []Person) error {
	contacts := make([]id.Contact, len(people))
	for i, p := range people {
		contacts[i] = p.Contact
	}
	rows, err := db.Query(ctx, sqlBarred, s.Workspace, s.WABA, contacts)
	if err != nil {
		return fmt.Errorf("look for barred countries: %w", err)
	}
	type phone struct {
		contact id.Contact
		value   string
	}
	barred := map[phone]bool{}
	var x phone
	if _, err = pgx.ForEachRow(rows, []any{&x.contact, &x.value}, func() error { barred[x] = true; return nil }); err != nil {
		return fmt.Errorf("look for barred countries: %w", err)
	}
	if len(barred) == 0 {
		return nil
	}
	for i, p := range people {
		people[i].barred = barred[phone{p.Contact, p.phone}]
	}
	return nil
}
