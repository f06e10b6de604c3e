package contacts

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"bareed/contacts/csvfile"
	"bareed/contacts/phonetext"
	"bareed/internal/errs"
)

const (
	maxName      = 256  // runes
	maxAttribute = 1024 // runes: Meta's limit of a template parameter
)

// person is what an accepted row says.
type person struct {
	row, line  int64
	phone      Phone
	name       string
	attributes []attribute
	optIn      bool
	optInAt    time.Time // zero: not dated
	source     string
}

type attribute struct{ name, text, number, date string }

// Reject is one value that kept a row out. Row counts records, Line counts
// lines of the file; Got is clipped, and masked when it may be a phone number.
type Reject struct {
	Row    int64       `json:"row"`
	Line   int64       `json:"line"`
	Column string      `json:"column"` // the header as written; empty when it is the whole row
	Code   string      `json:"code"`
	Params errs.Params `json:"params"`
	Got    string      `json:"got"`
	raw    string
}

// rules are the settings a row is judged by.
type rules struct {
	Settings
	policy string
	now    time.Time
	own    map[string]bool // keys of the workspace's own numbers
	shown  map[string]string
}

// judge turns a row into a person, or into everything that is wrong with it.
func (ru *rules) judge(r csvfile.Row) (person, []Reject) {
	if r.Fault != nil {
		return person{}, []Reject{{Row: r.Number, Line: r.Line, Code: r.Fault.Code, Params: r.Fault.Params}}
	}
	j := judging{rules: ru, row: r, person: person{row: r.Number, line: r.Line, name: strings.TrimSpace(r.Name)}}
	j.phone()
	j.text(csvfile.ColumnName, j.person.name, maxName)
	j.attributes()
	j.consent()
	return j.person, j.rejects
}

type judging struct {
	*rules
	row     csvfile.Row
	person  person
	rejects []Reject
}

func (j *judging) refuse(column, got string, e *errs.Error) {
	shown := errs.Clip(got)
	if column == csvfile.ColumnPhone {
		shown = errs.MaskPhone(got)
	}
	header := j.shown[column]
	if header == "" {
		header = column
	}
	j.rejects = append(j.rejects, Reject{Row: j.row.Number, Line: j.row.Line, Column: header, Code: e.Code, Params: e.Params, Got: shown, raw: got})
}

func (j *judging) phone() {
	if hasControl(j.row.Phone) {
		j.refuse(csvfile.ColumnPhone, j.row.Phone, errs.New("csv.control_char"))
		return
	}
	p, err := ParsePhone(j.row.Phone, j.DefaultCountry)
	if err != nil {
		e, _ := errs.As(err)
		j.refuse(csvfile.ColumnPhone, j.row.Phone, e)
		return
	}
	if j.own[p.Key] {
		j.refuse(csvfile.ColumnPhone, j.row.Phone, errs.New("phone.is_sender"))
	}
	j.person.phone = p
}

// text refuses what Meta would refuse in a template parameter: line ends,
// tabs and more than four blanks together (131008, 132018 in its error table).
func (j *judging) text(column, s string, limit int) {
	switch {
	case hasControl(s):
		j.refuse(column, s, errs.New("csv.control_char"))
	case utf8.RuneCountInString(s) > limit:
		j.refuse(column, s, errs.New("attr.too_long", "limit", limit))
	case strings.ContainsAny(s, "\n\r\t") || strings.Contains(s, "     "):
		j.refuse(column, s, errs.New("attr.not_sendable", "parameter", column, "why", "layout"))
	}
}

func (j *judging) attributes() {
	for _, name := range slices.Sorted(maps.Keys(j.row.Attributes)) {
		s := strings.TrimSpace(j.row.Attributes[name])
		if s == "" {
			continue // a blank never wipes what is known
		}
		j.text(name, s, maxAttribute)
		j.person.attributes = append(j.person.attributes, typed(name, s))
	}
}

var (
	reNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?$`)
	reDate   = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
)

// typed keeps the text as it is and beside it what it is as a number or a date,
// for segments.
func typed(name, s string) attribute {
	a := attribute{name: name, text: s}
	if reNumber.MatchString(s) {
		a.number = s
	}
	if reDate.MatchString(s) {
		if d, err := time.Parse(time.DateOnly, s); err == nil && d.Year() >= 1 {
			a.date = s
		}
	}
	return a
}

// optInWords are the answers understood in an opt_in column, in normal form.
var optInWords = map[string]bool{
	"yes": true, "y": true, "true": true, "t": true, "1": true, "on": true, "x": true, "opted_in": true,
	"نعم": true, "اجل": true, "موافق": true, "موافقه": true, "١": true,
	"": false, "no": false, "n": false, "false": false, "f": false, "0": false, "off": false, "opted_out": false,
	"لا": false, "غير_موافق": false, "٠": false,
}

func (j *judging) consent() {
	switch j.Consent.Covers {
	case ConsentFile:
		j.person.optIn, j.person.source = true, j.Consent.Source
		return
	case ConsentNone:
		return
	}
	yes, ok := optInWords[csvfile.NormalName(j.row.OptIn)]
	if !ok {
		j.refuse(csvfile.ColumnOptIn, j.row.OptIn, errs.New("optin.value"))
		return
	}
	at, e := parseDate(j.row.OptInAt, j.now)
	if e != nil {
		j.refuse(csvfile.ColumnOptInAt, j.row.OptInAt, e)
		return
	}
	if _, hasColumn := j.shown[csvfile.ColumnOptIn]; !hasColumn {
		yes = !at.IsZero()
	}
	source := strings.TrimSpace(j.row.OptInSource)
	if source == "" {
		source = strings.TrimSpace(j.Consent.Source)
	}
	if yes && source == "" && j.policy != PolicyGeneral {
		j.refuse(csvfile.ColumnOptInSource, "", errs.New("optin.source_missing"))
		return
	}
	if len(source) > 500 || hasControl(source) {
		j.refuse(csvfile.ColumnOptInSource, source, errs.New("attr.too_long", "limit", 500))
		return
	}
	j.person.optIn, j.person.optInAt, j.person.source = yes, at, source
}

var (
	reSlashed = regexp.MustCompile(`^[0-9]{1,4}[/.\-][0-9]{1,2}[/.\-][0-9]{1,4}([ T].*)?$`)
	layouts   = []string{time.DateOnly, time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05Z07:00"}
)

// parseDate reads ISO 8601 only: 01/02/2026 is two different days. A day
// without an hour counts from its beginning in UTC, so it never beats an
// opt-out of the same day.
func parseDate(raw string, now time.Time) (time.Time, *errs.Error) {
	s := phonetext.Clean(raw) // digits and marks, as for phones
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range layouts {
		at, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		ahead := time.Minute
		if layout == time.DateOnly {
			ahead = 14 * time.Hour // today already, east of here
		}
		switch {
		case at.After(now.Add(ahead)):
			return time.Time{}, errs.New("optin.date_future")
		case at.Year() < 2009: // WhatsApp's first year
			return time.Time{}, errs.New("optin.date")
		case at.After(now):
			at = now
		}
		return at.UTC(), nil
	}
	if reSlashed.MatchString(s) {
		return time.Time{}, errs.New("optin.date_ambiguous")
	}
	return time.Time{}, errs.New("optin.date")
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' || r == utf8.RuneError
	})
}
