package plan

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns/caps"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages"
)

// marketing is the purpose that most caps are about.
const marketing = "marketing"

// Sending is what the workspace and its operator keep from people whatever they
// agreed to.
type Sending struct {
	Rules caps.SendingRules
	Pass  bool      // the campaign may pass the frequency rules
	Due   time.Time // when the first message may leave
}

// ReadSending reads it for a campaign's check. starts is when the campaign would
// begin; zero: now.
func ReadSending(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign, operator []string, now, starts time.Time) (Sending, error) {
	s := Sending{Due: later(now, starts)}
	p, err := caps.ReadPass(ctx, db, ws, campaign)
	if err != nil {
		return s, err
	}
	s.Pass = p.Pass
	s.Rules, err = caps.Read(ctx, db, ws, operator)
	return s, err
}

// keepFrom reads it for a run. Where turns are taken, no other chunk of the
// workspace is planned until this one is over: its turns are read afterwards.
func (s *Scope) keepFrom(ctx context.Context, tx pgx.Tx, operator []string, now, starts time.Time) (err error) {
	s.Sending.Due = later(now, starts)
	if s.Sending.Rules, err = caps.Read(ctx, tx, s.Workspace, operator); err != nil || !s.counts() {
		return err
	}
	return caps.Alone(ctx, tx, s.Workspace)
}

// counts tells whether the messages take turns.
func (s *Scope) counts() bool { return s.Purpose == marketing && len(s.Sending.Rules.Frequency) > 0 }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

const sqlCooling = `
select c.recipient_hash, c.until
from unnest($2::bytea[]) as p(recipient_hash)
cross join lateral (
    select c.recipient_hash, c.until
    from cool_off c
    where c.workspace_id = $1
      and c.recipient_hash = p.recipient_hash
    offset 0) c
where c.until > $3`

// markCapped finds out what the caps on marketing need to know of people: who
// cools off, and how often they were messaged. The claim asks again for the first.
func markCapped(ctx context.Context, db pg.DB, v *accounts.Vault, s Scope, people []Person) error {
	if s.Purpose != marketing || len(people) == 0 {
		return nil
	}
	owner, hashes := make(map[string]int, len(people)), make([][]byte, len(people))
	for i, p := range people {
		hashes[i] = v.RecipientHash(p.recipientKey())
		owner[string(hashes[i])] = i
	}
	rows, err := db.Query(ctx, sqlCooling, s.Workspace, hashes, s.Sending.Due)
	if err != nil {
		return fmt.Errorf("look for people who cool off: %w", err)
	}
	var hash []byte
	var until time.Time
	_, err = pgx.ForEachRow(rows, []any{&hash, &until}, func() error {
		people[owner[string(hash)]].coolsUntil = until
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for people who cool off: %w", err)
	}
	if s.Sending.Pass || !s.counts() {
		return nil
	}
	contacts := make([]id.Contact, len(people))
	for i, p := range people {
		contacts[i] = p.Contact
	}
	turns, err := caps.Turns(ctx, db, s.Workspace, s.Sending.Rules.Frequency, s.Run, s.Sending.Due, contacts)
	if err != nil {
		return err
	}
	for i, p := range people {
		people[i].turns = turns[p.Contact]
	}
	return nil
}

// takeTurns takes one for everybody of a chunk who is sent the message, also when
// the campaign itself may pass the rules.
func (p *planned) takeTurns(ctx context.Context, tx pgx.Tx, rows []messages.Planned) error {
	if !p.scope.counts() {
		return nil
	}
	var people []id.Contact
	var ordinals []int32
	for i, r := range rows {
		if r.Reason == "" {
			people, ordinals = append(people, r.Contact), append(ordinals, p.planned+int32(i)+1)
		}
	}
	return caps.Take(ctx, tx, p.scope.Workspace, p.scope.Run, p.scope.Sending.Due, people, ordinals)
}
