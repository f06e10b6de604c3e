package portfolios_test

import (
	"math"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/pg/pgtest"
	"bareed/numbers/portfolios"
)

func TestSettingsOfAPortfolio(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	first, second := fixture.NewBroadcast(t, pool), fixture.NewBroadcast(t, pool)
	second.Do(t, `update waba set portfolio_id = $1`, first.Portfolio)
	second.Do(t, `update number set portfolio_id = $1`, first.Portfolio)
	at := first.Portfolio
	do := func(b *fixture.Broadcast, fn func(tx pgx.Tx) error) error {
		return pool.InWorkspace(t.Context(), b.Workspace, fn)
	}
	reserve := func(b *fixture.Broadcast, part float64) error {
		return do(b, func(tx pgx.Tx) error {
			_, err := portfolios.SetReserve(t.Context(), tx, b.Actor, at, part)
			return err
		})
	}
	share := func(b *fixture.Broadcast, name string, n int, kinds ...string) error {
		return do(b, func(tx pgx.Tx) error {
			_, err := portfolios.SetShare(t.Context(), tx, b.Actor, at, portfolios.Share{Name: name, Places: n, Kinds: kinds})
			return err
		})
	}
	drop := func(b *fixture.Broadcast, name string) error {
		return do(b, func(tx pgx.Tx) error { return portfolios.DropShare(t.Context(), tx, b.Actor, at, name) })
	}
	for _, x := range []struct {
		name string
		err  error
		want string // "": done
	}{
		{"below zero", reserve(first, -0.1), "portfolio.reserve"},
		{"above nine tenths", reserve(first, 0.91), "portfolio.reserve"},
		{"no number", reserve(first, math.NaN()), "portfolio.reserve"},
		{"not the first to connect it", reserve(second, 0.2), "portfolio.not_kept"},
		{"a fifth", reserve(first, 0.2), ""},
		{"a name in capitals", share(first, "Orders", 10), "portfolio.share_name"},
		{"a long name", share(first, "orders-that-are-much-too-long-to-be-a-name", 10), "portfolio.share_name"},
		{"no places", share(first, "orders", 0), "portfolio.share_places"},
		{"a kind there is not", share(first, "orders", 10, "campaign"), "portfolio.kind"},
		{"more than is usable", share(first, "orders", 801), "portfolio.shares_too_large"},
		{"a stranger's share", share(second, "orders", 10), "portfolio.not_kept"},
		{"a share", share(first, "orders", 500, "api", "api"), ""},
		{"its kind twice", share(first, "alerts", 100, "api"), "portfolio.kind_taken"},
		{"both together too many", share(first, "alerts", 301), "portfolio.shares_too_large"},
		{"both together", share(first, "alerts", 300), ""},
		{"larger, it alone counts anew", share(first, "orders", 400, "reply"), ""},
		{"no room for the reserve", reserve(first, 0.5), "portfolio.shares_too_large"},
		{"a share there is not", drop(first, "gone"), "not_found"},
		{"a stranger drops one", drop(second, "alerts"), "portfolio.not_kept"},
		{"dropped", drop(first, "alerts"), ""},
		{"room for the reserve", reserve(first, 0.5), ""},
	} {
		if x.want == "" && x.err != nil || x.want != "" && !errs.Is(x.err, x.want) {
			t.Errorf("%s: %v, want %q", x.name, x.err, x.want)
		}
	}
	for _, b := range []*fixture.Broadcast{first, second} {
		var list []portfolios.Portfolio
		var deeds int
		b.In(t, func(tx pgx.Tx) (err error) {
			if err = tx.QueryRow(t.Context(), `select count(*) from audit where subject = $1`, at.String()).Scan(&deeds); err != nil {
				return err
			}
			list, err = portfolios.List(t.Context(), tx, b.Workspace)
			return err
		})
		if len(list) != 1 || list[0].ID != at || list[0].Reserve != 0.5 || *list[0].Usable != 500 || list[0].Kept != (b == first) ||
			len(list[0].Shares) != 1 || list[0].Shares[0].Places != 400 || list[0].Shares[0].Kinds[0] != "reply" {
			t.Errorf("the portfolio of %v: %+v", b.Workspace, list)
		}
		if want := map[bool]int{true: 6, false: 0}[b == first]; deeds != want {
			t.Errorf("%d deeds in the audit, want %d", deeds, want)
		}
	}
	stranger := fixture.NewBroadcast(t, pool)
	if err := reserve(stranger, 0.2); !errs.Is(err, "not_found") {
		t.Errorf("a stranger: %v", err)
	}
	first.Do(t, `update number set disconnected_at = bareed_now()`)
	if err := reserve(second, 0.1); err != nil {
		t.Errorf("the first has left, the second keeps it now: %v", err)
	}
}
