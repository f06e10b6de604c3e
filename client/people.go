package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"mime/multipart"
	"net/http"
	"net/url"
	"time"
)

// Audience is a named list of contacts.
type Audience struct {
	ID        string
	Name      string
	Members   int64
	OptedIn   map[string]int64 `json:"opted_in"` // members who may be messaged, by purpose; not in lists
	CreatedAt time.Time        `json:"created_at"`
	CreatedBy string           `json:"created_by"`
}

// ListAudiences ranges over the audiences, newest first.
func (c *Client) ListAudiences(ctx context.Context) iter.Seq2[Audience, error] {
	return all[Audience](ctx, c, path("audiences"), nil)
}

// CreateAudience makes an empty one.
func (c *Client) CreateAudience(ctx context.Context, name string, options ...Option) (Audience, error) {
	return ask[Audience](ctx, c, http.MethodPost, path("audiences"), map[string]string{"name": name}, options...)
}

// GetAudience reads one with its figures.
func (c *Client) GetAudience(ctx context.Context, audience string) (Audience, error) {
	return get[Audience](ctx, c, path("audiences", audience))
}

// DeleteAudience deletes the list; its contacts stay.
func (c *Client) DeleteAudience(ctx context.Context, audience string) error {
	return c.Call(ctx, http.MethodDelete, path("audiences", audience), nil, nil)
}

// ImportSettings say how a file is read and what its people agreed to.
type ImportSettings struct {
	Mapping        map[string]string `json:"mapping,omitempty"` // header → phone, name, opt_in, opt_in_at, opt_in_source, "-" or an attribute
	DefaultCountry string            `json:"default_country,omitempty"`
	Mode           string            `json:"mode,omitempty"` // both, add or update
	Strict         bool              `json:"strict,omitempty"`
	Encoding       string            `json:"encoding,omitempty"`
	Delimiter      string            `json:"delimiter,omitempty"`
	Consent        *Declaration      `json:"consent,omitempty"`
}

// Declaration is what the people of a file agreed to, and how.
type Declaration struct {
	Covers     string     `json:"covers"` // none, file or rows
	Purposes   []string   `json:"purposes,omitempty"`
	Method     string     `json:"method,omitempty"`
	Source     string     `json:"source,omitempty"`
	Evidence   string     `json:"evidence,omitempty"`
	OccurredAt *time.Time `json:"occurred_at,omitempty"`
	Wording    *Wording   `json:"wording,omitempty"`
}

// Wording is the text a person agreed to.
type Wording struct {
	Version      string `json:"version"`
	Text         string `json:"text"`
	BusinessName string `json:"business_name"`
}

// Upload is a CSV file on its way. It is streamed; it can be tried again by itself
// only when File is an io.Seeker.
type Upload struct {
	File     io.Reader
	Name     string
	Settings ImportSettings
	Again    bool // the same file into the same audience is meant
}

// Import is a file and what became of its rows.
type Import struct {
	ID         string
	Job        string
	Audience   string
	File       string
	Size       int64
	State      string // waiting, running, completed, failed, cancelled
	Settings   ImportSettings
	Rows       int64
	Created    int64
	Updated    int64
	Unchanged  int64
	Merged     int64
	Rejected   int64
	OptedIn    int64 `json:"opted_in"`
	Superseded int64
	Problem    *Failure
	CreatedBy  string     `json:"created_by"`
	CreatedAt  time.Time  `json:"created_at"`
	FinishedAt *time.Time `json:"finished_at"`
}

// Failure is why work ended badly.
type Failure struct{ Code, Detail string }

// Uploaded is an accepted file: the import, and the job to wait for.
type Uploaded struct {
	Import Import
	Job    Job
}

// CreateImport streams a file into an audience. A job imports it; see WaitJob.
func (c *Client) CreateImport(ctx context.Context, audience string, u Upload, options ...Option) (out Uploaded, err error) {
	call := newCall(http.MethodPost, path("audiences", audience, "imports"))
	head, tail, kind, err := u.form()
	if err != nil {
		return out, err
	}
	call.header.Set("Content-Type", kind)
	seeker, again := u.File.(io.Seeker)
	call.once = !again
	call.body = func() (io.ReadCloser, error) {
		if again {
			if _, err := seeker.Seek(0, io.SeekStart); err != nil {
				return nil, err
			}
		}
		return io.NopCloser(io.MultiReader(bytes.NewReader(head), u.File, bytes.NewReader(tail))), nil
	}
	call.out = &out
	_, err = c.send(ctx, call, options...)
	return out, err
}

// form writes what stands before and behind the file, so that the file itself
// never is in memory.
func (u Upload) form() (head, tail []byte, kind string, err error) {
	settings, err := json.Marshal(u.Settings)
	if err != nil {
		return nil, nil, "", fmt.Errorf("write the settings: %w", err)
	}
	if u.Name == "" {
		u.Name = "file.csv"
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.WriteField("settings", string(settings)) // a buffer takes everything
	if u.Again {
		_ = w.WriteField("again", "true")
	}
	_, _ = w.CreateFormFile("file", u.Name)
	n := b.Len()
	_ = w.Close()
	return b.Bytes()[:n], b.Bytes()[n:], w.FormDataContentType(), nil
}

// ListImports ranges over an audience's files, newest first.
func (c *Client) ListImports(ctx context.Context, audience string) iter.Seq2[Import, error] {
	return all[Import](ctx, c, path("audiences", audience, "imports"), nil)
}

// GetImport reads what became of a file's rows.
func (c *Client) GetImport(ctx context.Context, id string) (Import, error) {
	return get[Import](ctx, c, path("imports", id))
}

// Reject is one rejected value.
type Reject struct {
	Row, Line                 int64
	Column, Code, Detail, Got string
}

// ListRejects ranges over an import's rejected values, the first 1,000.
func (c *Client) ListRejects(ctx context.Context, id string) iter.Seq2[Reject, error] {
	return all[Reject](ctx, c, path("imports", id, "rejects"), nil)
}

// ExportRejects writes every rejected row as CSV.
func (c *Client) ExportRejects(ctx context.Context, id string, to io.Writer) error {
	return c.Call(ctx, http.MethodGet, path("imports", id, "rejects.csv"), nil, to)
}

// Contact is a person.
type Contact struct {
	ID          string
	Name        string
	Phone       string // masked for those who may not see it
	Country     string
	Attributes  map[string]string // not in lists
	Permissions []Permission      // not in lists
	Reach       Reach             // not in lists
	CreatedAt   time.Time         `json:"created_at"`
	UpdatedAt   time.Time         `json:"updated_at"`
}

// Reach is what Meta said of reaching a person; zero when nothing stands against it.
type Reach struct {
	Unreachable string // undeliverable, blocked_at_meta: not messaged until they write
	Since       *time.Time
	LeaveAlone  *time.Time `json:"leave_alone_until"` // no marketing before
}

// Permission is whether a person may be messaged for a purpose.
type Permission struct {
	Purpose   string
	Granted   bool
	Since     time.Time
	ExpiresAt *time.Time `json:"expires_at"`
	Consent   string     // the entry that decided
}

// ListContacts ranges over the contacts, of one audience when it is given.
func (c *Client) ListContacts(ctx context.Context, audience string) iter.Seq2[Contact, error] {
	return all[Contact](ctx, c, path("contacts"), url.Values{"audience": {audience}})
}

// GetContact reads a person with attributes and permissions.
func (c *Client) GetContact(ctx context.Context, contact string) (Contact, error) {
	return get[Contact](ctx, c, path("contacts", contact))
}

// Consent is one line of the ledger.
type Consent struct {
	ID           string
	Purpose      string
	Action       string // opt_in or opt_out
	Method       string
	Source       string
	Wording      *string
	BusinessName *string `json:"business_name"`
	Evidence     string
	Policy       string
	OccurredAt   time.Time  `json:"occurred_at"`
	RecordedAt   time.Time  `json:"recorded_at"`
	ExpiresAt    *time.Time `json:"expires_at"`
	Declared     bool
	Actor        string
	Import       string
	ImportRow    *int64 `json:"import_row"`
}

// ListConsents ranges over what a person agreed to and refused, newest first.
func (c *Client) ListConsents(ctx context.Context, contact string) iter.Seq2[Consent, error] {
	return all[Consent](ctx, c, path("contacts", contact, "consents"), nil)
}

// OptOut is a refusal. The zero value refuses everything, now.
type OptOut struct {
	Purposes   []string   `json:"purposes,omitempty"`
	Method     string     `json:"method,omitempty"`
	Source     string     `json:"source,omitempty"`
	OccurredAt *time.Time `json:"occurred_at,omitempty"`
}

// OptOutContact records that a person refuses; it holds before the next message.
func (c *Client) OptOutContact(ctx context.Context, contact string, o OptOut, options ...Option) (Contact, error) {
	return ask[Contact](ctx, c, http.MethodPost, path("contacts", contact, "opt-out"), o, options...)
}

// NewConsent is an opt-in or opt-out of a contact, a phone or a BSUID.
type NewConsent struct {
	Action     string     `json:"action"` // opt_in or opt_out
	Contact    string     `json:"contact,omitempty"`
	Phone      string     `json:"phone,omitempty"`
	Country    string     `json:"country,omitempty"`
	BSUID      string     `json:"bsuid,omitempty"`
	Purposes   []string   `json:"purposes,omitempty"`
	Method     string     `json:"method,omitempty"`
	Source     string     `json:"source,omitempty"`
	Wording    *Wording   `json:"wording,omitempty"`
	Evidence   string     `json:"evidence,omitempty"`
	OccurredAt *time.Time `json:"occurred_at,omitempty"`
	ExpiresAt  *time.Time `json:"expires_at,omitempty"`
}

// RecordConsent records it and returns the contact, nil for an opt-out by
// somebody unknown.
func (c *Client) RecordConsent(ctx context.Context, n NewConsent, options ...Option) (*Contact, error) {
	var out struct{ Contact *Contact }
	err := c.Call(ctx, http.MethodPost, path("consents"), n, &out, options...)
	return out.Contact, err
}
