package client

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"time"
)

// sessionCookie is the name of the cookie that carries a person's session.
const sessionCookie = "__Host-session"

// Self is whose credential a request carries.
type Self struct {
	Kind       string // user, key or operator
	ID         string
	Name       string
	Email      string
	Language   string
	Operator   bool
	Workspace  string // the one in use
	Role       string // of a person: owner, admin, marketer, viewer
	Scopes     []string
	Live       bool // false: nothing reaches Meta
	Suspended  bool
	Workspaces []WorkspaceRole // those a session can use
	ExpiresAt  *time.Time      `json:"expires_at"`
}

// WorkspaceRole is a workspace and what a person is in it.
type WorkspaceRole struct{ ID, Name, Role string }

// CreateSession signs a person in and returns a client with the session. A
// workspace may be named to begin with.
func (c *Client) CreateSession(ctx context.Context, email, password, workspace string) (*Client, Self, error) {
	var self Self
	in := map[string]string{"email": email, "password": password}
	if workspace != "" {
		in["workspace"] = workspace
	}
	h, err := c.do(ctx, http.MethodPost, path("sessions"), in, &self)
	if err != nil {
		return nil, self, err
	}
	for _, k := range (&http.Response{Header: h}).Cookies() {
		if k.Name == sessionCookie {
			signed := *c
			signed.config.Key, signed.config.Session = "", k.Value
			return &signed, self, nil
		}
	}
	return nil, self, fmt.Errorf("sign in: the answer has no session")
}

// Session is the session a signed-in client carries, for another process.
func (c *Client) Session() string { return c.config.Session }

// UpdateSession uses another of the person's workspaces.
func (c *Client) UpdateSession(ctx context.Context, workspace string) (Self, error) {
	return ask[Self](ctx, c, http.MethodPatch, path("sessions", "current"), map[string]string{"workspace": workspace})
}

// DeleteSession signs out.
func (c *Client) DeleteSession(ctx context.Context) error {
	return c.Call(ctx, http.MethodDelete, path("sessions", "current"), nil, nil)
}

// GetSelf tells whose credential this is and what it may do.
func (c *Client) GetSelf(ctx context.Context) (Self, error) {
	return get[Self](ctx, c, path("me"))
}

// UpdatePassword changes the signed-in person's password; every session ends.
func (c *Client) UpdatePassword(ctx context.Context, current, next string) error {
	return c.Call(ctx, http.MethodPut, path("me", "password"), map[string]string{"current": current, "new": next}, nil)
}

// Workspace is a workspace's settings.
type Workspace struct {
	ID            string
	Organisation  string
	Parent        string
	Name          string
	State         string // active or suspended
	Zone          string // IANA
	Live          bool
	ConsentPolicy string    `json:"consent_policy"`
	UnknownPolicy string    `json:"unknown_policy"`
	ContentMode   string    `json:"content_mode"`
	RetentionDays int       `json:"retention_days"`
	UndoSeconds   int       `json:"undo_seconds"`
	CreatedAt     time.Time `json:"created_at"`
	Tagged                  // for UpdateWorkspace
}

// WorkspaceChange is new settings; what is nil stays.
type WorkspaceChange struct {
	Name          *string `json:"name,omitempty"`
	Zone          *string `json:"zone,omitempty"`
	ConsentPolicy *string `json:"consent_policy,omitempty"`
	UnknownPolicy *string `json:"unknown_policy,omitempty"`
	ContentMode   *string `json:"content_mode,omitempty"`
	RetentionDays *int    `json:"retention_days,omitempty"`
	UndoSeconds   *int    `json:"undo_seconds,omitempty"`
}

// GetWorkspace reads the settings.
func (c *Client) GetWorkspace(ctx context.Context) (Workspace, error) {
	return get[Workspace](ctx, c, path("workspace"))
}

// UpdateWorkspace changes settings of the version that etag names.
func (c *Client) UpdateWorkspace(ctx context.Context, etag string, change WorkspaceChange) (Workspace, error) {
	return ask[Workspace](ctx, c, http.MethodPatch, path("workspace"), change, ifMatch(etag))
}

// APIKey is a key without its secret.
type APIKey struct {
	ID        string
	Name      string
	Hint      string // its last four characters
	Live      bool
	Scopes    []string
	CreatedBy string     `json:"created_by"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	RevokedAt *time.Time `json:"revoked_at"`
	UsedAt    *time.Time `json:"used_at"`
	Secret    string     // only from CreateApiKey
}

// NewAPIKey defines a key.
type NewAPIKey struct {
	Name      string     `json:"name"`
	Live      bool       `json:"live"`
	Scopes    []string   `json:"scopes"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// ListApiKeys ranges over the keys, newest first.
func (c *Client) ListApiKeys(ctx context.Context) iter.Seq2[APIKey, error] {
	return all[APIKey](ctx, c, path("api-keys"), nil)
}

// CreateApiKey makes a key; its Secret is shown this once.
func (c *Client) CreateApiKey(ctx context.Context, k NewAPIKey, options ...Option) (APIKey, error) {
	return ask[APIKey](ctx, c, http.MethodPost, path("api-keys"), k, options...)
}

// RevokeApiKey ends a key.
func (c *Client) RevokeApiKey(ctx context.Context, key string) error {
	return c.Call(ctx, http.MethodDelete, path("api-keys", key), nil, nil)
}

// Member is a person of the workspace.
type Member struct {
	ID, Name, Email, Role string
	Disabled              bool
	Since                 time.Time
	Tagged                // for UpdateMember
}

// NewMember is somebody to add; the password is for those without an account.
type NewMember struct {
	Email    string `json:"email"`
	Name     string `json:"name,omitempty"`
	Role     string `json:"role"`
	Password string `json:"password,omitempty"`
}

// ListMembers ranges over the members.
func (c *Client) ListMembers(ctx context.Context) iter.Seq2[Member, error] {
	return all[Member](ctx, c, path("members"), nil)
}

// AddMember adds a person.
func (c *Client) AddMember(ctx context.Context, m NewMember, options ...Option) (Member, error) {
	return ask[Member](ctx, c, http.MethodPost, path("members"), m, options...)
}

// GetMember reads one member.
func (c *Client) GetMember(ctx context.Context, user string) (Member, error) {
	return get[Member](ctx, c, path("members", user))
}

// UpdateMember changes the role of the version that etag names.
func (c *Client) UpdateMember(ctx context.Context, user, etag, role string) (Member, error) {
	return ask[Member](ctx, c, http.MethodPatch, path("members", user), map[string]string{"role": role}, ifMatch(etag))
}

// RemoveMember takes a person out of the workspace.
func (c *Client) RemoveMember(ctx context.Context, user string) error {
	return c.Call(ctx, http.MethodDelete, path("members", user), nil, nil)
}

// AuditEntry is one thing somebody did.
type AuditEntry struct {
	ID, Actor, Action, Subject, Address string
	At                                  time.Time
	Detail                              any
	RequestID                           string `json:"request_id"`
}

// ListAudit ranges over what people and keys did, newest first.
func (c *Client) ListAudit(ctx context.Context) iter.Seq2[AuditEntry, error] {
	return all[AuditEntry](ctx, c, path("audit"), nil)
}

// CheckHealth is nil when the process is alive.
func (c *Client) CheckHealth(ctx context.Context) error {
	return c.Call(ctx, http.MethodGet, "/healthz", nil, nil)
}

// CheckReadiness is nil when the process can do its work.
func (c *Client) CheckReadiness(ctx context.Context) error {
	return c.Call(ctx, http.MethodGet, "/readyz", nil, nil)
}

// GetDescription writes the OpenAPI document.
func (c *Client) GetDescription(ctx context.Context, to io.Writer) error {
	return c.Call(ctx, http.MethodGet, "/openapi.json", nil, to)
}
