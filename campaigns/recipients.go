package campaigns

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/messages"
	"bareed/whatsapp/codes"
)

// Recipient is one person's message in a run.
type Recipient struct {
	MessageID   id.Message       `json:"message_id"`
	ContactID   id.Contact       `json:"contact_id"`
	Name        string           `json:"name,omitempty"`
	Address     string           `json:"address,omitempty" doc:"Phone or business-scoped id; masked unless the caller may see it."`
	State       messages.State   `json:"state"`
	Reason      string           `json:"reason,omitempty"`
	MetaCode    int              `json:"meta_code,omitempty"`
	MetaError   *codes.MetaError `json:"meta_error,omitempty" doc:"The code in words, of a message that failed or waits because of it."`
	AcceptedAt  *time.Time       `json:"accepted_at,omitempty"`
	HeldAt      *time.Time       `json:"held_at,omitempty"`
	SentAt      *time.Time       `json:"sent_at,omitempty"`
	DeliveredAt *time.Time       `json:"delivered_at,omitempty"`
	ReadAt      *time.Time       `json:"read_at,omitempty"`
	PlayedAt    *time.Time       `json:"played_at,omitempty"`
	FailedAt    *time.Time       `json:"failed_at,omitempty"`
	UpdatedAt   time.Time        `json:"updated_at"`
}

// RecipientFilter chooses recipients of a campaign's run.
type RecipientFilter struct {
	State  string           // of the message; empty: all
	States []messages.State // one of these; empty: all
	Reason string
	After  int32 // ordinal of the last one of the page before
	Limit  int
	Reveal bool // the caller may see whole phone numbers
}

const sqlRecipients = `
select m.run_id, m.ordinal, m.contact_id, coalesce(c.name, ''), m.address, m.state, coalesce(m.reason, ''),
    coalesce(m.meta_code, 0), m.accepted_at, m.held_at, m.sent_at, m.delivered_at, m.read_at, m.played_at,
    m.failed_at, m.updated_at
from message m
left join contact c on c.workspace_id = m.workspace_id and c.id = m.contact_id
where m.workspace_id = $1
  and m.run_id = $2`

const sqlRecipientsPage = sqlRecipients + `
  and m.ordinal > $3
  and ($4 = '' or m.state = $4)
  and ($5 = '' or m.reason = $5)
  and (cardinality($7::text[]) = 0 or m.state = any ($7))
order by m.ordinal
limit $6`

// Recipients lists a campaign's messages in order of sending, at most f.Limit;
// none before it is launched.
func Recipients(ctx context.Context, db pg.DB, ws id.Workspace, campaign id.Campaign, f RecipientFilter) ([]Recipient, error) {
	if f.State != "" && !slices.Contains(messages.States(), messages.State(f.State)) {
		return nil, errs.New("message.state_unknown", "got", errs.Clip(f.State))
	}
	c, err := Get(ctx, db, ws, campaign)
	if err != nil {
		return nil, err
	}
	states := make([]string, len(f.States))
	for i, s := range f.States {
		states[i] = string(s)
	}
	scan := func(row pgx.CollectableRow) (Recipient, error) { return scanRecipient(row, f.Reveal) }
	return pg.All(ctx, db, "list recipients", scan, sqlRecipientsPage, ws, c.RunID, f.After, f.State, f.Reason, f.Limit, states)
}

func scanRecipient(row pgx.CollectableRow, reveal bool) (Recipient, error) {
	var r Recipient
	err := row.Scan(&r.MessageID.Run, &r.MessageID.Ordinal, &r.ContactID, &r.Name, &r.Address, &r.State, &r.Reason,
		&r.MetaCode, &r.AcceptedAt, &r.HeldAt, &r.SentAt, &r.DeliveredAt, &r.ReadAt, &r.PlayedAt, &r.FailedAt, &r.UpdatedAt)
	if !reveal {
		r.Address = errs.MaskPhone(r.Address)
	}
	return r, err
}

// Timeline is one message with everything that was tried.
type Timeline struct {
	Recipient
	RunID      id.Run      `json:"run_id"`
	CampaignID id.Campaign `json:"campaign_id,omitzero"`
	Attempts   []Attempt   `json:"attempts" doc:"Attempts that did not end in a plain acceptance, oldest first."`
}

// Attempt is what came of one attempt.
type Attempt struct {
	Number     int       `json:"number"`
	At         time.Time `json:"at"`
	Outcome    string    `json:"outcome"`
	HTTPStatus int       `json:"http_status,omitempty"`
	MetaCode   int       `json:"meta_code,omitempty"`
	FBTraceID  string    `json:"fbtrace_id,omitempty"`
	Detail     string    `json:"detail,omitempty"`

	MetaError *codes.MetaError `json:"meta_error,omitempty" db:"-" doc:"The code in words"`
}

const sqlRecipient = sqlRecipients + `
  and m.ordinal = $3`

const sqlCampaignOfRun = `
select campaign_id
from run
where workspace_id = $1
  and id = $2`

const sqlAttempts = `
select attempt, at, outcome, coalesce(http_status, 0), coalesce(meta_code, 0), fbtrace_id, detail
from message_attempt
where workspace_id = $1
  and run_id = $2
  and ordinal = $3
order by at, attempt
limit 500`

// GetMessage reads one message's timeline; not_found for any other.
func GetMessage(ctx context.Context, db pg.DB, ws id.Workspace, m id.Message, reveal bool) (Timeline, error) {
	t := Timeline{RunID: m.Run}
	var err error
	scan := func(row pgx.CollectableRow) (Recipient, error) { return scanRecipient(row, reveal) }
	if t.Recipient, err = pg.One(ctx, db, "read the message", scan, sqlRecipient, ws, m.Run, m.Ordinal); err != nil {
		return t, err
	}
	err = db.QueryRow(ctx, sqlCampaignOfRun, ws, m.Run).Scan(&t.CampaignID)
	if err != nil {
		return t, fmt.Errorf("read the message's run: %w", err)
	}
	t.Attempts, err = pg.All(ctx, db, "list attempts", pgx.RowToStructByPos[Attempt], sqlAttempts, ws, m.Run, m.Ordinal)
	return t, err
}
