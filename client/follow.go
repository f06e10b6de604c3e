package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Job is work that outlasts a request.
type Job struct {
	ID        string
	Kind      string // import, check
	Subject   string
	State     string // waiting, running, completed, failed, cancelled
	Done      int64
	Total     int64
	Progress  float64 // 0 to 1
	Result    json.RawMessage
	Problem   *Failure
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// GetJob reads one.
func (c *Client) GetJob(ctx context.Context, job string) (Job, error) {
	return get[Job](ctx, c, path("jobs", job))
}

// WaitJob asks until the job has ended, less and less often. A job that failed is
// an error with its code.
func (c *Client) WaitJob(ctx context.Context, job string) (Job, error) {
	for pause := 100 * time.Millisecond; ; pause = min(2*time.Second, pause*3/2) {
		j, err := c.GetJob(ctx, job)
		if err != nil {
			return j, err
		}
		switch j.State {
		case "completed":
			return j, nil
		case "failed", "cancelled":
			if j.Problem != nil {
				return j, fmt.Errorf("the %s %s: %s: %s", j.Kind, j.State, j.Problem.Code, j.Problem.Detail)
			}
			return j, fmt.Errorf("the %s %s", j.Kind, j.State)
		}
		select {
		case <-ctx.Done():
			return j, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// Report is a campaign's figures: Total = suppressed + Ready + Sending + Held +
// Accepted + failed + Unknown + Unconfirmed.
type Report struct {
	CampaignID      string `json:"campaign_id"`
	RunID           string `json:"run_id"`
	State           string
	RunState        string `json:"run_state"`
	Paused          bool
	Holding         bool
	Stops           []Stop
	Expected        int64
	Planned         bool
	At              time.Time
	Total           int64
	Suppressed      map[string]int64 // reason → people
	SuppressedTotal int64            `json:"suppressed_total"`
	Ready           int64
	Sending         int64
	Held            int64
	Accepted        int64
	Sent            int64
	Delivered       int64
	Read            int64
	Failed          map[string]int64 // reason → people
	FailedTotal     int64            `json:"failed_total"`
	Failures        []FailedBy       // Failed with each code in words, the most frequent first
	Unknown         int64
	Unconfirmed     int64
	Balanced        bool
	StartsAt        time.Time  `json:"starts_at"`
	StartedAt       *time.Time `json:"started_at"`
	EndedAt         *time.Time `json:"ended_at"`

	Transport       string // that the run was launched with
	ProductPolicy   string `json:"product_policy"`
	ActivitySharing bool   `json:"activity_sharing"`
}

// GetReport reads the figures.
func (c *Client) GetReport(ctx context.Context, campaign string) (Report, error) {
	return get[Report](ctx, c, path("campaigns", campaign, "report"))
}

// Message is one person's message.
type Message struct {
	MessageID   string `json:"message_id"`
	ContactID   string `json:"contact_id"`
	Name        string
	Address     string
	State       string
	Reason      string
	MetaCode    int        `json:"meta_code"`
	MetaError   *MetaError `json:"meta_error"`
	AcceptedAt  *time.Time `json:"accepted_at"`
	HeldAt      *time.Time `json:"held_at"`
	SentAt      *time.Time `json:"sent_at"`
	DeliveredAt *time.Time `json:"delivered_at"`
	ReadAt      *time.Time `json:"read_at"`
	PlayedAt    *time.Time `json:"played_at"`
	FailedAt    *time.Time `json:"failed_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
	RunID       string     `json:"run_id"`      // only from GetMessage
	CampaignID  string     `json:"campaign_id"` // only from GetMessage
	Attempts    []struct { // only from GetMessage
		Number     int
		At         time.Time
		Outcome    string
		HTTPStatus int `json:"http_status"`
		MetaCode   int `json:"meta_code"`
		Detail     string
		MetaError  *MetaError `json:"meta_error"`
	}
}

// RecipientFilter narrows a list; the zero value is everybody.
type RecipientFilter struct {
	State    string
	Reason   string
	PageSize int
}

// ListRecipients ranges over everybody's message, in the order of sending.
func (c *Client) ListRecipients(ctx context.Context, campaign string, f RecipientFilter) iter.Seq2[Message, error] {
	return all[Message](ctx, c, path("campaigns", campaign, "recipients"),
		url.Values{"state": {f.State}, "reason": {f.Reason}, "limit": {atOnce(f.PageSize)}})
}

// GetMessage reads one message with its attempts.
func (c *Client) GetMessage(ctx context.Context, message string) (Message, error) {
	return get[Message](ctx, c, path("messages", message))
}

// Event is one thing that happened to a campaign; sequences have no gaps.
type Event struct {
	Sequence int64
	At       time.Time
	Type     string
	Data     json.RawMessage
}

// ListEvents ranges over the events behind a sequence, oldest first.
func (c *Client) ListEvents(ctx context.Context, campaign string, after int64) iter.Seq2[Event, error] {
	return all[Event](ctx, c, path("campaigns", campaign, "events"), url.Values{"after": {strconv.FormatInt(after, 10)}})
}

// Update is what a stream brings: an event or new figures.
type Update struct {
	Event   *Event
	Figures *Report
}

// FollowEvents ranges over the events behind a sequence and the figures as they
// change, live, until the loop is left or ctx ends. A connection that is lost is
// made again behind the last event, so that none is missed and none comes twice.
func (c *Client) FollowEvents(ctx context.Context, campaign string, after int64) iter.Seq2[Update, error] {
	return func(yield func(Update, error) bool) {
		s := &stream{campaign: campaign, after: after, yield: yield}
		for failed := 0; ctx.Err() == nil; {
			got, err := s.connect(ctx, c)
			switch {
			case s.left:
				return
			case errors.As(err, new(*Problem)), err != nil && failed >= c.config.Tries:
				yield(Update{}, err)
				return
			case got:
				failed = 0
			default:
				failed++
			}
			select {
			case <-ctx.Done():
			case <-time.After(200 * time.Millisecond << min(failed, 6)):
			}
		}
		yield(Update{}, ctx.Err())
	}
}

// stream is one reader of a campaign's events.
type stream struct {
	campaign string
	after    int64
	yield    func(Update, error) bool
	left     bool
}

// connect reads one connection to its end (server-sent events, HTML Living
// Standard 9.2) and tells whether anything came.
func (s *stream) connect(ctx context.Context, c *Client) (got bool, err error) {
	call := newCall(http.MethodGet, path("campaigns", s.campaign, "events"))
	call.header.Set("Accept", "text/event-stream")
	call.header.Set("Last-Event-ID", strconv.FormatInt(s.after, 10))
	res, err := c.open(ctx, call)
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	lines := bufio.NewReader(res.Body)
	var kind, data string
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return got, err
		}
		line = strings.TrimRight(line, "\r\n")
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "" && data != "":
			got = true
			if err := s.give(kind, data); err != nil || s.left {
				return got, err
			}
			kind, data = "", ""
		case name == "event":
			kind = value
		case name == "data":
			data += value
		}
	}
}

func (s *stream) give(kind, data string) error {
	var u Update
	var into any
	if kind == "figures" {
		u.Figures = &Report{}
		into = u.Figures
	} else {
		u.Event = &Event{}
		into = u.Event
	}
	if err := json.Unmarshal([]byte(data), into); err != nil {
		return fmt.Errorf("read an event: %w", err)
	}
	if u.Event != nil {
		s.after = u.Event.Sequence
	}
	s.left = !s.yield(u, nil)
	return nil
}
