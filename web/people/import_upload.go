package people

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/jackc/pgx/v5"

	"bareed/contacts"
	"bareed/contacts/directory"
	"bareed/contacts/draft"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/ui"
)

// importer takes files in; the worker runs them.
func (s desk) importer(c *front.Call) *contacts.Importer {
	return &contacts.Importer{Pool: c.Pool, Vault: c.Vault, Clock: c.Clock}
}

// uploadView is the first page of an import.
type uploadView struct {
	ID        id.Audience
	Name      string
	Megabytes int64 // as the refusal of a longer file counts them
	MaxRows   int64
}

func (s desk) uploadView(c *front.Call) (uploadView, error) {
	audience, err := front.ID[id.Audience](c, "audience")
	if err != nil {
		return uploadView{}, err
	}
	bounds := s.importer(c).Bounds()
	v := uploadView{ID: audience, Megabytes: bounds.Bytes >> 20, MaxRows: bounds.Rows}
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		v.Name, err = directory.AudienceName(c.Ctx(), tx, c.Actor().Workspace, audience)
		return err
	})
	return v, err
}

func (s desk) uploadPage(c *front.Call) error {
	view, err := s.uploadView(c)
	if err != nil {
		return err
	}
	return c.Render("import-upload", view, front.WithForm(ui.NewForm(nil)))
}

// upload stores the file while it arrives; the answers about it come on the
// next pages.
func (s desk) upload(c *front.Call) error {
	view, err := s.uploadView(c)
	if err != nil {
		return err
	}
	im := s.importer(c)
	c.R.Body = http.MaxBytesReader(c.W, c.R.Body, im.Bounds().Bytes+(1<<20))
	u := contacts.Upload{Audience: view.ID}
	err = openFile(c.R, &u)
	var d draft.Draft
	if err == nil {
		d, err = draft.Stage(c.Ctx(), im, c.Actor(), u)
	}
	if err == nil {
		return c.Redirect(draftPath(d))
	}
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		err = errs.New("upload.too_large", "limit", im.Bounds().Bytes>>20)
	}
	f := ui.NewForm(nil)
	e, ok := errs.As(err)
	if !ok || e.Status() >= 500 || e.Code == "not_found" {
		return err
	}
	// A browser shows the answer only once it has sent its file: let it, up to a point.
	_, _ = io.CopyN(io.Discard, c.R.Body, 64<<20)
	f.Add("file", e.Problem(c.Lang()).Detail)
	return c.Refused(err, "import-upload", view, f)
}

// openFile finds the part with the file.
func openFile(r *http.Request, u *contacts.Upload) error {
	parts, err := r.MultipartReader()
	if err != nil {
		return errs.New("multipart.syntax").Because(err)
	}
	for range 20 {
		part, err := parts.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return errs.New("multipart.syntax").Because(err)
		}
		if part.FormName() == "file" && part.FileName() != "" {
			u.Name, u.Body = part.FileName(), part
			return nil
		}
	}
	return errs.New("field.required")
}

func draftPath(d draft.Draft) string {
	return "/audiences/" + d.Audience.String() + "/drafts/" + d.ID.String()
}

// findDraft reads the draft of the path.
func (s desk) findDraft(c *front.Call) (draft.Draft, error) {
	audience, err := front.ID[id.Audience](c, "audience")
	if err != nil {
		return draft.Draft{}, err
	}
	file, err := front.ID[id.Blob](c, "draft")
	if err != nil {
		return draft.Draft{}, err
	}
	var d draft.Draft
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		d, err = draft.Get(c.Ctx(), tx, c.Actor().Workspace, audience, file)
		return err
	})
	return d, err
}

func (s desk) saveDraft(c *front.Call, d draft.Draft) error {
	return c.InWorkspace(func(tx pgx.Tx) error { return draft.Save(c.Ctx(), tx, d, c.Actor().Workspace) })
}

func (s desk) discardDraft(c *front.Call) error {
	d, err := s.findDraft(c)
	if err != nil {
		return err
	}
	if err := c.InWorkspace(func(tx pgx.Tx) error { return draft.Discard(c.Ctx(), tx, c.Actor(), d) }); err != nil {
		return err
	}
	c.Flash("done", "audiences.discarded", "name", d.File)
	return c.Redirect("/audiences/" + d.Audience.String())
}

// samples are files to start from, in the reader's language.
var samples = map[string]string{
	"en": "phone,name,city,opt_in,opt_in_at,opt_in_source\r\n" +
		"+966501234567,Sara Hassan,Riyadh,yes,2026-02-01,https://shop.example/join\r\n" +
		"+971501234567,Omar Said,Dubai,no,,\r\n",
	"ar": "رقم الجوال,الاسم,المدينة,الموافقة,تاريخ الموافقة,مصدر الموافقة\r\n" +
		"+966501234567,سارة حسن,الرياض,نعم,2026-02-01,https://shop.example/join\r\n" +
		"+971501234567,عمر سعيد,دبي,لا,,\r\n",
}

func (s desk) sampleFile(c *front.Call) error {
	text, ok := samples[c.R.PathValue("language")]
	if !ok {
		return errs.New("not_found")
	}
	download(c, "people-"+c.R.PathValue("language")+".csv")
	_, err := io.WriteString(c.W, "\ufeff"+text) // the mark makes spreadsheets read UTF-8
	return err
}

// download begins an answer that a browser saves as a file.
func download(c *front.Call, name string) {
	c.Wrote()
	c.W.Header().Set("Content-Type", "text/csv; charset=utf-8")
	c.W.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
}
