package accounts

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Workspace is one tenant's settings.
type Workspace struct {
	ID            id.Workspace    `json:"id"`
	Organisation  id.Organisation `json:"organisation"`
	Parent        id.Workspace    `json:"parent,omitzero" doc:"The workspace this is a sub-account of"`
	Name          string          `json:"name"`
	State         string          `json:"state" enum:"active,suspended"`
	Zone          string          `json:"zone" doc:"IANA time zone"`
	Live          bool            `json:"live" doc:"false: nothing reaches Meta"`
	ConsentPolicy string          `json:"consent_policy" enum:"strict,general"`
	UnknownPolicy string          `json:"unknown_policy" enum:"by_purpose,hold,evidence" doc:"What becomes of messages without an answer: by_purpose holds marketing, and sends utility again once when it is proven unsent"`
	ContentMode   string          `json:"content_mode" enum:"off,logs,chat_history"`
	RetentionDays int             `json:"retention_days"`
	UndoSeconds   int             `json:"undo_seconds" doc:"How long a launch can be taken back before anything is sent"`
	CreatedAt     time.Time       `json:"created_at"`
}

const sqlWorkspace = `
	select workspace_id, organisation_id, parent_id, name, state, zone, live, consent_policy, unknown_policy,
		content_mode, retention_days, extract(epoch from undo_grace)::int, created_at
	from workspace
	where workspace_id = $1`

// GetWorkspace reads the workspace tx is in.
func GetWorkspace(ctx context.Context, tx pgx.Tx, ws id.Workspace) (Workspace, error) {
	var w Workspace
	err := tx.QueryRow(ctx, sqlWorkspace, ws).Scan(&w.ID, &w.Organisation, &w.Parent, &w.Name, &w.State, &w.Zone, &w.Live,
		&w.ConsentPolicy, &w.UnknownPolicy, &w.ContentMode, &w.RetentionDays, &w.UndoSeconds, &w.CreatedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return w, errs.New("not_found")
	}
	if err != nil {
		return w, fmt.Errorf("read the workspace: %w", err)
	}
	return w, nil
}

// WorkspacePatch is a change of settings; what is nil stays.
type WorkspacePatch struct {
	Name          *string `json:"name,omitempty"`
	Zone          *string `json:"zone,omitempty" doc:"IANA time zone, such as Asia/Riyadh"`
	ConsentPolicy *string `json:"consent_policy,omitempty" enum:"strict,general"`
	UnknownPolicy *string `json:"unknown_policy,omitempty" enum:"by_purpose,hold,evidence"`
	ContentMode   *string `json:"content_mode,omitempty" enum:"off,logs,chat_history"`
	RetentionDays *int    `json:"retention_days,omitempty" minimum:"7" maximum:"90"`
	UndoSeconds   *int    `json:"undo_seconds,omitempty" minimum:"0" maximum:"600"`
}

const sqlPatchWorkspace = `
	update workspace
	set name = coalesce($2, name),
		zone = coalesce($3, zone),
		consent_policy = coalesce($4, consent_policy),
		unknown_policy = coalesce($5, unknown_policy),
		content_mode = coalesce($6, content_mode),
		retention_days = coalesce($7, retention_days),
		undo_grace = coalesce(make_interval(secs => $8), undo_grace)
	where workspace_id = $1`

// PatchWorkspace changes settings and records what was before and after.
func PatchWorkspace(ctx context.Context, tx pgx.Tx, a Actor, p WorkspacePatch) (Workspace, error) {
	if p.Name != nil {
		name, err := cleanName(*p.Name, "/name")
		if err != nil {
			return Workspace{}, err
		}
		p.Name = &name
	}
	if p.Zone != nil {
		if err := checkZone(*p.Zone); err != nil {
			return Workspace{}, err
		}
	}
	was, err := GetWorkspace(ctx, tx, a.Workspace)
	if err != nil {
		return was, err
	}
	_, err = tx.Exec(ctx, sqlPatchWorkspace, a.Workspace, p.Name, p.Zone, p.ConsentPolicy, p.UnknownPolicy, p.ContentMode, p.RetentionDays, p.UndoSeconds)
	if pg.Violates(err, "workspace_organisation_id_name_key") {
		return was, errs.New("name.taken").At("/name", "")
	}
	if err != nil {
		return was, fmt.Errorf("change the workspace: %w", err)
	}
	now, err := GetWorkspace(ctx, tx, a.Workspace)
	if err != nil {
		return now, err
	}
	return now, Audit(ctx, tx, a, Deed{Action: "workspace.changed", Subject: a.Workspace.String(), Detail: map[string]any{"was": was, "became": now}})
}

// cleanName trims a name and refuses one that is empty, invisible, longer than
// 200 characters or with control characters in it.
func cleanName(name, pointer string) (string, error) {
	name = strings.TrimFunc(name, func(r rune) bool { return unicode.IsSpace(r) || invisible(r) })
	switch {
	case name == "":
		return "", errs.New("invalid").At(pointer, "field.required")
	case utf8.RuneCountInString(name) > 200:
		return "", errs.New("invalid").At(pointer, "field.too_long", "max", 200)
	case strings.ContainsFunc(name, func(r rune) bool {
		return unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
	}):
		return "", errs.New("invalid").At(pointer, "field.characters")
	}
	return name, nil
}

// invisible are the zero-width characters a name can consist of.
func invisible(r rune) bool {
	return r >= 0x200b && r <= 0x200f || r == 0xfeff || r == 0x2060 || r == 0x00ad || r == 0x034f || r == 0x061c || r == 0x180e
}

func checkZone(zone string) error {
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" || zone == "" {
		return errs.New("invalid").At("/zone", "zone.unknown", "zone", errs.Clip(zone))
	}
	return nil
}
