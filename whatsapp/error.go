package whatsapp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Error is Meta's refusal of a request other than a message. Meta's own
// sentences are left out: they may quote what was sent.
type Error struct {
	HTTPStatus int
	// Code is Meta's, 0 with HasCode false when the answer carried none.
	Code      int
	HasCode   bool
	Subcode   int
	Title     string
	FBTraceID string
	// RetryAfter is 0 when Meta named no time.
	RetryAfter time.Duration
	Class      Class
}

// Error names the code and our title for it.
func (e *Error) Error() string {
	if !e.HasCode {
		return fmt.Sprintf("meta answered HTTP %d without an error code", e.HTTPStatus)
	}
	return fmt.Sprintf("meta refused with code %d (%s), HTTP %d", e.Code, e.Title, e.HTTPStatus)
}

// graphError is Meta's error object.
type graphError struct {
	Code      *flexInt   `json:"code"`
	Subcode   flexInt    `json:"error_subcode"`
	FBTraceID flexString `json:"fbtrace_id"`
}

// parseGraphError finds the error object of an answer; nil when there is none
// with a code.
func parseGraphError(body []byte) *graphError {
	var doc struct {
		Error *graphError `json:"error"`
	}
	if json.Unmarshal(body, &doc) != nil || doc.Error == nil || doc.Error.Code == nil || !doc.Error.Code.valid {
		return nil
	}
	return doc.Error
}

func (c *Client) readError(status int, header http.Header, body []byte) *Error {
	e := &Error{HTTPStatus: status, RetryAfter: retryAfter(header, c.now())}
	g := parseGraphError(body)
	if g == nil {
		return e
	}
	e.Code, e.HasCode, e.Subcode = g.Code.n, true, g.Subcode.n
	e.FBTraceID = cleanTrace(string(g.FBTraceID))
	e.Class = Classify(e.Code)
	e.Title = e.Class.Title
	return e
}

// get reads a node or an edge into v. Errors are *Error for Meta's refusals and
// plain transport errors otherwise.
func (c *Client) get(ctx context.Context, token Token, node, edge string, query url.Values, v any) error {
	return c.call(ctx, http.MethodGet, token, node, edge, query, nil, v)
}

func (c *Client) call(ctx context.Context, method string, token Token, node, edge string, query url.Values, in, v any) error {
	ctx, cancel := context.WithTimeout(ctx, c.readTimeout)
	defer cancel()
	var reader io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
		reader = bytes.NewReader(raw)
	}
	req, err := c.request(ctx, method, node, edge, query, reader)
	if err != nil {
		return err
	}
	status, header, body, err := c.roundTrip(req, token, maxReadAnswer)
	c.meter.count(header, c.now())
	if err != nil {
		return err
	}
	if status < 200 || status > 299 {
		return c.readError(status, header, body)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("read Meta's answer: %w", err)
	}
	return nil
}
