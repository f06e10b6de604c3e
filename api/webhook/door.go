// Package webhook is Meta's door: the handshake, the signature over the raw
// bytes, and the intake, which stores each workspace's share of a body and
// applies at once what must stop or permit the next message, in one transaction.
//
// api mounts it. It must not know how statuses change messages (the worker
// does), nor talk to Meta or the queue.
package webhook

import (
	"crypto/sha256"
	"crypto/subtle"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/pg"
	"bareed/numbers"
	"bareed/whatsapp"
)

// Limits of Meta's door: Meta sends up to 3 MB.
const (
	maxBody      = 4 << 20
	maxChallenge = 256
)

// Config is what a Door is built from; all of it is needed.
type Config struct {
	Pool     *pg.Pool
	Vault    *accounts.Vault
	Log      *slog.Logger
	Registry prometheus.Registerer
}

// Door is where Meta's webhooks come in. A 200 is written after the commit, so
// whatever happens before it, Meta repeats. It is safe for concurrent use.
type Door struct {
	Config
	taken *prometheus.CounterVec
}

// New builds the door and registers its figures, in a registry that has none yet.
func New(c Config) *Door {
	d := &Door{Config: c, taken: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "bareed_webhook_changes_total", Help: "Changes in Meta's webhooks by what became of them.",
	}, []string{"result"})}
	c.Registry.MustRegister(d.taken)
	return d
}

// Handshake answers Meta's question whether this address is ours, when somebody
// enters it in the App Dashboard.
func (d *Door) Handshake(c *gin.Context) error {
	app, ok, err := numbers.FindApp(c.Request.Context(), d.Pool.Engine(), d.Vault.System(), c.Param("app"))
	if err != nil {
		return unavailable(err)
	}
	q := c.Request.URL.Query()
	given := sha256.Sum256([]byte(q.Get("hub.verify_token")))
	want := sha256.Sum256([]byte(app.VerifyToken))
	if !ok || q.Get("hub.mode") != "subscribe" || subtle.ConstantTimeCompare(given[:], want[:]) != 1 {
		return errs.New("webhook.verify_token")
	}
	challenge := q.Get("hub.challenge")
	if challenge == "" || len(challenge) > maxChallenge {
		return errs.New("webhook.challenge")
	}
	c.Data(http.StatusOK, "text/plain; charset=utf-8", []byte(challenge))
	return nil
}

func unavailable(err error) error {
	e := errs.New("webhook.unavailable").Because(err)
	e.RetryAfter = 5 * time.Second
	return e
}

// Take reads, verifies and stores one POST, and writes 200 after the commit.
func (d *Door) Take(c *gin.Context) error {
	body, header, err := read(c.Request)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	app, ok, err := numbers.FindApp(ctx, d.Pool.Engine(), d.Vault.System(), c.Param("app"))
	if err != nil {
		return unavailable(err)
	}
	if !ok || !whatsapp.VerifySignature(body, header, app.Secrets...) {
		return errs.New("webhook.signature")
	}
	m, err := d.sort(ctx, app, body)
	if err != nil {
		return unavailable(err)
	}
	if err := d.store(ctx, m); err != nil {
		return unavailable(err)
	}
	c.Status(http.StatusOK)
	return nil
}

// read refuses what cannot be Meta's before it costs anything.
func read(r *http.Request) (body []byte, signature string, err error) {
	if e := r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, "", errs.New("webhook.encoding")
	}
	signature = r.Header.Get(whatsapp.SignatureHeader)
	if signature == "" {
		return nil, "", errs.New("webhook.signature")
	}
	if r.ContentLength > maxBody {
		return nil, "", errs.New("webhook.too_large", "max", maxBody)
	}
	body, err = io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, "", errs.New("body.broken_off").Because(err)
	}
	if len(body) > maxBody {
		return nil, "", errs.New("webhook.too_large", "max", maxBody)
	}
	return body, signature, nil
}
