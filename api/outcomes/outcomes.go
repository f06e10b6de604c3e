// Package outcomes owns the routes about how a campaign came out beyond its
// report: the messages that got no answer, with what a person decides about
// them, the certificate of the run, and the run beside its check.
//
// api registers it. The rules are in campaigns/unconfirmed,
// campaigns/certificate and campaigns/difference.
package outcomes

import (
	"context"
	"io"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/campaigns/certificate"
	"bareed/campaigns/unconfirmed"
	"bareed/internal/errs"
	"bareed/internal/id"
)

// Routes is the package's part of the table of what can be called.
func Routes() []front.Route {
	return []front.Route{
		{Route: "GET /v1/campaigns/{campaign}/unconfirmed", Action: accounts.ReadReports, Status: 200, Object: "campaign", Doc: "The messages that got no answer, and what can be decided about them"},
		{Route: "POST /v1/campaigns/{campaign}/unconfirmed/resend", Action: accounts.OverrideStops, Status: 200, Object: "campaign", Key: true, Doc: "Send the unconfirmed messages again"},
		{Route: "POST /v1/campaigns/{campaign}/unconfirmed/close", Action: accounts.OverrideStops, Status: 200, Object: "campaign", Key: true, Doc: "Let the unconfirmed messages be"},
		{Route: "GET /v1/campaigns/{campaign}/certificate", Action: accounts.ReadReports, Status: 200, Object: "campaign", Long: true, Doc: "The proof that nobody was messaged twice and everybody is accounted for"},
		{Route: "GET /v1/campaigns/{campaign}/differences", Action: accounts.ReadReports, Status: 200, Object: "campaign", Doc: "Who came out otherwise than the check said, and why"},
		{Route: "GET /v1/campaigns/{campaign}/differences/rows.csv", Action: accounts.ReadReports, Status: 200, Object: "campaign", Long: true, Doc: "Those people as CSV"},
	}
}

// desk holds the handlers.
type desk struct {
	*front.Front
	writing chan struct{} // one place for each certificate under way
}

// atOnce bounds the certificates under way in this process: each holds a
// connection and a snapshot of the database for as long as it is written.
const atOnce = 2

// Register adds every route of the package.
func Register(f *front.Front) {
	d := &desk{Front: f, writing: make(chan struct{}, atOnce)}
	front.Add(f, "GET /v1/campaigns/{campaign}/unconfirmed", d.unconfirmed)
	front.Add(f, "POST /v1/campaigns/{campaign}/unconfirmed/resend", d.resend)
	front.Add(f, "POST /v1/campaigns/{campaign}/unconfirmed/close", d.close)
	front.Raw(f, "GET /v1/campaigns/{campaign}/certificate", d.certificate, describeCertificate(f))
	front.Add(f, "GET /v1/campaigns/{campaign}/differences", d.differences)
	front.Raw(f, "GET /v1/campaigns/{campaign}/differences/rows.csv", d.differenceRows, front.Query([2]string{"at_check", "Only those who were this at the check, such as eligible"},
		[2]string{"in_run", "Only those who are this in the run, such as opted_out"}, [2]string{"run", aboutRun}), front.AnswersText("text/csv"))
}

type campaignInput struct {
	Campaign id.Campaign `path:"campaign"`
}

func (d *desk) unconfirmed(ctx context.Context, a accounts.Actor, in *campaignInput) (*front.Reply[unconfirmed.Standing], error) {
	return front.Answer(ctx, d.Front, a, func(tx pgx.Tx) (unconfirmed.Standing, error) {
		return unconfirmed.Read(ctx, tx, a.Workspace, in.Campaign)
	})
}

type decideInput struct {
	Campaign id.Campaign `path:"campaign"`
	Body     struct {
		Expected int64 `json:"expected" minimum:"1" doc:"open of what was read; any other figure is refused"`
	}
}

func (d *desk) resend(ctx context.Context, a accounts.Actor, in *decideInput) (*front.Reply[unconfirmed.Decided], error) {
	return d.decide(ctx, a, in, unconfirmed.Resend)
}

func (d *desk) close(ctx context.Context, a accounts.Actor, in *decideInput) (*front.Reply[unconfirmed.Decided], error) {
	return d.decide(ctx, a, in, unconfirmed.Close)
}

func (d *desk) decide(ctx context.Context, a accounts.Actor, in *decideInput,
	do func(context.Context, pgx.Tx, accounts.Actor, id.Campaign, int64) (unconfirmed.Decided, error)) (*front.Reply[unconfirmed.Decided], error) {
	return front.Answer(ctx, d.Front, a, func(tx pgx.Tx) (unconfirmed.Decided, error) { return do(ctx, tx, a, in.Campaign, in.Body.Expected) })
}

// certificate streams the proof. When it breaks off its seal is missing, so
// that half of one is never taken for a whole.
func (d *desk) certificate(c *gin.Context, a accounts.Actor) error {
	campaign, err := id.Parse[id.Campaign](c.Param("campaign"))
	if err != nil {
		return errs.New("not_found")
	}
	select {
	case d.writing <- struct{}{}:
		defer func() { <-d.writing }()
	default:
		return errs.New("certificate.busy")
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), 30*time.Minute)
	defer cancel()
	patience := func() { // not every writer can
		_ = http.NewResponseController(c.Writer).SetWriteDeadline(time.Now().Add(time.Minute))
	}
	return certificate.Write(ctx, certificate.Config{Pool: d.Pool, Actor: a, Campaign: campaign,
		Out: func() io.Writer {
			patience()
			c.Header("Content-Type", "application/json")
			c.Header("Cache-Control", "no-store")
			c.Header("Content-Disposition", `attachment; filename="`+campaign.String()+`-certificate.json"`)
			return c.Writer
		},
		Page: func() error {
			patience()
			c.Writer.Flush()
			return ctx.Err()
		}})
}

// describeCertificate describes the JSON that is streamed.
func describeCertificate(f *front.Front) func(*huma.Operation) {
	return func(op *huma.Operation) {
		schema := f.API().OpenAPI().Components.Schemas.Schema(reflect.TypeFor[certificate.Document](), true, "Certificate")
		for status, res := range op.Responses {
			if status != "default" {
				res.Content = map[string]*huma.MediaType{"application/json": {Schema: schema}}
			}
		}
	}
}
