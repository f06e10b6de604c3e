package certificate

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages"
)

// recipient is one person's line.
type recipient struct {
	Accepted    int            `json:"accepted"` // requests that Meta is known to have accepted
	AcceptedAt  *time.Time     `json:"accepted_at,omitempty"`
	Attempts    int            `json:"attempts"` // claims; each permitted one request at most
	ClaimedAt   *time.Time     `json:"claimed_at,omitempty"`
	Consent     string         `json:"consent,omitempty"`      // con_…, the entry that permitted it when planned
	ConsentHash string         `json:"consent_hash,omitempty"` // of that entry, as it is sealed in the consent ledger
	DeliveredAt *time.Time     `json:"delivered_at,omitempty"`
	FailedAt    *time.Time     `json:"failed_at,omitempty"`
	MetaCode    int            `json:"meta_code,omitempty"`
	MetaID      string         `json:"meta_id,omitempty"` // SHA-256 of Meta's message id, which itself holds the phone number
	Ordinal     int32          `json:"ordinal"`
	Person      string         `json:"person"` // keyed hash of the phone number or id; the key stays in the installation
	Reason      string         `json:"reason,omitempty"`
	ResolvedBy  string         `json:"resolved_by,omitempty"`
	State       messages.State `json:"state"`
	Steps       []step         `json:"steps,omitempty"`
}

// step is what came of an attempt that did not end in a plain acceptance, or a
// decision to make another one.
type step struct {
	At      time.Time `json:"at"`
	Attempt int       `json:"attempt"`
	Outcome string    `json:"outcome"`
}

// page is how many people are read at once.
const page = 2000

const sqlPeople = `
select m.ordinal, encode(m.recipient_hash, 'hex'), m.state, coalesce(m.reason, ''), m.attempt, m.claimed_at, m.accepted_at,
    m.delivered_at, m.failed_at, coalesce(m.meta_code, 0), coalesce(m.resolved_by, ''),
    coalesce(encode(sha256(convert_to(m.wamid, 'UTF8')), 'hex'), ''), k.id, coalesce(encode(k.hash, 'hex'), ''),
    a.attempts, a.times, a.outcomes
from message m
left join lateral (
    select c.id, c.hash
    from consent c
    where c.workspace_id = $1
      and c.id = m.consent_id
    offset 0) k on true
left join lateral (
    select array_agg(t.attempt order by t.attempt, t.at) as attempts, array_agg(t.at order by t.attempt, t.at) as times,
        array_agg(t.outcome order by t.attempt, t.at) as outcomes
    from message_attempt t
    where t.workspace_id = $1
      and t.run_id = m.run_id
      and t.ordinal = m.ordinal
    offset 0) a on true
where m.workspace_id = $1
  and m.run_id = $2
  and m.ordinal > $3
order by m.ordinal
limit $4`

// people writes everybody in the order of sending, page by page.
func (w *writing) people(ctx context.Context, tx pgx.Tx, out io.Writer) error {
	after, separator := int32(0), "\n"
	for {
		list, err := pg.All(ctx, tx, "read the run's people", scanRecipient, sqlPeople, w.Actor.Workspace, w.head.Run, after, page)
		if err != nil {
			return err
		}
		var text []byte
		for _, r := range list {
			line, err := canonical(r)
			if err != nil {
				return err
			}
			w.count(r)
			w.link(w.digest, line)
			text, separator = append(append(text, separator...), line...), ",\n"
			after = r.Ordinal
		}
		if err := write(out, text); err != nil {
			return err
		}
		if len(list) < page {
			return nil
		}
		if err := w.Page(); err != nil {
			return fmt.Errorf("send the certificate: %w", err)
		}
	}
}

func scanRecipient(row pgx.CollectableRow) (recipient, error) {
	var r recipient
	var consent id.Consent
	var attempts []int
	var times []time.Time
	var outcomes []string
	err := row.Scan(&r.Ordinal, &r.Person, &r.State, &r.Reason, &r.Attempts, &r.ClaimedAt, &r.AcceptedAt, &r.DeliveredAt, &r.FailedAt,
		&r.MetaCode, &r.ResolvedBy, &r.MetaID, &consent, &r.ConsentHash, &attempts, &times, &outcomes)
	r.ClaimedAt, r.AcceptedAt, r.DeliveredAt, r.FailedAt = utc(r.ClaimedAt), utc(r.AcceptedAt), utc(r.DeliveredAt), utc(r.FailedAt)
	if !consent.IsZero() {
		r.Consent = consent.String()
	}
	if r.AcceptedAt != nil {
		r.Accepted = 1
	}
	for i := range outcomes {
		r.Steps = append(r.Steps, step{At: times[i].UTC(), Attempt: attempts[i], Outcome: outcomes[i]})
		if outcomes[i] == messages.SecondAcceptance {
			r.Accepted++
		}
	}
	return r, err
}

// count adds a person to the totals.
func (w *writing) count(r recipient) {
	t := &w.totals
	t.Total++
	t.AcceptedRequests += int64(r.Accepted)
	if r.Accepted > 1 {
		t.MoreThanOnce++
	}
	for _, s := range r.Steps {
		switch s.Outcome {
		case "resent_by_evidence":
			t.ResentByEvidence++
		case "resent_by_person":
			t.ResentByPerson++
		}
	}
	switch r.State {
	case messages.Suppressed:
		t.Suppressed[r.Reason]++
	case messages.Failed:
		t.Failed[r.Reason]++
	case messages.Ready:
		t.Ready++
	case messages.Sending:
		t.Sending++
	case messages.Held:
		t.Held++
	case messages.Unknown:
		t.Unknown++
	case messages.Unconfirmed:
		t.Unconfirmed++
	default:
		t.Accepted++
	}
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}
