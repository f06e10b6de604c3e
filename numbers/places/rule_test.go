package places

import (
	"slices"
	"testing"
)

// 10,000 people in 24 hours, all of it usable, of which 3,000 are kept for orders.
func tenThousand(open, orders int) Pool {
	return Pool{Limit: 10_000, Effective: 10_000, Taken: open + orders,
		Shares: []Share{{Name: "orders", Size: 3000, Used: orders, Kinds: []string{"api"}}}}
}

func TestWhoMayTakeHowMany(t *testing.T) {
	t.Parallel()
	lowered := tenThousand(5000, 1000)
	lowered.Effective = 7000
	below := tenThousand(5000, 1000)
	below.Effective = 2000
	shrunk := Pool{Limit: 1000, Effective: 1000, Taken: 500, Shares: []Share{{Name: "orders", Size: 100, Used: 300}}}
	none := Pool{Limit: 1000, Effective: 900, Taken: 100}
	for _, c := range []struct {
		name             string
		pool             Pool
		share, kind      string
		ahead            []Demand
		wantOwn, wantAll int
	}{
		{"nobody there", tenThousand(0, 0), "", "campaign", nil, 0, 7000},
		{"the share's own", tenThousand(0, 0), "orders", "campaign", nil, 3000, 7000},
		{"by kind", tenThousand(0, 0), "", "api", nil, 3000, 7000},
		{"a share that is not there", tenThousand(0, 0), "gone", "campaign", nil, 0, 7000},
		{"a kind beside a name that is not there", tenThousand(0, 0), "gone", "api", nil, 0, 7000},
		{"open ones used up", tenThousand(7000, 0), "", "campaign", nil, 0, 0},
		{"and the share still has its own", tenThousand(7000, 0), "orders", "campaign", nil, 3000, 0},
		{"the share used up takes open ones", tenThousand(2000, 3000), "orders", "campaign", nil, 0, 5000},
		{"which leaves the others fewer", tenThousand(2000, 3000), "", "campaign", nil, 0, 5000},
		{"used in part", tenThousand(6000, 1000), "", "campaign", nil, 0, 1000},
		{"the limit was lowered", lowered, "", "campaign", nil, 0, 0},
		{"lowered, the share has what is left", lowered, "orders", "campaign", nil, 1000, 0},
		{"lowered below what is used", below, "orders", "campaign", nil, 0, 0},
		{"the share was made smaller than its use", shrunk, "", "campaign", nil, 0, 500},
		{"no shares", none, "", "campaign", nil, 0, 800},
		{"somebody goes before", none, "", "campaign", []Demand{{People: 300}}, 0, 500},
		{"somebody who wants all", none, "", "campaign", []Demand{{People: 300}, {People: 5000}}, 0, 0},
		{"the share serves who is before", tenThousand(0, 0), "", "campaign", []Demand{{Share: "orders", People: 3000}}, 0, 7000},
		{"and what it cannot is taken of the open", tenThousand(0, 0), "", "campaign", []Demand{{Kind: "api", People: 4000}}, 0, 6000},
		{"before, in the same share", tenThousand(0, 0), "orders", "campaign", []Demand{{Share: "orders", People: 1000}}, 2000, 7000},
		{"before, but in the open, costs a share nothing", tenThousand(0, 0), "orders", "campaign", []Demand{{People: 9000}}, 3000, 0},
	} {
		own, open := c.pool.room(c.pool.shareOf(c.share, c.kind), c.ahead)
		if own != c.wantOwn || open != c.wantAll {
			t.Errorf("%s: %d of the share and %d open, want %d and %d", c.name, own, open, c.wantOwn, c.wantAll)
		}
	}
}

func TestOnePersonAtTheDesk(t *testing.T) {
	t.Parallel()
	const all = 10
	pool := func(taken int) Pool {
		return Pool{Limit: all, Effective: all, Taken: taken, Shares: []Share{{Name: "orders", Size: 3, Used: min(1, taken)}}}
	}
	over := pool(all + 1)
	for _, c := range []struct {
		name  string
		pool  Pool
		share string
		found row
		want  verdict
		of    string
		taken int // afterwards
	}{
		{"new", pool(1), "", row{}, taken, "", 2},
		{"new, of the share", pool(1), "orders", row{}, taken, "orders", 2},
		{"new, only the share is free", pool(8), "", row{}, refused, "", 8},
		{"new, only the share is free, its own", pool(8), "orders", row{}, taken, "orders", 9},
		{"new, full", pool(all), "orders", row{}, refused, "", all},
		{"there, held, reserved just now", pool(all), "", row{there: true, live: true, mine: true, held: true, fresh: true}, given, "", all},
		{"there, held, a while ago", pool(all), "", row{there: true, live: true, mine: true, held: true}, renewed, "", all},
		{"there, somebody else's", pool(all), "", row{there: true, live: true, fresh: true}, renewed, "", all},
		{"there, of the share, for its own", pool(8), "orders", row{there: true, live: true, share: "orders"}, renewed, "orders", 8},
		{"there, of the share, for another: it moves", pool(3), "", row{there: true, live: true, share: "orders"}, renewed, "", 3},
		{"there, of the share, for another: no room", pool(8), "", row{there: true, live: true, share: "orders"}, refused, "orders", 8},
		{"there, open, for the share: it stays", pool(8), "orders", row{there: true, live: true}, renewed, "", 8},
		{"over, not swept: taken over", pool(all), "", row{there: true}, taken, "", all},
		{"over, not swept, of the share, for another", pool(8), "", row{there: true, share: "orders"}, refused, "orders", 8},
		{"above the limit: counted people go on", over, "", row{there: true, live: true, counted: true}, renewed, "", all + 1},
		{"above the limit: what has not left gives back", over, "", row{there: true, live: true, mine: true, held: true, fresh: true}, gaveBack, "", all + 1},
		{"above the limit: another's stays", over, "", row{there: true, live: true}, refused, "", all + 1},
		{"above the limit: nothing is taken over", over, "", row{there: true}, refused, "", all + 1},
	} {
		d := newDesk(c.pool, c.share, "campaign", nil)
		got, of := d.ask(c.found)
		if got != c.want || of != c.of || d.Taken != c.taken {
			t.Errorf("%s: verdict %d of %q, %d taken; want %d of %q, %d", c.name, got, of, d.Taken, c.want, c.of, c.taken)
		}
	}
}

// TestOrdersKeepTheirShare: a campaign to any number of people leaves the 3,000
// that are kept for orders, at every moment and in every order of asking.
func TestOrdersKeepTheirShare(t *testing.T) {
	t.Parallel()
	p := tenThousand(0, 0)
	for range 12_000 {
		d := newDesk(p, "", "campaign", nil)
		if v, _ := d.ask(row{}); v == refused {
			break
		}
		p.Taken = d.Taken
	}
	if p.Taken != 7000 {
		t.Fatalf("a campaign took %d", p.Taken)
	}
	for n := range 3000 {
		d := newDesk(p, "orders", "campaign", nil)
		v, of := d.ask(row{})
		if v != taken || of != "orders" {
			t.Fatalf("order %d found none", n+1)
		}
		p.Taken, p.Shares = d.Taken, slices.Clone(d.Shares)
	}
	if own, open := p.room("orders", nil); own+open != 0 {
		t.Errorf("%d and %d left of a full limit", own, open)
	}
}
