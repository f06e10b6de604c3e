package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/campaigns"
	"bareed/campaigns/check"
	"bareed/campaigns/live"
	"bareed/internal/id"
)

// pathID reads an identifier whose form the gates have checked.
func pathID[T any, P interface {
	*T
	UnmarshalText(b []byte) error
}](c *gin.Context, name string) T {
	v, _ := id.Parse[T, P](c.Param(name))
	return v
}

// checkRows writes every person's fate as CSV.
func (s *Server) checkRows(c *gin.Context, a accounts.Actor) error {
	ctx := c.Request.Context()
	campaign, k := pathID[id.Campaign](c, "campaign"), pathID[id.Check](c, "check")
	err := s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		return check.HasRows(ctx, tx, a.Workspace, campaign, k)
	})
	if err != nil {
		return err
	}
	c.Header("Content-Type", "text/csv; charset=utf-8")
	c.Header("Content-Disposition", `attachment; filename="`+k.String()+`.csv"`)
	return check.WriteCSV(c.Writer, func(after id.Contact) (rows []check.Row, err error) {
		err = s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
			rows, err = check.Rows(ctx, tx, a.Workspace, k, c.Query("reason"), after, 2000, seesPhones(a))
			return err
		})
		return rows, err
	})
}

// streamWrite is how long a reader may take to accept what was written.
const streamWrite = 20 * time.Second

// streamEvents is the campaign's events as server-sent events (HTML Living
// Standard, 9.2): the id is the sequence, Last-Event-ID resumes. Between them
// stand "figures", the report, whenever it changed, without an id. Every end is
// a normal one: the reader connects again and learns by the answer if it may not.
func (s *Server) streamEvents(c *gin.Context, _ accounts.Actor) error {
	last := c.GetHeader("Last-Event-ID")
	if last == "" {
		last = c.Query("after")
	}
	after, err := sequence(last)
	if err != nil {
		return err
	}
	ctx, release := front.UntilShutdown(c.Request.Context())
	defer release()
	viewer, err := s.Live.Watch(ctx, front.Caller(ctx), pathID[id.Campaign](c, "campaign"), after)
	if err != nil {
		return err
	}
	defer viewer.Close()
	c.Header("Content-Type", "text/event-stream")
	c.Header("X-Accel-Buffering", "no")
	c.Status(http.StatusOK)
	write := streamTo(c)
	err = write([]byte("retry: 1000\n\n"))
	for err == nil {
		var u live.Update
		if u, err = viewer.Next(ctx); err != nil {
			break
		}
		var frame []byte
		if frame, err = frameOf(u); err == nil {
			err = write(frame)
		}
	}
	return nil
}

// streamTo writes and flushes, and gives up on a reader that takes nothing: it
// holds a place that others may want.
func streamTo(c *gin.Context) func([]byte) error {
	rc := http.NewResponseController(c.Writer)
	return func(b []byte) error {
		_ = rc.SetWriteDeadline(time.Now().Add(streamWrite)) // not every writer can, such as a test's
		if _, err := c.Writer.Write(b); err != nil {
			return fmt.Errorf("write to the stream: %w", err)
		}
		return rc.Flush()
	}
}

// frameOf writes an update; each part is written once for all readers.
func frameOf(u live.Update) ([]byte, error) {
	if u.Beat() {
		return []byte(": still here\n\n"), nil
	}
	var all []byte
	for _, e := range u.Events {
		frame, err := e.Render("sse", eventFrame)
		if err != nil {
			return nil, err
		}
		all = append(all, frame...)
	}
	if u.Picture != nil {
		all = fmt.Appendf(all, "event: figures\ndata: %s\n\n", u.Picture.JSON)
	}
	return all, nil
}

func eventFrame(e campaigns.Event) ([]byte, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("write an event: %w", err)
	}
	return fmt.Appendf(nil, "id: %d\nevent: %s\ndata: %s\n\n", e.Sequence, e.Type, data), nil
}

// liveGauges show how many watch.
func (s *Server) liveGauges() {
	viewers := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "bareed_live_viewers", Help: "People and programs that watch a campaign."},
		func() float64 { n, _ := s.Live.Count(); return float64(n) })
	feeds := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "bareed_live_campaigns", Help: "Campaigns that are read for those who watch."},
		func() float64 { _, n := s.Live.Count(); return float64(n) })
	s.Registry().MustRegister(viewers, feeds)
}
