package web

import (
	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/messages"
	"bareed/numbers"
	"bareed/web/front"
	"bareed/web/ui"
	"bareed/whatsapp"
)

// connectView names what is to be entered at Meta.
type connectView struct {
	Webhook string
	Made    *numbers.Made // after it worked: the verify token is shown this once
}

func (s *Server) connectPage(c *front.Call) error {
	return c.Render("number-connect", connectView{}, front.WithForm(ui.NewForm(nil)))
}

// connectNumber asks Meta first, outside any transaction, and keeps the number
// only when Meta said yes.
func (s *Server) connectNumber(c *front.Call) error {
	f := c.Form()
	fields := []string{"app_id", "app_secret", "waba_id", "phone_number_id", "token"}
	for _, name := range append(fields, "verify_token") {
		f.Name(name, c.Locale().Of("numbers.field", name))
	}
	f.Require(c.Locale(), fields...)
	if f.Refused() {
		return c.Refused(nil, "number-connect", connectView{}, f)
	}
	made, err := s.connect(c, numbers.Connection{AppID: f.Get("app_id"), AppSecret: f.Get("app_secret"), VerifyToken: f.Get("verify_token"),
		WABAID: f.Get("waba_id"), PhoneNumberID: f.Get("phone_number_id"), Token: whatsapp.Token(f.Get("token"))})
	if err != nil {
		if f.Fail(c.Lang(), err) || f.Explain(c.Lang(), err, "meta.unreachable") {
			return c.Refused(err, "number-connect", connectView{}, f)
		}
		return err
	}
	if made.VerifyToken == "" {
		c.Flash("done", "numbers.connected", "name", made.Number.DisplayPhone)
		return c.Redirect("/numbers/" + made.Number.ID.String())
	}
	return c.Render("number-connect", connectView{Webhook: c.BaseURL + "/webhooks/meta/" + made.Number.MetaAppID, Made: &made})
}

func (s *Server) connect(c *front.Call, wanted numbers.Connection) (made numbers.Made, err error) {
	if err := wanted.Check(); err != nil {
		return made, err
	}
	box, err := c.Vault.Box(c.Ctx(), c.Actor().Workspace)
	if err != nil {
		return made, err
	}
	probed, err := s.probe(c, wanted)
	if err != nil {
		return made, err
	}
	err = c.InWorkspace(func(tx pgx.Tx) error {
		made, err = numbers.Connect(c.Ctx(), tx, numbers.Keys{Workspace: box, System: c.Vault.System()}, c.Actor(), wanted, probed)
		if err != nil {
			return err
		}
		return messages.TokenReplaced(c.Ctx(), tx, c.Actor().Workspace, made.Number.WABA, c.Actor().String())
	})
	return made, err
}

func (s *Server) probe(c *front.Call, wanted numbers.Connection) (numbers.Probed, error) {
	if s.Probe == nil {
		return numbers.Probed{}, errs.New("meta.unreachable")
	}
	return s.Probe(c.Ctx(), wanted)
}

// replaceToken asks Meta about the new token before it replaces the old one.
func (s *Server) replaceToken(c *front.Call) error {
	number, err := front.ID[id.Number](c, "number")
	if err != nil {
		return err
	}
	f := c.Form().Name("token", c.Locale().Of("numbers.field", "token"))
	f.Require(c.Locale(), "token")
	if !f.Refused() {
		if err = s.setToken(c, number, whatsapp.Token(f.Get("token"))); err == nil {
			c.Flash("done", "numbers.token_replaced")
			return c.Redirect("/numbers/" + number.String())
		}
		if !f.Fail(c.Lang(), err) && !f.Explain(c.Lang(), err, "meta.unreachable") {
			return err
		}
	}
	view, fault := s.oneNumber(c, number)
	if fault != nil {
		return fault
	}
	return c.Refused(err, "number", view, f)
}

func (s *Server) setToken(c *front.Call, number id.Number, token whatsapp.Token) error {
	box, err := c.Vault.Box(c.Ctx(), c.Actor().Workspace)
	if err != nil {
		return err
	}
	var n numbers.Number
	var wanted numbers.Connection
	err = c.InWorkspace(func(tx pgx.Tx) error {
		if n, err = numbers.Get(c.Ctx(), tx, c.Actor().Workspace, number); err != nil {
			return err
		}
		wanted, err = n.Connection(c.Ctx(), tx, c.Vault.System(), token)
		return err
	})
	if err != nil {
		return err
	}
	if err := wanted.Check(); err != nil {
		return err
	}
	if n.DisconnectedAt != nil {
		return errs.New("number.not_connected")
	}
	if _, err := s.probe(c, wanted); err != nil {
		return err
	}
	return c.InWorkspace(func(tx pgx.Tx) error {
		if err := numbers.SetToken(c.Ctx(), tx, box, c.Actor(), n, token); err != nil {
			return err
		}
		return messages.TokenReplaced(c.Ctx(), tx, c.Actor().Workspace, n.WABA, c.Actor().String())
	})
}

// disconnectNumber is refused while a campaign needs the number; the page says so.
func (s *Server) disconnectNumber(c *front.Call) error {
	number, err := front.ID[id.Number](c, "number")
	if err != nil {
		return err
	}
	box, err := c.Vault.Box(c.Ctx(), c.Actor().Workspace)
	if err != nil {
		return err
	}
	err = c.InWorkspace(func(tx pgx.Tx) error { return numbers.Disconnect(c.Ctx(), tx, box, c.Actor(), number) })
	if err == nil {
		c.Flash("done", "numbers.disconnected_done")
		return c.Redirect("/numbers")
	}
	f := c.Form()
	if !f.Fail(c.Lang(), err) {
		return err
	}
	view, fault := s.oneNumber(c, number)
	if fault != nil {
		return fault
	}
	return c.Refused(err, "number-disconnect", view, f)
}
