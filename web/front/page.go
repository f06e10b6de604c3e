package front

import (
	"fmt"
	"strings"
	"time"

	"bareed/accounts"
	"bareed/web/ui"
)

// Page is the dot of every page's template; the page's own is .Data.
type Page struct {
	Lang, Dir  string
	Theme      string // auto, light, dark
	Here       string // this page's address, for forms that come back to it
	RequestID  string
	Signed     bool
	Operator   bool
	User       string
	Email      string
	Workspace  accounts.Workspace
	Workspaces []accounts.WorkspaceRole
	Nav        []Entry
	Flash      *ui.Flash
	Form       *ui.Form
	Refresh    int // seconds; 0: never
	Idle       int // seconds without a request after which the session ends
	Data       any

	actor accounts.Actor
}

// Entry is an entry of the navigation on one page.
type Entry struct {
	Nav
	Current bool
}

// Can tells whether the reader may take an action.
func (p *Page) Can(action string) bool {
	return p.Signed && accounts.Allow(p.actor, accounts.Action(action)) == nil
}

// Role is the reader's role in the workspace.
func (p *Page) Role() string { return string(p.actor.Role) }

func (c *Call) page(data any) (*Page, error) {
	l := c.UI.Locale(c.lang, nil)
	p := &Page{Lang: l.Lang, Dir: l.Dir(), Theme: c.theme(), Here: c.here(), RequestID: c.RequestID, Signed: c.Signed, Data: data}
	p.Flash = c.takeFlash()
	if !c.Signed {
		return p, nil
	}
	p.User, p.Email, p.Operator, p.actor = c.Who.Name, c.Who.Email, c.Who.Operator, c.Who.Actor
	if p.User == "" {
		p.User = p.Email
	}
	var err error
	if p.Workspace, err = c.Workspace(); err != nil {
		return nil, err
	}
	if p.Workspaces, err = accounts.WorkspacesOf(c.Ctx(), c.Pool, c.Who.User); err != nil {
		return nil, fmt.Errorf("prepare the page: %w", err)
	}
	p.Nav, p.Idle = c.nav(), int(min(accounts.IdleTime-time.Minute, c.Who.ExpiresAt.Sub(c.Clock())).Seconds())
	return p, nil
}

// nav lists what the reader may open; the entry with the longest matching path
// is the current one.
func (c *Call) nav() []Entry {
	var list []Entry
	current, length := -1, 0
	for _, n := range c.Nav {
		if !c.Can(n.Action) {
			continue
		}
		path := c.R.URL.Path
		if (path == n.Path || n.Path != "/" && strings.HasPrefix(path, n.Path+"/")) && len(n.Path) > length {
			current, length = len(list), len(n.Path)
		}
		list = append(list, Entry{Nav: n})
	}
	if current >= 0 {
		list[current].Current = true
	}
	return list
}
