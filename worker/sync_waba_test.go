package worker

import (
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/internal/clock"
	"bareed/internal/fixture"
	"bareed/internal/pg"
	"bareed/internal/pg/pgtest"
	"bareed/messages/changed"
	"bareed/numbers"
	"bareed/queue"
	"bareed/sandbox"
	"bareed/whatsapp"
)

// polled is a workspace whose number stands in a sandbox.
type polled struct {
	fixture.Meta
	pool   *pg.Pool
	worker *Worker
	meta   *sandbox.Server
}

func newPolled(t *testing.T) *polled {
	t.Helper()
	p := &polled{pool: pgtest.New(t)}
	v := fixture.Vault(t, p.pool)
	p.Meta = fixture.Connect(t, p.pool, v, fixture.Workspace(t, p.pool, v), fixture.RandomIDs())
	var err error
	if p.meta, err = sandbox.New(sandbox.Config{Seed: 1}); err != nil {
		t.Fatal(err)
	}
	c := p.Connection
	offer := fixture.SpringOffer(p.Template.MetaID)
	err = p.meta.Apply(sandbox.Seed{
		Apps:       []sandbox.App{{ID: c.AppID, Secret: c.AppSecret}},
		Portfolios: []sandbox.Portfolio{{ID: p.Portfolio, Limit: "TIER_2K"}},
		WABAs:      []sandbox.WABA{{ID: c.WABAID, Name: "Sample", PortfolioID: p.Portfolio}},
		Numbers:    []sandbox.Number{{ID: c.PhoneNumberID, WABAID: c.WABAID, DisplayPhone: "+1 555-010-0101", VerifiedName: "Sample"}},
		Tokens:     []sandbox.Token{{Token: c.Token.Raw(), AppID: c.AppID}},
		Templates: []sandbox.Template{{ID: offer.ID, WABAID: c.WABAID, Name: offer.Name, Language: offer.Language,
			Quality: "GREEN", Components: offer.Components}},
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(p.meta.Handler())
	t.Cleanup(srv.Close)
	client, err := whatsapp.New(whatsapp.Config{BaseURL: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	p.worker = New(Config{Pool: p.pool, Vault: v, Meta: client, Clock: clock.System, Log: slog.New(slog.DiscardHandler), Name: "test", Slots: 1})
	return p
}

// poll performs the task, the templates' age forgotten, and returns the open stops.
func (p *polled) poll(t *testing.T) []string {
	t.Helper()
	ws := p.Tenant.Workspace
	fixture.In(t, p.pool, ws, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `update template set synced_at = 'epoch'`)
		return err
	})
	if err := p.worker.syncWABA(t.Context(), queue.SyncWABA{Workspace: ws, WABA: p.Number.WABA}); err != nil {
		t.Fatal(err)
	}
	return p.column(t, `select scope || ':' || reason from stop where cleared_at is null order by 1`)
}

func (p *polled) column(t *testing.T, sql string) (list []string) {
	t.Helper()
	fixture.In(t, p.pool, p.Tenant.Workspace, func(tx pgx.Tx) error {
		rows, err := tx.Query(t.Context(), sql)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return list
}

// TestSyncWABA polls a sandbox through everything that must open a stop, and
// sees that no recovery clears one.
func TestSyncWABA(t *testing.T) {
	t.Parallel()
	p := newPolled(t)
	c := p.Connection
	want := func(when string, stops ...string) {
		t.Helper()
		slices.Sort(stops)
		if got := p.poll(t); !slices.Equal(got, stops) {
			t.Errorf("%s: stops %v, want %v", when, got, stops)
		}
	}
	put := func(seed sandbox.Seed) {
		t.Helper()
		if err := p.meta.Apply(seed); err != nil {
			t.Fatal(err)
		}
	}
	number := sandbox.Number{ID: c.PhoneNumberID, WABAID: c.WABAID, DisplayPhone: "+1 555-010-0101", VerifiedName: "Sample"}
	want("all is well")
	if got := p.column(t, `select sync_problem || (synced_at is not null)::text from waba`); !slices.Equal(got, []string{"true"}) {
		t.Errorf("waba %v", got)
	}
	number.Quality = "YELLOW"
	put(sandbox.Seed{Numbers: []sandbox.Number{number}})
	want("quality drops", "number:quality_yellow")
	number.Quality = "GREEN"
	put(sandbox.Seed{Numbers: []sandbox.Number{number}})
	want("quality is back, the stop stays", "number:quality_yellow")

	offer := fixture.SpringOffer(p.Template.MetaID)
	changed := sandbox.Template{ID: offer.ID, WABAID: c.WABAID, Name: offer.Name, Language: offer.Language, Quality: "GREEN",
		Components: json.RawMessage(`[{"type":"BODY","text":"Another text for {{1}}, see."}]`)}
	put(sandbox.Seed{Templates: []sandbox.Template{changed}})
	want("content changes, and no campaign was approved with the old one", "number:quality_yellow")

	put(sandbox.Seed{Tokens: []sandbox.Token{{Token: c.Token.Raw(), AppID: c.AppID, Revoked: true}}})
	want("the token is revoked", "number:quality_yellow", "waba:token_invalid")
	if got := p.column(t, `select sync_problem from waba`); !slices.Equal(got, []string{"token_invalid"}) {
		t.Errorf("problem %v", got)
	}
	put(sandbox.Seed{Tokens: []sandbox.Token{{Token: c.Token.Raw(), AppID: c.AppID}}})
	want("the token works again, the stop stays", "number:quality_yellow", "waba:token_invalid")
	if got := p.column(t, `select sync_problem from waba`); !slices.Equal(got, []string{""}) {
		t.Errorf("problem %v", got)
	}
}

// TestSyncPages: more templates than fit on a page all arrive.
func TestSyncPages(t *testing.T) {
	t.Parallel()
	p := newPolled(t)
	var seed sandbox.Seed
	for i := range 600 {
		seed.Templates = append(seed.Templates, sandbox.Template{ID: p.Connection.WABAID + "5" + string(rune('0'+i/100)) + string(rune('0'+i/10%10)) + string(rune('0'+i%10)),
			WABAID: p.Connection.WABAID, Name: "t_" + string(rune('a'+i/26)) + string(rune('a'+i%26)), Language: "en", Components: json.RawMessage(`[{"type":"BODY","text":"Hi"}]`)})
	}
	if err := p.meta.Apply(seed); err != nil {
		t.Fatal(err)
	}
	if stops := p.poll(t); len(stops) != 0 {
		t.Errorf("stops %v", stops)
	}
	if got := p.column(t, `select count(*)::text from template where gone_at is null`); !slices.Equal(got, []string{"601"}) {
		t.Errorf("templates %v, want 601", got)
	}
}

// TestSyncNothing: a WABA that was disconnected since, or is another workspace's.
func TestSyncNothing(t *testing.T) {
	t.Parallel()
	p := newPolled(t)
	stranger := fixture.Workspace(t, p.pool, p.worker.Vault)
	if err := p.worker.syncWABA(t.Context(), queue.SyncWABA{Workspace: stranger.Workspace, WABA: p.Number.WABA}); err != nil {
		t.Errorf("another workspace's: %v", err)
	}
}

// TestOneDropOneStop: Meta's webhook flags the number, the poll finds its rating.
// Both say the same, whichever is first; the rating is what the stop is called.
func TestOneDropOneStop(t *testing.T) {
	t.Parallel()
	flag := func(t *testing.T, p *polled, event string) {
		t.Helper()
		n := p.Number
		fixture.In(t, p.pool, p.Tenant.Workspace, func(tx pgx.Tx) error {
			changes, err := numbers.ApplyWebhook(t.Context(), tx,
				numbers.Route{Workspace: p.Tenant.Workspace, WABA: n.WABA, Number: n.ID, Portfolio: n.Portfolio},
				whatsapp.Change{Value: whatsapp.NumberQuality{DisplayPhone: "15550100101", Event: event}})
			if err != nil {
				return err
			}
			return changed.Stop(t.Context(), tx, p.Tenant.Workspace, changes)
		})
	}
	rate := func(t *testing.T, p *polled, quality string) {
		t.Helper()
		if err := p.meta.SetNumber(sandbox.NumberChange{NumberID: p.Connection.PhoneNumberID, Quality: quality}); err != nil {
			t.Fatal(err)
		}
		p.poll(t)
	}
	want := func(t *testing.T, p *polled, when string, stops ...string) {
		t.Helper()
		got := p.column(t, `select reason || ' ' || measured from stop where cleared_at is null order by since, id`)
		if !slices.Equal(got, stops) {
			t.Errorf("%s: %q, want %q", when, got, stops)
		}
	}
	t.Run("flag first", func(t *testing.T) {
		t.Parallel()
		p := newPolled(t)
		p.poll(t)
		flag(t, p, "FLAGGED")
		want(t, p, "flagged", "number_flagged FLAGGED")
		rate(t, p, "YELLOW")
		want(t, p, "rated", "quality_yellow YELLOW")
		flag(t, p, "UNFLAGGED")
		flag(t, p, "FLAGGED")
		want(t, p, "flagged again", "quality_yellow YELLOW")
		rate(t, p, "RED")
		want(t, p, "a second drop is a second stop", "quality_yellow YELLOW", "quality_red RED")
	})
	t.Run("rating first", func(t *testing.T) {
		t.Parallel()
		p := newPolled(t)
		rate(t, p, "RED")
		want(t, p, "rated", "quality_red RED")
		flag(t, p, "FLAGGED")
		want(t, p, "flagged", "quality_red RED")
		fixture.In(t, p.pool, p.Tenant.Workspace, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), `update stop set reason = 'number_restricted'`)
			return err
		})
		flag(t, p, "UNFLAGGED")
		flag(t, p, "FLAGGED")
		want(t, p, "another cause does not hold for this one", "number_restricted RED", "number_flagged FLAGGED")
	})
}
