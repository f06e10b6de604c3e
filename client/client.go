// Package client speaks with Bareed's HTTP API: one method for each operation of
// its OpenAPI description, of the same name.
//
// Programs of users import it, as do the demo and the tests. It knows the API
// from outside only and needs nothing but the standard library.
package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Config says whom to speak with and how. URL and one of Key and Session are
// needed; a Client without a credential can only sign in.
type Config struct {
	URL       string // of the installation: https://bareed.example
	Key       string // bk_live_… or bk_test_…
	Session   string // of a person, from CreateSession
	Language  string // of sentences in problems: en or ar
	UserAgent string
	HTTP      *http.Client  // without a timeout of its own for uploads and streams; http.DefaultClient when nil
	Tries     int           // of what may be repeated; 4 when zero, 1 for never again
	MaxWait   time.Duration // longest pause before another try; 30 seconds when zero
}

// Client is safe for many goroutines at once.
type Client struct {
	config Config
	base   string
}

// New checks the address; it calls nobody.
func New(c Config) (*Client, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("the address %q is no http or https URL", c.URL)
	}
	if c.HTTP == nil {
		c.HTTP = http.DefaultClient
	}
	if c.Tries == 0 {
		c.Tries = 4
	}
	if c.MaxWait == 0 {
		c.MaxWait = 30 * time.Second
	}
	if c.UserAgent == "" {
		c.UserAgent = "bareed-go/1"
	}
	return &Client{config: c, base: strings.TrimSuffix(u.String(), "/")}, nil
}

// Option changes one request.
type Option func(*call)

// IdempotencyKey names a POST, so that the same call may be made again, by another
// process too, and is carried out once. Without it each call gets a key of its
// own, which only covers the tries of that call.
func IdempotencyKey(key string) Option {
	return func(c *call) { c.header.Set("Idempotency-Key", key) }
}

// RequestID is echoed in answers, problems and the request log.
func RequestID(id string) Option {
	return func(c *call) { c.header.Set("X-Request-Id", id) }
}

// call is one operation on its way.
type call struct {
	method, path string
	query        url.Values
	header       http.Header
	body         func() (io.ReadCloser, error) // nil: none
	once         bool                          // the body can be sent once only
	out          any                           // *T for JSON, io.Writer, or nil
	answered     http.Header
}

func newCall(method, path string) *call {
	return &call{method: method, path: path, query: url.Values{}, header: http.Header{}}
}

// path writes segments with everything that has a meaning in an address escaped.
func path(segments ...string) string {
	var b strings.Builder
	b.WriteString("/v1")
	for _, s := range segments {
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String()
}

// json gives the call a body.
func (c *call) json(in any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("write the request: %w", err)
	}
	c.header.Set("Content-Type", "application/json")
	c.body = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
	return nil
}

// Call makes any call of the API as the methods do, for what they do not cover:
// JSON in and out, each nil when there is none.
func (c *Client) Call(ctx context.Context, method, path string, in, out any, options ...Option) error {
	_, err := c.do(ctx, method, path, in, out, options...)
	return err
}

// do is Call with the answer's header.
func (c *Client) do(ctx context.Context, method, path string, in, out any, options ...Option) (http.Header, error) {
	path, query, _ := strings.Cut(path, "?")
	call := newCall(method, path)
	var err error
	if call.query, err = url.ParseQuery(query); err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if in != nil {
		if err := call.json(in); err != nil {
			return nil, err
		}
	}
	call.out = out
	return c.send(ctx, call, options...)
}

// ask makes a call with a JSON body, nil for none, and reads the JSON answer.
func ask[T any](ctx context.Context, c *Client, method, path string, in any, options ...Option) (out T, err error) {
	h, err := c.do(ctx, method, path, in, &out, options...)
	if t, ok := any(&out).(interface{ setETag(string) }); ok && err == nil {
		t.setETag(h.Get("ETag"))
	}
	return out, err
}

// get reads what stands at path.
func get[T any](ctx context.Context, c *Client, path string) (T, error) {
	return ask[T](ctx, c, http.MethodGet, path, nil)
}

// Tagged is the version of what was read. Given back with a change, it keeps the
// change from undoing somebody else's. Rows of lists have none.
type Tagged struct {
	ETag string `json:"-"`
}

func (t *Tagged) setETag(etag string) { t.ETag = etag }

// ifMatch makes the call for one version only, or for any when etag is empty.
func ifMatch(etag string) Option {
	return func(c *call) {
		if etag != "" {
			c.header.Set("If-Match", etag)
		}
	}
}

// send makes the tries that are safe.
func (c *Client) send(ctx context.Context, call *call, options ...Option) (http.Header, error) {
	if call.method == http.MethodPost && call.path != "/v1/sessions" {
		call.header.Set("Idempotency-Key", rand.Text())
	}
	for _, o := range options {
		o(call)
	}
	for try := 1; ; try++ {
		err := c.try(ctx, call)
		pause, again := call.again(err, try)
		if err == nil || !again || try >= c.config.Tries || pause > c.config.MaxWait {
			return call.answered, err
		}
		select {
		case <-ctx.Done():
			return call.answered, errors.Join(err, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// again tells whether a call that ended with err may be made once more, and when.
// What was refused before any work (429) always; what may have been carried out
// only when a repetition changes nothing.
func (c *call) again(err error, try int) (time.Duration, bool) {
	if err == nil || c.once {
		return 0, false
	}
	pause := 200 * time.Millisecond << min(try-1, 6)
	harmless := c.method == http.MethodGet || c.header.Get("Idempotency-Key") != ""
	var p *Problem
	if !errors.As(err, &p) {
		var lost *url.Error
		return pause, harmless && errors.As(err, &lost) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
	}
	pause = max(p.RetryAfter, pause)
	switch {
	case p.Code == "auth.too_many_tries":
		return 0, false
	case p.Status == http.StatusTooManyRequests:
		return pause, true
	case p.Status == http.StatusServiceUnavailable || p.Code == "idempotency.in_progress":
		return pause, harmless && p.RetryAfter > 0
	}
	return 0, false
}

func (c *Client) try(ctx context.Context, call *call) error {
	res, err := c.open(ctx, call)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	switch out := call.out.(type) {
	case nil:
		_, err = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
	case io.Writer:
		call.once = true // part of it may have been written
		_, err = io.Copy(out, res.Body)
	default:
		err = json.NewDecoder(res.Body).Decode(out)
	}
	if err != nil {
		return fmt.Errorf("%s %s: read the answer: %w", call.method, call.path, err)
	}
	return nil
}

// open sends the request and returns the answer with its body still to be read;
// a refusal is a *Problem.
func (c *Client) open(ctx context.Context, call *call) (*http.Response, error) {
	address := c.base + call.path
	if len(call.query) > 0 {
		address += "?" + call.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, call.method, address, nil)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", call.method, call.path, err)
	}
	if call.body != nil {
		if req.Body, err = call.body(); err != nil {
			return nil, fmt.Errorf("%s %s: read the body: %w", call.method, call.path, err)
		}
	}
	req.Header = call.header.Clone()
	req.Header.Set("User-Agent", c.config.UserAgent)
	switch {
	case c.config.Key != "":
		req.Header.Set("Authorization", "Bearer "+c.config.Key)
	case c.config.Session != "":
		req.Header.Set("Cookie", sessionCookie+"="+c.config.Session)
	}
	if c.config.Language != "" {
		req.Header.Set("Accept-Language", c.config.Language)
	}
	res, err := c.config.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", call.method, call.path, err)
	}
	call.answered = res.Header
	if res.StatusCode < 300 {
		return res, nil
	}
	defer res.Body.Close()
	return nil, fmt.Errorf("%s %s: %w", call.method, call.path, readProblem(res))
}

// Problem is a refusal of the API (RFC 9457). Find it with errors.As.
type Problem struct {
	Type       string        `json:"type"`
	Title      string        `json:"title"`
	Status     int           `json:"status"`
	Code       string        `json:"code"`   // stable: campaign.state, rate.limited …
	Detail     string        `json:"detail"` // a sentence in the client's language
	Instance   string        `json:"instance"`
	RequestID  string        `json:"request_id"`
	Errors     []Fault       `json:"errors"`
	RetryAfter time.Duration `json:"-"` // zero: not said
}

// Fault is one thing wrong with the input and where: a JSON pointer, or the place
// in a file.
type Fault struct {
	Pointer string `json:"pointer"`
	Row     int64  `json:"row"`
	Line    int64  `json:"line"`
	Column  string `json:"column"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
	Got     string `json:"got"`
}

// Error is the code, the sentence and every fault.
func (p *Problem) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s: %s", p.Status, p.Code, p.Detail)
	for _, f := range p.Errors {
		fmt.Fprintf(&b, " %s: %s", f.Pointer+f.Column, f.Detail)
	}
	if p.RequestID != "" {
		b.WriteString(" (" + p.RequestID + ")")
	}
	return b.String()
}

// IsCode tells whether err is a problem of one of the codes.
func IsCode(err error, codes ...string) bool {
	var p *Problem
	return errors.As(err, &p) && slices.Contains(codes, p.Code)
}

// readProblem reads a refusal; one that is no problem document, of a proxy for
// instance, keeps its status.
func readProblem(res *http.Response) *Problem {
	p := &Problem{}
	b, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if json.Unmarshal(b, p) != nil || p.Code == "" {
		p = &Problem{Title: http.StatusText(res.StatusCode), Detail: "the answer is no problem document", RequestID: res.Header.Get("Request-Id")}
	}
	p.Status = res.StatusCode
	if s, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && s >= 0 {
		p.RetryAfter = time.Duration(s) * time.Second
	}
	return p
}
