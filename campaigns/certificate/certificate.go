// Package certificate owns the proof of a campaign's run: who was to get the
// message, what became of each, and that Meta accepted no more than one request
// for anybody. It is written as a stream, so that a million people need no
// memory, and holds no phone number and no name of a person.
//
// api calls it; campaigns/certificate/verify checks what it writes and knows
// nothing of it but the form.
package certificate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Format is the form's name and version, and the first line under the hash.
const Format = "bareed.certificate/1"

// head says what the certificate is about. Its members, as those of every part,
// stand in alphabetical order: that is the canonical form under the hash.
type head struct {
	Campaign     id.Campaign        `json:"campaign"`
	CampaignName string             `json:"campaign_name"`
	EndedAt      *time.Time         `json:"ended_at,omitempty"`
	Final        bool               `json:"final"` // nothing changes by itself any more but late receipts
	Format       string             `json:"format"`
	IssuedAt     time.Time          `json:"issued_at"`
	Number       id.Number          `json:"number"`
	Planned      int64              `json:"planned"` // ordinals given out: no person's is above it
	Policy       string             `json:"policy"`
	Purpose      string             `json:"purpose"`
	Run          id.Run             `json:"run"`
	RunState     campaigns.RunState `json:"run_state"`
	StartedAt    *time.Time         `json:"started_at,omitempty"`
	Template     id.Template        `json:"template"`
	TemplateHash string             `json:"template_hash"`
	Workspace    id.Workspace       `json:"workspace"`
}

// Totals is the accounting, counted from the people of the certificate.
type Totals struct {
	Accepted         int64            `json:"accepted"` // accepted or later
	AcceptedRequests int64            `json:"accepted_requests"`
	Failed           map[string]int64 `json:"failed"` // reason → people
	Held             int64            `json:"held"`
	MoreThanOnce     int64            `json:"more_than_once"` // people with more than one accepted request
	Ready            int64            `json:"ready"`
	ResentByEvidence int64            `json:"resent_by_evidence"`
	ResentByPerson   int64            `json:"resent_by_person"`
	Sending          int64            `json:"sending"`
	Suppressed       map[string]int64 `json:"suppressed"` // reason → people
	Total            int64            `json:"total"`
	Unconfirmed      int64            `json:"unconfirmed"`
	Unknown          int64            `json:"unknown"`
}

// Config is what writing needs.
type Config struct {
	Pool     *pg.Pool
	Actor    accounts.Actor
	Campaign id.Campaign
	// Out is asked for when the first byte is ready; until then an error can
	// still be answered as one.
	Out func() io.Writer
	// Page is called after each page, when what was written may be sent on.
	Page func() error
}

// writing is a certificate as it is written.
type writing struct {
	Config
	head   head
	totals Totals
	sum    hash.Hash // of what the next link of the chain is made of
	digest []byte    // the chain so far
}

// Write writes the certificate of a campaign's run, all of one moment, and
// enters its seal into the audit before it is given out: whoever holds one can
// ask the installation whether it is the one it issued.
func Write(ctx context.Context, c Config) error {
	w := &writing{Config: c, totals: Totals{Failed: map[string]int64{}, Suppressed: map[string]int64{}}, sum: sha256.New()}
	out := io.Writer(nil)
	err := c.Pool.InSnapshot(ctx, c.Actor.Workspace, func(tx pgx.Tx) error {
		if err := w.read(ctx, tx); err != nil {
			return err
		}
		out = c.Out()
		return w.body(ctx, tx, out)
	})
	if err != nil {
		return err
	}
	seal := hex.EncodeToString(w.digest)
	err = c.Pool.InWorkspace(ctx, c.Actor.Workspace, func(tx pgx.Tx) error {
		return accounts.Audit(ctx, tx, c.Actor, accounts.Deed{Action: "certificate.issued", Subject: c.Campaign.String(),
			Detail: map[string]any{"run": w.head.Run, "people": w.totals.Total, "seal": seal}})
	})
	if err != nil {
		return err
	}
	return write(out, `,"seal":{"method":"sha256-chain","value":"`+seal+"\"}}\n")
}

const sqlHead = `
select r.ended_at, r.settled_at is not null, bareed_now(), r.number_id, r.planned, r.unknown_policy, r.purpose, r.state,
    r.started_at, r.template_id, encode(r.components_hash, 'hex')
from run r
where r.workspace_id = $1
  and r.id = $2`

func (w *writing) read(ctx context.Context, tx pgx.Tx) error {
	ws := w.Actor.Workspace
	c, err := campaigns.Get(ctx, tx, ws, w.Campaign)
	if err != nil {
		return err
	}
	if c.RunID.IsZero() {
		return errs.New("campaign.not_launched", "state", c.State)
	}
	w.head = head{Format: Format, Workspace: ws, Campaign: c.ID, CampaignName: c.Name, Run: c.RunID}
	h := &w.head
	err = tx.QueryRow(ctx, sqlHead, ws, c.RunID).Scan(&h.EndedAt, &h.Final, &h.IssuedAt, &h.Number, &h.Planned, &h.Policy, &h.Purpose,
		&h.RunState, &h.StartedAt, &h.Template, &h.TemplateHash)
	if errors.Is(err, pgx.ErrNoRows) {
		return errs.New("not_found")
	}
	if err != nil {
		return fmt.Errorf("read the run: %w", err)
	}
	h.IssuedAt, h.StartedAt, h.EndedAt = h.IssuedAt.UTC(), utc(h.StartedAt), utc(h.EndedAt)
	return nil
}

// body writes everything but the seal, and closes the chain.
func (w *writing) body(ctx context.Context, tx pgx.Tx, out io.Writer) error {
	line, err := canonical(w.head)
	if err != nil {
		return err
	}
	w.link([]byte(Format+"\n"), line)
	if err := write(out, `{"certificate":`, line, ",\n\"recipients\":["); err != nil {
		return err
	}
	if err := w.people(ctx, tx, out); err != nil {
		return err
	}
	ledgers, err := readLedgers(ctx, tx, w.Actor.Workspace, w.Campaign)
	if err != nil {
		return err
	}
	totals, err := canonical(w.totals)
	if err != nil {
		return err
	}
	proof, err := canonical(ledgers)
	if err != nil {
		return err
	}
	w.link(w.digest, totals)
	w.link(w.digest, proof)
	return write(out, "\n],\n\"totals\":", totals, ",\n\"ledgers\":", proof, "\n")
}

// link makes the next digest of the chain.
func (w *writing) link(parts ...[]byte) {
	w.sum.Reset()
	for _, p := range parts {
		w.sum.Write(p)
	}
	w.digest = w.sum.Sum(nil)
}

// canonical is JSON without spaces, members in alphabetical order (as the
// structs have them), nothing escaped that need not be.
func canonical(v any) ([]byte, error) {
	b := new(lineBuffer)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write the certificate: %w", err)
	}
	return b.bytes[:len(b.bytes)-1], nil // without the encoder's line end
}

type lineBuffer struct{ bytes []byte }

func (b *lineBuffer) Write(p []byte) (int, error) {
	b.bytes = append(b.bytes, p...)
	return len(p), nil
}

func write[T string | []byte](out io.Writer, first T, rest ...any) error {
	all := append([]byte(nil), first...)
	for _, r := range rest {
		switch r := r.(type) {
		case string:
			all = append(all, r...)
		case []byte:
			all = append(all, r...)
		}
	}
	if _, err := out.Write(all); err != nil {
		return fmt.Errorf("write the certificate: %w", err)
	}
	return nil
}
