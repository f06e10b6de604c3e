package client

import (
	"context"
	"net/http"
)

// MetaError is one of Meta's error codes in words, in the client's language.
type MetaError struct {
	Code    int
	Title   string // Meta's own
	Cause   string
	Action  string // what can be done
	Retried string // by_itself, after_stop, when_proven, not_this_message, never
	Retry   string // Retried as a sentence
}

// FailedBy is how many messages failed for one reason.
type FailedBy struct {
	Reason    string
	People    int64
	MetaError *MetaError `json:"meta_error"` // nil: no code of Meta's
}

// ErrorCode is a row of the error table: what a code does to a message, its
// campaign and its person.
type ErrorCode struct {
	MetaError
	Last        int      // where a row stands for several codes: the last of them
	HTTPStatus  int      `json:"http_status"`
	Planes      []string // answer, status, management
	Outcome     string   // refused_for_now, refused_for_good, stop, unknown
	Scope       string   // message, recipient, template, campaign, number, waba, workspace
	Stop        string   // reason of the stop that the first one opens
	StopSeconds int      `json:"stop_seconds"` // 0: a person clears it
	Rule        string   // in_a_row, share
	Person      string   // opt_out, undeliverable, blocked, cool_off, window, country
}

// GetErrorCodes reads the whole table.
func (c *Client) GetErrorCodes(ctx context.Context) ([]ErrorCode, error) {
	var out struct{ Data []ErrorCode }
	_, err := c.do(ctx, http.MethodGet, path("error-codes"), nil, &out)
	return out.Data, err
}
