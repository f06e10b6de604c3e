//go:build unix

package simulate

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/check"
	"bareed/campaigns/plan"
	"bareed/campaigns/waves"
	"bareed/internal/id"
)

// launch checks, launches and plans one campaign for each number. What the last
// check foretells, knowing of the other campaigns, is the prediction.
func (w *world) launch(ctx context.Context) (predicted time.Duration, err error) {
	var pace *int
	if w.Pace > 0 {
		pace = &w.Pace
	}
	for i := range w.numbers {
		var c campaigns.Campaign
		err = w.in(ctx, func(tx pgx.Tx) (err error) {
			c, err = campaigns.Create(ctx, tx, w.actor, campaigns.Definition{Name: fmt.Sprintf("Simulated %d", i+1), NumberID: w.numbers[i],
				TemplateID: w.template, AudienceIDs: []id.Audience{w.audiences[i]}, PerMinute: pace})
			return err
		})
		if err != nil {
			return 0, err
		}
		k, err := w.check(ctx, c.ID)
		if err != nil {
			return 0, err
		}
		if predicted, err = w.foretold(k); err != nil {
			return 0, err
		}
		if err := w.launchOne(ctx, c.ID, k.Eligible); err != nil {
			return 0, err
		}
	}
	return predicted, w.exec(ctx, `analyze message`)
}

func (w *world) in(ctx context.Context, fn func(tx pgx.Tx) error) error {
	return w.pool.InWorkspace(ctx, w.ws, fn)
}

func (w *world) check(ctx context.Context, c id.Campaign) (k check.Check, err error) {
	err = w.in(ctx, func(tx pgx.Tx) (err error) {
		if k.ID, err = campaigns.RequestCheck(ctx, tx, w.actor, c); err != nil {
			return err
		}
		_, err = check.Lease(ctx, tx, w.ws, k.ID)
		return err
	})
	for done := false; err == nil && !done; {
		err = w.in(ctx, func(tx pgx.Tx) (err error) {
			if done, err = check.Chunk(ctx, tx, w.vault, w.ws, k.ID); err != nil || !done {
				return err
			}
			return waves.Foresee(ctx, tx, w.ws, k.ID, w.rules)
		})
	}
	if err != nil {
		return k, err
	}
	err = w.in(ctx, func(tx pgx.Tx) (err error) {
		k, err = check.Get(ctx, tx, w.ws, c, k.ID)
		return err
	})
	return k, err
}

// foretold is how long the check's line says it takes. Where nobody waits for
// the limit, both lines are the same.
func (w *world) foretold(k check.Check) (time.Duration, error) {
	if k.Forecast == nil {
		return 0, ErrForecast
	}
	w.waves = k.Forecast.Waves
	line := k.Forecast.Stays
	if w.Rises && k.Forecast.Rises != nil {
		line = *k.Forecast.Rises
	}
	if line.EndsAt == nil {
		return 0, ErrForecast
	}
	return line.EndsAt.Sub(w.began), nil
}

func (w *world) launchOne(ctx context.Context, c id.Campaign, eligible int64) error {
	var l campaigns.Launched
	err := w.in(ctx, func(tx pgx.Tx) (err error) {
		l, err = campaigns.Launch(ctx, tx, w.actor, c, campaigns.LaunchRequest{Expected: eligible, Undo: new(time.Duration)})
		return err
	})
	if err != nil {
		return err
	}
	w.runs, w.campaigns = append(w.runs, l.RunID), append(w.campaigns, c)
	box, err := w.vault.Box(ctx, w.ws)
	if err != nil {
		return err
	}
	for at := (plan.Progress{}); !at.Done; {
		err := w.in(ctx, func(tx pgx.Tx) (err error) {
			at, err = plan.Next(ctx, tx, w.vault, box, w.ws, l.RunID)
			return err
		})
		if err != nil {
			return err
		}
	}
	return w.in(ctx, func(tx pgx.Tx) error { return waves.Due(ctx, tx, w.ws, l.RunID, w.rules) })
}
