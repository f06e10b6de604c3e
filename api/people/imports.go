package people

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/api/front/strictjson"
	"bareed/contacts"
	"bareed/internal/errs"
	"bareed/internal/id"
)

func (d *Desk) imports() {
	front.Add(d.Front, "GET /v1/audiences/{audience}/imports", d.listImports)
	front.Raw(d.Front, "POST /v1/audiences/{audience}/imports", d.upload, d.describeUpload, front.Answers[uploaded](d.Front, "Uploaded"))
	front.Add(d.Front, "GET /v1/imports/{import}", d.getImport)
	front.Add(d.Front, "GET /v1/imports/{import}/rejects", d.listRejects)
	front.Raw(d.Front, "GET /v1/imports/{import}/rejects.csv", d.rejectsCSV, front.AnswersText("text/csv"))
}

// importView is an import with its failure in the caller's language.
type importView struct {
	contacts.Import
	Job     id.Job   `json:"job"`
	Failure *failure `json:"problem"`
}

func viewImport(ctx context.Context, i contacts.Import) importView {
	return importView{Import: i, Job: i.Job(), Failure: failureOf(ctx, i.Problem)}
}

// upload takes a multipart form with the part file (and before it settings, a
// JSON object), or the file itself as the body with settings in the query.
func (d *Desk) upload(c *gin.Context, a accounts.Actor) error {
	ctx := c.Request.Context()
	if c.Request.ContentLength > front.MaxUpload {
		c.Header("Connection", "close")
		return errs.New("upload.too_large", "limit", front.Megabytes(front.MaxUpload))
	}
	audience, err := id.Parse[id.Audience](c.Param("audience"))
	if err != nil {
		return errs.New("not_found")
	}
	u := contacts.Upload{Audience: audience, Name: "file.csv"}
	if err := fromQuery(c, &u); err != nil {
		return err
	}
	body := &pace{src: c.Request.Body, now: d.Clock, deadline: http.NewResponseController(c.Writer).SetReadDeadline}
	if err := openUpload(c.Request.Header.Get("Content-Type"), body, &u); err != nil {
		return err
	}
	im := &contacts.Importer{Pool: d.Pool, Vault: d.Vault, Clock: d.Clock, Limits: contacts.Limits{Bytes: front.MaxUpload}}
	imp, err := im.Accept(ctx, a, u)
	if err != nil {
		c.Header("Connection", "close") // what is left of the body is not read
		return err
	}
	var job contacts.Job
	err = d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		job, err = contacts.GetJob(ctx, tx, a.Workspace, imp.Job())
		return err
	})
	if err != nil {
		return err
	}
	c.Header("Location", "/v1/jobs/"+imp.Job().String())
	c.JSON(http.StatusAccepted, uploaded{Import: viewImport(ctx, imp), Job: viewJob(ctx, job)})
	return nil
}

type uploaded struct {
	Import importView `json:"import"`
	Job    jobView    `json:"job"`
}

// fromQuery reads what can be said in the address.
func fromQuery(c *gin.Context, u *contacts.Upload) error {
	for name, values := range c.Request.URL.Query() {
		if err := say(name, values[0], u); err != nil {
			return err
		}
	}
	return nil
}

// say takes one parameter or form field.
func say(name, v string, u *contacts.Upload) (err error) {
	switch name {
	case "settings":
		return readSettings([]byte(v), &u.Settings)
	case "default_country":
		u.Settings.DefaultCountry = v
	case "mode":
		u.Settings.Mode = v
	case "encoding":
		u.Settings.Encoding = v
	case "delimiter":
		u.Settings.Delimiter = v
	case "filename":
		u.Name = v
	case "strict":
		u.Settings.Strict, err = isTrue(v)
	case "again":
		u.Again, err = isTrue(v)
	default:
		return errs.New("param.unknown", "name", errs.Clip(name))
	}
	return err
}

func isTrue(v string) (bool, error) {
	b, err := strconv.ParseBool(v)
	if err != nil {
		return false, errs.New("param.syntax").Because(err)
	}
	return b, nil
}

func readSettings(b []byte, s *contacts.Settings) error {
	if err := strictjson.Check(b, reflect.TypeFor[contacts.Settings]()); err != nil {
		return err
	}
	if err := json.Unmarshal(b, s); err != nil {
		return errs.New("import.settings").Because(err)
	}
	return nil
}

type importInput struct {
	Import id.Import `path:"import"`
}

func (d *Desk) getImport(ctx context.Context, a accounts.Actor, in *importInput) (*front.Reply[importView], error) {
	var imp contacts.Import
	err := d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		imp, err = contacts.GetImport(ctx, tx, a.Workspace, in.Import)
		return err
	})
	return &front.Reply[importView]{Body: viewImport(ctx, imp)}, err
}

type listImportsInput struct {
	Audience id.Audience `path:"audience"`
	front.Paging
}

func (d *Desk) listImports(ctx context.Context, a accounts.Actor, in *listImportsInput) (*front.List[importView], error) {
	p, err := d.Page(ctx, a, in.Paging)
	if err != nil {
		return nil, err
	}
	before, err := front.AfterID[id.Import](p)
	if err != nil {
		return nil, err
	}
	var views []importView
	err = d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		if _, err := contacts.GetAudience(ctx, tx, a.Workspace, in.Audience); err != nil {
			return err
		}
		rows, err := contacts.ListImports(ctx, tx, a.Workspace, in.Audience, before, p.Limit+1)
		views = nil
		for _, i := range rows {
			views = append(views, viewImport(ctx, i))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return front.Listed(ctx, d.Front, a, p, views, func(v importView) string { return v.ID.String() }), nil
}

type listRejectsInput struct {
	Import id.Import `path:"import"`
	front.Paging
}

// rejectView is a rejected value in the caller's language.
type rejectView struct {
	contacts.Reject
	Detail string `json:"detail"`
}

// maxListedRejects is how far the list goes; the CSV has all.
const maxListedRejects = 1000

func (d *Desk) listRejects(ctx context.Context, a accounts.Actor, in *listRejectsInput) (*front.List[rejectView], error) {
	p, err := d.Page(ctx, a, in.Paging)
	if err != nil {
		return nil, err
	}
	at, err := rejectCursor(p.After)
	if err != nil {
		return nil, err
	}
	limit := min(p.Limit+1, maxListedRejects-at.listed)
	var rows []contacts.Reject
	err = d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		if _, err := contacts.GetImport(ctx, tx, a.Workspace, in.Import); err != nil {
			return err
		}
		rows, err = contacts.ListRejects(ctx, tx, a.Workspace, in.Import, at.row, at.column, max(limit, 0))
		return err
	})
	if err != nil {
		return nil, err
	}
	views := make([]rejectView, len(rows))
	for i, r := range rows {
		views[i] = rejectView{Reject: r, Detail: errs.Sentence(front.Lang(ctx), r.Code, r.Params)}
	}
	return front.Listed(ctx, d.Front, a, p, views, func(v rejectView) string {
		return strconv.Itoa(at.listed+p.Limit) + "/" + strconv.FormatInt(v.Row, 10) + "/" + v.Column
	}), nil
}

type rejectPlace struct {
	listed int
	row    int64
	column string
}

func rejectCursor(after string) (rejectPlace, error) {
	if after == "" {
		return rejectPlace{}, nil
	}
	parts := strings.SplitN(after, "/", 3)
	if len(parts) != 3 {
		return rejectPlace{}, errs.New("page.cursor")
	}
	n, err := strconv.Atoi(parts[0])
	row, err2 := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || err2 != nil {
		return rejectPlace{}, errs.New("page.cursor")
	}
	return rejectPlace{listed: n, row: row, column: parts[2]}, nil
}

func (d *Desk) rejectsCSV(c *gin.Context, a accounts.Actor) error {
	ctx := c.Request.Context()
	imp, err := id.Parse[id.Import](c.Param("import"))
	if err != nil {
		return errs.New("not_found")
	}
	err = d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		if _, err := contacts.GetImport(ctx, tx, a.Workspace, imp); err != nil {
			return err
		}
		return accounts.Audit(ctx, tx, a, accounts.Deed{Action: "import.rejects_exported", Subject: imp.String()})
	})
	if err != nil {
		return err
	}
	c.Header("Content-Type", "text/csv; charset=utf-8")
	c.Header("Content-Disposition", `attachment; filename="rejects.csv"`)
	im := &contacts.Importer{Pool: d.Pool, Vault: d.Vault, Clock: d.Clock}
	return im.RejectsCSV(ctx, a.Workspace, imp, front.Lang(ctx), c.Writer)
}
