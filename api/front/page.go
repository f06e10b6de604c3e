package front

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"bareed/accounts"
	"bareed/internal/errs"
	"bareed/internal/id"
)

// Paging is embedded in the input of every list: how many, and from where.
type Paging struct {
	Limit  string `query:"limit" doc:"How many at most, 1 to 200; 50 when not given"`
	Cursor string `query:"cursor" doc:"next_cursor of the page before"`
}

// Span is a page that was asked for: Limit rows behind the row named After,
// which is empty for the first page.
type Span struct {
	Limit int
	After string
}

const maxCursor = 512

// Page reads what the caller asked for; page.limit or page.cursor when it is no
// such thing. A cursor is good for the workspace and the list it was made for.
func (f *Front) Page(ctx context.Context, a accounts.Actor, in Paging) (Span, error) {
	p := Span{Limit: 50}
	if in.Limit != "" {
		n, err := strconv.Atoi(in.Limit)
		if err != nil || n < 1 || n > 200 {
			return p, errs.New("page.limit")
		}
		p.Limit = n
	}
	if in.Cursor == "" {
		return p, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(in.Cursor)
	if err != nil || len(b) <= 16 || len(b) > maxCursor {
		return p, errs.New("page.cursor")
	}
	p.After = string(b[16:])
	if !hmac.Equal(b[:16], f.cursorProof(ctx, a, p.After)) {
		return Span{}, errs.New("page.cursor")
	}
	return p, nil
}

func (f *Front) cursorProof(ctx context.Context, a accounts.Actor, after string) []byte {
	return f.Vault.Proof("cursor", a.Workspace.String()+"\x00"+pathOf(ctx)+"\x00"+after)
}

// List is the answer of every list.
type List[T any] struct {
	Link string `header:"Link"`
	Body struct {
		Data       []T     `json:"data"`
		NextCursor *string `json:"next_cursor" doc:"Give it as cursor for the next page; null on the last"`
		HasMore    bool    `json:"has_more"`
	}
}

// Listed makes a page of rows, of which the noun was asked for p.Limit+1: the
// one too many says that there are more. after names a row in the cursor.
func Listed[T any](ctx context.Context, f *Front, a accounts.Actor, p Span, rows []T, after func(T) string) *List[T] {
	out := &List[T]{}
	if len(rows) > p.Limit {
		rows = rows[:p.Limit]
		last := after(rows[len(rows)-1])
		cursor := base64.RawURLEncoding.EncodeToString(append(f.cursorProof(ctx, a, last), last...))
		out.Body.NextCursor, out.Body.HasMore = &cursor, true
		q := url.Values{}
		maps.Copy(q, callOf(ctx).query) // filters go along
		q.Set("limit", strconv.Itoa(p.Limit))
		q.Set("cursor", cursor)
		out.Link = "<" + strings.TrimSuffix(f.BaseURL, "/") + pathOf(ctx) + "?" + q.Encode() + `>; rel="next"`
	}
	out.Body.Data = rows
	if rows == nil {
		out.Body.Data = []T{}
	}
	return out
}

// Reply is an answer with a body.
type Reply[T any] struct {
	Body T
}

// Write answers with the list, for handlers that write by themselves.
func (l *List[T]) Write(c *gin.Context) {
	if l.Link != "" {
		c.Header("Link", l.Link)
	}
	c.JSON(http.StatusOK, l.Body)
}

// Created is an answer to a POST that made something, and says where it is.
type Created[T any] struct {
	Location string `header:"Location"`
	Body     T
}

// Empty is an answer without a body.
type Empty struct{}

// AfterID reads the row a page begins behind when lists go by identifier; the
// zero value for the first page.
func AfterID[T any, P interface {
	*T
	UnmarshalText(b []byte) error
}](p Span) (T, error) {
	var zero T
	if p.After == "" {
		return zero, nil
	}
	v, err := id.Parse[T, P](p.After)
	if err != nil {
		return zero, errs.New("page.cursor")
	}
	return v, nil
}
