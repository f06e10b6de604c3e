package worker

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
	"bareed/limits"
	"bareed/numbers"
	"bareed/numbers/places"
	"bareed/queue"
	"bareed/sandbox"
	"bareed/whatsapp"
	"bareed/whatsapp/codes"
)

// coded is a worker that sends to the sandbox, whose webhooks are kept and applied
// as they come. Everybody has a place under the limit and an open window, so that
// what a code takes away can be seen.
type coded struct {
	*sending
	meta   *sandbox.Server
	bodies chan []byte
	next   int     // the last ordinal that was used
	full   float64 // of the number's rate
}

func newCoded(t *testing.T, people int) *coded {
	t.Helper()
	meta, err := sandbox.New(sandbox.Config{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	c := &coded{meta: meta, bodies: make(chan []byte, 100)}
	c.sending = newSendingTo(t, 4, people, meta.Handler().ServeHTTP)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		c.bodies <- body
	}))
	done := make(chan error, 1)
	ctx := t.Context()
	go func() { done <- meta.Run(ctx) }()
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Error(err)
		}
		hook.Close()
	})
	b := c.b
	var name string
	var components json.RawMessage
	b.In(t, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `select name, components from template where id = $1`, b.Template).Scan(&name, &components)
	})
	err = meta.Apply(sandbox.Seed{
		Apps:       []sandbox.App{{ID: "8", Secret: "secret", CallbackURL: hook.URL}},
		Portfolios: []sandbox.Portfolio{{ID: "9", Limit: "TIER_UNLIMITED"}},
		WABAs:      []sandbox.WABA{{ID: "2", PortfolioID: "9", AppIDs: []string{"8"}}},
		Numbers:    []sandbox.Number{{ID: "1", WABAID: "2", DisplayPhone: "+1 555-010-0101", MPS: 1000}},
		Templates:  []sandbox.Template{{ID: "3", WABAID: "2", Name: name, Language: "en", Components: components}},
		Tokens:     []sandbox.Token{{Token: "token", AppID: "8"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	sc := sandbox.DefaultScenario()
	sc.Magic, sc.ReadProbability, sc.SentDelayMS, sc.DeliveredDelayMS = false, 0, [2]int{0, 1}, [2]int{0, 1}
	if err := meta.SetScenario(sc); err != nil {
		t.Fatal(err)
	}
	b.Do(t, `update number set phone_number_id = '1' where workspace_id = $1`, b.Workspace)
	if c.full, err = c.Limits.Rate(t.Context(), b.Number, 1000); err != nil {
		t.Fatal(err)
	}
	c.reserve(t)
	b.Do(t, `insert into service_window (workspace_id, number_id, recipient_hash, open_until)
		select workspace_id, $2, recipient_hash, bareed_now() + interval '5 hours' from message where workspace_id = $1`, b.Workspace, b.Number)
	return c
}

// reserve gives everybody of the run a place.
func (c *coded) reserve(t *testing.T) {
	t.Helper()
	var wanted []places.Wanted
	c.b.In(t, func(tx pgx.Tx) error {
		rows, err := tx.Query(t.Context(), `select recipient_hash, run_id, ordinal, false from message where run_id = $1 order by ordinal`, c.run)
		if err != nil {
			return err
		}
		wanted, err = pgx.CollectRows(rows, pgx.RowToStructByPos[places.Wanted])
		return err
	})
	if _, err := c.b.Pool.Engine().Exec(t.Context(), `update portfolio set messaging_limit = 10000 where id = $1`, c.b.Portfolio); err != nil {
		t.Fatal(err)
	}
	err := c.b.Pool.InEngine(t.Context(), func(tx pgx.Tx) error {
		granted, err := places.Reserve(t.Context(), tx, places.Ask{Portfolio: c.b.Portfolio, Workspace: c.b.Workspace, Kind: "campaign"}, wanted)
		if err == nil && (len(granted) == 0 || !granted[len(granted)-1]) {
			t.Error("there are not places for all")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// send sends the next message with a fault of the sandbox, or with none, and
// returns its ordinal.
func (c *coded) send(t *testing.T, kind string, code int) int {
	t.Helper()
	c.next++
	if kind != "" {
		if _, err := c.meta.AddFault(sandbox.Fault{Kind: kind, Code: code}); err != nil {
			t.Fatal(err)
		}
	}
	before := c.posts.Load()
	for try := 0; try < 100 && c.posts.Load() == before; try++ { // a busy machine may miss the departure
		c.b.Do(t, `update message set not_before = null where workspace_id = $1 and ordinal = $2`, c.b.Workspace, c.next)
		if err := c.sendMessage(t.Context(), c.task(c.next)); err != nil {
			t.Fatal(err)
		}
	}
	c.Wait(t.Context())
	c.meta.ClearFaults("")
	if c.posts.Load() != before+1 {
		t.Fatalf("code %d: %d requests of one message", code, c.posts.Load()-before)
	}
	return c.next
}

// hear waits for the sandbox's next webhook and applies it twice, as Meta may send it.
func (c *coded) hear(t *testing.T) {
	t.Helper()
	var body []byte
	select {
	case body = <-c.bodies:
	case <-time.After(30 * time.Second):
		t.Fatalf("no webhook came; the message is %s, and the sandbox says %+v", c.effect(t, c.next), c.meta.Summary())
	}
	env, err := whatsapp.ParseWebhook(body)
	if err != nil {
		t.Fatal(err)
	}
	var stored whatsapp.Stored
	for _, change := range env.Changes {
		stored.Changes = append(stored.Changes, whatsapp.Store(change))
	}
	raw, err := json.Marshal(stored)
	if err != nil {
		t.Fatal(err)
	}
	box, err := c.b.Vault.Box(t.Context(), c.b.Workspace)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var event id.Event
		c.b.In(t, func(tx pgx.Tx) (err error) {
			event, err = numbers.KeepEvent(t.Context(), tx, box, c.b.Workspace, c.b.App, []string{"messages"}, raw)
			return err
		})
		if err := c.applyEvents(t.Context(), queue.ApplyEvents{Workspace: c.b.Workspace, Events: []id.Event{event}}); err != nil {
			t.Fatal(err)
		}
	}
}

// sqlEffect is everything of a message and its person that a code can change.
const sqlEffect = `
select concat_ws(', ',
    m.state || coalesce(' ' || m.reason, ''),
    'waits ' || round(extract(epoch from m.not_before - m.updated_at), 1),
    case when (select freed_at from place where recipient_hash = m.recipient_hash) is null then 'place kept' else 'place free' end,
    (select 'opted out' from permission where contact_id = m.contact_id and not granted),
    (select 'suppressed ' || string_agg(purpose || ' ' || reason, ' ' order by purpose) from suppression where recipient_hash = m.recipient_hash and lifted_at is null),
    (select 'strike ' || n from strike where recipient_hash = m.recipient_hash),
    (select 'left alone ' || round(extract(epoch from until - coalesce(m.failed_at, m.updated_at)) / 3600) || ' h' from cool_off where recipient_hash = m.recipient_hash),
    (select 'window closed' from service_window where recipient_hash = m.recipient_hash and open_until <= bareed_now()),
    (select 'country ' || country from country_refusal where recipient_hash = m.recipient_hash),
    (select 'stop ' || string_agg(concat_ws(' ', scope, reason, 'code ' || meta_code, 'for ' || (until - since)), '; ') from stop where cleared_at is null))
from message m
where run_id = $1 and ordinal = $2`

// effect reads what a code came to, and clears it away for the next one.
func (c *coded) effect(t *testing.T, ordinal int) string {
	t.Helper()
	owner := pgtest.Owner(t, c.b.Pool)
	var said string
	if err := owner.QueryRow(t.Context(), sqlEffect, c.run, ordinal).Scan(&said); err != nil {
		t.Fatal(err)
	}
	rate, err := c.Limits.Rate(t.Context(), c.b.Number, 1000)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case rate == 0:
		g, err := c.Limits.Take(t.Context(), limits.Ask{Number: c.b.Number, PerSecond: 1000})
		if err != nil {
			t.Fatal(err)
		}
		said += fmt.Sprintf(", number rests %d s", (g.Retry+500*time.Millisecond)/time.Second)
	case rate < c.full*.6:
		said += ", number slowed"
	case rate < c.full*.99:
		said += fmt.Sprintf(", number at %.2f", rate/c.full)
	}
	c.b.Do(t, `update stop set cleared_at = bareed_now(), cleared_by = 'test' where workspace_id = $1 and cleared_at is null`, c.b.Workspace)
	c.ahead.Add(int64(2 * time.Hour)) // the number is at full speed again
	c.slots.forget()
	c.breakers, c.streaks.of, c.misfits.of = newBreakers(), map[id.Run]int{}, nil
	return said
}

// inBounds replaces a wait by what it must be of: up to a quarter more by chance.
func inBounds(said string) string {
	for _, want := range []float64{1, 6} {
		var got float64
		if i := strings.Index(said, "waits "); i >= 0 {
			if _, err := fmt.Sscanf(said[i:], "waits %f", &got); err == nil && got >= want && got <= want*1.25 {
				text, _, _ := strings.Cut(said[i:], ",")
				return strings.Replace(said, text, fmt.Sprintf("waits %v s", want), 1)
			}
		}
	}
	return said
}

// everyCode is the table's codes, both ends of the range.
func everyCode() []int {
	var all []int
	for _, e := range codes.All("en") {
		all = append(all, e.Code)
		if e.Last != 0 {
			all = append(all, e.Last)
		}
	}
	return all
}

// effects is what codes come to; {code} stands for the code.
type effects map[string][]int

// of finds a code's, and fails the test on codes that stand twice or not at all.
func (e effects) of(t *testing.T, all []int) map[int]string {
	t.Helper()
	out := map[int]string{}
	for said, list := range e {
		for _, code := range list {
			if out[code] != "" {
				t.Errorf("%d stands twice", code)
			}
			out[code] = strings.ReplaceAll(said, "{code}", fmt.Sprint(code))
		}
	}
	for _, code := range all {
		if out[code] == "" {
			t.Errorf("what %d comes to is not said", code)
		}
	}
	return out
}

// management are codes of other requests: should one answer a message all the
// same, it is taken like any other.
var management = []int{133000, 133005, 133006, 133008, 133009, 133015, 131059, 136024, 139100, 139101, 139102, 147001, 147002, 147003, 147004,
	147005, 2388019, 2388039, 2388040, 2388047, 2388072, 2388073, 2388293, 2388299, 200005, 200006, 200007, 1752041, 2593107, 2593108, 2593109}

// failing are codes that end their message and nothing else, but for the rules over many.
var failing = []int{100, 131008, 131009, 131030, 131051, 131055, 134100, 134103, 135000, 132005, 132008, 132018, 131021, 131062, 130472,
	131044, 131052, 131060, 134011, 137000}

var answerEffects = effects{
	"ready, waits 1 s, place kept, stop waba token_invalid code {code}":                                                           {0, 190},
	"ready, waits 1 s, place kept, stop waba permission_missing code {code}":                                                      {3, 10, 200, 299, 131005},
	"ready, waits 1 s, place kept, stop waba policy_block code {code}":                                                            {368},
	"ready, waits 1 s, place kept, stop waba account_locked code {code}":                                                          {131031},
	"ready, waits 1 s, place kept, stop waba payment_problem code {code}":                                                         {131042},
	"ready, waits 1 s, place kept, stop waba classification_violation code {code}":                                                {131064},
	"ready, waits 1 s, place kept, stop number spam_rate code {code}":                                                             {131048},
	"ready, waits 1 s, place kept, stop number number_not_registered code {code}":                                                 {133010},
	"ready, waits 1 s, place kept, stop number meta_{code} code {code}":                                                           {33, 131037, 131045, 133016},
	"ready, waits 1 s, place kept, stop template template_missing code {code}":                                                    {132001},
	"ready, waits 1 s, place kept, stop template template_paused code {code}":                                                     {132015},
	"ready, waits 1 s, place kept, stop template template_disabled code {code}":                                                   {132016},
	"ready, waits 1 s, place kept, stop template meta_{code} code {code}":                                                         {132007, 141002},
	"ready, waits 1 s, place kept, stop campaign template_changed code {code}":                                                    {132000, 132012},
	"ready, waits 1 s, place kept, stop campaign meta_{code} code {code}":                                                         {131053, 131063, 132068, 134102},
	"ready, waits 1 s, place kept, stop campaign meta_134101 code 134101 for 00:10:00":                                            {134101},
	"ready, waits 1 s, place kept, stop campaign meta_132069 code 132069 for 01:00:00":                                            {132069},
	"ready, waits 1 s, place kept, number rests 1 s":                                                                              {4, 80007},
	"ready, waits 1 s, place kept, number slowed":                                                                                 {130429},
	"ready, waits 6 s, place kept":                                                                                                {131056},
	"unknown, place kept":                                                                                                         {1, 139103, 2494100},
	"unknown, place kept, number slowed":                                                                                          {2, 131000, 131016, 133004},
	"unknown, place kept, number rests 60 s":                                                                                      {131057},
	"failed meta_{code}, place free, opted out, suppressed marketing opted_out":                                                   {131050},
	"failed meta_{code}, place free, strike 1":                                                                                    {131026},
	"failed meta_{code}, place free, suppressed authentication blocked_at_meta marketing blocked_at_meta utility blocked_at_meta": {130403},
	"failed meta_{code}, place free, left alone 24 h":                                                                             {131049},
	"failed meta_{code}, place free, window closed":                                                                               {131047},
	"failed meta_{code}, place free, country SA":                                                                                  {130497},
	"failed meta_{code}, place free":                                                                                              append(append([]int{}, failing...), management...),
}

// Every code of the table as the answer to a message: the message, when it is
// offered again, its place, its person, its number and the stop are what the
// table says, and nothing else.
func TestEveryCodeAsAnAnswer(t *testing.T) {
	t.Parallel()
	all := everyCode()
	want := answerEffects.of(t, all)
	c := newCoded(t, len(all))
	for _, code := range all {
		if got := inBounds(c.effect(t, c.send(t, sandbox.KindRefuse, code))); got != want[code] {
			t.Errorf("%d: %s\nwant %s", code, got, want[code])
		}
	}
}

var statusEffects = effects{
	"failed meta_{code}, place free, stop waba token_invalid code {code}":                                                         {190},
	"failed meta_{code}, place free, stop waba permission_missing code {code}":                                                    {3, 10, 200, 299, 131005},
	"failed meta_{code}, place free, stop waba policy_block code {code}":                                                          {368},
	"failed meta_{code}, place free, stop waba account_locked code {code}":                                                        {131031},
	"failed meta_{code}, place free, stop waba payment_problem code {code}":                                                       {131042},
	"failed meta_{code}, place free, stop waba classification_violation code {code}":                                              {131064},
	"failed meta_{code}, place free, stop number spam_rate code {code}":                                                           {131048},
	"failed meta_{code}, place free, stop number number_not_registered code {code}":                                               {133010},
	"failed meta_{code}, place free, stop number meta_{code} code {code}":                                                         {33, 131037, 131045, 133016},
	"failed meta_{code}, place free, stop template template_missing code {code}":                                                  {132001},
	"failed meta_{code}, place free, stop template template_paused code {code}":                                                   {132015},
	"failed meta_{code}, place free, stop template template_disabled code {code}":                                                 {132016},
	"failed meta_{code}, place free, stop template meta_{code} code {code}":                                                       {132007, 141002},
	"failed meta_{code}, place free, stop campaign template_changed code {code}":                                                  {132000, 132012},
	"failed meta_{code}, place free, stop campaign meta_{code} code {code}":                                                       {131053, 131063, 132068, 134102},
	"failed meta_{code}, place free, stop campaign meta_134101 code 134101 for 00:10:00":                                          {134101},
	"failed meta_{code}, place free, stop campaign meta_132069 code 132069 for 01:00:00":                                          {132069},
	"failed meta_{code}, place free, number slowed":                                                                               {130429},
	"failed meta_{code}, place free, opted out, suppressed marketing opted_out":                                                   {131050},
	"failed meta_{code}, place free, strike 1":                                                                                    {131026},
	"failed meta_{code}, place free, suppressed authentication blocked_at_meta marketing blocked_at_meta utility blocked_at_meta": {130403},
	"failed meta_{code}, place free, left alone 24 h":                                                                             {131049},
	"failed meta_{code}, place free, window closed":                                                                               {131047},
	"failed meta_{code}, place free, country SA":                                                                                  {130497},
	"failed meta_{code}, place free": append(append([]int{1, 2, 4, 80007, 131000, 131016, 131056, 131057, 133004, 139103, 2494100},
		failing...), management...),
}

// Every code of the table in a failed status of an accepted message, told twice:
// nothing is sent again, and the stop holds the others. Code 0 is no status's.
func TestEveryCodeAsAStatus(t *testing.T) {
	t.Parallel()
	all := everyCode()[1:]
	want := statusEffects.of(t, all)
	c := newCoded(t, len(all))
	for _, code := range all {
		ordinal := c.send(t, sandbox.KindFail, code)
		c.hear(t)
		c.b.Do(t, `delete from failed_in_a_row where workspace_id = $1`, c.b.Workspace)
		if got := c.effect(t, ordinal); got != want[code] {
			t.Errorf("%d: %s\nwant %s", code, got, want[code])
		}
	}
}
