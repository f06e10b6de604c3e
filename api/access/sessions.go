package access

import (
	"context"
	"net/http"
	"time"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/internal/errs"
	"bareed/internal/id"
)

func (d *Desk) sessions() {
	front.Add(d.Front, "POST /v1/sessions", d.signIn)
	front.Add(d.Front, "PATCH /v1/sessions/current", d.useWorkspace)
	front.Add(d.Front, "DELETE /v1/sessions/current", d.signOut)
	front.Add(d.Front, "GET /v1/me", d.me)
	front.Add(d.Front, "PUT /v1/me/password", d.changePassword)
}

// self is whose credential a request carries.
type self struct {
	Kind       string                   `json:"kind" enum:"user,key,operator"`
	ID         string                   `json:"id"`
	Name       string                   `json:"name,omitempty"`
	Email      string                   `json:"email,omitempty"`
	Language   string                   `json:"language,omitempty"`
	Operator   bool                     `json:"operator"`
	Workspace  id.Workspace             `json:"workspace,omitzero" doc:"The one in use"`
	Role       accounts.Role            `json:"role,omitempty"`
	Scopes     []string                 `json:"scopes,omitempty"`
	Live       bool                     `json:"live"`
	Suspended  bool                     `json:"suspended"`
	Workspaces []accounts.WorkspaceRole `json:"workspaces,omitempty" doc:"Those a session can use"`
	ExpiresAt  *time.Time               `json:"expires_at,omitempty"`
}

func (d *Desk) selfOf(ctx context.Context, who accounts.Identity) (self, error) {
	a := who.Actor
	out := self{Kind: a.Kind, ID: a.ID, Name: who.Name, Email: who.Email, Language: who.Language, Operator: who.Operator,
		Workspace: a.Workspace, Role: a.Role, Scopes: a.Scopes, Live: a.Live, Suspended: who.Suspended}
	if who.User.IsZero() {
		return out, nil
	}
	out.ExpiresAt = &who.ExpiresAt
	var err error
	out.Workspaces, err = accounts.WorkspacesOf(ctx, d.Pool, who.User)
	return out, err
}

type signInInput struct {
	Agent string `header:"User-Agent" hidden:"true"`
	Body  struct {
		Email     string       `json:"email" maxLength:"254"`
		Password  string       `json:"password" maxLength:"1024"`
		Workspace id.Workspace `json:"workspace,omitzero" doc:"The one to use first"`
	}
}

type signInOutput struct {
	Location  string      `header:"Location"`
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      self
}

func (d *Desk) signIn(ctx context.Context, _ accounts.Actor, in *signInInput) (*signInOutput, error) {
	session, err := accounts.SignIn(ctx, d.Pool, d.hasher, accounts.SignInRequest{
		Email: in.Body.Email, Password: in.Body.Password, Workspace: in.Body.Workspace,
		Address: front.Address(ctx), Agent: in.Agent, RequestID: front.RequestID(ctx),
	})
	if err != nil {
		return nil, err
	}
	me, err := d.selfOf(ctx, session.Who)
	if err != nil {
		return nil, err
	}
	return &signInOutput{Location: "/v1/me", SetCookie: cookieOf(session), Body: me}, nil
}

func cookieOf(session accounts.Session) http.Cookie {
	return http.Cookie{Name: front.SessionCookie, Value: session.Token, Path: "/", Secure: true, HttpOnly: true,
		SameSite: http.SameSiteLaxMode, Expires: session.Who.ExpiresAt}
}

func endedCookie() http.Cookie {
	return http.Cookie{Name: front.SessionCookie, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: -1}
}

type signOutOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

// sessionOf is the session of the request; a key has none to change.
func sessionOf(ctx context.Context) (accounts.Identity, error) {
	who := front.Caller(ctx)
	if who.Session.IsZero() {
		return who, errs.New("auth.not_by_key")
	}
	return who, nil
}

func (d *Desk) signOut(ctx context.Context, _ accounts.Actor, _ *front.Empty) (*signOutOutput, error) {
	who, err := sessionOf(ctx)
	if err != nil {
		return nil, err
	}
	if err := accounts.SignOut(ctx, d.Pool, who); err != nil {
		return nil, err
	}
	return &signOutOutput{SetCookie: endedCookie()}, nil
}

func (d *Desk) me(ctx context.Context, _ accounts.Actor, _ *front.Empty) (*front.Reply[self], error) {
	me, err := d.selfOf(ctx, front.Caller(ctx))
	return &front.Reply[self]{Body: me}, err
}

type useWorkspaceInput struct {
	Body struct {
		Workspace id.Workspace `json:"workspace"`
	}
}

func (d *Desk) useWorkspace(ctx context.Context, _ accounts.Actor, in *useWorkspaceInput) (*front.Reply[self], error) {
	who, err := sessionOf(ctx)
	if err != nil {
		return nil, err
	}
	if err := accounts.UseWorkspace(ctx, d.Pool, who, in.Body.Workspace); err != nil {
		return nil, err
	}
	me, err := d.selfOf(ctx, who)
	if err != nil {
		return nil, err
	}
	for _, w := range me.Workspaces {
		if w.ID == in.Body.Workspace {
			me.Workspace, me.Role = w.ID, w.Role
		}
	}
	return &front.Reply[self]{Body: me}, nil
}

type passwordInput struct {
	Body struct {
		Current string `json:"current" maxLength:"1024"`
		New     string `json:"new"`
	}
}

func (d *Desk) changePassword(ctx context.Context, _ accounts.Actor, in *passwordInput) (*signOutOutput, error) {
	who, err := sessionOf(ctx)
	if err != nil {
		return nil, err
	}
	if err := accounts.ChangePassword(ctx, d.Pool, d.hasher, who, in.Body.Current, in.Body.New); err != nil {
		return nil, err
	}
	return &signOutOutput{SetCookie: endedCookie()}, nil
}
