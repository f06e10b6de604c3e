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
	h, err := c.do(ctx, http.MethodPost, "/v1/sessions", in, &self)
	if err != nil {
		return nil, self, err
	}
	cookies := (&http.Response{Header: h}).Cookies()
	for _, k := range cookies {
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
func (c *Client) UpdateSession(ctx context.Context, workspace string) (self Self, err error) {
	_, err = c.do(ctx, http.MethodPatch, path("sessions", "current"), map[string]string{"workspace": workspace}, &self)
	return self, err
}

// DeleteSession signs out.
func (c *Client) DeleteSession(ctx context.Context) error {
	_, err := c.do(ctx, http.MethodDelete, path("sessions", "current"), nil, nil)
	return err
}

// GetSelf tells whose credential this is and what it may do.
func (c *Client) GetSelf(ctx context.Context) (self Self, err error) {
	_, err = c.do(ctx, http.MethodGet, path("me"), nil, &self)
	return self, err
}

// UpdatePassword changes the signed-in person's password; every session ends.
func (c *Client) UpdatePassword(ctx context.Context, current, next string) error {
	_, err := c.do(ctx, http.MethodPut, path("me", "password"), map[string]string{"current": current, "new": next}, nil)
	return err
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
	ETag          string    `json:"-"` // for UpdateWorkspace
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
func (c *Client) GetWorkspace(ctx context.Context) (w Workspace, err error) {
	h, err := c.do(ctx, http.MethodGet, path("workspace"), nil, &w)
	w.ETag = h.Get("ETag")
	return w, err
}

// UpdateWorkspace changes settings of the version that etag names.
func (c *Client) UpdateWorkspace(ctx context.Context, etag string, change WorkspaceChange) (w Workspace, err error) {
	h, err := c.do(ctx, http.MethodPatch, path("workspace"), change, &w, ifMatch(etag))
	w.ETag = h.Get("ETag")
	return w, err
}

func ifMatch(etag string) Option {
	return func(c *call) {
		if etag != "" {
			c.header.Set("If-Match", etag)
		}
	}
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
func (c *Client) CreateApiKey(ctx context.Context, k NewAPIKey, options ...Option) (out APIKey, err error) {
	_, err = c.do(ctx, http.MethodPost, path("api-keys"), k, &out, options...)
	return out, err
}

// RevokeApiKey ends a key.
func (c *Client) RevokeApiKey(ctx context.Context, key string) error {
	_, err := c.do(ctx, http.MethodDelete, path("api-keys", key), nil, nil)
	return err
}

// Member is a person of the workspace.
type Member struct {
	ID, Name, Email, Role string
	Disabled              bool
	Since                 time.Time
	ETag                  string `json:"-"` // for UpdateMember
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
func (c *Client) AddMember(ctx context.Context, m NewMember, options ...Option) (out Member, err error) {
	_, err = c.do(ctx, http.MethodPost, path("members"), m, &out, options...)
	return out, err
}

// GetMember reads one member.
func (c *Client) GetMember(ctx context.Context, user string) (m Member, err error) {
	h, err := c.do(ctx, http.MethodGet, path("members", user), nil, &m)
	m.ETag = h.Get("ETag")
	return m, err
}

// UpdateMember changes the role of the version that etag names.
func (c *Client) UpdateMember(ctx context.Context, user, etag, role string) (m Member, err error) {
	h, err := c.do(ctx, http.MethodPatch, path("members", user), map[string]string{"role": role}, &m, ifMatch(etag))
	m.ETag = h.Get("ETag")
	return m, err
}

// RemoveMember takes a person out of the workspace.
func (c *Client) RemoveMember(ctx context.Context, user string) error {
	_, err := c.do(ctx, http.MethodDelete, path("members", user), nil, nil)
	return err
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
	_, err := c.do(ctx, http.MethodGet, "/healthz", nil, nil)
	return err
}

// CheckReadiness is nil when the process can do its work.
func (c *Client) CheckReadiness(ctx context.Context) error {
	_, err := c.do(ctx, http.MethodGet, "/readyz", nil, nil)
	return err
}

// GetDescription writes the OpenAPI document.
func (c *Client) GetDescription(ctx context.Context, to io.Writer) error {
	_, err := c.do(ctx, http.MethodGet, "/openapi.json", nil, to)
	return err
}
