package worker

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/transport"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/sandbox"
	"bareed/sandbox/journal"
	"bareed/whatsapp/codes"
)

// account says how the sandbox's account is set up, and lets the workspace know.
func (c *coded) account(t *testing.T, status string, cloudOff bool) {
	t.Helper()
	err := c.meta.Apply(sandbox.Seed{WABAs: []sandbox.WABA{{ID: "2", PortfolioID: "9", AppIDs: []string{"8"}, MarketingStatus: status, CloudMarketingOff: cloudOff}}})
	if err != nil {
		t.Fatal(err)
	}
	c.b.Do(t, `update waba set marketing_status = $2, cloud_marketing_off = $3 where workspace_id = $1`, c.b.Workspace, status, cloudOff)
}

// newMarketing is newCoded with a run that goes by the Marketing Messages API, of a
// template that Meta knows for long.
func newMarketing(t *testing.T, people int) *coded {
	t.Helper()
	c := newCoded(t, people)
	c.account(t, "ONBOARDED", false)
	c.b.Do(t, `update run set transport = 'marketing_messages', product_policy = 'CLOUD_API_FALLBACK' where workspace_id = $1`, c.b.Workspace)
	c.b.Do(t, `update template set first_seen_at = null where workspace_id = $1`, c.b.Workspace)
	return c
}

// launch launches and plans a campaign that goes some way, and turns to its run.
func (c *coded) launch(t *testing.T, name string, way transport.Choice) id.Campaign {
	t.Helper()
	made := c.b.CampaignBy(t, name, way).ID
	c.begin(t, made)
	return made
}

// begin launches and plans a draft, and turns to its run.
func (c *coded) begin(t *testing.T, draft id.Campaign) {
	t.Helper()
	c.run, c.next = c.b.LaunchDraft(t, draft).RunID, 0
}

// arrive applies webhooks until so many of the run's messages are delivered.
func (c *coded) arrive(t *testing.T, n int) {
	t.Helper()
	for c.states(t)["delivered"] < n {
		c.hear(t)
	}
}

// accepted are the journal's accepted requests of the turn's run.
func (c *coded) accepted() (list []journal.Entry) {
	run := hex.EncodeToString(c.run[:])
	for _, e := range c.meta.Entries(0, 1000) {
		if e.Accepted && strings.HasPrefix(e.CallbackData, "v1."+run+".") {
			list = append(list, e)
		}
	}
	return list
}

func (c *coded) column(t *testing.T, sql string) (list []string) {
	t.Helper()
	c.b.In(t, func(tx pgx.Tx) error {
		rows, err := tx.Query(t.Context(), sql, c.b.Workspace, c.run)
		if err == nil {
			list, err = pgx.CollectRows(rows, pgx.RowTo[string])
		}
		return err
	})
	return list
}

const sqlPriced = `select distinct state || ' ' || (pricing->>'category') from message where workspace_id = $1 and run_id = $2`

// From the claim to delivered, a campaign goes the way it was launched with, and one
// beside it the usual way: the same tasks, claims and records, another address.
func TestCampaignByMarketingMessages(t *testing.T) {
	t.Parallel()
	const people = 3
	c := newCoded(t, people)
	c.account(t, "ONBOARDED", false)
	for range people { // the fixture's own campaign, which nobody gave a way
		c.send(t, "", 0)
	}
	c.arrive(t, people)
	for _, e := range c.accepted() {
		if e.Endpoint != "messages" || e.ProductPolicy != "" || e.ActivitySharing {
			t.Errorf("the usual way: %+v", e)
		}
	}
	if got := c.column(t, sqlPriced); len(c.accepted()) != people || !slices.Equal(got, []string{"delivered marketing"}) {
		t.Errorf("%d accepted, %q", len(c.accepted()), got)
	}

	c.launch(t, "Offer", transport.Choice{Transport: transport.MarketingMessages, ProductPolicy: transport.Strict, ActivitySharing: true})
	for range people {
		c.send(t, "", 0)
	}
	c.arrive(t, people)
	for _, e := range c.accepted() {
		if e.Endpoint != "marketing_messages" || e.ProductPolicy != "STRICT" || !e.ActivitySharing || e.Type != "template" {
			t.Errorf("by the Marketing Messages API: %+v", e)
		}
	}
	if got := c.column(t, sqlPriced); len(c.accepted()) != people || !slices.Equal(got, []string{"delivered marketing_lite"}) {
		t.Errorf("%d accepted, %q", len(c.accepted()), got)
	}
	if s := c.meta.Summary(); s.Accepted != 2*people || s.DuplicateOrdinals != 0 || s.DuplicateRecipients != 0 ||
		s.ByEndpoint["messages"] != people || s.ByEndpoint["marketing_messages"] != people {
		t.Errorf("%+v", s)
	}

	// What falls back to the Cloud API arrives all the same, at its price.
	c.launch(t, "Fallback", transport.Choice{Transport: transport.MarketingMessages})
	c.send(t, sandbox.KindFallback, 0)
	c.arrive(t, 1)
	if got := c.column(t, sqlPriced+` and state = 'delivered'`); !slices.Equal(got, []string{"delivered marketing"}) {
		t.Errorf("fallen back: %q", got)
	}
}

// The codes of the Marketing Messages API do there what the table says, scripted and
// for their real reasons.
func TestEveryCodeOfMarketingMessages(t *testing.T) {
	t.Parallel()
	all := everyCode()
	want := answerEffects.of(t, all)
	mine := []int{131009, 131055, 131063, 134100, 134101, 134102, 134103}
	c := newMarketing(t, len(mine)+4)
	for _, code := range mine {
		if got := inBounds(c.effect(t, c.send(t, sandbox.KindRefuse, code))); got != want[code] {
			t.Errorf("%d: %s\nwant %s", code, got, want[code])
		}
	}
	for _, e := range c.meta.Entries(0, 1000) {
		if e.Endpoint != "marketing_messages" {
			t.Errorf("%+v", e)
		}
	}
	real := func(code int, why string) {
		t.Helper()
		if got := inBounds(c.effect(t, c.send(t, "", 0))); got != want[code] {
			t.Errorf("%s: %s\nwant %s", why, got, want[code])
		}
	}
	category := func(to string) {
		t.Helper()
		if err := c.meta.SetTemplate(sandbox.TemplateChange{TemplateID: "3", Category: to, Silent: true}); err != nil {
			t.Fatal(err)
		}
	}
	category("UTILITY")
	real(134100, "a template that became utility")
	category("MARKETING")
	c.account(t, "ELIGIBLE", false)
	real(134102, "an account that is not set up")
	c.account(t, "ONBOARDED", false)
	if got := inBounds(c.effect(t, c.send(t, sandbox.KindFallback, 134102))); got != "accepted, place kept" {
		t.Errorf("what falls back: %s", got)
	}
	c.b.Do(t, `update run set product_policy = 'STRICT' where workspace_id = $1`, c.b.Workspace)
	if got := inBounds(c.effect(t, c.send(t, sandbox.KindFallback, 134102))); got != want[134102] {
		t.Errorf("what may not fall back: %s", got)
	}
}

// The same codes in a failed status of a message that went by the Marketing Messages
// API, told twice.
func TestEveryStatusOfMarketingMessages(t *testing.T) {
	t.Parallel()
	want := statusEffects.of(t, everyCode()[1:])
	mine := []int{131009, 131055, 134100, 134101, 134102, 134103, 131049, 131050, 130472}
	c := newMarketing(t, len(mine))
	for _, code := range mine {
		ordinal := c.send(t, sandbox.KindFail, code)
		c.hear(t)
		c.b.Do(t, `delete from failed_in_a_row where workspace_id = $1`, c.b.Workspace)
		if got := c.effect(t, ordinal); got != want[code] {
			t.Errorf("%d: %s\nwant %s", code, got, want[code])
		}
	}
}

// A template of the last ten minutes that is refused as a bad value holds its
// campaign for ten; then the same message goes, or the refusal is what it says. On
// the Cloud API it is what it says at once.
func TestYoungTemplateWaits(t *testing.T) {
	t.Parallel()
	const waits, lost = "ready, waits 1 s, place kept, stop campaign meta_134101 code 131009 for 00:10:00", "failed meta_131009, place free"
	c := newMarketing(t, 5)
	young := func(sql string) {
		t.Helper()
		c.b.Do(t, `update template set first_seen_at = null where workspace_id = $1`, c.b.Workspace)
		if sql != "" {
			c.b.Do(t, sql, c.b.Workspace)
		}
	}
	refused := func(when, want string) {
		t.Helper()
		if got := inBounds(c.effect(t, c.send(t, sandbox.KindRefuse, 131009))); got != want {
			t.Errorf("%s: %s\nwant %s", when, got, want)
		}
	}
	young(`update template set first_seen_at = bareed_now() - interval '9 minutes' where workspace_id = $1`)
	refused("new", waits)
	young(fmt.Sprintf(`insert into meta_change (workspace_id, id, subject, what, was, became, source)
		values ($1, gen_random_uuid(), '%s', 'status', 'PENDING', 'APPROVED', 'poll')`, c.b.Template))
	refused("just approved", waits)
	c.b.Do(t, `update run set transport = 'cloud', product_policy = null where workspace_id = $1`, c.b.Workspace)
	refused("on the Cloud API", lost)
	c.b.Do(t, `update run set transport = 'marketing_messages', product_policy = 'STRICT' where workspace_id = $1`, c.b.Workspace)

	c.next = 0 // the first message again
	if _, err := c.meta.AddFault(sandbox.Fault{Kind: sandbox.KindRefuse, Code: 131009}); err != nil {
		t.Fatal(err)
	}
	ordinal := c.send(t, "", 0)
	var held campaigns.Campaign
	var waiting campaigns.Timeline
	c.b.In(t, func(tx pgx.Tx) error {
		var campaign id.Campaign
		err := tx.QueryRow(t.Context(), `select campaign_id from run where id = $1`, c.run).Scan(&campaign)
		if err == nil {
			held, err = campaigns.Get(t.Context(), tx, c.b.Workspace, campaign)
		}
		if err == nil {
			waiting, err = campaigns.GetMessage(t.Context(), tx, c.b.Workspace, id.Message{Run: c.run, Ordinal: int32(ordinal)}, false)
		}
		return err
	})
	held.Tell("en")
	waiting.Tell("en")
	if len(held.Stops) != 1 || *held.Stops[0].MetaCode != 131009 || held.Stops[0].MetaError.Code != 134101 || held.Stops[0].Next != "ends_by_itself" {
		t.Fatalf("%+v", held.Stops)
	}
	if e := waiting.MetaError; e == nil || e.Code != 134101 || e.Retried != codes.AfterStop {
		t.Errorf("the message's words: %+v", e)
	}
	pgtest.MoveClock(t, c.b.Pool, 11*time.Minute)
	c.next = ordinal - 1
	if c.send(t, "", 0); c.states(t)["accepted"] != 1 {
		t.Errorf("after ten minutes: %v", c.states(t))
	}
	c.effect(t, ordinal) // with it goes the stop that ended by itself
	c.next = ordinal     // the second one again, with a template that is no longer new
	refused("ten minutes later", lost)
}

// When an account's Cloud API stops taking marketing in the middle of a campaign, it
// is held and told what to do: a copy to those who are left goes the other way, and
// nobody is sent it twice. A resume goes on the way of the launch.
func TestTransportChangesByACopy(t *testing.T) {
	t.Parallel()
	const people = 4
	c := newCoded(t, 1)
	c.b.AddPeople(t, c.b.Audience, people-1)
	c.b.Do(t, `insert into service_window (workspace_id, number_id, recipient_hash, open_until)
		select $1, $2, h, bareed_now() + interval '5 hours' from unnest($3::bytea[]) as h
		on conflict do nothing`, c.b.Workspace, c.b.Number, c.hashes(t))
	first := c.launch(t, "Eid", transport.Choice{})
	c.send(t, "", 0)
	c.account(t, "ONBOARDED", true)
	ordinal := c.send(t, "", 0)
	var held campaigns.Campaign
	c.b.In(t, func(tx pgx.Tx) (err error) {
		held, err = campaigns.Get(t.Context(), tx, c.b.Workspace, first)
		return err
	})
	held.Tell("en")
	if len(held.Stops) != 1 || held.Stops[0].Reason != "meta_131063" || !strings.Contains(held.Stops[0].MetaError.Action, "Marketing Messages API") {
		t.Fatalf("%+v", held.Stops)
	}

	// Switched on again, a resume goes on by the Cloud API.
	c.account(t, "ONBOARDED", false)
	c.b.In(t, func(tx pgx.Tx) error {
		_, err := campaigns.Resume(t.Context(), tx, c.b.Actor, first, campaigns.ResumeRequest{ClearHolds: true, Reason: "switched on again"})
		return err
	})
	c.next = ordinal - 1
	c.send(t, "", 0)
	// Off again: stopped, and a copy to those who are left goes the other way.
	c.account(t, "ONBOARDED", true)
	c.send(t, "", 0)
	left := c.b.AddAudience(t, "Left")
	c.b.Do(t, `insert into audience_member (workspace_id, audience_id, contact_id)
		select $1, $2, contact_id from message where workspace_id = $1 and run_id = $3 and state = 'ready'`, c.b.Workspace, left, c.run)
	var copied campaigns.Campaign
	way := transport.MarketingMessages
	c.b.In(t, func(tx pgx.Tx) (err error) {
		if _, err = campaigns.End(t.Context(), tx, c.b.Actor, first); err != nil {
			return err
		}
		if copied, err = campaigns.Duplicate(t.Context(), tx, c.b.Actor, first, "copy"); err != nil {
			return err
		}
		copied, err = campaigns.Edit(t.Context(), tx, c.b.Actor, copied.ID, copied.Version,
			campaigns.Change{AudienceIDs: &[]id.Audience{left}, Way: transport.Change{Transport: &way}})
		return err
	})
	c.begin(t, copied.ID)
	for range people - 2 {
		c.send(t, "", 0)
	}
	c.arrive(t, people-2)
	reached := map[string]int{}
	ways := map[string]int{}
	for _, e := range c.meta.Entries(0, 1000) {
		if e.Accepted {
			reached[e.Recipient]++
			ways[e.Endpoint]++
		}
	}
	if len(reached) != people || ways["messages"] != 2 || ways["marketing_messages"] != 2 {
		t.Errorf("reached %v by %v", reached, ways)
	}
	if s := c.meta.Summary(); s.DuplicateOrdinals+s.DuplicateRecipients != 0 || s.Accepted != people {
		t.Errorf("%+v", s)
	}
}

// hashes are the ledger's of everybody in the workspace.
func (c *coded) hashes(t *testing.T) (list [][]byte) {
	t.Helper()
	for _, phone := range c.column(t, `select i.value from identity i where i.workspace_id = $1 and i.kind = 'phone' and $2::uuid is not null`) {
		list = append(list, c.b.Vault.RecipientHash("p:"+phone))
	}
	return list
}

// The check asks Meta how the account is set up, and a poll notices what changes.
func TestSetUpIsLearnt(t *testing.T) {
	t.Parallel()
	p := newPolled(t)
	b := p.broadcast(t, 2)
	set := func(status string, off bool) {
		t.Helper()
		c := p.Connection
		err := p.meta.Apply(sandbox.Seed{WABAs: []sandbox.WABA{{ID: c.WABAID, Name: "Sample", PortfolioID: p.Portfolio, MarketingStatus: status, CloudMarketingOff: off}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	stored := func(want string) {
		t.Helper()
		if got := p.column(t, `select marketing_status || ' ' || cloud_marketing_off from waba`); !slices.Equal(got, []string{want}) {
			t.Errorf("%q, want %s", got, want)
		}
	}
	c := b.CampaignBy(t, "Offer", transport.Choice{Transport: transport.MarketingMessages})
	stored(" false")
	k := p.checked(t, b, c.ID)
	stored("ELIGIBLE false")
	if got := codesOf(k.Warnings); !slices.Equal(got, []string{"campaign.not_onboarded"}) {
		t.Errorf("not set up: %v", got)
	}
	set("ONBOARDED", false) // a person accepted Meta's terms there
	if k = p.checked(t, b, c.ID); len(k.Warnings) != 0 {
		t.Errorf("set up: %+v", k.Warnings)
	}
	stored("ONBOARDED false")
	set("ONBOARDED", true)
	p.poll(t)
	stored("ONBOARDED true")
	history := p.column(t, `select what || ' ' || was || ' ' || became from meta_change where what in ('marketing_messages', 'cloud_marketing') order by id`)
	if !slices.Equal(history, []string{"marketing_messages ELIGIBLE ONBOARDED", "cloud_marketing on off"}) {
		t.Errorf("history %q", history)
	}
	if _, err := p.launch(t, b, c.ID, campaigns.LaunchRequest{Expected: k.Eligible}); err != nil {
		t.Errorf("launch: %v", err)
	}
}
