package redistest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// shareTTL frees a database whose test was killed.
const shareTTL = 10 * time.Minute

// share takes one of the other databases of a shared server for the test. The
// database named in the URL holds the list of those taken and is never emptied.
func share(t testing.TB, given string) *Server {
	t.Helper()
	opt, err := redis.ParseURL(given)
	if err != nil {
		t.Fatal("TEST_REDIS_URL is not a Redis URL: want unix:///path/redis.sock?db=0 or redis://host:port/0")
	}
	list := redis.NewClient(opt)
	t.Cleanup(func() { _ = list.Close() }) // nothing is left to do with it
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	own := *opt
	for own.DB = -1; own.DB < 0; {
		if own.DB, err = take(ctx, list, opt.DB); err != nil {
			t.Fatalf("take a database of the shared Redis: %v", err)
		}
	}
	t.Cleanup(func() { list.Del(context.Background(), takenKey(own.DB)) })
	s := &Server{t: t, url: withDB(opt, own.DB)}
	s.FlushAll()
	return s
}

func takenKey(db int) string { return fmt.Sprintf("bareed-test:database:%d", db) }

// take tries the sixteen databases a server has by default once; -1 when all
// are taken.
func take(ctx context.Context, list *redis.Client, not int) (int, error) {
	for db := range 16 {
		if db == not {
			continue
		}
		err := list.SetArgs(ctx, takenKey(db), os.Getpid(), redis.SetArgs{Mode: "NX", TTL: shareTTL}).Err()
		if err == nil {
			return db, nil
		}
		if err != redis.Nil {
			return 0, err
		}
	}
	select {
	case <-ctx.Done():
		return 0, fmt.Errorf("every database is taken: %w", ctx.Err())
	case <-time.After(50 * time.Millisecond):
		return -1, nil
	}
}

// withDB is the server's URL with another database number.
func withDB(opt *redis.Options, db int) string {
	u := url.URL{Scheme: "redis", Host: opt.Addr, Path: "/" + strconv.Itoa(db)}
	if opt.Network == "unix" {
		u = url.URL{Scheme: "unix", Path: opt.Addr, RawQuery: "db=" + strconv.Itoa(db)}
	}
	if opt.TLSConfig != nil {
		u.Scheme = "rediss"
	}
	if opt.Username != "" || opt.Password != "" {
		u.User = url.UserPassword(opt.Username, opt.Password)
	}
	return u.String()
}
