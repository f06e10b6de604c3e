package api_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"bareed/accounts"
	"bareed/internal/fixture"
)

func csv(r string) with { return header("Content-Type", r) }

// What is wrong with an upload is said with row, line and column, in the
// reader's language, and nothing of it is kept.
func TestRateCardUploads(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const path = "/v1/rate-cards"
	for _, tt := range []struct {
		name, path, body, kind string
		status                 int
		code                   string
	}{
		{"no day", path, fixture.FakeCard, "text/csv", 422, "field.required"},
		{"no such day", path + "?valid_from=2026-02-30", fixture.FakeCard, "text/csv", 422, "ratecard.valid_from"},
		{"an unknown parameter", path + "?from=2026-10-01", fixture.FakeCard, "text/csv", 422, "param.unknown"},
		{"JSON", path + "?valid_from=2026-10-01", `{"a": 1}`, "application/json", 415, "upload.content_type"},
		{"a picture", path + "?valid_from=2026-10-01", "\x89PNG\r\n\x1a\n", "text/csv", 415, "csv.not_csv"},
		{"nothing", path + "?valid_from=2026-10-01", "", "text/csv", 422, "csv.empty"},
		{"too long", path + "?valid_from=2026-10-01", strings.Repeat("x", 1<<20+1), "text/csv", 413, "ratecard.too_large"},
		{"faults", path + "?valid_from=2026-10-01", "market,category,currency,rate\nAtlantis,marketing,XTS,x\n", "text/csv", 422, "ratecard.rows"},
	} {
		a := r.call(t, "POST", tt.path, tt.body, csv(tt.kind))
		var p struct {
			Code   string
			Errors []struct {
				Row, Line         int64
				Column, Code, Got string
			}
		}
		a.into(t, &p)
		if a.Status != tt.status || p.Code != tt.code {
			t.Errorf("%s: %d %s", tt.name, a.Status, a.Body)
		}
		if tt.name == "faults" && (len(p.Errors) != 2 || p.Errors[0].Line != 2 || p.Errors[0].Column != "market" || p.Errors[0].Got != "Atlantis" || p.Errors[1].Column != "rate") {
			t.Errorf("%+v", p.Errors)
		}
	}
	var list struct{ Data []struct{ ID string } }
	r.call(t, "GET", path, nil).ok(t, 200).into(t, &list)
	if len(list.Data) != 0 {
		t.Errorf("%d cards are kept", len(list.Data))
	}
	reader := fixture.Key(t, r.pool, r.tenant, "billing:read")
	if a := r.call(t, "POST", path+"?valid_from=2026-10-01", fixture.FakeCard, csv("text/csv"), asKey(reader)); a.Status != 403 {
		t.Errorf("a key that may only read: %d", a.Status)
	}
	if a := r.call(t, "POST", path+"?valid_from=2026-10-01", fixture.FakeCard, csv("text/csv"), asSession(r.session(t, accounts.Marketer))); a.Status != 403 {
		t.Errorf("a marketer: %d", a.Status)
	}
	form := "--b\r\nContent-Disposition: form-data; name=\"valid_from\"\r\n\r\n2026-10-01\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"meta.csv\"\r\n\r\n" +
		fixture.FakeCard + "\r\n--b--\r\n"
	var card struct {
		ID, Name, Currency string
		Rows               int
	}
	r.call(t, "POST", path, form, csv("multipart/form-data; boundary=b")).ok(t, 201).into(t, &card)
	if card.Name != "meta.csv" || card.Currency != "XTS" || card.Rows != 5 {
		t.Errorf("%+v", card)
	}
	if a := r.call(t, "GET", path+"/"+card.ID+"/file.csv", nil).ok(t, 200); string(a.Body) != fixture.FakeCard {
		t.Errorf("the file came back as %q", a.Body)
	}
}

// Of uploads at once for the same day one holds at the end, and no two overlap.
func TestRateCardsAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			file := strings.Replace(fixture.FakeCard, "0.9", "0.9"+strings.Repeat("1", i%4), 1)
			day := []string{"2026-10-01", "2026-10-02"}[i/4]
			r.call(t, "POST", "/v1/rate-cards?valid_from="+day, file, csv("text/csv")).ok(t, 201)
		})
	}
	wg.Wait()
	var list struct {
		Data []struct {
			ValidFrom string `json:"valid_from"`
			ValidTo   string `json:"valid_to"`
		}
	}
	r.call(t, "GET", "/v1/rate-cards", nil).ok(t, 200).into(t, &list)
	holds := map[string]int{}
	for _, c := range list.Data {
		if c.ValidTo != c.ValidFrom {
			holds[c.ValidFrom+"/"+c.ValidTo]++
		}
	}
	if len(list.Data) != 8 || len(holds) != 2 || holds["2026-10-01/2026-10-02"] != 1 || holds["2026-10-02/"] != 1 {
		t.Errorf("%d cards, in force: %v", len(list.Data), holds)
	}
}

// What a campaign would cost is for whoever reads campaigns; what the workspace has
// spent this month needs the scope that the month's budget needs.
func TestTheMonthInAnEstimate(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := fixture.BroadcastOf(t, r.pool, r.vault, r.tenant)
	b.AddPeople(t, b.Audience, 3)
	b.AddCard(t, time.Now().AddDate(0, 0, -2), fixture.FakeCard)
	k := b.Check(t, b.Campaign(t, "Spring").ID)
	b.Do(t, `insert into budget (workspace_id, subject_id, micros, currency, updated_by) values ($1, $1, 1000000, 'XTS', 'test')`, b.Workspace)
	path := "/v1/campaigns/" + k.CampaignID.String() + "/checks/" + k.ID.String() + "/cost"
	for scopes, seen := range map[string]bool{"campaigns:read": false, "campaigns:read billing:read": true} {
		var got struct {
			Total   *struct{ Currency string }
			Budgets struct {
				Month   *struct{ Month string }
				Remarks []struct{ Code string }
			}
		}
		r.call(t, "GET", path, nil, asKey(fixture.Key(t, r.pool, r.tenant, strings.Fields(scopes)...))).ok(t, 200).into(t, &got)
		if got.Total == nil || len(got.Budgets.Remarks) != 1 || got.Budgets.Remarks[0].Code != "budget.over_month" || (got.Budgets.Month != nil) != seen {
			t.Errorf("%s: %+v", scopes, got)
		}
	}
}
