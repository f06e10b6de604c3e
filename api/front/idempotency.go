package front

import (
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/errs"
)

// The idempotency store keeps the first answer to a key for seven days, sealed,
// because an answer may show a secret once. A request that died leaves its key
// running; it is taken over when no handler can be at work any more.

// replayable are the headers stored with an answer.
var replayable = []string{"Content-Type", "Location", "Link", "ETag", "Content-Language"}

// idempotent stands before the handler of a POST.
func (f *Front) idempotent(c *gin.Context, row Route, streamed bool) {
	given := c.Request.Header.Values("Idempotency-Key")
	a := callOf(c.Request.Context()).who.Actor
	switch {
	case row.Method() != http.MethodPost || a.Workspace.IsZero() || len(given) == 0 && !row.Key:
		c.Next()
		return
	case len(given) != 1 || !validKey(given[0]):
		f.Refuse(c, errs.New("idempotency.key"))
		return
	}
	once := &once{f: f, ws: a, key: given[0], route: c.Request.Method + " " + c.Request.URL.Path, row: row}
	if body, ok := c.Request.Body.(*hashedBody); ok && streamed {
		once.stream = body
	} else if f, ok := c.Get(fingerprintKey); ok {
		once.print = f.([]byte)
	}
	answer, err := once.begin(c.Request.Context())
	switch {
	case err != nil:
		f.Refuse(c, err)
	case answer != nil:
		answer.replay(c)
	default:
		once.perform(c)
	}
}

// validKey takes 1 to 255 printable ASCII characters.
func validKey(key string) bool {
	for i := range len(key) {
		if key[i] < ' ' || key[i] > '~' {
			return false
		}
	}
	return len(key) >= 1 && len(key) <= 255
}

// once is one use of a key.
type once struct {
	f      *Front
	ws     accounts.Actor
	key    string
	route  string // method and path as called
	row    Route
	print  []byte
	stream *hashedBody
}

// answer is what was said the first time.
type answer struct {
	status  int
	headers map[string]string
	body    []byte
}

const sqlClaimKey = `
	insert into idempotency (workspace_id, key, route, fingerprint)
	values ($1, $2, $3, $4)
	on conflict (workspace_id, key, route) do update
	set fingerprint = excluded.fingerprint, state = 'running', status = null, headers = null, body = null,
		created_at = bareed_now()
	where idempotency.created_at < bareed_now() - interval '7 days'
	   or idempotency.state = 'running'
	  and idempotency.created_at < bareed_now() - $5::interval
	returning true`

const sqlStoredAnswer = `
	select fingerprint, state = 'done', coalesce(status, 0), coalesce(headers, '{}'), body
	from idempotency
	where workspace_id = $1
	  and key = $2
	  and route = $3`

// begin claims the key, or returns the answer it already has.
func (o *once) begin(ctx context.Context) (*answer, error) {
	var first, done bool
	var print []byte
	var old answer
	stale := 2 * jsonTime
	if o.row.Long {
		stale = uploadTime + jsonTime
	}
	err := o.f.Pool.InWorkspace(ctx, o.ws.Workspace, func(tx pgx.Tx) error {
		first = false
		err := tx.QueryRow(ctx, sqlClaimKey, o.ws.Workspace, o.key, o.route, append([]byte{}, o.print...), stale).Scan(&first)
		if err == nil || !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		return tx.QueryRow(ctx, sqlStoredAnswer, o.ws.Workspace, o.key, o.route).
			Scan(&print, &done, &old.status, &old.headers, &old.body)
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("claim the idempotency key: %w", err)
	case first:
		return nil, nil
	case !done:
		e := errs.New("idempotency.in_progress")
		e.RetryAfter = 2 * time.Second
		return nil, e
	}
	return o.compare(ctx, print, old)
}

func (o *once) compare(ctx context.Context, print []byte, old answer) (*answer, error) {
	if o.stream != nil {
		var err error
		if o.print, err = o.stream.rest(); err != nil {
			return nil, err
		}
	}
	if !hmac.Equal(print, o.print) {
		return nil, errs.New("idempotency.mismatch")
	}
	box, err := o.f.Vault.Box(ctx, o.ws.Workspace)
	if err != nil {
		return nil, fmt.Errorf("open the stored answer: %w", err)
	}
	if old.body, err = box.Open(old.body, o.place()); err != nil {
		return nil, fmt.Errorf("open the stored answer: %w", err)
	}
	return &old, nil
}

func (o *once) place() string { return "idempotency.body/" + o.route + "/" + o.key }

func (a *answer) replay(c *gin.Context) {
	for k, v := range a.headers {
		c.Header(k, v)
	}
	c.Header("Idempotency-Replayed", "true")
	c.Status(a.status)
	_, _ = c.Writer.Write(a.body) // the caller is gone when this fails
	c.Abort()
}

// perform runs the handler with its answer held back, stores the answer and
// only then sends it. What must not be stored frees the key.
func (o *once) perform(c *gin.Context) {
	real := c.Writer
	held := &heldWriter{ResponseWriter: real, status: http.StatusOK}
	kept := false
	ctx := context.WithoutCancel(c.Request.Context())
	defer func() { // also when the handler panics
		c.Writer = real
		if !kept {
			o.free(ctx)
		}
	}()
	c.Writer = held
	c.Next()
	c.Writer = real
	if o.storable(held.status) {
		if err := o.store(ctx, held); err != nil {
			o.f.Log.ErrorContext(ctx, "store the answer", "request_id", o.ws.RequestID, "err", err)
		} else {
			kept = true
		}
	}
	real.WriteHeader(held.status)
	_, _ = real.Write(held.body.Bytes()) // the caller is gone when this fails
}

// storable leaves out what a repetition may change: 5xx, 429, and refusals of an
// upload, whose body was not read to its end.
func (o *once) storable(status int) bool {
	return status < 500 && status != http.StatusTooManyRequests && (o.stream == nil || status < 300)
}

const sqlStoreAnswer = `
	update idempotency
	set state = 'done', fingerprint = $4, status = $5, headers = $6, body = $7
	where workspace_id = $1
	  and key = $2
	  and route = $3`

func (o *once) store(ctx context.Context, w *heldWriter) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if o.stream != nil {
		var err error
		if o.print, err = o.stream.rest(); err != nil {
			return err
		}
	}
	headers := make(map[string]string)
	for _, k := range replayable {
		if v := w.Header().Get(k); v != "" {
			headers[k] = v
		}
	}
	encoded, err := json.Marshal(headers)
	if err != nil {
		return fmt.Errorf("write the headers: %w", err)
	}
	box, err := o.f.Vault.Box(ctx, o.ws.Workspace)
	if err != nil {
		return err
	}
	sealed, err := box.Seal(w.body.Bytes(), o.place())
	if err != nil {
		return fmt.Errorf("seal the answer: %w", err)
	}
	return o.f.Pool.InWorkspace(ctx, o.ws.Workspace, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sqlStoreAnswer, o.ws.Workspace, o.key, o.route, append([]byte{}, o.print...), w.status, encoded, sealed)
		return err
	})
}

const sqlFreeKey = `
	delete from idempotency
	where workspace_id = $1
	  and key = $2
	  and route = $3
	  and state = 'running'`

func (o *once) free(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err := o.f.Pool.InWorkspace(ctx, o.ws.Workspace, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sqlFreeKey, o.ws.Workspace, o.key, o.route)
		return err
	})
	if err != nil {
		o.f.Log.ErrorContext(ctx, "free the idempotency key", "request_id", o.ws.RequestID, "err", err)
	}
}

// heldWriter keeps an answer in memory; headers go to the real writer's map.
type heldWriter struct {
	gin.ResponseWriter
	status  int
	written bool
	body    bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (w *heldWriter) WriteHeader(status int) {
	if !w.written && status > 0 {
		w.status = status
	}
}

// WriteHeaderNow implements gin.ResponseWriter.
func (w *heldWriter) WriteHeaderNow() { w.written = true }

// Write implements io.Writer.
func (w *heldWriter) Write(b []byte) (int, error) {
	w.written = true
	return w.body.Write(b)
}

// WriteString implements io.StringWriter.
func (w *heldWriter) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

// Flush implements http.Flusher: nothing leaves before the answer is stored.
func (w *heldWriter) Flush() { w.written = true }

// Status implements gin.ResponseWriter.
func (w *heldWriter) Status() int { return w.status }

// Size implements gin.ResponseWriter.
func (w *heldWriter) Size() int { return w.body.Len() }

// Written implements gin.ResponseWriter.
func (w *heldWriter) Written() bool { return w.written }
