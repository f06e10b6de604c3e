package outcomes

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/campaigns/difference"
	"bareed/internal/errs"
	"bareed/internal/id"
)

const aboutRun = "Another run of the campaign than the newest that has begun"

type differencesInput struct {
	Campaign id.Campaign `path:"campaign"`
	Run      string      `query:"run" doc:"Another run of the campaign than the newest that has begun"`
}

// runOf reads which run is asked about; the zero id: the campaign's own.
func runOf(text string) (id.Run, error) {
	if text == "" {
		return id.Run{}, nil
	}
	run, err := id.Parse[id.Run](text)
	if err != nil {
		return run, errs.New("not_found")
	}
	return run, nil
}

func (d *desk) differences(ctx context.Context, a accounts.Actor, in *differencesInput) (*front.Reply[difference.Summary], error) {
	run, err := runOf(in.Run)
	if err != nil {
		return nil, err
	}
	out, err := front.Answer(ctx, d.Front, a, func(tx pgx.Tx) (difference.Summary, error) {
		return difference.Get(ctx, tx, a.Workspace, in.Campaign, run)
	})
	out.Body.Tell(front.Lang(ctx))
	return out, err
}

// differenceRows writes everybody who differs as CSV, page by page.
func (d *desk) differenceRows(c *gin.Context, a accounts.Actor) error {
	campaign, err := id.Parse[id.Campaign](c.Param("campaign"))
	if err != nil {
		return errs.New("not_found")
	}
	run, err := runOf(c.Query("run"))
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	var p difference.Pair
	err = d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		p, err = difference.Find(ctx, tx, a.Workspace, campaign, run)
		return err
	})
	if err != nil {
		return err
	}
	want := difference.Want{AtCheck: c.Query("at_check"), InRun: c.Query("in_run"), Reveal: accounts.Allow(a, accounts.SeePhones) == nil}
	c.Header("Content-Type", "text/csv; charset=utf-8")
	c.Header("Content-Disposition", `attachment; filename="`+p.Run.String()+`-differences.csv"`)
	patience := http.NewResponseController(c.Writer)
	return difference.WriteCSV(c.Writer, func(at difference.Place) (rows []difference.Row, then difference.Place, err error) {
		_ = patience.SetWriteDeadline(time.Now().Add(time.Minute)) // not every writer can
		err = d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
			rows, then, err = p.Next(ctx, tx, a.Workspace, want, at)
			return err
		})
		return rows, then, err
	})
}
