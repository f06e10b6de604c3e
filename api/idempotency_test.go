package api_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/pg/pgtest"
)

func idempotency(key string) with { return header("Idempotency-Key", key) }

func TestIdempotency(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	owner := asSession(r.session(t, accounts.Owner))
	body := `{"name":"one","live":true,"scopes":["reports:read"]}`
	first := r.call(t, "POST", "/v1/api-keys", body, owner, idempotency("k1")).ok(t, 201)
	again := r.call(t, "POST", "/v1/api-keys", `{ "scopes":["reports:read"], "live":true, "name":"one" }`, owner, idempotency("k1")).ok(t, 201)
	if !bytes.Equal(first.Body, again.Body) || again.Header.Get("Idempotency-Replayed") != "true" || first.Header.Get("Idempotency-Replayed") != "" {
		t.Errorf("replay:\n%s\n%s", first.Body, again.Body)
	}
	for _, name := range []string{"Location", "Content-Type"} {
		if first.Header.Get(name) != again.Header.Get(name) || first.Header.Get(name) == "" {
			t.Errorf("%s: %q, then %q", name, first.Header.Get(name), again.Header.Get(name))
		}
	}
	r.call(t, "POST", "/v1/api-keys", strings.Replace(body, "one", "two", 1), owner, idempotency("k1")).refused(t, 422, "idempotency.mismatch")
	r.call(t, "POST", "/v1/members", `{"email":"x@example.com","role":"viewer","password":"`+fixture.Password+`"}`, owner, idempotency("k1")).ok(t, 201)
	for _, bad := range []string{strings.Repeat("x", 256), "é"} {
		r.call(t, "POST", "/v1/api-keys", body, owner, idempotency(bad)).refused(t, 400, "idempotency.key")
	}
	r.call(t, "POST", "/v1/api-keys", body, owner, idempotency(strings.Repeat("x", 255))).ok(t, 201)

	refused := r.call(t, "POST", "/v1/api-keys", `{"name":"x","live":true,"scopes":["nothing"]}`, owner, idempotency("k2"))
	refused.refused(t, 422, "invalid")
	if a := r.call(t, "POST", "/v1/api-keys", `{"name":"x","live":true,"scopes":["nothing"]}`, owner, idempotency("k2")); a.Header.Get("Idempotency-Replayed") != "true" || a.Status != 422 {
		t.Errorf("a refusal is stored too: %d %v", a.Status, a.Header)
	}

	other := fixture.Workspace(t, r.pool, r.vault)
	_, email := fixture.User(t, r.pool, r.hasher, other, accounts.Owner)
	elsewhere := r.call(t, "POST", "/v1/api-keys", body, asSession(fixture.Session(t, r.pool, r.hasher, email)), idempotency("k1")).ok(t, 201)
	if bytes.Equal(elsewhere.Body, first.Body) || elsewhere.Header.Get("Idempotency-Replayed") != "" {
		t.Error("another workspace got the answer")
	}
	pgtest.MoveClock(t, r.pool, 7*24*time.Hour+time.Minute)
	fresh := asSession(r.session(t, accounts.Owner))
	if a := r.call(t, "POST", "/v1/api-keys", body, fresh, idempotency("k1")).ok(t, 201); a.Header.Get("Idempotency-Replayed") != "" {
		t.Error("replayed after seven days")
	}
}

func TestStoredAnswersAreSealed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var made struct{ Secret string }
	r.call(t, "POST", "/v1/api-keys", `{"name":"one","live":true,"scopes":["reports:read"]}`, asSession(r.session(t, accounts.Owner)), idempotency("k")).ok(t, 201).into(t, &made)
	var stored []byte
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `select body from idempotency`).Scan(&stored)
	})
	if len(made.Secret) != 51 || bytes.Contains(stored, []byte(made.Secret)) || bytes.Contains(stored, []byte("bk_live_")) {
		t.Error("the key can be read in the idempotency store")
	}
}

const uploadPath = "/v1/test-upload"

// rigWithUpload adds a streamed POST that runs h.
func rigWithUpload(t *testing.T, h func(c *gin.Context) error) *rig {
	t.Helper()
	r := &rig{pool: pgtest.New(t)}
	r.vault, r.hasher = fixture.Vault(t, r.pool), fixture.Hasher(t)
	return r.start(t, func() (*api.Server, error) {
		return api.NewWithUpload(api.Config{Pool: r.pool, Vault: r.vault, Hasher: r.hasher}, "POST "+uploadPath, h)
	})
}

func TestIdempotencyInProgress(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}), make(chan struct{})
	r := rigWithUpload(t, func(c *gin.Context) error {
		close(begun)
		<-release
		c.String(201, "done")
		return nil
	})
	r.call(t, "POST", uploadPath, "").refused(t, 400, "idempotency.key")
	first := make(chan answer, 1)
	go func() { first <- r.call(t, "POST", uploadPath, "x", idempotency("k")) }()
	<-begun
	a := r.call(t, "POST", uploadPath, "x", idempotency("k"))
	a.refused(t, 409, "idempotency.in_progress")
	if a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	close(release)
	if a := <-first; a.Status != 201 {
		t.Errorf("the first got %d", a.Status)
	}
}

func TestIdempotentUpload(t *testing.T) {
	t.Parallel()
	var runs atomic.Int64
	r := rigWithUpload(t, func(c *gin.Context) error {
		runs.Add(1)
		form, err := c.Request.MultipartReader()
		if err != nil {
			return errs.New("content_type")
		}
		part, err := form.NextPart()
		if err != nil {
			return errs.New("body.broken_off").Because(err)
		}
		head := make([]byte, 5)
		if _, err := io.ReadFull(part, head); err != nil {
			return errs.New("body.broken_off").Because(err)
		}
		switch string(head) {
		case "panic":
			panic("in the handler")
		case "wrong":
			return errors.New("the database is away")
		case "spoil":
			return errs.New("invalid")
		}
		c.String(201, "run %d", runs.Load())
		return nil
	})
	send := func(key, content, query string) answer {
		var b bytes.Buffer
		form := multipart.NewWriter(&b)
		part, err := form.CreateFormFile("file", "people.csv")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(part, content)
		form.Close()
		return r.call(t, "POST", uploadPath+query, &b, idempotency(key), header("Content-Type", form.FormDataContentType()))
	}
	big := "phone\n" + strings.Repeat("+966500000000\n", 50_000)
	if a := send("a", big, "").ok(t, 201); string(a.Body) != "run 1" {
		t.Errorf("first: %s", a.Body)
	}
	if a := send("a", big, "").ok(t, 201); string(a.Body) != "run 1" || a.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("the same form with another boundary: %s", a.Body)
	}
	send("a", big+"x", "").refused(t, 422, "idempotency.mismatch")
	send("a", big, "?mode=add").refused(t, 422, "idempotency.mismatch")
	for i, word := range []string{"panic", "wrong"} {
		send("b"+word, word, "").refused(t, 500, "internal")
		send("b"+word, word, "").refused(t, 500, "internal")
		if runs.Load() != int64(3+2*i) {
			t.Errorf("%s: a 5xx was stored", word)
		}
	}
	before := runs.Load()
	send("c", "spoil", "").refused(t, 422, "invalid")
	send("c", "spoil", "").refused(t, 422, "invalid")
	if runs.Load() != before+2 {
		t.Error("a refused upload was stored")
	}
}

func TestDeadRequestsKeyIsTakenOver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	owner := asSession(r.session(t, accounts.Owner))
	body := `{"name":"one","live":true,"scopes":["reports:read"]}`
	fixture.In(t, r.pool, r.tenant.Workspace, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `insert into idempotency (workspace_id, key, route, fingerprint) values ($1, 'k', 'POST /v1/api-keys', 'x')`, r.tenant.Workspace)
		return err
	})
	r.call(t, "POST", "/v1/api-keys", body, owner, idempotency("k")).refused(t, 409, "idempotency.in_progress")
	pgtest.MoveClock(t, r.pool, 2*time.Minute)
	r.call(t, "POST", "/v1/api-keys", body, owner, idempotency("k")).ok(t, 201)
}
