package people

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"bareed/contacts"
	"bareed/contacts/csvfile"
	"bareed/contacts/draft"
	"bareed/internal/errs"
	"bareed/web/front"
	"bareed/web/ui"
)

// columnsView is the page that asks what the columns are.
type columnsView struct {
	Draft     draft.Draft
	Encoding  string
	Delimiter string
	Columns   []columnView
	Fault     string // why the file cannot be read as it is
	Countries []map[string]any
	Encodings []string
	Homeless  bool // no column is the phone, beside which the country is asked
}

// columnView is a column with what is in it.
type columnView struct {
	Field   string
	Header  string
	Kept    string // the attribute it would be
	Samples []sample
	Phone   bool // the first that is chosen as the phone
}

// settle finds the column beside which the country is asked, by the form's choices.
func (v *columnsView) settle(f *ui.Form) {
	v.Homeless = len(v.Columns) > 0
	for i := range v.Columns {
		col := &v.Columns[i]
		if col.Phone = v.Homeless && f.Has(col.Field, csvfile.ColumnPhone); col.Phone {
			v.Homeless = false
		}
	}
}

// sample is a value as it stands and, of the phone's column, as it is read.
type sample struct {
	Raw, Phone, Country, Fault string
}

// kept is the choice of a column as an attribute of its own name.
const kept = "="

func (s desk) columnsPage(c *front.Call) error {
	d, err := s.findDraft(c)
	if err != nil {
		return err
	}
	view, f, err := s.columnsView(c, d)
	if err != nil {
		return err
	}
	return c.Render("import-columns", view, front.WithForm(f))
}

// columnsView reads the beginning of the file by the answers so far.
func (s desk) columnsView(c *front.Call, d draft.Draft) (columnsView, *ui.Form, error) {
	f := ui.NewForm(nil)
	f.Set("default_country", d.Settings.DefaultCountry)
	f.Set("encoding", d.Settings.Encoding)
	f.Set("delimiter", delimiterName(d.Settings.Delimiter))
	f.Set("mode", first(d.Settings.Mode, contacts.ModeBoth))
	view := columnsView{Draft: d, Countries: countries(c.Lang()), Encodings: csvfile.Encodings()}
	table, err := draft.Columns(c.Ctx(), s.importer(c), c.Actor().Workspace, d)
	if e, ok := errs.As(err); ok && e.Status() < 500 {
		view.Fault = e.Problem(c.Lang()).Detail
		err = nil
	}
	view.Encoding, view.Delimiter = table.Encoding, delimiterName(table.Delimiter)
	for i, col := range table.Columns {
		v := columnView{Field: "column" + strconv.Itoa(i), Header: col.Header, Kept: csvfile.NormalName(col.Header)}
		f.Set(v.Field, choiceOf(col))
		for _, raw := range table.Samples[i] {
			v.Samples = append(v.Samples, sampleOf(c, raw, col.As, d.Settings.DefaultCountry))
		}
		view.Columns = append(view.Columns, v)
	}
	view.settle(f)
	return view, f, err
}

// choices are what a column can be besides an attribute.
var choices = []string{csvfile.ColumnPhone, csvfile.ColumnName, csvfile.ColumnOptIn, csvfile.ColumnOptInAt, csvfile.ColumnOptInSource, csvfile.ColumnIgnored}

func choiceOf(col csvfile.Column) string {
	if slices.Contains(choices, col.As) {
		return col.As
	}
	return kept
}

func sampleOf(c *front.Call, raw, as, country string) sample {
	if as != csvfile.ColumnPhone {
		return sample{Raw: errs.Clip(raw)}
	}
	v := sample{Raw: shownPhone(c, raw)}
	p, err := contacts.ParsePhone(raw, country)
	if e, ok := errs.As(err); ok {
		v.Fault = e.Problem(c.Lang()).Detail
		return v
	}
	v.Phone, v.Country = shownPhone(c, p.E164), countryName(c.Lang(), p.Country)
	return v
}

// answerColumns keeps what the columns are. The button "look" stays on the page;
// "show", which the page's script asks for, keeps nothing.
func (s desk) answerColumns(c *front.Call) error {
	d, err := s.findDraft(c)
	if err != nil {
		return err
	}
	f := c.Form()
	read := d.Settings.Encoding != f.Get("encoding") || d.Settings.Delimiter != delimiterOf(f.Get("delimiter"))
	d.Settings.Encoding, d.Settings.Delimiter = f.Get("encoding"), delimiterOf(f.Get("delimiter"))
	d.Settings.DefaultCountry, d.Settings.Mode = f.Get("default_country"), f.Get("mode")
	if read {
		d.Settings.Mapping = nil // the columns are others now
	}
	table, err := draft.Columns(c.Ctx(), s.importer(c), c.Actor().Workspace, d)
	if err == nil && !read {
		d.Settings.Mapping, err = mappingOf(f, table)
	}
	if f.Get("act") == "show" {
		return s.showColumns(c, d, f)
	}
	if err == nil && !read && f.Get("act") != "look" {
		asked := d
		asked.Settings.Consent = nil // that is the next page's
		err = draft.Check(c.Ctx(), s.importer(c), c.Actor(), asked)
	}
	if err == nil {
		if err = s.saveDraft(c, d); err != nil {
			return err
		}
		if read || f.Get("act") == "look" {
			return c.Redirect(draftPath(d))
		}
		return c.Redirect(draftPath(d) + "/consent")
	}
	if !failAt(c, f, err) {
		return err
	}
	view, _, viewErr := s.columnsView(c, d)
	if viewErr != nil {
		return viewErr
	}
	view.Fault = ""
	view.settle(f)
	return c.Refused(err, "import-columns", view, f)
}

// showColumns shows how the values are read by choices that are not kept.
func (s desk) showColumns(c *front.Call, d draft.Draft, f *ui.Form) error {
	view, _, err := s.columnsView(c, d)
	if err != nil {
		return err
	}
	view.settle(f)
	return c.Render("import-columns", view, front.WithForm(f))
}

// mappingOf reads the choice of every column that has a name, also of a table
// that lacks the phone's.
func mappingOf(f *ui.Form, table draft.Table) (map[string]string, error) {
	mapping := map[string]string{}
	phone := false
	for i, col := range table.Columns {
		as := f.Get("column" + strconv.Itoa(i))
		if col.Header == "" || as == "" {
			continue
		}
		if as == kept {
			as = csvfile.NormalName(col.Header)
		}
		phone = phone || as == csvfile.ColumnPhone
		mapping[col.Header] = as
	}
	if !phone && len(table.Columns) > 0 {
		var headers []string
		for _, col := range table.Columns {
			headers = append(headers, col.Header)
		}
		return mapping, errs.New("csv.header_missing_column", "column", csvfile.ColumnPhone, "found", errs.Clip(strings.Join(headers, ", ")))
	}
	return mapping, nil
}

// fieldOfCode is where a fault of a file's answers belongs.
var fieldOfCode = map[string]string{
	"import.country": "default_country", "import.encoding": "encoding", "import.delimiter": "delimiter", "import.mode": "mode",
	"csv.encoding": "encoding", "csv.delimiter": "delimiter",
	"csv.header_missing_column": "columns", "import.mapping_twice": "columns", "import.mapping_unknown": "columns",
	"import.no_opt_in_column": "covers", "consent.covers": "covers", "consent.source_missing": "source", "consent.source_long": "source",
	"consent.method": "method", "consent.purpose": "purposes", "consent.date": "date", "consent.date_future": "date",
	"consent.wording_missing": "wording", "consent.wording_long": "wording", "consent.wording_whatsapp": "wording", "consent.wording_business": "wording",
}

// failAt puts a fault at its field; false for one that is no person's to correct.
func failAt(c *front.Call, f *ui.Form, err error) bool {
	e, ok := errs.As(err)
	if !ok || e.Status() >= 500 || e.Code == "not_found" {
		return false
	}
	field, known := fieldOfCode[e.Code]
	if !known {
		return f.Fail(c.Lang(), err, "/occurred_at", "date")
	}
	f.Add(field, errs.Sentence(c.Lang(), e.Code, e.Params))
	return true
}

// delimiterNames are the separators as a form names them.
var delimiterNames = map[string]string{"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}

func delimiterOf(name string) string { return delimiterNames[name] }

func delimiterName(d string) string {
	for name, v := range delimiterNames {
		if v == d {
			return name
		}
	}
	return ""
}

func first(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func countryName(lang, code string) string {
	region, err := language.ParseRegion(code)
	if err != nil {
		return code
	}
	return display.Regions(language.Make(lang)).Name(region)
}

// countries lists those with telephone numbers, by their names in the language.
func countries(lang string) []map[string]any {
	names := display.Regions(language.Make(lang))
	var list []map[string]any
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string([]rune{a, b})
			if region, err := language.ParseRegion(code); err == nil && contacts.IsCountry(code) && names.Name(region) != "" {
				list = append(list, map[string]any{"value": code, "text": names.Name(region)})
			}
		}
	}
	order := collate.New(language.Make(lang))
	slices.SortFunc(list, func(x, y map[string]any) int { return order.CompareString(x["text"].(string), y["text"].(string)) })
	return list
}
