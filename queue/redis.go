package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// ErrURL is returned for a Redis URL that cannot be used. The library's own
// words are left out: they repeat the URL with its password.
var ErrURL = errors.New("the Redis URL must be redis://, rediss:// or unix:///path, optionally with a user, a password and ?db=")

// ErrEviction is returned by CheckRedis: Redis would throw tasks away.
var ErrEviction = errors.New("redis: maxmemory-policy must be noeviction")

// ParseURL reads a Redis address for all of the program: redis://, rediss://
// (TLS) or unix:///path/redis.sock?db=0. Calls obey their context's deadline
// and take 2 s at most: a Redis that hangs must not hold a send slot.
func ParseURL(url string) (*redis.Options, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, ErrURL
	}
	o.ContextTimeoutEnabled = true
	o.DisableIdentity = true
	o.Protocol = 2 // RESP3 looks for pushed messages before each answer, and we use none
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	for _, d := range []*time.Duration{&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout} {
		if *d == 0 {
			*d = 2 * time.Second
		}
	}
	return o, nil
}

// clone is a client of its own with at least size connections.
func clone(o *redis.Options, size int) *redis.Client {
	c := *o
	if c.PoolSize == 0 {
		c.PoolSize = size
	}
	return redis.NewClient(&c)
}

// CheckRedis is asked once before a process starts. It refuses a Redis that
// evicts keys when its memory is full: a task of which half is gone is lost
// for ever. What is only unwise, or cannot be found out (managed services
// forbid CONFIG), comes back as sentences for the log.
func CheckRedis(ctx context.Context, rdb redis.UniversalClient) (warnings []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := rdb.Ping(ctx).Err(); err != nil {
		return nil, fmt.Errorf("reach redis: %w", err)
	}
	switch policy := setting(ctx, rdb, "maxmemory-policy", "memory", "maxmemory_policy"); policy {
	case "noeviction":
	case "":
		warnings = append(warnings, "Redis does not tell its maxmemory-policy; it must be noeviction.")
	default:
		return nil, fmt.Errorf("%w, it is %s", ErrEviction, policy)
	}
	switch setting(ctx, rdb, "appendonly", "persistence", "aof_enabled") {
	case "no", "0":
		warnings = append(warnings, "Redis keeps no append-only file: after a restart every waiting task is fed again.")
	}
	return warnings, nil
}

// setting reads a value from CONFIG, or from INFO where CONFIG is forbidden;
// empty if neither tells.
func setting(ctx context.Context, rdb redis.UniversalClient, name, section, field string) string {
	if v, err := rdb.ConfigGet(ctx, name).Result(); err == nil && v[name] != "" {
		return v[name]
	}
	info, err := rdb.Info(ctx, section).Result()
	if err != nil {
		return ""
	}
	for line := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), field+":"); ok {
			return v
		}
	}
	return ""
}
