package campaigns

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns/plan"
	"bareed/campaigns/schedule"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Duplicate makes a draft of the same definition. Its name is the old one with
// the word for a copy behind it: Eid (copy), Eid (copy 2). What is no more is
// left out: audiences that were deleted, and a time that has passed; what recurs
// goes on from its next time. Whatever else has become unfit since stays for a
// person to change, and keeps the draft from being launched.
func Duplicate(ctx context.Context, tx pgx.Tx, a accounts.Actor, campaign id.Campaign, word string) (Campaign, error) {
	c, err := lock(ctx, tx, a.Workspace, campaign) // two copies at once get two names
	if err != nil {
		return c, err
	}
	d := Change{Partial: true}.apply(c)
	if d.Name, err = freeName(ctx, tx, a.Workspace, c.Name, word); err != nil {
		return c, err
	}
	if d.AudienceIDs, err = audiencesLeft(ctx, tx, a.Workspace, campaign); err != nil {
		return c, err
	}
	_, err = d.schedule(ctx, tx)
	if _, unfit := errs.As(err); unfit {
		err = d.dropTime(ctx, tx)
	}
	if err != nil {
		return c, err
	}
	detail := map[string]any{"copy_of": campaign.String()}
	made, err := d.create(ctx, tx, a, detail)
	if errs.Is(err, "rate.range") { // the number has become slower than the pace
		d.PerMinute = nil
		made, err = d.create(ctx, tx, a, detail)
	}
	if err != nil {
		return made, err
	}
	if _, err := tx.Exec(ctx, sqlCopyStanding, a.Workspace, campaign, made.ID); err != nil {
		return made, fmt.Errorf("copy the campaign's priority: %w", err)
	}
	return made, nil
}

const sqlCopyStanding = `
update campaign c
set priority = o.priority, share = o.share
from campaign o
where o.workspace_id = $1
  and o.id = $2
  and c.workspace_id = $1
  and c.id = $3`

// dropTime takes the time away and leaves the hours in which messages may leave.
func (d *Definition) dropTime(ctx context.Context, tx pgx.Tx) error {
	d.SendAt, d.Zone = "", ""
	if d.Schedule == nil {
		return nil
	}
	hours := schedule.Rules{Zone: d.Schedule.Zone, Window: d.Schedule.Window, QuietHours: d.Schedule.QuietHours}
	d.Schedule = nil
	if hours.Window == nil && hours.QuietHours == nil {
		return nil
	}
	d.Schedule = &hours
	_, err := d.schedule(ctx, tx)
	if _, unfit := errs.As(err); unfit {
		d.Schedule, err = nil, nil
	}
	return err
}

const sqlAudiencesLeft = `
select a.audience_id
from campaign_audience a
join audience u on u.workspace_id = a.workspace_id and u.id = a.audience_id
where a.workspace_id = $1
  and a.campaign_id = $2
  and u.deleted_at is null
order by a.audience_id`

// audiencesLeft are a campaign's audiences that were not deleted since.
func audiencesLeft(ctx context.Context, tx pgx.Tx, ws id.Workspace, campaign id.Campaign) ([]id.Audience, error) {
	return pg.All(ctx, tx, "read the campaign's audiences", pgx.RowTo[id.Audience], sqlAudiencesLeft, ws, campaign)
}

const sqlFreeName = `
select n.name
from unnest($2::text[]) with ordinality as n(name, i)
where not exists (
    select from campaign c
    where c.workspace_id = $1
      and c.name = n.name
      and c.deleted_at is null)
order by n.i
limit 1`

// maxCopies is how many copies of one campaign have a name by themselves.
const maxCopies = 200

// freeName finds the first name of a copy that nobody has.
func freeName(ctx context.Context, tx pgx.Tx, ws id.Workspace, of, word string) (string, error) {
	names := copyNames(of, word)
	var name string
	err := tx.QueryRow(ctx, sqlFreeName, ws, names).Scan(&name)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", errs.New("campaign.name_taken", "name", errs.Clip(names[0]))
	}
	if err != nil {
		return "", fmt.Errorf("name the copy: %w", err)
	}
	return name, nil
}

// copyNames are the names a copy may have, the best first. A copy of a copy
// counts on and is no copy (copy); a long name ends earlier.
func copyNames(of, word string) []string {
	if i := strings.LastIndex(of, " ("+word); i > 0 {
		n := strings.TrimSuffix(of[i+len(" ("+word):], ")")
		if n == "" || strings.Trim(n, " 0123456789") == "" {
			of = of[:i]
		}
	}
	names := make([]string, maxCopies)
	for i := range names {
		end := " (" + word + ")"
		if i > 0 {
			end = fmt.Sprintf(" (%s %d)", word, i+1)
		}
		base := []rune(of)
		if room := plan.MaxName - len([]rune(end)); len(base) > room {
			base = []rune(plan.CleanName(string(base[:room])))
		}
		names[i] = string(base) + end
	}
	return names
}
