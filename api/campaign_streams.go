package api

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/campaigns"
	"bareed/internal/errs"
	"bareed/internal/id"
)

// checkRowsQuery describes the one query parameter of the download.
func checkRowsQuery(op *huma.Operation) {
	op.Parameters = append(op.Parameters, &huma.Param{Name: "reason", In: "query",
		Description: "Only these rows; eligible for those without a reason", Schema: &huma.Schema{Type: "string"}})
}

// pathID reads an identifier whose form the gates have checked.
func pathID[T any, P interface {
	*T
	UnmarshalText(b []byte) error
}](c *gin.Context, name string) T {
	v, _ := id.Parse[T, P](c.Param(name))
	return v
}

// checkRows writes every person's fate as CSV, page by page, so that a million
// rows need no memory and no long transaction.
func (s *Server) checkRows(c *gin.Context, a accounts.Actor) error {
	ctx := c.Request.Context()
	campaign, check := pathID[id.Campaign](c, "campaign"), pathID[id.Check](c, "check")
	err := s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		return campaigns.CheckHasRows(ctx, tx, a.Workspace, campaign, check)
	})
	if err != nil {
		return err
	}
	c.Header("Content-Type", "text/csv; charset=utf-8")
	c.Header("Content-Disposition", `attachment; filename="`+check.String()+`.csv"`)
	w := csv.NewWriter(c.Writer)
	if err := w.Write([]string{"contact_id", "name", "phone", "reason"}); err != nil {
		return err
	}
	var after id.Contact
	for {
		var rows []campaigns.CheckRow
		err := s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
			rows, err = campaigns.ReadCheckRows(ctx, tx, a.Workspace, check, c.Query("reason"), after, 2000, seesPhones(a))
			return err
		})
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := w.Write([]string{r.ContactID.String(), plainCell(r.Name), r.Phone, r.Reason}); err != nil {
				return err
			}
			after = r.ContactID
		}
		w.Flush()
		if err := w.Error(); err != nil || len(rows) == 0 {
			return err
		}
	}
}

// plainCell keeps a spreadsheet from taking a name for a formula (OWASP, "CSV
// injection"). A phone begins with + by its form and holds only digits.
func plainCell(s string) string {
	if strings.ContainsAny(s[:min(1, len(s))], "=+-@\t\r") {
		return "'" + s
	}
	return s
}

const (
	streamTick  = time.Second
	streamBeat  = 15 * time.Second
	streamWhole = 10 * time.Minute // then the client connects again and goes on
)

// streamEvents is the campaign's events as server-sent events (HTML Living
// Standard, 9.2): the id is the sequence, Last-Event-ID resumes. Between them
// stand "figures", the report, whenever it changed, without an id.
func (s *Server) streamEvents(c *gin.Context, a accounts.Actor) error {
	last := c.GetHeader("Last-Event-ID")
	if last == "" {
		last = c.Query("after")
	}
	after, err := sequence(last)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), streamWhole)
	defer cancel()
	ctx, release := front.UntilShutdown(ctx)
	defer release()
	st := &stream{server: s, actor: a, campaign: pathID[id.Campaign](c, "campaign"), after: after, to: c.Writer, flush: c.Writer.Flush}
	err = s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		return campaigns.Exists(ctx, tx, a.Workspace, st.campaign)
	})
	if err != nil {
		return err
	}
	c.Header("Content-Type", "text/event-stream")
	c.Header("X-Accel-Buffering", "no")
	c.Status(http.StatusOK)
	if _, err := io.WriteString(c.Writer, "retry: 1000\n\n"); err != nil {
		return nil //nolint:nilerr // the reader left
	}
	return st.run(ctx)
}

// stream is one reader of a campaign's events.
type stream struct {
	server   *Server
	actor    accounts.Actor
	campaign id.Campaign
	after    int64
	figures  string
	to       io.Writer
	flush    func()
}

// run writes until the reader leaves, the time is over or the server stops; all
// are a normal end.
func (st *stream) run(ctx context.Context) error {
	tick := time.NewTicker(streamTick)
	defer tick.Stop()
	quiet := time.Now()
	for {
		wrote, err := st.step(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if wrote {
			quiet = time.Now()
		} else if time.Since(quiet) >= streamBeat {
			quiet = time.Now()
			if _, err := io.WriteString(st.to, ": still here\n\n"); err != nil {
				return nil //nolint:nilerr // the reader left
			}
		}
		st.flush()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// step writes what is new.
func (st *stream) step(ctx context.Context) (wrote bool, err error) {
	var events []campaigns.Event
	var report campaigns.Report
	ws := st.actor.Workspace
	err = st.server.Pool.InWorkspace(ctx, ws, func(tx pgx.Tx) (err error) {
		if events, err = campaigns.Events(ctx, tx, ws, st.campaign, st.after, eventsAtOnce); err != nil {
			return err
		}
		report, err = campaigns.GetReport(ctx, tx, ws, st.campaign)
		return err
	})
	if err != nil && !errs.Is(err, "campaign.not_launched") {
		return false, err
	}
	for _, e := range events {
		data, err := json.Marshal(e)
		if err != nil {
			return wrote, fmt.Errorf("write an event: %w", err)
		}
		if _, err := fmt.Fprintf(st.to, "id: %d\nevent: %s\ndata: %s\n\n", e.Sequence, e.Type, data); err != nil {
			return wrote, err
		}
		st.after, wrote = e.Sequence, true
	}
	data, err := json.Marshal(report)
	if err != nil {
		return wrote, fmt.Errorf("write the figures: %w", err)
	}
	if report.RunID.IsZero() || string(data) == st.figures {
		return wrote, nil
	}
	st.figures = string(data)
	_, err = fmt.Fprintf(st.to, "event: figures\ndata: %s\n\n", data)
	return true, err
}
