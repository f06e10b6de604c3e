package people

import (
	"net/http"
	"slices"
	"time"

	"bareed/contacts"
	"bareed/contacts/csvfile"
	"bareed/contacts/draft"
	"bareed/internal/errs"
	"bareed/web/front"
	"bareed/web/ui"
)

// consentView is the page that asks where the people agreed.
type consentView struct {
	Draft   draft.Draft
	Columns bool // the file says itself who agreed
	Strict  bool
	Methods []map[string]any
}

// methods are how people agree outside the chat.
var methods = []string{"web_form", "checkout", "paper", "in_person", "event", "phone_call", "other"}

func options(c *front.Call, methods []string) []map[string]any {
	var list []map[string]any
	for _, m := range methods {
		list = append(list, map[string]any{"value": m, "text": c.Locale().Of("contacts.method", m)})
	}
	return list
}

func (s desk) consentView(c *front.Call) (consentView, error) {
	d, err := s.findDraft(c)
	if err != nil {
		return consentView{}, err
	}
	w, err := c.Workspace()
	if err != nil {
		return consentView{}, err
	}
	view := consentView{Draft: d, Strict: w.ConsentPolicy != contacts.PolicyGeneral, Methods: options(c, methods)}
	table, err := draft.Columns(c.Ctx(), s.importer(c), c.Actor().Workspace, d)
	view.Columns = table.Has(csvfile.ColumnOptIn) || table.Has(csvfile.ColumnOptInAt)
	if e, ok := errs.As(err); ok && e.Status() < 500 {
		err = nil // the page of the columns says it
	}
	return view, err
}

func (s desk) fileConsentPage(c *front.Call) error {
	view, err := s.consentView(c)
	if err != nil {
		return err
	}
	f := ui.NewForm(nil)
	f.Set("covers", contacts.ConsentNone)
	if view.Columns {
		f.Set("covers", contacts.ConsentRows)
	}
	f.Set("purposes", "marketing")
	w, err := c.Workspace()
	if err != nil {
		return err
	}
	f.Set("business_name", w.Name)
	if said := view.Draft.Settings.Consent; said != nil {
		f.Set("covers", said.Covers)
		f.Values["purposes"] = said.Purposes
		f.Set("method", said.Method)
		f.Set("source", said.Source)
		f.Set("evidence", said.Evidence)
		if said.OccurredAt != nil {
			f.Set("date", said.OccurredAt.In(c.Locale().Zone).Format(time.DateOnly))
		}
		if said.Wording != nil {
			f.Set("wording", said.Wording.Text)
			f.Set("business_name", said.Wording.BusinessName)
		}
	}
	return c.Render("import-consent", view, front.WithForm(f))
}

// answerFileConsent keeps where the people agreed.
func (s desk) answerFileConsent(c *front.Call) error {
	view, err := s.consentView(c)
	if err != nil {
		return err
	}
	f, d := c.Form(), view.Draft
	d.Settings.Consent = declarationOf(c, f)
	if f.Get("covers") != contacts.ConsentNone && len(f.Values["purposes"]) == 0 {
		f.Add("purposes", errs.Sentence(c.Lang(), "field.required", nil))
	}
	if !f.Refused() {
		err = draft.Check(c.Ctx(), s.importer(c), c.Actor(), d)
		if e, ok := errs.As(err); ok && !isConsents(e.Code) && e.Status() < 500 && e.Code != "not_found" {
			return c.Redirect(draftPath(d)) // it is the columns
		}
		if err == nil {
			if err := s.saveDraft(c, d); err != nil {
				return err
			}
			return c.Redirect(draftPath(d) + "/check")
		}
		if !failAt(c, f, err) {
			return err
		}
	}
	return c.Refused(err, "import-consent", view, f)
}

// isConsents tells a fault of the consent from one of the columns.
func isConsents(code string) bool {
	return slices.Contains([]string{"covers", "source", "method", "purposes", "date", "wording"}, fieldOfCode[code])
}

func declarationOf(c *front.Call, f *ui.Form) *contacts.Declaration {
	d := &contacts.Declaration{Covers: first(f.Get("covers"), contacts.ConsentNone)}
	if d.Covers == contacts.ConsentNone {
		return d
	}
	d.Purposes, d.Method = f.Values["purposes"], first(f.Get("method"), "import")
	d.Source, d.Evidence, d.Wording = f.Get("source"), f.Get("evidence"), wordingOf(f)
	if at, ok := dayOf(c, f, "date"); ok {
		d.OccurredAt = &at
	}
	return d
}

func wordingOf(f *ui.Form) *contacts.Wording {
	if f.Get("wording") == "" {
		return nil
	}
	return &contacts.Wording{Text: f.Get("wording"), BusinessName: f.Get("business_name")}
}

// dayOf reads a day, from its beginning in the workspace's zone; a text that is
// none is a fault at the field.
func dayOf(c *front.Call, f *ui.Form, name string) (time.Time, bool) {
	text := f.Get(name)
	if text == "" {
		return time.Time{}, false
	}
	at, err := time.ParseInLocation(time.DateOnly, text, c.Locale().Zone)
	if err != nil {
		f.Add(name, errs.Sentence(c.Lang(), "optin.date", nil))
		return time.Time{}, false
	}
	return at, true
}

// checkView shows what the import would do.
type checkView struct {
	Draft   draft.Draft
	Preview draft.Preview
	Reasons []reasonView
	Rejects []rejectView
	Names   []string // of the attributes
	First   []firstRow
}

// firstRow is one of the first people, as the reader may see them.
type firstRow struct {
	contacts.Looked
	Phone  string
	Values []namedValue
}

// namedValue is an attribute and what a person has of it.
type namedValue struct{ Name, Value string }

func firstOf(c *front.Call, list []contacts.Looked, names []string) []firstRow {
	var rows []firstRow
	for _, l := range list {
		row := firstRow{Looked: l, Phone: shownPhone(c, l.Phone.E164)}
		for i, name := range names {
			if i < len(l.Attributes) {
				row.Values = append(row.Values, namedValue{name, l.Attributes[i]})
			}
		}
		rows = append(rows, row)
	}
	return rows
}

type reasonView struct {
	Text  string
	Count int64
}

func (s desk) checkFilePage(c *front.Call) error {
	d, err := s.findDraft(c)
	if err != nil {
		return err
	}
	return s.showCheck(c, d, ui.NewForm(nil), http.StatusOK)
}

func (s desk) showCheck(c *front.Call, d draft.Draft, f *ui.Form, status int) error {
	view := checkView{Draft: d}
	var err error
	view.Preview, err = draft.Look(c.Ctx(), s.importer(c), c.Actor(), d)
	if e, ok := errs.As(err); ok && e.Status() < 500 && e.Code != "not_found" {
		if isConsents(e.Code) {
			return c.Redirect(draftPath(d) + "/consent")
		}
		return c.Redirect(draftPath(d))
	}
	if err != nil {
		return err
	}
	table, err := draft.Columns(c.Ctx(), s.importer(c), c.Actor().Workspace, d)
	if err != nil {
		return err
	}
	for _, col := range table.Columns {
		if choiceOf(col) == kept {
			view.Names = append(view.Names, col.As)
		}
	}
	slices.Sort(view.Names)
	for _, r := range view.Preview.Reasons {
		view.Reasons = append(view.Reasons, reasonView{errs.Sentence(c.Lang(), r.Code, r.Params), r.Count})
	}
	view.Rejects = rejectsOf(c, view.Preview.Rejects)
	view.First = firstOf(c, view.Preview.First, view.Names)
	return c.RenderStatus(status, "import-check", view, front.WithForm(f))
}

// startImport hands the file over. The same file again is only taken when that
// is said.
func (s desk) startImport(c *front.Call) error {
	d, err := s.findDraft(c)
	if err != nil {
		return err
	}
	c.R.Body = http.MaxBytesReader(c.W, c.R.Body, 1<<20)
	if err := c.R.ParseForm(); err != nil {
		return errs.New("body.broken_off").Because(err)
	}
	f := c.Form()
	imp, err := draft.Start(c.Ctx(), s.importer(c), c.Actor(), d, f.Get("again") == "yes")
	if err == nil {
		return c.Redirect("/audiences/" + d.Audience.String() + "/imports/" + imp.ID.String())
	}
	if errs.Is(err, "import.duplicate") {
		f.Add("again", c.T("audiences.check.duplicate"))
	} else if !failAt(c, f, err) {
		return err
	}
	return s.showCheck(c, d, f, http.StatusUnprocessableEntity)
}
