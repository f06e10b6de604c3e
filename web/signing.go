package web

import (
	"net/http"

	"bareed/accounts"
	"bareed/web/front"
	"bareed/web/ui"
)

func (s *Server) signing() {
	s.Handle("GET /sign-in", s.signInPage)
	s.Handle("POST /sign-in", s.signIn)
	s.Handle("POST /sign-out", s.signOut)
	s.Handle("GET /session", s.stay)
}

// signInView is the form's page. Next is where to go afterwards.
type signInView struct{ Next string }

func (s *Server) signInPage(c *front.Call) error {
	next := front.Local(c.Query("next"))
	if c.Signed {
		return c.Redirect(next)
	}
	return c.Render("sign-in", signInView{next}, front.WithForm(ui.NewForm(nil)))
}

// signIn opens a session and goes on to where the person wanted to be. A
// refused password is not shown again.
func (s *Server) signIn(c *front.Call) error {
	f := c.Form()
	view := signInView{front.Local(f.Raw("next"))}
	f.Name("email", c.T("sign_in.email")).Name("password", c.T("sign_in.password"))
	f.Require(c.Locale(), "email", "password")
	if f.Refused() {
		return c.Refused(nil, "sign-in", view, f)
	}
	session, err := accounts.SignIn(c.Ctx(), s.Front.Pool, s.Hasher, accounts.SignInRequest{
		Email: f.Get("email"), Password: f.Raw("password"),
		Address: c.Address(), Agent: c.R.UserAgent(), RequestID: c.RequestID,
	})
	if err != nil {
		f.Set("password", "")
		if f.Fail(c.Lang(), err) || f.Explain(c.Lang(), err, "auth.sign_in_failed") {
			return c.Refused(err, "sign-in", view, f)
		}
		return err
	}
	c.Begin(session)
	if session.Who.Actor.Workspace.IsZero() && session.Who.Operator {
		return c.Redirect(front.OperatorsPath)
	}
	return c.Redirect(view.Next)
}

func (s *Server) signOut(c *front.Call) error {
	if c.Signed {
		if err := accounts.SignOut(c.Ctx(), s.Front.Pool, c.Who); err != nil {
			return err
		}
	}
	c.End()
	c.Flash("done", "sign_in.left")
	return c.Redirect("/sign-in")
}

// stay keeps the session open: looking it up has noted that somebody is there.
func (s *Server) stay(c *front.Call) error {
	c.Wrote()
	c.W.WriteHeader(http.StatusNoContent)
	return nil
}
