package contacts

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"bareed/contacts/csvfile"
	"bareed/contacts/phonetext"
	"bareed/internal/errs"
)

// The modes of an import.
const (
	ModeBoth   = "both"   // add the new, update the known (default)
	ModeAdd    = "add"    // known people become members, what is recorded of them stays
	ModeUpdate = "update" // unknown people are rejected rows
)

// Settings are what the uploader said about a file. They are kept with the import.
type Settings struct {
	Mapping        map[string]string `json:"mapping,omitempty"` // header → phone, name, opt_in, opt_in_at, opt_in_source, "-" or an attribute's name
	DefaultCountry string            `json:"default_country,omitempty"`
	Mode           string            `json:"mode,omitempty"`
	Strict         bool              `json:"strict,omitempty"` // one wrong row refuses the file
	Encoding       string            `json:"encoding,omitempty"`
	Delimiter      string            `json:"delimiter,omitempty"`
	Consent        *Declaration      `json:"consent,omitempty"`
}

// The ways a file can carry consent.
const (
	ConsentNone = "none" // nobody in the file is opted in by it
	ConsentFile = "file" // everybody in the file agreed to the wording
	ConsentRows = "rows" // the opt_in columns say who
)

// Declaration says where the people of a file agreed, to what, and how that
// can be proved (Meta's reference, section 9: opt-in records).
type Declaration struct {
	Covers     string     `json:"covers"` // none, file or rows; rows when the file has an opt_in column
	Purposes   []string   `json:"purposes,omitempty"`
	Method     string     `json:"method,omitempty"` // web_form, paper …
	Source     string     `json:"source,omitempty"` // where: an address, a shop
	Evidence   string     `json:"evidence,omitempty"`
	OccurredAt *time.Time `json:"occurred_at,omitempty"`
	Wording    *Wording   `json:"wording,omitempty"`
}

// Wording is the text people agreed to.
type Wording struct {
	Version      string `json:"version"`
	Text         string `json:"text"`
	BusinessName string `json:"business_name"`
}

// The consent policies of a workspace. Meta accepts a general opt-in since
// November 2024 (https://developers.facebook.com/docs/whatsapp/overview/getting-opt-in);
// strict asks for the older, safer wording.
const (
	PolicyStrict  = "strict"
	PolicyGeneral = "general"
)

var (
	rePurpose    = regexp.MustCompile(`^(marketing|utility|authentication)$`)
	reWord       = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
	whatsAppName = []string{"whatsapp", "whats app", "واتساب", "واتس اب", "واتس", "व्हाट्सएप", "ווטסאפ", "ватсап", "вотсап"}
)

// reservedMethods are what only the webhook door can know: words and taps in the
// chat, and what Meta reports.
var reservedMethods = []string{"keyword", "button", "user_preferences", "meta_131050"}

// NamesWhatsApp tells whether the text says that it is about WhatsApp.
func (w Wording) NamesWhatsApp() bool {
	text := looseText(w.Text)
	return slices.ContainsFunc(whatsAppName, func(n string) bool { return strings.Contains(text, n) })
}

// NamesBusiness tells whether the text names the business.
func (w Wording) NamesBusiness() bool {
	name := looseText(w.BusinessName)
	return name != "" && strings.Contains(looseText(w.Text), name)
}

func looseText(s string) string {
	s = strings.NewReplacer("أ", "ا", "إ", "ا", "آ", "ا", "ـ", "").Replace(strings.ToLower(norm.NFKC.String(s)))
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)), " ")
}

// Check says what keeps the wording from being a consent under a policy: nil,
// or consent.wording_missing, consent.wording_business, consent.wording_whatsapp.
func (w *Wording) Check(policy string) error {
	switch {
	case w == nil || strings.TrimSpace(w.Text) == "":
		return errs.New("consent.wording_missing")
	case len(w.Text) > 8000 || len(w.Version) > 100 || len(w.BusinessName) > 200:
		return errs.New("consent.wording_long")
	case !w.NamesBusiness():
		return errs.New("consent.wording_business", "business", errs.Clip(w.BusinessName))
	case policy != PolicyGeneral && !w.NamesWhatsApp():
		return errs.New("consent.wording_whatsapp")
	}
	return nil
}

func (s Settings) options() csvfile.Options {
	return csvfile.Options{Encoding: s.Encoding, Delimiter: s.Delimiter, Mapping: s.Mapping, IsPhone: phonetext.LooksLikePhone}
}

// check completes the settings with defaults and refuses what cannot be meant.
func (s *Settings) check(now time.Time) error {
	if s.Mode == "" {
		s.Mode = ModeBoth
	}
	s.DefaultCountry = strings.ToUpper(strings.TrimSpace(s.DefaultCountry))
	s.Encoding = strings.ToLower(s.Encoding)
	switch {
	case !slices.Contains([]string{ModeBoth, ModeAdd, ModeUpdate}, s.Mode):
		return errs.New("import.mode", "got", errs.Clip(s.Mode))
	case s.DefaultCountry != "" && !IsCountry(s.DefaultCountry):
		return errs.New("import.country", "got", errs.Clip(s.DefaultCountry))
	case s.Encoding != "" && !slices.Contains(csvfile.Encodings(), s.Encoding):
		return errs.New("import.encoding", "got", errs.Clip(s.Encoding), "allowed", strings.Join(csvfile.Encodings(), ", "))
	case s.Delimiter != "" && !slices.Contains([]string{",", ";", "\t", "|"}, s.Delimiter):
		return errs.New("import.delimiter", "got", errs.Clip(s.Delimiter))
	case len(s.Mapping) > csvfile.MaxColumns:
		return errs.New("csv.too_many_columns", "columns", len(s.Mapping), "limit", csvfile.MaxColumns)
	case s.Consent == nil:
		return nil
	}
	return s.Consent.check(now)
}

func (d *Declaration) check(now time.Time) error {
	if d.Covers == "" {
		d.Covers = ConsentRows
	}
	if d.Method == "" {
		d.Method = "import"
	}
	if len(d.Purposes) == 0 {
		d.Purposes = []string{"marketing"}
	}
	slices.Sort(d.Purposes)
	d.Purposes = slices.Compact(d.Purposes)
	switch {
	case !slices.Contains([]string{ConsentNone, ConsentFile, ConsentRows}, d.Covers):
		return errs.New("consent.covers", "got", errs.Clip(d.Covers))
	case slices.ContainsFunc(d.Purposes, func(p string) bool { return !rePurpose.MatchString(p) }):
		return errs.New("consent.purpose", "got", errs.Clip(strings.Join(d.Purposes, ", ")))
	case !reWord.MatchString(d.Method) || slices.Contains(reservedMethods, d.Method):
		return errs.New("consent.method", "got", errs.Clip(d.Method))
	case len(d.Source) > 500 || len(d.Evidence) > 500:
		return errs.New("consent.source_long")
	case d.OccurredAt != nil && d.OccurredAt.After(now):
		return errs.New("consent.date_future")
	}
	return nil
}

// settle decides what the file's consent is, once its columns are known, and
// refuses a wording that the workspace's policy does not accept.
func (s *Settings) settle(d csvfile.Detected, policy string) error {
	columns := d.Has(csvfile.ColumnOptIn) || d.Has(csvfile.ColumnOptInAt)
	if s.Consent == nil {
		s.Consent = &Declaration{Covers: ConsentNone}
		if columns {
			s.Consent = &Declaration{Covers: ConsentRows, Method: "import", Purposes: []string{"marketing"}}
		}
	}
	c := s.Consent
	if c.Covers == ConsentRows && !columns {
		return errs.New("import.no_opt_in_column")
	}
	if c.Covers == ConsentNone || policy == PolicyGeneral && c.Wording == nil {
		return nil
	}
	if c.Covers == ConsentFile && policy != PolicyGeneral && strings.TrimSpace(c.Source) == "" {
		return errs.New("consent.source_missing")
	}
	return c.Wording.Check(policy)
}
