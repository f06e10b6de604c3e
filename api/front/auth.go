package front

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"bareed/accounts"
	"bareed/internal/errs"
)

// SessionCookie carries a session's token. Its prefix makes browsers insist on
// Secure, Path=/ and no Domain (RFC 6265bis section 4.1.3.2).
const SessionCookie = "__Host-session"

// authenticate finds who calls. A bearer key is taken before a cookie; a
// malformed one costs neither hashing nor a query.
func (f *Front) authenticate(c *gin.Context, row Route) error {
	call := callOf(c.Request.Context())
	if row.Public {
		return nil
	}
	who, err := f.identify(c.Request)
	if err != nil {
		if e, ok := errs.As(err); row.Operator && ok && e.Status() == http.StatusUnauthorized {
			return errs.New("not_found")
		}
		return err
	}
	who.Actor.Address = c.ClientIP()
	who.Actor.RequestID = call.requestID
	call.who = who
	return nil
}

func (f *Front) identify(r *http.Request) (accounts.Identity, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, key, _ := strings.Cut(header, " ")
		if len(header) > 256 || !strings.EqualFold(scheme, "bearer") || len(r.Header.Values("Authorization")) > 1 {
			return accounts.Identity{}, errs.New("auth.key")
		}
		return accounts.FindKey(r.Context(), f.Pool, strings.TrimSpace(key))
	}
	cookies := r.CookiesNamed(SessionCookie)
	switch {
	case len(cookies) == 0:
		return accounts.Identity{}, errs.New("auth.missing")
	case len(cookies) > 1:
		return accounts.Identity{}, errs.New("auth.session")
	}
	return accounts.FindSession(r.Context(), f.Pool, cookies[0].Value)
}

// authorise judges the row's action and the workspace's state.
func (f *Front) authorise(c *gin.Context, row Route) error {
	who := callOf(c.Request.Context()).who
	switch {
	case row.Public:
		return nil
	case row.Operator:
		if !who.Operator {
			return errs.New("not_found")
		}
		return nil
	case row.Action == accounts.ReadSelf:
		return nil
	case who.Actor.Workspace.IsZero() && !who.Operator:
		return errs.New("auth.no_workspace")
	}
	if err := accounts.Allow(who.Actor, row.Action); err != nil {
		return err
	}
	if who.Suspended && !row.Open {
		return errs.New("workspace.suspended")
	}
	return nil
}
