package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"bareed/accounts"
	"bareed/api/front"
)

// The short names of api/front that every handler file uses.
type (
	route          = front.Route
	Paging         = front.Paging // embedded in the input of every list
	span           = front.Span
	empty          = front.Empty
	reply[T any]   = front.Reply[T]
	created[T any] = front.Created[T]
	list[T any]    = front.List[T]

	versioned[T any] = front.Versioned[T]
)

// add registers a handler for a row of the table; see front.Add.
func add[I, O any](s *Server, key string, h func(ctx context.Context, a accounts.Actor, in *I) (*O, error), with ...func(*huma.Operation)) {
	front.Add(s.Front, key, h, with...)
}

// raw registers a handler that reads or writes by itself; see front.Raw.
func raw(s *Server, key string, h func(c *gin.Context, a accounts.Actor) error, with ...func(*huma.Operation)) {
	front.Raw(s.Front, key, h, with...)
}

// page reads which part of a list was asked for.
func (s *Server) page(ctx context.Context, a accounts.Actor, in Paging) (span, error) {
	return s.Page(ctx, a, in)
}

// listed makes the answer of a list; see front.Listed.
func listed[T any](ctx context.Context, s *Server, a accounts.Actor, p span, rows []T, after func(T) string) *list[T] {
	return front.Listed(ctx, s.Front, a, p, rows, after)
}

// afterID reads the row a page begins behind.
func afterID[T any, P interface {
	*T
	UnmarshalText(b []byte) error
}](p span) (T, error) {
	return front.AfterID[T, P](p)
}
