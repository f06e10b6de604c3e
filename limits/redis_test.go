package limits_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"bareed/internal/redistest"
)

// options are a slot's worth of connections to a server, obeying deadlines.
func options(s *redistest.Server) *redis.Options {
	o := s.Options()
	o.ContextTimeoutEnabled = true
	o.PoolSize = 64
	return o
}

func dial(t testing.TB, o *redis.Options) *redis.Client {
	t.Helper()
	c := redis.NewClient(o)
	t.Cleanup(func() { _ = c.Close() })
	return c
}
