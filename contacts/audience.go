package contacts

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Audience is a named list of contacts. OptedIn counts the members who may be
// messaged, by purpose.
type Audience struct {
	ID        id.Audience      `json:"id"`
	Name      string           `json:"name"`
	Members   int64            `json:"members"`
	OptedIn   map[string]int64 `json:"opted_in,omitempty" doc:"Members who may be messaged, by purpose; not in lists"`
	CreatedAt time.Time        `json:"created_at"`
	CreatedBy string           `json:"created_by"`
}

const maxAudienceName = 200 // runes

// cleanName checks a name that people type: something visible, no control or
// direction marks, not too long.
func cleanName(s string) (string, error) {
	for _, r := range s {
		if unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return "", errs.New("field.characters").At("/name", "")
		}
	}
	s = strings.TrimSpace(s)
	visible := strings.ContainsFunc(s, func(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r) })
	if !visible {
		return "", errs.New("field.required").At("/name", "")
	}
	if len([]rune(s)) > maxAudienceName {
		return "", errs.New("field.too_long", "max", maxAudienceName).At("/name", "")
	}
	return s, nil
}

const sqlNewAudience = `
	insert into audience (workspace_id, id, name, created_by)
	values ($1, $2, $3, $4)`

// CreateAudience makes an empty audience; the name must be new in the workspace.
func CreateAudience(ctx context.Context, tx pgx.Tx, a accounts.Actor, name string) (Audience, error) {
	name, err := cleanName(name)
	if err != nil {
		return Audience{}, err
	}
	audience := id.New[id.Audience]()
	if _, err := tx.Exec(ctx, sqlNewAudience, a.Workspace, audience, name, a.String()); err != nil {
		if pg.Violates(err, "audience_name") {
			return Audience{}, errs.New("name.taken").At("/name", "")
		}
		return Audience{}, fmt.Errorf("create an audience: %w", err)
	}
	err = accounts.Audit(ctx, tx, a, accounts.Deed{Action: "audience.created", Subject: audience.String()})
	if err != nil {
		return Audience{}, err
	}
	return GetAudience(ctx, tx, a.Workspace, audience)
}

const sqlAudiences = `
	select a.id, a.name, a.created_at, a.created_by,
		(select count(*) from audience_member m where m.workspace_id = a.workspace_id and m.audience_id = a.id)
	from audience a
	where a.workspace_id = $1
	  and a.deleted_at is null
	  and ($2::uuid is null or a.id = $2)
	  and ($3::uuid is null or a.id < $3)
	order by a.id desc
	limit $4`

func scanAudience(row pgx.CollectableRow) (Audience, error) {
	var a Audience
	err := row.Scan(&a.ID, &a.Name, &a.CreatedAt, &a.CreatedBy, &a.Members)
	return a, err
}

// ListAudiences returns audiences newest first, those before an id when it is
// given, without the counts of opt-in.
func ListAudiences(ctx context.Context, tx pgx.Tx, ws id.Workspace, before id.Audience, limit int) ([]Audience, error) {
	return pg.All(ctx, tx, "list audiences", scanAudience, sqlAudiences, ws, nil, before, limit)
}

// A row of permission is what the ledger comes to; consents keeps it.
const sqlAudienceOptedIn = `
	select p.purpose, count(*)
	from audience_member m
	join permission p on p.workspace_id = m.workspace_id and p.contact_id = m.contact_id
	where m.workspace_id = $1
	  and m.audience_id = $2
	  and p.granted
	  and (p.expires_at is null or p.expires_at > bareed_now())
	group by p.purpose`

// GetAudience finds one audience with all its counts; not_found otherwise.
func GetAudience(ctx context.Context, tx pgx.Tx, ws id.Workspace, audience id.Audience) (Audience, error) {
	if audience.IsZero() {
		return Audience{}, errs.New("not_found")
	}
	a, err := pg.One(ctx, tx, "read an audience", scanAudience, sqlAudiences, ws, audience, nil, 1)
	if err != nil {
		return Audience{}, err
	}
	a.OptedIn = map[string]int64{"marketing": 0, "utility": 0, "authentication": 0}
	rows, err := tx.Query(ctx, sqlAudienceOptedIn, ws, audience)
	if err != nil {
		return Audience{}, fmt.Errorf("count opt-ins: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var purpose string
		var n int64
		if err := rows.Scan(&purpose, &n); err != nil {
			return Audience{}, fmt.Errorf("count opt-ins: %w", err)
		}
		a.OptedIn[purpose] = n
	}
	return a, rows.Err()
}

const sqlLockAudience = `
	select name
	from audience
	where workspace_id = $1
	  and id = $2
	  and deleted_at is null
	for update`

// lockAudience keeps others from changing or deleting the audience until tx ends
// and returns its name; not_found when it is deleted already.
func lockAudience(ctx context.Context, tx pgx.Tx, ws id.Workspace, audience id.Audience) (name string, err error) {
	err = tx.QueryRow(ctx, sqlLockAudience, ws, audience).Scan(&name)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", errs.New("not_found")
	}
	if err != nil {
		return "", fmt.Errorf("lock the audience: %w", err)
	}
	return name, nil
}

const sqlAudienceUsed = `
	select c.id, c.name
	from campaign_audience ca
	join campaign c on c.workspace_id = ca.workspace_id and c.id = ca.campaign_id
	where ca.workspace_id = $1
	  and ca.audience_id = $2
	  and c.state not in ('completed', 'stopped', 'expired', 'failed')
	order by c.id
	limit 1`

const sqlDeleteAudience = `
	update audience
	set deleted_at = bareed_now()
	where workspace_id = $1
	  and id = $2
	  and deleted_at is null`

const sqlClearAudience = `
	delete from audience_member
	where workspace_id = $1
	  and audience_id = $2`

// DeleteAudience removes an audience; its contacts stay. One that a campaign
// not yet over uses is resource.in_use, naming the campaign.
func DeleteAudience(ctx context.Context, tx pgx.Tx, a accounts.Actor, audience id.Audience) error {
	audienceName, err := lockAudience(ctx, tx, a.Workspace, audience)
	if err != nil {
		return err
	}
	var campaign id.Campaign
	var name string
	err = tx.QueryRow(ctx, sqlAudienceUsed, a.Workspace, audience).Scan(&campaign, &name)
	if err == nil {
		return errs.New("resource.in_use", "name", errs.Clip(audienceName), "user", campaign.String()+" ("+errs.Clip(name)+")")
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("look for campaigns of the audience: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlDeleteAudience, a.Workspace, audience); err != nil {
		return fmt.Errorf("delete an audience: %w", err)
	}
	if _, err := tx.Exec(ctx, sqlClearAudience, a.Workspace, audience); err != nil {
		return fmt.Errorf("clear an audience: %w", err)
	}
	return accounts.Audit(ctx, tx, a, accounts.Deed{Action: "audience.deleted", Subject: audience.String()})
}

// sqlAttributeNames walks the index from one name to the next, so that its cost
// is the number of names and not of values.
const sqlAttributeNames = `
	with recursive held as (
		(select t.name from contact_attribute t where t.workspace_id = $1 order by t.name limit 1)
		union all
		select (select t.name from contact_attribute t where t.workspace_id = $1 and t.name > held.name order by t.name limit 1)
		from held
		where held.name is not null)
	select name
	from held
	where name is not null
	limit $2`

// AttributeNames lists the attributes that people of the workspace have, in
// order of their names, at most limit.
func AttributeNames(ctx context.Context, db pg.DB, ws id.Workspace, limit int) ([]string, error) {
	return pg.All(ctx, db, "list attributes", pgx.RowTo[string], sqlAttributeNames, ws, limit)
}
