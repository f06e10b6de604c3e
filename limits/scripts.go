package limits

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"bareed/internal/id"
)

//go:embed lua/number.lua
var luaNumber string

//go:embed lua/take.lua
var luaTake string

//go:embed lua/release.lua
var luaRelease string

//go:embed lua/throttle.lua
var luaThrottle string

//go:embed lua/rest.lua
var luaRest string

//go:embed lua/rate.lua
var luaRate string

// scripts are sent by their hash and loaded on the first miss, so a Redis that
// was emptied or replaced needs no preparation.
type scripts struct {
	take, release, throttle, rest, rate *redis.Script
}

func loadScripts() scripts {
	return scripts{
		take:     redis.NewScript(luaNumber + luaTake),
		release:  redis.NewScript(luaRelease),
		throttle: redis.NewScript(luaNumber + luaThrottle),
		rest:     redis.NewScript(luaNumber + luaRest),
		rate:     redis.NewScript(luaNumber + luaRate),
	}
}

// run gives every script its deadline and takes care that no key, which names
// a number and a contact, gets into an error.
func (l *Limiter) run(ctx context.Context, what string, s *redis.Script, keys []string, args ...any) *redis.Cmd {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.Timeout)
	defer cancel()
	cmd := s.Run(ctx, l.rdb, keys, args...)
	if err := cmd.Err(); err != nil {
		cmd.SetErr(fmt.Errorf("%s: %w", what, err))
	}
	return cmd
}

// The braces make Redis Cluster keep everything of one number on one node,
// which a script over several keys needs.
func numberKey(n id.Number) string { return "bareed:{" + n.String() + "}:limit" }

func pairKey(n id.Number, c id.Contact) string {
	return "bareed:{" + n.String() + "}:pair:" + c.String()
}

func (l *Limiter) offset() int64 {
	if l.cfg.Offset == nil {
		return 0
	}
	return l.cfg.Offset().Microseconds()
}

func micros(d time.Duration) int64 { return d.Microseconds() }
