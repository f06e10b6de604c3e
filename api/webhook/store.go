package webhook

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/numbers"
	"bareed/whatsapp"
)

// store writes a body in one transaction: seen, strays, each workspace's event,
// and what gates the next message. A body seen before changes nothing.
func (d *Door) store(ctx context.Context, m *mail) error {
	for try := 0; ; try++ {
		err := pgx.BeginFunc(ctx, d.Pool.App(), func(tx pgx.Tx) error { return d.storeIn(ctx, tx, m) })
		if err == nil || try == 3 || !pg.Repeatable(err) {
			return err
		}
	}
}

func (d *Door) storeIn(ctx context.Context, tx pgx.Tx, m *mail) error {
	fresh, err := numbers.SeeDelivery(ctx, tx, m.app.ID, m.sum[:])
	if err != nil {
		return err
	}
	if !fresh {
		d.taken.WithLabelValues("repeated").Inc()
		return nil
	}
	if err := d.storeStrays(ctx, tx, m); err != nil {
		return err
	}
	for _, s := range m.shares {
		if err := d.storeShare(ctx, tx, m.app.ID, s); err != nil {
			return err
		}
	}
	return nil
}

func (d *Door) storeStrays(ctx context.Context, tx pgx.Tx, m *mail) error {
	system := d.Vault.System()
	if m.broken != nil {
		if err := numbers.KeepStray(ctx, tx, system, m.app.ID, numbers.StrayUnparseable, m.broken); err != nil {
			return err
		}
		d.strayed(ctx, m.app.ID, numbers.StrayUnparseable, 1)
	}
	for _, why := range []string{numbers.StrayObject, numbers.StrayNumber, numbers.StrayAccount} {
		stored := m.strays[why]
		if stored == nil {
			continue
		}
		body, err := json.Marshal(stored)
		if err != nil {
			return fmt.Errorf("write the stray event: %w", err)
		}
		if err := numbers.KeepStray(ctx, tx, system, m.app.ID, why, body); err != nil {
			return err
		}
		d.strayed(ctx, m.app.ID, why, len(stored.Changes))
	}
	return nil
}

// strayed alerts: another object is nothing to us, everything else should not be.
func (d *Door) strayed(ctx context.Context, app id.App, why string, n int) {
	d.taken.WithLabelValues(why).Add(float64(n))
	if why != numbers.StrayObject {
		d.Log.WarnContext(ctx, "webhook changes that belong to no workspace", "app", app, "why", why, "changes", n)
	}
}

func (d *Door) storeShare(ctx context.Context, tx pgx.Tx, app id.App, s *share) error {
	if err := pg.Enter(ctx, tx, s.workspace); err != nil {
		return err
	}
	mode, now, err := numbers.Intake(ctx, tx, s.workspace)
	if err != nil {
		return err
	}
	kept := s.stored
	if mode == "off" {
		kept = whatsapp.Stored{Changes: make([]whatsapp.StoredChange, len(s.stored.Changes))}
		for i, c := range s.stored.Changes {
			kept.Changes[i] = whatsapp.WithoutContent(c)
		}
	}
	body, err := json.Marshal(kept)
	if err != nil {
		return fmt.Errorf("write the event: %w", err)
	}
	event, err := numbers.KeepEvent(ctx, tx, s.box, s.workspace, app, s.fields, body)
	if err != nil {
		return err
	}
	g := &gates{Door: d, tx: tx, workspace: s.workspace, event: event, now: now}
	for _, one := range s.gates {
		if err := g.apply(ctx, one); err != nil {
			return err
		}
	}
	d.taken.WithLabelValues("stored").Add(float64(len(s.stored.Changes)))
	if g.failed == 0 {
		return nil
	}
	d.taken.WithLabelValues("gate_failed").Add(float64(g.failed))
	return numbers.EventProblem(ctx, tx, s.workspace, event, "gate")
}
