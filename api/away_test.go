package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"bareed/api"
	"bareed/internal/pg/pgtest"
)

// While the database cannot be reached, and when it ends the sessions, every
// request is refused with a code that says so and when to come again, in the
// reader's language; as soon as it is back, so is the API.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	var line *pgtest.Line
	r := newRig(t, func(c *api.Config) {
		line = pgtest.NewLine(t, c.Pool)
		c.Pool = line.Pool
	})
	asks := map[string]func(lang string) answer{
		"a list": func(lang string) answer {
			return r.call(t, "GET", "/v1/audiences", nil, header("Accept-Language", lang))
		},
		"an audience": func(lang string) answer {
			return r.call(t, "POST", "/v1/audiences", map[string]any{"name": "Made " + lang}, header("Accept-Language", lang))
		},
	}
	asks["a list"]("en").ok(t, http.StatusOK)
	line.Down()
	for name, ask := range asks {
		for lang, says := range map[string]string{"en": "The database", "ar": "قاعدة البيانات"} {
			a := ask(lang)
			p := a.refused(t, http.StatusServiceUnavailable, "storage.unavailable")
			if a.Header.Get("Retry-After") != "2" || !strings.Contains(p.Detail, says) {
				t.Errorf("%s in %s: Retry-After %q, %s", name, lang, a.Header.Get("Retry-After"), a.Body)
			}
		}
	}
	line.Up()
	for end := time.Now().Add(time.Minute); asks["a list"]("en").Status != http.StatusOK; { // connections that were refused meanwhile
		if time.Now().After(end) {
			t.Fatal("not back a minute after the database")
		}
	}
	asks["an audience"]("en").ok(t, http.StatusCreated)

	do := pgtest.Owner(t, r.pool)
	if _, err := do.Exec(t.Context(), `create function ended() returns trigger language plpgsql as
		$$ begin raise exception 'terminating connection due to administrator command' using errcode = '57P01'; end $$`); err != nil {
		t.Fatal(err)
	}
	if _, err := do.Exec(t.Context(), `create trigger ended before insert on audience for each row execute function ended()`); err != nil {
		t.Fatal(err)
	}
	asks["an audience"]("fr").refused(t, http.StatusServiceUnavailable, "storage.unavailable")
}
