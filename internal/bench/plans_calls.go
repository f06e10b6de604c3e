//go:build unix

package bench

import (
	"context"
	"crypto/md5" //nolint:gosec // the rows' pretended hashes, see fillMessages
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/plan"
	"bareed/internal/bench/pages"
	"bareed/internal/id"
	"bareed/messages"
	"bareed/messages/callback"
	"bareed/messages/halts"
	"bareed/numbers"
	"bareed/whatsapp"
)

// together is how many messages one call is about, as many as slots share.
const together = 16

var claimToken = uuid.MustParse("11111111-1111-4111-8111-111111111111")

// call is one hot statement: how the product runs it, and how many rows of a
// large table it may look at.
type call struct {
	name   string
	engine bool
	page   bool // runs in an ordinary transaction, not in the ledger's
	most   float64
	do     func(ctx context.Context, tx pgx.Tx) error
}

// fewRows is what a call about a handful of messages may look at.
const fewRows = 2000

func (c *crowd) calls() ([]call, error) {
	all := slices.Concat(c.sending(), c.repairing(), c.proving(), c.keeping(), c.capping(), c.ruling())
	for _, r := range slices.Concat(pages.Of(c.ws, c.folio, c.audience), pages.Differences(c.ws, c.run.campaign, c.rows)) {
		all = append(all, call{name: r.Name, engine: r.Engine, page: true, most: r.Most, do: r.Do})
	}
	found, err := c.finding()
	return append(all, found...), err
}

// below are messages under way, above are those that are next.
func (c *crowd) below() []id.Message { return c.ordinals(c.cursor - together) }
func (c *crowd) above() []id.Message { return c.ordinals(c.cursor) }

func (c *crowd) ordinals(after int) []id.Message {
	list := make([]id.Message, together)
	for i := range list {
		list[i] = id.Message{Run: c.run.run, Ordinal: int32(after + i + 1)}
	}
	return list
}

func hashOf(ordinal int32) []byte {
	sum := md5.Sum([]byte(strconv.Itoa(int(ordinal)))) //nolint:gosec // see above
	return sum[:]
}

// sending are the statements of each message's way.
func (c *crowd) sending() []call {
	run := c.run.run
	app := func(name string, do func(ctx context.Context, tx pgx.Tx) error) call {
		return call{name: name, most: fewRows, do: do}
	}
	return []call{
		app("claim", c.claimOnce),
		app("refused", func(ctx context.Context, tx pgx.Tx) error { return messages.Refused(ctx, tx, c.ws, c.above()) }),
		app("give back", func(ctx context.Context, tx pgx.Tx) error {
			var back []messages.Returned
			for _, m := range c.above() {
				back = append(back, messages.Returned{Message: m, After: time.Second})
			}
			return messages.GiveBack(ctx, tx, c.ws, back)
		}),
		app("record", func(ctx context.Context, tx pgx.Tx) error { return messages.Record(ctx, tx, c.ws, c.results()) }),
		app("statuses by callback", func(ctx context.Context, tx pgx.Tx) error { return c.hear(ctx, tx, true) }),
		app("statuses by Meta's id", func(ctx context.Context, tx pgx.Tx) error { return c.hear(ctx, tx, false) }),
		app("backlog", func(ctx context.Context, tx pgx.Tx) error {
			_, _, err := messages.ReadBacklog(ctx, tx, c.ws, run)
			return err
		}),
		// 200 of them, in a window of at most twenty times as many.
		{name: "candidates", most: 2 * fewRows, do: func(ctx context.Context, tx pgx.Tx) error {
			b := messages.Backlog{Number: c.run.number.ID, Planned: int32(c.rows), Fed: int32(c.cursor)}
			_, _, err := messages.Candidates(ctx, tx, c.ws, run, b, 200)
			return err
		}},
		app("move cursor", func(ctx context.Context, tx pgx.Tx) error {
			return messages.MoveCursor(ctx, tx, c.ws, run, int32(c.cursor), c.above(), time.Second)
		}),
	}
}

// claimOnce runs the claim's own statement: ClaimAll keeps its connection to itself.
func (c *crowd) claimOnce(ctx context.Context, tx pgx.Tx) error {
	sql, err := constant("messages/claim.go", "sqlClaim")
	if err != nil {
		return err
	}
	list := c.above()
	runs, ordinals, tokens := make([]id.Run, together), make([]int32, together), make([][16]byte, together)
	for i, m := range list {
		runs[i], ordinals[i], tokens[i] = m.Run, m.Ordinal, uuid.New()
	}
	tag, err := tx.Exec(ctx, sql, c.ws, runs, ordinals, tokens, "bench", messages.ClaimTime, [16]byte{}, int64(0))
	if err == nil && tag.RowsAffected() != together && c.cursor > 0 {
		err = fmt.Errorf("%d of %d were claimed", tag.RowsAffected(), together)
	}
	return err
}

func (c *crowd) results() []messages.Result {
	list := make([]messages.Result, together)
	for i, m := range c.below() {
		list[i] = messages.Result{Message: m, Token: claimToken, Attempt: 1, Portfolio: c.folio, Hash: hashOf(m.Ordinal),
			Outcome: string(whatsapp.Accepted), State: messages.Accepted, WAMID: "wamid.new." + strconv.Itoa(int(m.Ordinal)), HTTP: 200}
	}
	return list
}

func (c *crowd) hear(ctx context.Context, tx pgx.Tx, echo bool) error {
	var list []messages.Told
	for _, m := range c.ordinals(max(0, c.cursor-10*together)) {
		st := whatsapp.Status{ID: whatsapp.WAMID("wamid." + strconv.Itoa(int(m.Ordinal))), Kind: "read", At: time.Now()}
		if echo {
			st.CallbackData = callback.Data{Message: m, Attempt: 1}.Encode(c.vault)
		}
		list = append(list, messages.Told{Status: st, Number: c.run.number.ID, Received: time.Now()})
	}
	_, err := messages.ApplyStatuses(ctx, tx, c.vault, c.ws, list)
	return err
}

// repairing are the statements of the scheduler's repairs, of planning and of pages.
func (c *crowd) repairing() []call {
	run := c.run.run
	app := func(name string, most float64, do func(ctx context.Context, tx pgx.Tx) error) call {
		return call{name: name, most: most, do: do}
	}
	everything := float64(c.rows) * 1.2 // counts the run, on purpose
	return []call{
		app("expire claims", fewRows, func(ctx context.Context, tx pgx.Tx) error {
			_, err := messages.ExpireClaims(ctx, tx, c.ws, run)
			return err
		}),
		app("give up unknown", fewRows, func(ctx context.Context, tx pgx.Tx) error {
			_, err := messages.GiveUpUnknown(ctx, tx, c.ws, run, time.Hour)
			return err
		}),
		app("feed again", fewRows, func(ctx context.Context, tx pgx.Tx) error {
			_, err := messages.Refeed(ctx, tx, c.ws, run)
			return err
		}),
		app("suppress 500 of the rest", 3*fewRows, func(ctx context.Context, tx pgx.Tx) error {
			_, err := messages.SuppressReady(ctx, tx, c.ws, run, messages.Stopped, 500)
			return err
		}),
		app("finish", fewRows, func(ctx context.Context, tx pgx.Tx) error {
			_, err := campaigns.Finish(ctx, tx, c.ws, run)
			return err
		}),
		{name: "snapshot (counts the run)", page: true, most: everything, do: func(ctx context.Context, tx pgx.Tx) error {
			return campaigns.Snapshot(ctx, tx, c.ws, run)
		}},
		{name: "plan: read 2,000 people", page: true, most: 3 * plan.Size, do: func(ctx context.Context, tx pgx.Tx) error {
			after := uuid.MustParse(fmt.Sprintf("01890000-0000-7000-8000-%012x", max(0, c.cursor-2*plan.Size)))
			_, err := plan.Read(ctx, tx, c.vault, plan.Scope{Workspace: c.ws, Audiences: []id.Audience{c.audience},
				Portfolio: c.folio, Purpose: "marketing", Attributes: []string{"first_name"}}, id.Contact(after))
			return err
		}},
		{name: "page of recipients", page: true, most: fewRows, do: func(ctx context.Context, tx pgx.Tx) error {
			_, err := campaigns.Recipients(ctx, tx, c.ws, c.run.campaign, campaigns.RecipientFilter{After: int32(c.cursor - together), Limit: 50})
			return err
		}},
		{name: "polls that are due", engine: true, most: fewRows, do: func(ctx context.Context, tx pgx.Tx) error {
			_, err := numbers.DuePolls(ctx, tx, 500)
			return err
		}},
	}
}

// looks are the scheduler's for work: where the statement stands, and what it is given.
var looks = []struct {
	name, file, constant string
	args                 []any
}{
	{"find runs to feed", "scheduler/feed.go", "sqlFeedRuns", nil},
	{"find open runs", "scheduler/reconcile.go", "sqlOpenRuns", nil},
	{"find runs to plan", "scheduler/plan.go", "sqlToPlan", []any{campaigns.PlanAhead, messages.PlanFailed}},
	{"find runs that are due", "scheduler/plan.go", "sqlDueRuns", nil},
	{"find places that are over", "scheduler/places.go", "sqlPlacesOver", nil},
	{"find first hours that are over", "scheduler/first_hours.go", "sqlFirstHours", nil},
	{"find who shares a judged portfolio", "messages/halts/halts.go", "sqlSharing", []any{halts.Several, halts.Reason}},
	{"find new events", "scheduler/events.go", "sqlNewEvents", []any{fewRows}},
}

func (c *crowd) finding() ([]call, error) {
	var all []call
	for _, q := range looks {
		sql, err := constant(q.file, q.constant)
		if err != nil {
			return nil, err
		}
		all = append(all, call{name: q.name, engine: true, most: fewRows, do: func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, sql, q.args...)
			return err
		}})
	}
	return all, nil
}
