//go:build unix

package nemesis

import (
	"context"
	"fmt"
	"time"

	"bareed/internal/clock"
	"bareed/internal/rig"
	"bareed/sandbox"
)

const sqlKnown = `
select pg_xact_commit_timestamp(xmin)
from template
where meta_template_id = $1
  and quality = $2`

// downgrade has Meta lower the quality of the template that every campaign uses. From
// the moment at which the product has written that down nothing may leave any
// more, whatever becomes of Redis: it is emptied at once, so that a stop that
// lives in the queue alone is forgotten. Nobody resumes meanwhile.
func (w *World) downgrade(ctx context.Context, s Step) error {
	w.hands(1)
	defer w.hands(-1)
	template := w.Tenant.Meta.OfferID()
	err := w.Rig.Control(ctx, "/sandbox/template", sandbox.TemplateChange{TemplateID: template, Quality: s.On}, nil)
	if err != nil {
		return err
	}
	at, err := w.known(ctx, template, s.On)
	if err != nil {
		return fmt.Errorf("wait until the product knows of the drop: %w", err)
	}
	emptied := w.Redis.FlushAll(ctx).Err()
	clock.Pause(ctx, time.Until(at.Add(s.For)))
	w.mark(Mark{Do: Downgrade, On: s.On, At: at, Until: time.Now()})
	return emptied
}

// known is when the product committed a template's quality, by PostgreSQL's own
// time of it.
func (w *World) known(ctx context.Context, template, quality string) (at time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	err = rig.Until(ctx, 20*time.Millisecond, func() (bool, error) {
		return w.Admin.QueryRow(ctx, sqlKnown, template, quality).Scan(&at) == nil, nil
	})
	return at, err
}

func (w *World) hands(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.off += n
}

// HandsOff tells that a stop is being measured: nobody may resume.
func (w *World) HandsOff() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.off > 0
}
