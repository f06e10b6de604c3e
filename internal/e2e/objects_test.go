//go:build unix

package e2e

import (
	"strings"
	"testing"

	"bareed/web"
)

// A page with a place in its path that nobody fills must be named, not left out.
func TestAPageWithoutAnObjectIsNamed(t *testing.T) {
	t.Parallel()
	w := &world{ids: map[string][]string{}, own: map[string][]string{}}
	list, without := w.targets()
	want := 0
	for _, r := range web.Routes() {
		if r.Method() == "GET" && part.MatchString(r.Path()) {
			want++
		}
	}
	if len(without) != want || want == 0 {
		t.Errorf("%d routes are named, want %d: %v", len(without), want, without)
	}
	for _, x := range list {
		if strings.Contains(x.path, "{") {
			t.Errorf("%s was not filled", x.path)
		}
	}
}

func TestEveryObjectIsVisited(t *testing.T) {
	t.Parallel()
	w := &world{ids: map[string][]string{"a": {"1", "2"}, "b": {"3"}}, own: map[string][]string{"GET /c/{d}": {"/c/own"}}}
	for _, c := range []struct{ path, want string }{
		{"/x/{a}/y/{b}", "/x/1/y/3 /x/2/y/3"}, {"/{$}", "/"}, {"/c/{d}", "/c/own"},
	} {
		got, err := w.fill("GET "+c.path, c.path)
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v %v, want %s", c.path, got, err, c.want)
		}
	}
}
