// Package proof owns how an entry of the consent ledger is told to a reader: who
// wrote it down, from which line of which file, and whether its day is known.
//
// The contact's page and the message's page use it. It reads what an entry names
// and decides nothing.
package proof

import (
	"strings"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/consents"
	"bareed/contacts"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/web/front"
)

// named is how many members or keys are read to name who recorded an entry.
const named = 500

// Line is an entry as a page shows it.
type Line struct {
	consents.Line
	By       string // a person, an API key or the program, by name
	File     string // of the import; empty when it came otherwise
	Href     string // the import's page
	DayKnown bool   // false: OccurredAt is only when the file was uploaded
	Told     string // key of what is said of an entry without a day of its own; empty: it has one
}

// Of tells entries, in the order given, with one statement for each file they
// came from, one for the members and one for the keys among their authors.
func Of(c *front.Call, tx pgx.Tx, entries []consents.Line) ([]Line, error) {
	names, err := authors(c, tx, entries)
	if err != nil {
		return nil, err
	}
	files := map[id.Import]*contacts.Import{}
	lines := make([]Line, 0, len(entries))
	for _, e := range entries {
		l := Line{Line: e, By: names[e.Actor], DayKnown: !e.Declared}
		if _, read := files[e.Import]; !read && !e.Import.IsZero() {
			i, err := contacts.GetImport(c.Ctx(), tx, c.Actor().Workspace, e.Import)
			switch {
			case err == nil:
				files[e.Import] = &i
			case errs.Is(err, "not_found"):
				files[e.Import] = nil
			default:
				return nil, err
			}
		}
		l.from(files[e.Import])
		lines = append(lines, l)
	}
	return lines, nil
}

// from tells which file an entry came from and how the file said it.
func (l *Line) from(i *contacts.Import) {
	if i == nil {
		return
	}
	l.File, l.Href = i.File, "/audiences/"+i.Audience.String()+"/imports/"+i.ID.String()
	if said := i.Settings.Consent; l.Declared && said != nil {
		l.DayKnown = said.OccurredAt != nil
		switch {
		case said.Covers == contacts.ConsentFile:
			l.Told = "contacts.told.file"
		case l.DayKnown:
			l.Told = "contacts.told.row_day"
		default:
			l.Told = "contacts.told.row"
		}
	}
}

// authors names whoever recorded the entries, by the actor's text.
func authors(c *front.Call, tx pgx.Tx, entries []consents.Line) (map[string]string, error) {
	names := make(map[string]string)
	members, keys := false, false
	for _, e := range entries {
		kind, _, _ := strings.Cut(strings.ReplaceAll(e.Actor, ":", "_"), "_")
		names[e.Actor] = e.Actor
		switch kind {
		case "usr":
			names[e.Actor], members = c.T("contacts.by.former"), true
		case "key":
			names[e.Actor], keys = c.T("contacts.by.some_key"), true
		case "system":
			names[e.Actor] = c.T("contacts.by.system")
		}
	}
	ws := c.Actor().Workspace
	if members {
		list, err := accounts.ListMembers(c.Ctx(), tx, ws, id.User{}, named)
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			if names[m.ID.String()] = m.Name; m.Name == "" {
				names[m.ID.String()] = m.Email
			}
		}
	}
	if keys {
		list, err := accounts.ListKeys(c.Ctx(), tx, ws, id.Key{}, named)
		if err != nil {
			return nil, err
		}
		for _, k := range list {
			names[k.ID.String()] = c.T("contacts.by.key", "name", k.Name)
		}
	}
	return names, nil
}
