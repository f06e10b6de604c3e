package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"bareed/accounts"
	"bareed/internal/fixture"
	"bareed/internal/pg/pgtest"
	"bareed/web/front"
)

func TestSignInAndOut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, email := fixture.User(t, r.pool, r.hasher, r.tenant, accounts.Marketer)
	b := r.browser(t)
	b.get("/campaigns?state=draft").to(t, "/sign-in?next=%2Fcampaigns%3Fstate%3Ddraft")
	b.get("/sign-in?next=%2Fcampaigns").has(t, 200, `name="next" value="/campaigns"`, `autocomplete="current-password"`)

	b.post("/sign-in", "email", email, "password", "").has(t, 422, "This is needed.", `href="#password"`, `value="`+email+`"`)
	wrong := b.post("/sign-in", "email", email, "password", "not it", "next", "/campaigns").
		has(t, 401, "E-mail address and password do not match.", `value="`+email+`"`, `name="next" value="/campaigns"`)
	if strings.Contains(wrong.Body, "not it") {
		t.Error("the password came back")
	}

	p := b.post("/sign-in", "email", email, "password", fixture.Password, "next", "/campaigns").to(t, "/campaigns")
	for _, c := range p.Header.Values("Set-Cookie") {
		if strings.HasPrefix(c, "__Host-session=") && !(strings.Contains(c, "Secure") && strings.Contains(c, "HttpOnly") && strings.Contains(c, "SameSite=Lax") && strings.Contains(c, "Path=/")) {
			t.Errorf("the cookie is %s", c)
		}
	}
	b.get("/campaigns").has(t, 200, "Somebody", "Marketer")
	b.get("/sign-in?next=/numbers").to(t, "/numbers")
	b.post("/sign-out").to(t, "/sign-in")
	b.get("/sign-in").has(t, 200, "You have signed out.")
	if strings.Contains(b.get("/sign-in").Body, "You have signed out.") {
		t.Error("the message came twice")
	}
	b.get("/").to(t, "/sign-in")
}

func TestTheSessionEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.as(t, accounts.Owner)
	b.get("/").has(t, 200)
	pgtest.MoveClock(t, r.pool, 31*time.Minute)
	b.get("/numbers").to(t, "/sign-in?next=%2Fnumbers")
	b.get("/sign-in").has(t, 200, "Your session has ended.")
}

func TestOnlyLocalPathsAreFollowed(t *testing.T) {
	t.Parallel()
	for next, want := range map[string]string{
		"": "/", "/": "/", "/campaigns?x=1": "/campaigns?x=1", "//evil.example": "/", "https://evil.example": "/",
		`/\evil.example`: "/", "/\t/evil.example": "/", "javascript:alert(1)": "/", "evil": "/", "/%2f/evil": "/%2f/evil",
		"/" + strings.Repeat("a", 2000): "/", "\\\\evil": "/", "/a\r\nSet-Cookie: x": "/",
	} {
		if got := front.Local(next); got != want {
			t.Errorf("Local(%q) = %q, want %q", next, got, want)
		}
	}
	r := newRig(t)
	_, email := fixture.User(t, r.pool, r.hasher, r.tenant, accounts.Owner)
	r.browser(t).post("/sign-in", "email", email, "password", fixture.Password, "next", "//evil.example").to(t, "/")
	r.browser(t).get("/sign-in?next=//evil.example").has(t, 200, `name="next" value="/"`)
	r.browser(t).post("/appearance", "theme", "dark", "back", "https://evil.example/").to(t, "/")
}

func TestAnotherSiteIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.as(t, accounts.Owner)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/sign-out", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := b.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("status %d", res.StatusCode)
	}
	b.get("/").has(t, 200)
}

func TestLanguageAndAppearance(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	out := r.browser(t)
	out.lang = "fr, ar;q=0.8, en;q=0.5"
	out.get("/sign-in").has(t, 200, `lang="ar" dir="rtl"`, "تسجيل الدخول")
	out.post("/language", "language", "en", "back", "/sign-in?next=%2Fnumbers").to(t, "/sign-in?next=%2Fnumbers")
	out.get("/sign-in").has(t, 200, `lang="en"`)
	out.post("/language", "language", "de").has(t, 422)

	b := r.as(t, accounts.Viewer)
	b.get("/").has(t, 200, `data-theme="auto"`)
	b.post("/appearance", "theme", "dark", "back", "/numbers").to(t, "/numbers")
	b.get("/numbers").has(t, 200, `data-theme="dark"`)
	b.post("/language", "language", "ar", "back", "/").to(t, "/")
	b.lang = "en" // the person's own setting wins
	b.get("/").has(t, 200, `lang="ar" dir="rtl"`)
}

func TestSwitchWorkspace(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	user, email := fixture.User(t, r.pool, r.hasher, r.tenant, accounts.Owner)
	other := fixture.Workspace(t, r.pool, r.vault)
	foreign := fixture.Workspace(t, r.pool, r.vault)
	join(t, r, other, user, accounts.Viewer)
	b := r.browser(t)
	b.signIn(email)
	b.get("/").has(t, 200, other.Workspace.String())
	b.post("/workspace", "workspace", other.Workspace.String()).to(t, "/")
	b.get("/").has(t, 200, "Viewer")
	missing := b.post("/workspace", "workspace", foreign.Workspace.String()).has(t, 404)
	if got := b.post("/workspace", "workspace", "nonsense"); got.Status != 404 || kernel(got.Body) != kernel(missing.Body) {
		t.Error("another organisation's workspace can be told from one that does not exist")
	}
}

// kernel is what a page says, without the ids that differ each time.
func kernel(body string) string {
	_, rest, _ := strings.Cut(body, "<h1")
	said, _, _ := strings.Cut(rest, "<dl")
	return said
}

func TestSuspendedWorkspaceAndFaults(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.browser(t)
	b.get("/assets/none.css").has(t, 404)
	p := b.get("/none").has(t, 404, "There is nothing here")
	if !strings.Contains(p.Body, p.Header.Get("Request-Id")) {
		t.Error("the page does not name the request")
	}
	b.do("DELETE", "/sign-in", nil).has(t, 404)
	big := b.post("/sign-in", "email", strings.Repeat("a", 2<<20))
	if big.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("2 MB in a form: %d", big.Status)
	}
}
