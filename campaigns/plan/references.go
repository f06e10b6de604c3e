package plan

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/numbers"
	"bareed/templates"
)

// maxAudiences bounds the union that every chunk of a plan merges.
const maxAudiences = 50

const sqlReferences = `
select
    exists (
        select from number n
        where n.workspace_id = $1
          and n.id = $2
          and n.disconnected_at is null),
    exists (
        select from template t
        where t.workspace_id = $1
          and t.id = $3
          and t.gone_at is null),
    array(
        select a.id
        from audience a
        where a.workspace_id = $1
          and a.id = any ($4)
          and a.deleted_at is null)`

// References is what a definition names: nil for a number or template that the
// workspace does not have, and a fault for each audience.
type References struct {
	Number   *numbers.Number
	Template *templates.Template
	Faults   []*errs.Error // with pointers under /audience_ids
}

// ReadReferences reads them. What does not exist and what is another workspace's
// are the same fault.
func ReadReferences(ctx context.Context, tx pgx.Tx, ws id.Workspace, number id.Number, template id.Template, audiences []id.Audience) (References, error) {
	var r References
	var hasNumber, hasTemplate bool
	var found []id.Audience
	err := tx.QueryRow(ctx, sqlReferences, ws, number, template, audiences).
		Scan(&hasNumber, &hasTemplate, &found)
	if err != nil {
		return r, fmt.Errorf("look up what the campaign names: %w", err)
	}
	if len(audiences) > maxAudiences {
		r.Faults = append(r.Faults, errs.New("field.too_long", "field", "audience_ids", "max", maxAudiences).At("/audience_ids", ""))
	}
	for i, a := range audiences {
		if !slices.Contains(found, a) {
			r.Faults = append(r.Faults, NotFound("/audience_ids/"+strconv.Itoa(i)))
		}
	}
	if hasNumber {
		n, err := numbers.Get(ctx, tx, ws, number)
		if err != nil {
			return r, err
		}
		r.Number = &n
	}
	if hasTemplate {
		t, err := templates.Get(ctx, tx, ws, template)
		if err != nil {
			return r, err
		}
		r.Template = &t
	}
	return r, nil
}

// NotFound is the fault of a reference to what the workspace does not have.
func NotFound(pointer string) *errs.Error { return errs.New("ref.not_found").At(pointer, "") }

// CleanName removes what cannot be seen at the ends of a campaign's name.
func CleanName(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) })
}

// MaxName is how many characters a campaign's name may have.
const MaxName = 100

// CheckName tells what is wrong with a campaign's name; nil when nothing is.
func CheckName(name string) *errs.Error {
	switch {
	case name == "":
		return errs.New("field.required", "field", "name").At("/name", "")
	case !utf8.ValidString(name):
		return errs.New("field.characters", "field", "name").At("/name", "")
	case utf8.RuneCountInString(name) > MaxName:
		return errs.New("field.too_long", "field", "name", "max", MaxName).At("/name", "")
	case strings.ContainsFunc(name, unicode.IsControl):
		return errs.New("field.characters", "field", "name").At("/name", "")
	}
	return nil
}

// CheckPace tells what is wrong with a campaign's own pace for a number; nil: nothing.
func CheckPace(perMinute *int, n numbers.Number) *errs.Error {
	if perMinute == nil {
		return nil
	}
	if limit := n.PerSecond * 60; *perMinute < 1 || *perMinute > limit {
		return errs.New("rate.range", "min", 1, "max", limit).At("/per_minute", "")
	}
	return nil
}

// The shortest and longest times a campaign may be given, in minutes.
const (
	leastFinish = 10
	mostFinish  = 7 * 24 * 60
)

// CheckFinish tells what is wrong with the time in which a campaign is to be over,
// which takes the place of a pace; nil: nothing.
func CheckFinish(perMinute, within *int) *errs.Error {
	switch {
	case within == nil:
		return nil
	case perMinute != nil:
		return errs.New("rate.both").At("/finish_within_minutes", "")
	case *within < leastFinish || *within > mostFinish:
		return errs.New("rate.finish", "min", leastFinish, "max", mostFinish).At("/finish_within_minutes", "")
	}
	return nil
}

// Pace is the messages a minute with which so many people are reached within so
// many minutes.
func Pace(people int64, within int) int {
	return int(max(1, (people+int64(within)-1)/int64(within)))
}

// CheckTemplate tells whether the number can send the template: of the same
// account, and of a status that can (now), or can become able to (a draft).
func CheckTemplate(n numbers.Number, t templates.Template, now bool) *errs.Error {
	switch {
	case t.WABA != n.WABA:
		return errs.New("template.not_sendable", "status", "OTHER_ACCOUNT").At("/template_id", "")
	case !now && t.Status == "PENDING":
		return nil
	}
	if e, refused := errs.As(t.CanSend()); refused {
		return e.At("/template_id", "")
	}
	return nil
}

const sqlSetAudiences = `
with gone as (
    delete from campaign_audience
    where workspace_id = $1
      and campaign_id = $2
      and audience_id <> all ($3::uuid[]))
insert into campaign_audience (workspace_id, campaign_id, audience_id)
select $1, $2, a.id
from unnest($3::uuid[]) as a(id)
on conflict do nothing`

// SetAudiences makes a campaign's audiences these and no others.
func SetAudiences(ctx context.Context, tx pgx.Tx, ws id.Workspace, campaign id.Campaign, audiences []id.Audience) error {
	if audiences == nil {
		audiences = []id.Audience{} // nil would be null, and match nothing
	}
	if _, err := tx.Exec(ctx, sqlSetAudiences, ws, campaign, audiences); err != nil {
		return fmt.Errorf("set the campaign's audiences: %w", err)
	}
	return nil
}
