package worker

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/pg/pgtest"
	"bareed/messages"
	"bareed/messages/consequences"
	"bareed/sandbox"
	"bareed/whatsapp"
)

// planes are the two ways in which a code comes.
var planes = map[string]func(c *coded, t *testing.T, code int) int{
	"answer": func(c *coded, t *testing.T, code int) int { return c.send(t, sandbox.KindRefuse, code) },
	"status": func(c *coded, t *testing.T, code int) int {
		ordinal := c.send(t, sandbox.KindFail, code)
		c.hear(t)
		return ordinal
	},
}

// accept sends the next message, which arrives.
func (c *coded) accept(t *testing.T) {
	t.Helper()
	c.send(t, "", 0)
	for heard := 0; heard < 2; heard = counted(t, c.b, `select count(sent_at) + count(delivered_at) from message where run_id = $1 and ordinal = $2`, c.run, c.next) {
		c.hear(t)
	}
}

func (c *coded) stops(t *testing.T) (said string) {
	t.Helper()
	c.b.In(t, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `select coalesce(string_agg(concat_ws(' ', scope, reason, meta_code, measured), '; '), '') from stop
			where cleared_at is null`).Scan(&said)
	})
	return said
}

// A code nobody knows fails its message. Five one after another stop the campaign,
// in answers and in statuses; one that arrives between begins the count anew. The
// log tells of the code once.
func TestFiveUnknownCodesStop(t *testing.T) {
	t.Parallel()
	for name, meet := range planes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const code = 777777
			c := newCoded(t, 12)
			var log bytes.Buffer
			c.Log = slog.New(slog.NewTextHandler(&log, nil))
			for i := 1; i < 10; i++ {
				if got := c.stops(t); got != "" {
					t.Fatalf("stopped before message %d: %s", i, got)
				}
				if i == 5 {
					c.accept(t)
					continue
				}
				ordinal := meet(c, t, code)
				if n := counted(t, c.b, `select count(*) from message where run_id = $1 and ordinal = $2 and state = 'failed' and reason = 'meta_777777'`, c.run, ordinal); n != 1 {
					t.Errorf("message %d has not failed", i)
				}
			}
			meet(c, t, code)
			if got := c.stops(t); got != "campaign refused_in_a_row 777777 code 777777" {
				t.Errorf("after five in a row: %q", got)
			}
			if n := strings.Count(log.String(), "is not known"); n != 1 {
				t.Errorf("the log tells of it %d times: %s", n, log.String())
			}
		})
	}
}

// Values that Meta refuses are those people's data, until more than a twentieth of
// the last answers are.
func TestRefusedValuesStopTheCampaign(t *testing.T) {
	t.Parallel()
	w := New(Config{Slots: 1})
	c := messages.Claim{}
	answer := func(code int) *messages.Opening {
		if code == 0 {
			return w.overMany(c, whatsapp.SendResult{Outcome: whatsapp.Accepted}, false)
		}
		return w.overMany(c, whatsapp.SendResult{Outcome: whatsapp.RefusedForGood, HasCode: true, Code: code}, true)
	}
	for i := range 400 {
		code := 0
		if i%20 == 19 {
			code = []int{132005, 132008, 132018}[i/20%3]
		}
		if o := answer(code); o != nil {
			t.Fatalf("one in twenty stops, at %d: %+v", i, o)
		}
	}
	o := answer(132018)
	if o == nil || o.Reason != "values_refused" || o.Measured != "11 of the last 200" || o.Code == nil || *o.Code != 132018 {
		t.Errorf("more than one in twenty: %+v", o)
	}
	for i := range 3 { // a person cleared it, and it begins anew
		if o := answer(132018); (o != nil) != (i == 2) {
			t.Errorf("refusal %d after it: %+v", i+1, o)
		}
	}
}

// Two messages that did not reach a person suppress them for everything, in
// whichever plane; what they agreed to stays, and their own message lifts it.
func TestTwoStrikesSuppressUntilTheyWrite(t *testing.T) {
	t.Parallel()
	for name, meet := range planes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCoded(t, 3)
			first := meet(c, t, 131026)
			c.samePerson(t, first, first+1)
			if n := c.suppressed(t, first); n != 0 {
				t.Fatalf("one strike suppresses for %d purposes", n)
			}
			meet(c, t, 131026)
			if n := c.suppressed(t, first); n != 3 {
				t.Errorf("two strikes suppress for %d purposes, want 3", n)
			}
			c.samePerson(t, first, first+2)
			c.tryFew(t, first+2)
			if n := counted(t, c.b, `select count(*) from message where run_id = $1 and ordinal = $2 and state = 'suppressed' and reason = 'not_on_whatsapp'`, c.run, first+2); n != 1 {
				t.Error("the next message to them is not suppressed as not on WhatsApp")
			}
			c.wrote(t, first)
			if n := c.suppressed(t, first); n != 0 {
				t.Errorf("they wrote, and are still suppressed for %d purposes", n)
			}
			if n := counted(t, c.b, `select count(*) from strike`); n != 0 {
				t.Error("the strikes are not forgotten")
			}
		})
	}
}

// Strikes a month apart are none.
func TestStrikesFarApart(t *testing.T) {
	t.Parallel()
	c := newCoded(t, 2)
	first := c.send(t, sandbox.KindRefuse, 131026)
	c.b.Do(t, `update strike set at = at - interval '31 days' where workspace_id = $1`, c.b.Workspace)
	c.samePerson(t, first, first+1)
	c.send(t, sandbox.KindRefuse, 131026)
	if n := c.suppressed(t, first); n != 0 {
		t.Error("two strikes more than 30 days apart suppress")
	}
}

// Five people of a country that the account may not message bar it: the rest of it
// is suppressed and not lost to Meta, others go on, and after a day it is tried anew.
func TestCountryIsBarred(t *testing.T) {
	t.Parallel()
	for name, meet := range planes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCoded(t, 9)
			c.b.Do(t, `update identity set country = 'AE' where workspace_id = $1 and contact_id = (select contact_id from message where run_id = $2 and ordinal = 7)`, c.b.Workspace, c.run)
			for i := 1; i <= 5; i++ {
				if counted(t, c.b, `select count(*) from country_bar`) != 0 {
					t.Fatalf("barred before person %d", i)
				}
				meet(c, t, 130497)
			}
			posts := c.posts.Load()
			c.tryFew(t, 6)
			if n := counted(t, c.b, `select count(*) from message where run_id = $1 and ordinal = 6 and state = 'suppressed' and reason = 'country_barred'`, c.run); n != 1 || c.posts.Load() != posts {
				t.Errorf("the sixth is not suppressed; %d requests", c.posts.Load()-posts)
			}
			c.next = 6
			c.accept(t)
			pgtest.MoveClock(t, c.b.Pool, 25*time.Hour)
			c.reserve(t)
			c.accept(t)
		})
	}
}

// A stop with a time ends by itself, and the message that met it goes.
func TestTimedStopEnds(t *testing.T) {
	t.Parallel()
	c := newCoded(t, 1)
	c.send(t, sandbox.KindRefuse, 134101)
	try := func() int {
		c.b.Do(t, `update message set not_before = null where workspace_id = $1`, c.b.Workspace)
		c.ahead.Add(int64(2 * time.Second))
		c.tryFew(t, 1)
		return c.states(t)["accepted"]
	}
	pgtest.MoveClock(t, c.b.Pool, 9*time.Minute)
	if try() != 0 {
		t.Error("it went on after nine minutes")
	}
	pgtest.MoveClock(t, c.b.Pool, 11*time.Minute)
	if try() != 1 {
		t.Error("it does not go on after eleven minutes")
	}
}

// tryFew offers a message a few times: a busy machine may miss the departure.
func (c *coded) tryFew(t *testing.T, ordinal int) {
	t.Helper()
	for range 10 {
		if err := c.sendMessage(t.Context(), c.task(ordinal)); err != nil {
			t.Fatal(err)
		}
	}
	c.Wait(t.Context())
}

// samePerson makes a later message one to the person of an earlier one.
func (c *coded) samePerson(t *testing.T, from, to int) {
	t.Helper()
	owner := pgtest.Owner(t, c.b.Pool)
	_, err := owner.Exec(t.Context(), `update message m set recipient_hash = f.recipient_hash from message f
		where m.run_id = $1 and m.ordinal = $3 and f.run_id = $1 and f.ordinal = $2`, c.run, from, to)
	if err != nil {
		t.Fatal(err)
	}
}

// wrote is what the webhook door does when the person of a message writes.
func (c *coded) wrote(t *testing.T, ordinal int) {
	t.Helper()
	c.b.In(t, func(tx pgx.Tx) error {
		var hash []byte
		if err := tx.QueryRow(t.Context(), `select recipient_hash from message where run_id = $1 and ordinal = $2`, c.run, ordinal).Scan(&hash); err != nil {
			return err
		}
		return consequences.Wrote(t.Context(), tx, c.b.Workspace, [][]byte{hash})
	})
}

// suppressed is for how many purposes the person of a message is.
func (c *coded) suppressed(t *testing.T, ordinal int) int {
	t.Helper()
	return counted(t, c.b, `select count(*) from suppression s join message m on m.recipient_hash = s.recipient_hash
		where m.run_id = $1 and m.ordinal = $2 and s.lifted_at is null`, c.run, ordinal)
}
