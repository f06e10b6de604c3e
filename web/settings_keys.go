package web

import (
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/ui"
)

type newKeyView struct {
	Scopes []map[string]any
	Key    accounts.Key
	Secret string // shown this once
}

func newKeyForm(c *front.Call) (v newKeyView) {
	for _, scope := range accounts.ScopeNames() {
		if !strings.HasSuffix(scope, ":*") {
			v.Scopes = append(v.Scopes, map[string]any{"value": scope, "id": "scope-" + strings.ReplaceAll(scope, ":", "-"),
				"text": c.Locale().Of("settings.scope", strings.ReplaceAll(scope, ":", "_"))})
		}
	}
	return v
}

func (s *Server) newKeyPage(c *front.Call) error {
	return c.Render("key-new", newKeyForm(c), front.WithForm(ui.NewForm(url.Values{"mode": {"test"}})))
}

// makeKey shows the key in its own answer: nothing of it is kept to be shown
// later.
func (s *Server) makeKey(c *front.Call) error {
	f := c.Form().Name("name", c.T("settings.key.name")).Name("scopes", c.T("settings.key.scopes")).Name("mode", c.T("settings.key.mode"))
	f.Require(c.Locale(), "name", "mode", "scopes")
	if f.Refused() {
		return c.Refused(nil, "key-new", newKeyForm(c), f)
	}
	var view newKeyView
	err := c.InWorkspace(func(tx pgx.Tx) (err error) {
		view.Key, view.Secret, err = accounts.NewKey(c.Ctx(), tx, c.Actor(), accounts.KeyRequest{
			Name: f.Get("name"), Live: f.Get("mode") == "live", Scopes: f.Values["scopes"]})
		return err
	})
	if err != nil {
		if f.Fail(c.Lang(), err) {
			return c.Refused(err, "key-new", newKeyForm(c), f)
		}
		return err
	}
	return c.Render("key-new", view)
}

// findKey finds a key among the newest; an older one is as unknown as another
// workspace's.
func (s *Server) findKey(c *front.Call) (accounts.Key, error) {
	key, err := front.ID[id.Key](c, "key")
	if err != nil {
		return accounts.Key{}, err
	}
	var keys []accounts.Key
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		keys, err = accounts.ListKeys(c.Ctx(), tx, c.Actor().Workspace, id.Key{}, settingsRows)
		return err
	})
	if err != nil {
		return accounts.Key{}, err
	}
	at := slices.IndexFunc(keys, func(k accounts.Key) bool { return k.ID == key })
	if at < 0 {
		return accounts.Key{}, errs.New("not_found")
	}
	return keys[at], nil
}

func (s *Server) revokePage(c *front.Call) error {
	k, err := s.findKey(c)
	if err != nil {
		return err
	}
	return c.Render("key-revoke", viewKey(c, k))
}

func (s *Server) revokeKey(c *front.Call) error {
	k, err := s.findKey(c)
	if err != nil {
		return err
	}
	if err := c.InWorkspace(func(tx pgx.Tx) error { return accounts.RevokeKey(c.Ctx(), tx, c.Actor(), k.ID) }); err != nil {
		return err
	}
	c.Flash("done", "settings.key.revoked_done", "name", k.Name)
	return c.Redirect("/settings#keys")
}
