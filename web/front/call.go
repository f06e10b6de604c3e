package front

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/web/ui"
)

// Call is one request and what is known about who makes it.
type Call struct {
	*Front
	W         http.ResponseWriter
	R         *http.Request
	Who       accounts.Identity // zero unless Signed
	Signed    bool
	RequestID string

	row     Route
	lang    string
	began   time.Time
	written bool
	space   *accounts.Workspace // read once
}

// Ctx is the request's context; it has a deadline.
func (c *Call) Ctx() context.Context { return c.R.Context() }

// Actor is who acts, for the nouns.
func (c *Call) Actor() accounts.Actor { return c.Who.Actor }

// Lang is the reader's language, "en" or "ar".
func (c *Call) Lang() string { return c.lang }

// Can tells whether the caller may take an action, to show or leave out its
// button; the button's own route is judged again.
func (c *Call) Can(action accounts.Action) bool {
	return c.Signed && accounts.Allow(c.Who.Actor, action) == nil
}

// InWorkspace runs fn in one transaction in the caller's workspace.
func (c *Call) InWorkspace(fn func(tx pgx.Tx) error) error {
	return c.Pool.InWorkspace(c.Ctx(), c.Who.Actor.Workspace, fn)
}

// Workspace is the caller's workspace and its settings; it is read once.
func (c *Call) Workspace() (accounts.Workspace, error) {
	if c.space != nil {
		return *c.space, nil
	}
	var w accounts.Workspace
	if c.Who.Actor.Workspace.IsZero() {
		return w, nil
	}
	err := c.InWorkspace(func(tx pgx.Tx) (err error) {
		w, err = accounts.GetWorkspace(c.Ctx(), tx, c.Who.Actor.Workspace)
		return err
	})
	if err == nil {
		c.space = &w
	}
	return w, err
}

// Locale is the reader's language with the workspace's zone.
func (c *Call) Locale() ui.Locale {
	zone := time.UTC
	if w, err := c.Workspace(); err == nil && w.Zone != "" {
		if z, err := time.LoadLocation(w.Zone); err == nil {
			zone = z
		}
	}
	return c.UI.Locale(c.lang, zone)
}

// T is a text in the reader's language.
func (c *Call) T(key string, kv ...any) string { return c.UI.Locale(c.lang, nil).T(key, kv...) }

// Form is what was posted.
func (c *Call) Form() *ui.Form { return ui.NewForm(c.R.PostForm) }

// Query is one parameter of the address.
func (c *Call) Query(name string) string { return c.R.URL.Query().Get(name) }

// Limit is how many rows a list shows: 25, 50 or 100 by ?limit=, 50 otherwise.
func (c *Call) Limit() int {
	n, err := strconv.Atoi(c.Query("limit"))
	if err != nil || n != 25 && n != 100 {
		return 50
	}
	return n
}

// ID reads an identifier of the path; not_found for anything else, as for an
// object that does not exist.
func ID[T any, P interface {
	*T
	UnmarshalText(b []byte) error
}](c *Call, name string) (T, error) {
	v, err := id.Parse[T, P](c.R.PathValue(name))
	if err != nil {
		return v, errs.New("not_found")
	}
	return v, nil
}

// Redirect sends the browser to a path of ours with a GET.
func (c *Call) Redirect(path string) error {
	c.written = true
	http.Redirect(c.W, c.R, Local(path), http.StatusSeeOther)
	return nil
}

// Back is where a form of the layout goes after its work: the page it was on.
func (c *Call) Back() string { return Local(c.R.PostFormValue("back")) }

// here is the address of this page for Back and for signing in again; a posted
// page is left for the one before it.
func (c *Call) here() string {
	if c.R.Method == http.MethodGet || c.R.Method == http.MethodHead {
		return Local(c.R.URL.RequestURI())
	}
	if u, err := url.Parse(c.R.Referer()); err == nil && u.Host == c.R.Host {
		return Local(u.RequestURI())
	}
	return "/"
}

// Render writes a page with status 200.
func (c *Call) Render(page string, data any, with ...func(*Page)) error {
	return c.RenderStatus(http.StatusOK, page, data, with...)
}

// RenderStatus writes a page. data is .Data in its template.
func (c *Call) RenderStatus(status int, page string, data any, with ...func(*Page)) error {
	p, err := c.page(data)
	if err != nil {
		return err
	}
	for _, w := range with {
		w(p)
	}
	b, err := c.UI.Render(c.Locale(), page, p)
	if err != nil {
		return err
	}
	return c.write(status, b)
}

// Refused shows a form again with its faults (WithForm), and their status.
func (c *Call) Refused(err error, page string, data any, f *ui.Form) error {
	status := http.StatusUnprocessableEntity
	if e, ok := errs.As(err); ok {
		status = e.Status()
	}
	return c.RenderStatus(status, page, data, WithForm(f))
}

// WithForm gives the page a form.
func WithForm(f *ui.Form) func(*Page) { return func(p *Page) { p.Form = f } }

// Refresh loads the page again every so many seconds where no script runs.
func Refresh(seconds int) func(*Page) { return func(p *Page) { p.Refresh = seconds } }

func (c *Call) write(status int, b []byte) error {
	c.written = true
	h := c.W.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", c.lang)
	h.Set("Content-Length", strconv.Itoa(len(b)))
	c.W.WriteHeader(status)
	if c.R.Method != http.MethodHead {
		_, _ = c.W.Write(b) // the caller is gone when this fails
	}
	return nil
}

// Fragment renders a block of a page, to be sent while the page is open.
func (c *Call) Fragment(page, block string, data any) ([]byte, error) {
	b, err := c.UI.Block(c.Locale(), page, block, data)
	if err != nil {
		return nil, fmt.Errorf("write the fragment %s: %w", block, err)
	}
	return b, nil
}

// Wrote notes that the handler answers by itself: a download, a stream.
func (c *Call) Wrote() { c.written = true }
