package limits_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"bareed/internal/redistest"
)

// options are a slot's worth of connections to a server, obeying deadlines and
// otherwise patient: the machine may be busy.
func options(s *redistest.Server) *redis.Options {
	o := s.Options()
	o.ContextTimeoutEnabled, o.ReadTimeout = true, time.Minute
	o.PoolSize = 64
	return o
}

func dial(t testing.TB, o *redis.Options) *redis.Client {
	t.Helper()
	c := redis.NewClient(o)
	t.Cleanup(func() { _ = c.Close() })
	return c
}
