package client

import (
	"context"
	"iter"
	"net/url"
	"strconv"
)

// page is one page of a list.
type page[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor"`
}

// all reads a list page by page while it is ranged over. It ends behind the last
// row, or with one error.
func all[T any](ctx context.Context, c *Client, path string, q url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		query := url.Values{}
		for name, values := range q {
			if len(values) > 0 && values[0] != "" {
				query.Set(name, values[0])
			}
		}
		if !query.Has("limit") {
			query.Set("limit", "200")
		}
		for {
			p, err := get[page[T]](ctx, c, path+"?"+query.Encode())
			if err != nil {
				yield(none, err)
				return
			}
			for _, row := range p.Data {
				if !yield(row, nil) {
					return
				}
			}
			if p.NextCursor == nil {
				return
			}
			query.Set("cursor", *p.NextCursor)
		}
	}
}

// atOnce is how many rows a page has; the most there may be when n is zero.
func atOnce(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// Collect reads a whole list into memory.
func Collect[T any](list iter.Seq2[T, error]) ([]T, error) {
	var rows []T
	for row, err := range list {
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}
