package contacts

import (
	"context"
	"io"
	"maps"
	"slices"
	"time"

	"bareed/accounts"
	"bareed/contacts/csvfile"
	"bareed/contacts/spool"
	"bareed/internal/id"
)

// Looked is a row as an import would take it, or why it would not.
type Looked struct {
	Row, Line  int64
	Phone      Phone
	Name       string
	Attributes []string // values, in the order of their names
	OptIn      bool
	OptInAt    time.Time // zero: not dated
	Source     string
	Rejects    []Reject
}

// Look reads the first rows of a stored file by the settings, without keeping
// anything, and gives each to fn. It tells whether that was the whole file.
// Without a consent in the settings nobody is taken as opted in.
func (im *Importer) Look(ctx context.Context, a accounts.Actor, u Upload, file id.Blob, rows int64, fn func(Looked)) (whole bool, err error) {
	ru, box, err := im.prepare(ctx, a, u)
	if err != nil {
		return false, err
	}
	rs, err := csvfile.Open(spool.Open(ctx, im.Pool, box, a.Workspace, file), ru.options())
	if err != nil {
		return false, err
	}
	if ru.Consent == nil {
		ru.Consent = &Declaration{Covers: ConsentNone}
	}
	if err := ru.settle(rs.Detected, ru.policy); err != nil {
		return false, err
	}
	ru.shown = rs.Shown()
	for rs.Count() < rows {
		r, err := rs.Next()
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		p, rejects := ru.judge(r)
		l := Looked{Row: r.Number, Line: r.Line, Phone: p.phone, Name: p.name, OptIn: p.optIn, OptInAt: p.optInAt, Source: p.source, Rejects: rejects}
		for _, name := range slices.Sorted(maps.Keys(r.Attributes)) {
			l.Attributes = append(l.Attributes, r.Attributes[name])
		}
		fn(l)
	}
	return false, nil
}
