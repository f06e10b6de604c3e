// Package money owns the routes about what messages cost: the rate cards of a
// workspace, the estimate of a check, and what a campaign did cost.
//
// api registers it. The rules are in billing and the packages below it.
package money

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/billing/budget"
	"bareed/billing/cost"
	"bareed/billing/estimate"
	"bareed/billing/ratecard"
	"bareed/internal/errs"
	"bareed/internal/id"
)

// Routes is the package's part of the table of what can be called.
func Routes() []front.Route {
	return []front.Route{
		{Route: "GET /v1/rate-cards", Action: accounts.ReadBilling, Status: 200, Doc: "List rate cards, the newest upload first"},
		{Route: "POST /v1/rate-cards", Action: accounts.WriteBilling, Status: 201, Long: true, Doc: "Upload Meta's prices as CSV, from a day on"},
		{Route: "GET /v1/rate-cards/{card}", Action: accounts.ReadBilling, Status: 200, Object: "card", Doc: "A rate card with every price"},
		{Route: "GET /v1/rate-cards/{card}/file.csv", Action: accounts.ReadBilling, Status: 200, Object: "card", Doc: "A rate card as it was uploaded"},
		{Route: "GET /v1/campaigns/{campaign}/checks/{check}/cost", Action: accounts.ReadCampaigns, Status: 200, Object: "check", Doc: "What a campaign would cost"},
		{Route: "GET /v1/campaigns/{campaign}/cost", Action: accounts.ReadReports, Status: 200, Object: "campaign", Doc: "What a campaign did cost, and why it differs from the estimate"},
	}
}

// desk holds the handlers.
type desk struct{ *front.Front }

// Register adds every route of the package.
func Register(f *front.Front) {
	d := &desk{f}
	front.Add(f, "GET /v1/rate-cards", d.list)
	front.Raw(f, "POST /v1/rate-cards", d.upload, describeUpload, front.Answers[ratecard.Card](f, "RateCard"))
	front.Add(f, "GET /v1/rate-cards/{card}", d.get)
	front.Raw(f, "GET /v1/rate-cards/{card}/file.csv", d.file, front.AnswersText("text/csv"))
	front.Add(f, "GET /v1/campaigns/{campaign}/checks/{check}/cost", d.estimate)
	front.Add(f, "GET /v1/campaigns/{campaign}/cost", d.cost)
}

func (d *desk) list(ctx context.Context, a accounts.Actor, in *front.Paging) (*front.List[ratecard.Card], error) {
	p, err := d.Page(ctx, a, *in)
	if err != nil {
		return nil, err
	}
	before, err := front.AfterID[id.RateCard](p)
	if err != nil {
		return nil, err
	}
	var rows []ratecard.Card
	err = d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		rows, err = ratecard.List(ctx, tx, a.Workspace, before, p.Limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	return front.Listed(ctx, d.Front, a, p, rows, func(c ratecard.Card) string { return c.ID.String() }), nil
}

// upload takes the file as the body with the rest in the query, or a form.
func (d *desk) upload(c *gin.Context, a accounts.Actor) error {
	u, err := readUpload(c.Request)
	if err != nil {
		c.Header("Connection", "close") // what is left of the body is not read
		return err
	}
	ctx := c.Request.Context()
	var card ratecard.Card
	err = d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		card, err = ratecard.Add(ctx, tx, a, u)
		return err
	})
	if err != nil {
		return err
	}
	c.Header("Location", "/v1/rate-cards/"+card.ID.String())
	c.JSON(http.StatusCreated, card)
	return nil
}

func readUpload(r *http.Request) (ratecard.Upload, error) {
	u := ratecard.Upload{Name: "rates.csv"}
	for name, values := range r.URL.Query() {
		if err := say(&u, name, values[0]); err != nil {
			return u, err
		}
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err == nil && slices.Contains([]string{"text/csv", "text/plain", "application/octet-stream"}, kind):
		u.File, err = readFile(r.Body)
		return u, err
	case err == nil && kind == "multipart/form-data" && params["boundary"] != "":
		return u, readForm(multipart.NewReader(r.Body, params["boundary"]), &u)
	}
	return u, errs.New("upload.content_type")
}

func say(u *ratecard.Upload, name, value string) error {
	switch name {
	case "valid_from":
		u.ValidFrom = value
	case "filename":
		u.Name = value
	default:
		return errs.New("param.unknown", "name", errs.Clip(name))
	}
	return nil
}

// readFile reads no more than a card may have.
func readFile(src io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(src, ratecard.MaxBytes+1))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge), err == nil && len(b) > ratecard.MaxBytes:
		return nil, errs.New("ratecard.too_large", "limit", ratecard.MaxBytes>>20)
	case err != nil:
		return nil, errs.New("upload.interrupted").Because(err)
	}
	return b, nil
}

const maxParts = 10

func readForm(parts *multipart.Reader, u *ratecard.Upload) error {
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		switch {
		case err == io.EOF && u.File == nil:
			return errs.New("multipart.no_file")
		case err == io.EOF:
			return nil
		case err != nil:
			return errs.New("multipart.syntax").Because(err)
		case n == maxParts:
			return errs.New("multipart.too_many_parts", "limit", maxParts)
		}
		b, err := readFile(part)
		if err != nil {
			return err
		}
		if part.FileName() == "" && part.FormName() != "file" {
			if err := say(u, part.FormName(), strings.TrimSpace(string(b))); err != nil {
				return err
			}
			continue
		}
		if u.File != nil {
			return errs.New("multipart.one_file_only")
		}
		if u.File = b; part.FileName() != "" {
			u.Name = part.FileName()
		}
	}
}

// describeUpload adds what a raw handler cannot say by its types.
func describeUpload(op *huma.Operation) {
	front.Query([2]string{"valid_from", "The first day the prices are for: 2026-10-01"}, [2]string{"filename", "Of a file sent as the body"})(op)
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"text/csv": {Schema: &huma.Schema{Type: "string"}},
		"multipart/form-data": {Schema: &huma.Schema{Type: "object", Required: []string{"file"}, Properties: map[string]*huma.Schema{
			"valid_from": {Type: "string", Format: "date"},
			"file":       {Type: "string", Format: "binary"},
		}}},
	}}
}

type cardInput struct {
	Card id.RateCard `path:"card"`
}

func (d *desk) get(ctx context.Context, a accounts.Actor, in *cardInput) (*front.Reply[ratecard.Card], error) {
	return front.Answer(ctx, d.Front, a, func(tx pgx.Tx) (ratecard.Card, error) { return ratecard.Get(ctx, tx, a.Workspace, in.Card) })
}

func (d *desk) file(c *gin.Context, a accounts.Actor) error {
	card, err := id.Parse[id.RateCard](c.Param("card"))
	if err != nil {
		return errs.New("not_found")
	}
	var file []byte
	ctx := c.Request.Context()
	err = d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		_, file, err = ratecard.File(ctx, tx, a.Workspace, card)
		return err
	})
	if err != nil {
		return err
	}
	c.Header("Content-Disposition", `attachment; filename="`+card.String()+`.csv"`)
	c.Data(http.StatusOK, "text/csv; charset=utf-8", file)
	return nil
}

type checkInput struct {
	Campaign id.Campaign `path:"campaign"`
	Check    id.Check    `path:"check"`
}

func (d *desk) estimate(ctx context.Context, a accounts.Actor, in *checkInput) (*front.Reply[budget.Estimated], error) {
	out := &front.Reply[budget.Estimated]{}
	err := d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		if out.Body.Estimate, err = estimate.OfCheck(ctx, tx, a.Workspace, in.Campaign, in.Check); err == nil {
			out.Body.Budgets, err = budget.OfEstimate(ctx, tx, a.Workspace, out.Body.Estimate)
		}
		if accounts.Allow(a, accounts.ReadBilling) != nil { // what the workspace spends is more than one campaign's cost
			out.Body.Budgets.Month = nil
		}
		return err
	})
	return out, err
}

type campaignInput struct {
	Campaign id.Campaign `path:"campaign"`
}

func (d *desk) cost(ctx context.Context, a accounts.Actor, in *campaignInput) (*front.Reply[cost.Cost], error) {
	return front.Answer(ctx, d.Front, a, func(tx pgx.Tx) (cost.Cost, error) { return cost.Get(ctx, tx, a.Workspace, in.Campaign) })
}
