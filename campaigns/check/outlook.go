package check

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns"
	"bareed/campaigns/capacity"
	"bareed/campaigns/forecast"
	"bareed/campaigns/outlook"
	"bareed/campaigns/plan"
	"bareed/internal/id"
	"bareed/numbers"
)

// sqlNotePeople counts of a chunk's eligible people who need no place and who
// consented lately. Each is asked for by their key.
const sqlNotePeople = `
update plan_check
set placeless = placeless + places_held($3, $4, $5),
    fresh = fresh + (
        select count(*)
        from unnest($6::uuid[]) as c(id)
        cross join lateral (
            select p.since
            from permission p
            where p.workspace_id = $1
              and p.contact_id = c.id
              and p.purpose = $7
            limit 1) p
        where p.since > bareed_now() - interval '90 days')
where workspace_id = $1
  and id = $2`

// noteEligible notes what the prediction needs to know of the people of a chunk
// that would be sent the message.
func noteEligible(ctx context.Context, tx pgx.Tx, v *accounts.Vault, ws id.Workspace, c campaigns.Campaign, check id.Check,
	people []plan.Person, reasons []string) error {
	var hashes [][]byte
	var contacts []id.Contact
	for i, p := range people {
		if reasons[i] == "" {
			hashes, contacts = append(hashes, v.RecipientHash(p.RecipientKey())), append(contacts, p.Contact)
		}
	}
	if len(hashes) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, sqlNotePeople, ws, check, c.Portfolio(), c.NumberID, hashes, contacts, c.Purpose); err != nil {
		return fmt.Errorf("note who needs no place: %w", err)
	}
	return nil
}

// foresee adds when the last message would leave, and how the limit can grow
// when people would wait for it.
func (k *Check) foresee(ctx context.Context, tx pgx.Tx, ws id.Workspace, c campaigns.Campaign, n numbers.Number, s capacity.CampaignPriority) error {
	if k.State != "completed" {
		return nil
	}
	a := outlook.Asked{Campaign: c.ID, Number: n, Rules: c.Rules, Starts: starts(c), PerMinute: c.PerMinute, People: k.Eligible, Placeless: k.Placeless,
		Waves: k.ahead(), Priority: s.Priority, Share: s.Share}
	o, err := outlook.Read(ctx, tx, ws, a)
	if err != nil || !o.Known {
		return err
	}
	f := forecast.Predict(o.Input)
	k.Forecast = &f
	if f.Stays.Waits {
		g := o.Growth(k.Fresh, 0)
		k.Growth = &g
	}
	return nil
}

// ahead is in which waves the campaign would go, but for the last, as they were
// noted when the check was completed.
func (k *Check) ahead() (list []forecast.Wave) {
	for _, people := range k.waves[:max(0, len(k.waves)-1)] {
		list = append(list, forecast.Wave{People: people, Wait: time.Duration(k.waveWait) * time.Minute})
	}
	return list
}

// starts is when the campaign's first message may leave; zero: at once.
func starts(c campaigns.Campaign) time.Time {
	if c.Schedule == nil {
		return time.Time{}
	}
	return c.Schedule.At
}
