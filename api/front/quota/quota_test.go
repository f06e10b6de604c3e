package quota_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"bareed/accounts"
	"bareed/api/front/quota"
	"bareed/internal/errs"
	"bareed/internal/id"
)

func TestRates(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	r := quota.New(func() time.Time { return now }, 5, 8)
	a := accounts.Actor{Workspace: id.New[id.Workspace](), ID: "key_a"}
	b, c := a, a
	b.ID = "key_b"
	c.Workspace, c.ID = id.New[id.Workspace](), "key_c"
	take := func(who accounts.Actor, n int) (taken int) {
		for range n {
			h := http.Header{}
			err := r.Take(h, who)
			switch {
			case err == nil:
				taken++
			case !errs.Is(err, "rate.limited"):
				t.Fatal(err)
			}
			if h.Get("RateLimit") == "" || h.Get("RateLimit-Policy") != `"key";q=5;w=1, "workspace";q=8;w=1` {
				t.Fatalf("headers %v", h)
			}
		}
		return taken
	}
	if got := take(a, 10); got != 5 {
		t.Errorf("one key took %d, want 5", got)
	}
	if got := take(b, 10); got != 3 {
		t.Errorf("the second key of the workspace took %d, want 3", got)
	}
	if got := take(c, 10); got != 5 {
		t.Errorf("another workspace took %d, want 5", got)
	}
	now = now.Add(400 * time.Millisecond)
	if got := take(a, 10); got != 2 {
		t.Errorf("after 0.4 s it took %d, want 2", got)
	}
	for i := range 20_000 {
		now = now.Add(time.Millisecond)
		c.ID = "key_" + strconv.Itoa(i)
		take(c, 1)
	}
	if r.Buckets() > 10_000 {
		t.Errorf("%d callers are remembered", r.Buckets())
	}
}
