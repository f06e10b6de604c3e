package check_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/check"
)

// The eligible people are counted by the country of the address that would be
// used: the phone's, what a business-scoped id begins with, or the phone read
// once more where none was kept. Nobody who is left out counts.
func TestCountries(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 0)
	people := b.AddPeople(t, b.Audience, 2100) // more than one chunk
	b.Do(t, `update identity set country = 'EG' where workspace_id = $1 and contact_id = any ($2)`, b.Workspace, people[:700])
	b.Do(t, `update identity set country = '', value = '+201001234567' where workspace_id = $1 and contact_id = $2`, b.Workspace, people[700])
	b.Do(t, `update identity set country = '', value = '+999123' where workspace_id = $1 and contact_id = $2`, b.Workspace, people[701])
	b.Do(t, `update identity set kind = 'bsuid', portfolio_id = $3, key = 'BR.55', value = 'BR.55', country = '' where workspace_id = $1 and contact_id = $2`,
		b.Workspace, people[702], b.Portfolio)
	b.Do(t, `update permission set granted = false where workspace_id = $1 and contact_id = any ($2)`, b.Workspace, people[2000:])
	k := b.Check(t, b.Campaign(t, "Where they are").ID)
	var list []check.Country
	b.In(t, func(tx pgx.Tx) (err error) {
		list, err = check.Countries(t.Context(), tx, b.Workspace, k.ID)
		return err
	})
	got, sum := map[string]int64{}, int64(0)
	for _, c := range list {
		got[c.Country] = c.People
		sum += c.People
		if c.Windows != 0 {
			t.Errorf("windows of a marketing campaign: %+v", c)
		}
	}
	want := map[string]int64{"SA": 1297, "EG": 701, "": 1, "BR": 1}
	for country, n := range want {
		if got[country] != n {
			t.Errorf("%q has %d, want %d", country, got[country], n)
		}
	}
	if len(got) != len(want) || sum != k.Eligible || list[0].Country != "SA" {
		t.Errorf("%v, of %d eligible", list, k.Eligible)
	}
}
