package check_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/check"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/templates"
)

func newBroadcast(t *testing.T, people int) *fixture.Broadcast {
	t.Helper()
	b := fixture.NewBroadcast(t, pgtest.New(t))
	b.AddPeople(t, b.Audience, people)
	return b
}

func TestPredictions(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 25)
	if _, err := b.Pool.Engine().Exec(t.Context(), `update portfolio set messaging_limit = 10, places = 2 where id = $1`, b.Portfolio); err != nil {
		t.Fatal(err)
	}
	b.Do(t, `update number set quality = 'YELLOW' where workspace_id = $1`, b.Workspace)
	k := b.Check(t, b.Campaign(t, "Predicted").ID)
	// 10 less a reserve of 1: 9 a day; 7 left now, then 18 of 25 remain: two more days.
	if k.Limit == nil || k.Limit.Left == nil || *k.Limit.Left != 7 || k.Limit.DaysAtMin != 3 {
		t.Errorf("limit %+v", k.Limit)
	}
	var codes []string
	for _, w := range k.Warnings {
		codes = append(codes, w.Code)
		if _, ok := errs.Lookup(w.Code); !ok {
			t.Errorf("%s is not in the catalogue", w.Code)
		}
	}
	// Nobody has asked Meta yet whether the number may send.
	if !slices.Equal(codes, []string{"campaign.warn_quality", "campaign.warn_limit", "campaign.warn_health_unknown"}) {
		t.Errorf("warnings %v", codes)
	}
}

// Places that are kept for others are not left for a campaign without the share.
func TestPredictionsBesideAShare(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 25)
	for _, sql := range []string{`update portfolio set messaging_limit = 10, places = 2 where id = $1`,
		`insert into portfolio_share (portfolio_id, name, size, used) values ($1, 'orders', 4, 1)`} {
		if _, err := b.Pool.Engine().Exec(t.Context(), sql, b.Portfolio); err != nil {
			t.Fatal(err)
		}
	}
	news, orders := b.Campaign(t, "News").ID, b.Campaign(t, "Orders").ID
	b.Do(t, `update campaign set share = 'orders' where id = $1`, orders)
	// 9 a day, 4 of them for orders: 5 a day for the news. 7 are free now, 3 of them for orders.
	if l := b.Check(t, news).Limit; *l.Left != 4 || l.DaysAtMin != 6 {
		t.Errorf("the news: %+v, %d left", l, *l.Left)
	}
	if l := b.Check(t, orders).Limit; *l.Left != 7 || l.DaysAtMin != 3 {
		t.Errorf("orders: %+v, %d left", l, *l.Left)
	}
}

// How the newest check stands is read without what it foretells, and a template that
// Meta changed outdates it there as well.
func TestNewest(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 3)
	c := b.Campaign(t, "Newest")
	newest := func() (k check.Check, err error) {
		err = b.Pool.InWorkspace(t.Context(), b.Workspace, func(tx pgx.Tx) error {
			now, err := templates.Get(t.Context(), tx, b.Workspace, b.Template)
			if err == nil {
				k, err = check.Newest(t.Context(), tx, b.Workspace, c.ID, now)
			}
			return err
		})
		return k, err
	}
	if _, err := newest(); !errs.Is(err, "not_found") {
		t.Errorf("before the first check: %v", err)
	}
	b.Check(t, c.ID)
	whole := b.Check(t, c.ID)
	k, err := newest()
	if err != nil || k.ID != whole.ID || k.State != "completed" || k.Eligible != 3 || k.Outdated || k.Template == nil {
		t.Errorf("%+v, %v", k, err)
	}
	if whole.Limit == nil || k.Limit != nil || k.Forecast != nil || k.Warnings != nil {
		t.Errorf("it foretells: %+v, %+v, %v", k.Limit, k.Forecast, k.Warnings)
	}
	b.Do(t, `update template set category = 'UTILITY' where workspace_id = $1`, b.Workspace)
	if k, err := newest(); err != nil || !k.Outdated || len(k.Template.Differences) == 0 {
		t.Errorf("after the template changed: %+v, %v", k, err)
	}
}

func TestRows(t *testing.T) {
	t.Parallel()
	b := newBroadcast(t, 3)
	b.Do(t, `update permission set granted = false where workspace_id = $1 and contact_id = (select max(id::text)::uuid from contact where workspace_id = $1)`, b.Workspace)
	c := b.Campaign(t, "Rows")
	first := b.Check(t, c.ID)
	second := b.Check(t, c.ID)
	read := func(reason string, reveal bool) (list []check.Row) {
		b.In(t, func(tx pgx.Tx) (err error) {
			list, err = check.Rows(t.Context(), tx, b.Workspace, second.ID, reason, id.Contact{}, 10, reveal)
			return err
		})
		return list
	}
	if all, out, in := read("", false), read("opted_out", false), read("eligible", true); len(all) != 3 || len(out) != 1 || len(in) != 2 {
		t.Errorf("%d rows, %d opted out, %d eligible", len(all), len(out), len(in))
	} else if out[0].Phone == "" || in[0].Phone[:5] != "+9665" || all[0].Phone == in[0].Phone {
		t.Errorf("masked %q, whole %q", all[0].Phone, in[0].Phone)
	}
	for k, code := range map[id.Check]string{first.ID: "check.replaced", id.New[id.Check](): "not_found"} {
		err := b.Pool.InWorkspace(t.Context(), b.Workspace, func(tx pgx.Tx) error {
			return check.HasRows(t.Context(), tx, b.Workspace, c.ID, k)
		})
		if !errs.Is(err, code) {
			t.Errorf("%v, want %s", err, code)
		}
	}
}

func TestFileOfRows(t *testing.T) {
	t.Parallel()
	pages := [][]check.Row{{{Name: "=1+1", Phone: "+966500000001", Reason: "opted_out"}}, {{Name: "Amal"}}, nil}
	var file strings.Builder
	err := check.WriteCSV(&file, func(id.Contact) ([]check.Row, error) {
		page := pages[0]
		pages = pages[1:]
		return page, nil
	})
	none := id.Contact{}.String()
	want := "contact_id,name,phone,reason\n" + none + ",'=1+1,+966500000001,opted_out\n" + none + ",Amal,,\n"
	if err != nil || file.String() != want {
		t.Errorf("%v\n%s", err, file.String())
	}
}
