package web

import (
	"net/url"
	"slices"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/ui"
)

func (s *Server) settings() {
	s.Handle("GET /settings", s.settingsPage)
	s.Handle("POST /settings", s.saveSettings)
	s.Handle("GET /settings/keys/new", s.newKeyPage)
	s.Handle("POST /settings/keys/new", s.makeKey)
	s.Handle("GET /settings/keys/{key}/revoke", s.revokePage)
	s.Handle("POST /settings/keys/{key}/revoke", s.revokeKey)
}

// settingsRows is how many members and keys the page shows.
const settingsRows = 200

type settingsView struct {
	Members []accounts.Member
	Keys    []keyLine
	Zones   []string
}

// keyLine is a key with its state.
type keyLine struct {
	accounts.Key
	Chip map[string]any
	Ends bool // it can still be revoked
}

func viewKey(c *front.Call, k accounts.Key) keyLine {
	switch now := c.Clock(); {
	case k.RevokedAt != nil:
		return keyLine{k, chip("mute", "close", c.T("settings.key.revoked")), false}
	case k.ExpiresAt != nil && k.ExpiresAt.Before(now):
		return keyLine{k, chip("mute", "clock", c.T("settings.key.expired")), false}
	case !k.Live:
		return keyLine{k, chip("info", "info", c.T("settings.key.test")), true}
	}
	return keyLine{k, chip("ok", "check", c.T("settings.key.live")), true}
}

// zones are suggestions; any IANA name is taken.
func zones() []string {
	return []string{"Asia/Riyadh", "Asia/Kuwait", "Asia/Dubai", "Asia/Qatar", "Asia/Bahrain", "Asia/Muscat", "Asia/Baghdad", "Asia/Amman",
		"Asia/Beirut", "Africa/Cairo", "Africa/Casablanca", "Africa/Tunis", "Africa/Algiers", "Europe/Istanbul", "Europe/London",
		"Europe/Berlin", "Asia/Karachi", "Asia/Kolkata", "America/New_York", "UTC"}
}

func (s *Server) settingsView(c *front.Call) (settingsView, error) {
	view := settingsView{Zones: zones()}
	err := c.InWorkspace(func(tx pgx.Tx) (err error) {
		if c.Can(accounts.ReadMembers) {
			if view.Members, err = accounts.ListMembers(c.Ctx(), tx, c.Actor().Workspace, id.User{}, settingsRows); err != nil {
				return err
			}
		}
		if !c.Can(accounts.ReadKeys) {
			return nil
		}
		keys, err := accounts.ListKeys(c.Ctx(), tx, c.Actor().Workspace, id.Key{}, settingsRows)
		for _, k := range keys {
			view.Keys = append(view.Keys, viewKey(c, k))
		}
		return err
	})
	return view, err
}

func (s *Server) settingsPage(c *front.Call) error {
	view, err := s.settingsView(c)
	if err != nil {
		return err
	}
	w, err := c.Workspace()
	if err != nil {
		return err
	}
	return c.Render("settings", view, front.WithForm(ui.NewForm(url.Values{"name": {w.Name}, "zone": {w.Zone}, "unknown": {w.UnknownPolicy}})))
}

func (s *Server) saveSettings(c *front.Call) error {
	f := c.Form().Name("name", c.T("settings.name")).Name("zone", c.T("settings.zone"))
	f.Require(c.Locale(), "name", "zone")
	var err error
	if !f.Refused() {
		p := accounts.WorkspacePatch{Name: pick(f, "name"), Zone: pick(f, "zone")}
		if slices.Contains([]string{"by_purpose", "hold", "evidence"}, f.Get("unknown")) {
			p.UnknownPolicy = pick(f, "unknown")
		}
		err = c.InWorkspace(func(tx pgx.Tx) error {
			_, err := accounts.PatchWorkspace(c.Ctx(), tx, c.Actor(), p)
			return err
		})
		if err == nil {
			c.Flash("done", "settings.saved")
			return c.Redirect("/settings")
		}
		if !f.Fail(c.Lang(), err) {
			return err
		}
	}
	view, fault := s.settingsView(c)
	if fault != nil {
		return fault
	}
	return c.Refused(err, "settings", view, f)
}

// pick is a field's text as a change of settings takes it.
func pick(f *ui.Form, name string) *string {
	text := f.Get(name)
	return &text
}
