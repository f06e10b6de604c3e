package queue

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/hibiken/asynqmon"
	"github.com/redis/go-redis/v9"
)

// Dashboard is the page on which an admin watches the queues (asynqmon). Who
// may see it, the content security policy and the defence against forged
// requests are the api's: it has none of its own.
type Dashboard struct{ mon *asynqmon.HTTPHandler }

// NewDashboard opens connections of its own. rootPath is where it is mounted,
// such as /admin/queues; readOnly answers 405 to everything that would change
// a queue.
func NewDashboard(o *redis.Options, rootPath string, readOnly bool) *Dashboard {
	return &Dashboard{asynqmon.New(asynqmon.Options{
		RootPath:         "/" + strings.Trim(rootPath, "/"),
		RedisConnOpt:     connection{o},
		ReadOnly:         readOnly,
		PayloadFormatter: asynqmon.PayloadFormatterFunc(formatPayload),
		ResultFormatter:  asynqmon.ResultFormatterFunc(func(string, []byte) string { return "" }),
	})}
}

// ServeHTTP answers the page, its files and its JSON.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.mon.ServeHTTP(w, r) }

// Close closes its connections.
func (d *Dashboard) Close() error { return d.mon.Close() }

// formatPayload shows a payload as it was understood, so nothing but
// identifiers can appear, whatever was put into Redis.
func formatPayload(name string, payload []byte) string {
	spec, ok := specOf(name)
	if !ok {
		return "(unknown type)"
	}
	t, err := spec.decode(payload)
	if err != nil {
		return "(unreadable)"
	}
	shown, err := json.Marshal(t)
	if err != nil {
		return "(unreadable)"
	}
	return string(shown)
}

// connection gives asynq's parts that insist on dialling the same options as
// everything else; asynq's own type has no room for all of them.
type connection struct{ o *redis.Options }

// MakeRedisClient is asynq's interface.
func (c connection) MakeRedisClient() any { return clone(c.o, 4) }
