package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/campaigns"
	"bareed/internal/errs"
	"bareed/internal/id"
)

func (s *Server) campaignReports() {
	add(s, "GET /v1/campaigns/{campaign}/report", s.campaignReport, front.OrUnchanged)
	add(s, "GET /v1/campaigns/{campaign}/recipients", s.recipients)
	add(s, "GET /v1/messages/{message}", s.getMessage)
	raw(s, "GET /v1/campaigns/{campaign}/events", s.campaignEvents, eventsQuery, front.Answers[eventPage](s.Front, "EventPage"), front.AnswersText("text/event-stream"))
}

// seesPhones tells whether phone numbers are shown whole.
func seesPhones(a accounts.Actor) bool { return accounts.Allow(a, accounts.SeePhones) == nil }

type reportInput struct {
	Campaign    id.Campaign `path:"campaign"`
	IfNoneMatch string      `header:"If-None-Match" doc:"The ETag of the report that is known; 304 when it has not changed"`
}

type reportOutput struct {
	Status int
	ETag   string `header:"ETag"`
	Body   *campaigns.Report
}

// campaignReport is also what is asked every few seconds where streams do not
// get through; then most answers are a 304.
func (s *Server) campaignReport(ctx context.Context, a accounts.Actor, in *reportInput) (*reportOutput, error) {
	var r campaigns.Report
	err := s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		r, err = campaigns.GetReport(ctx, tx, a.Workspace, in.Campaign)
		return err
	})
	if err != nil {
		return nil, err
	}
	r.Tell(front.Lang(ctx))
	written, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("write the report: %w", err)
	}
	sum := sha256.Sum256(written)
	out := &reportOutput{Status: http.StatusOK, ETag: `"` + hex.EncodeToString(sum[:16]) + `"`, Body: &r}
	if known(in.IfNoneMatch, out.ETag) {
		out.Status, out.Body = http.StatusNotModified, nil
	}
	return out, nil
}

// known tells whether If-None-Match names the tag (RFC 9110, 13.1.2): the weak
// comparison, so that a proxy that compressed the answer does not spoil it.
func known(header, tag string) bool {
	for name := range strings.SplitSeq(header, ",") {
		if name = strings.TrimSpace(name); name == "*" || strings.TrimPrefix(name, "W/") == tag {
			return true
		}
	}
	return false
}

type recipientsInput struct {
	Paging
	Campaign id.Campaign `path:"campaign"`
	State    string      `query:"state" doc:"State of the message, such as failed"`
	Reason   string      `query:"reason" doc:"Reason of suppressed, failed or unconfirmed"`
}

func (s *Server) recipients(ctx context.Context, a accounts.Actor, in *recipientsInput) (*list[campaigns.Recipient], error) {
	p, err := s.page(ctx, a, in.Paging)
	if err != nil {
		return nil, err
	}
	f := campaigns.RecipientFilter{State: in.State, Reason: in.Reason, Limit: p.Limit + 1, Reveal: seesPhones(a)}
	if p.After != "" {
		n, err := strconv.ParseInt(p.After, 10, 32)
		if err != nil {
			return nil, errs.New("page.cursor")
		}
		f.After = int32(n)
	}
	var rows []campaigns.Recipient
	err = s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		rows, err = campaigns.Recipients(ctx, tx, a.Workspace, in.Campaign, f)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range rows {
		rows[i].Tell(front.Lang(ctx))
	}
	return listed(ctx, s, a, p, rows, func(r campaigns.Recipient) string { return strconv.Itoa(int(r.MessageID.Ordinal)) }), nil
}

type messageInput struct {
	Message id.Message `path:"message"`
}

func (s *Server) getMessage(ctx context.Context, a accounts.Actor, in *messageInput) (*reply[campaigns.Timeline], error) {
	out, err := front.Answer(ctx, s.Front, a, func(tx pgx.Tx) (campaigns.Timeline, error) {
		return campaigns.GetMessage(ctx, tx, a.Workspace, in.Message, seesPhones(a))
	})
	out.Body.Tell(front.Lang(ctx))
	return out, err
}

// eventPage is a page of events, oldest first.
type eventPage struct {
	Data       []campaigns.Event `json:"data"`
	NextCursor *string           `json:"next_cursor" doc:"Give it as cursor for the next page; null on the last"`
	HasMore    bool              `json:"has_more"`
}

// campaignEvents answers with a page of events, or with a stream of them when
// the client accepts text/event-stream.
func (s *Server) campaignEvents(c *gin.Context, a accounts.Actor) error {
	if strings.Contains(c.GetHeader("Accept"), "text/event-stream") {
		return s.streamEvents(c, a)
	}
	ctx, campaign := c.Request.Context(), pathID[id.Campaign](c, "campaign")
	for name := range c.Request.URL.Query() {
		if name != "after" && name != "limit" && name != "cursor" {
			return errs.New("param.unknown", "name", errs.Clip(name))
		}
	}
	p, err := s.page(ctx, a, Paging{Limit: c.Query("limit"), Cursor: c.Query("cursor")})
	if err != nil {
		return err
	}
	from := c.Query("after")
	if p.After != "" {
		from = p.After
	}
	after, err := sequence(from)
	if err != nil {
		return err
	}
	var rows []campaigns.Event
	err = s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		if err := campaigns.Exists(ctx, tx, a.Workspace, campaign); err != nil {
			return err
		}
		rows, err = campaigns.Events(ctx, tx, a.Workspace, campaign, after, p.Limit+1)
		return err
	})
	if err != nil {
		return err
	}
	listed(ctx, s, a, p, rows, func(e campaigns.Event) string { return strconv.FormatInt(e.Sequence, 10) }).Write(c)
	return nil
}

func eventsQuery(op *huma.Operation) {
	front.Query([2]string{"after", "Sequence of the last event that is known"},
		[2]string{"limit", "How many at most, 1 to 200; 50 when not given"}, [2]string{"cursor", "next_cursor of the page before"})(op)
	op.Parameters = append(op.Parameters, &huma.Param{Name: "Last-Event-ID", In: "header",
		Description: "Of a stream: go on behind this sequence", Schema: &huma.Schema{Type: "string"}})
	op.Description = "With Accept: text/event-stream the same as server-sent events: the id is the sequence, Last-Event-ID resumes, \"figures\" carry the report."
}

func sequence(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, errs.New("page.cursor")
	}
	return n, nil
}
