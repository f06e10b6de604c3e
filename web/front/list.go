package front

import (
	"bareed/internal/errs"
	"bareed/internal/id"
)

// AfterID reads the place where a page of a list begins: the last id before it,
// zero for the first page; page.cursor for a cursor that is not ours.
func AfterID[T any, P interface {
	*T
	UnmarshalText(b []byte) error
}](c *Call, list string) (T, error) {
	var zero T
	after, err := c.After(list, c.Query("cursor"))
	if err != nil || after == "" {
		return zero, err
	}
	v, err := id.Parse[T, P](after)
	if err != nil {
		return zero, errs.New("page.cursor")
	}
	return v, nil
}

// Older cuts a list that was read with one row more than it shows, and gives
// the address of the next page; place is a row's cursor.
func Older[T any](c *Call, list string, rows []T, place func(T) string) ([]T, string) {
	if len(rows) <= c.Limit() {
		return rows, ""
	}
	rows = rows[:c.Limit()]
	return rows, c.OlderThan(list, place(rows[len(rows)-1]))
}

// OlderThan is the address of the page behind a place of the list.
func (c *Call) OlderThan(list, place string) string {
	q := c.R.URL.Query()
	q.Set("cursor", c.Cursor(list, place))
	return c.R.URL.Path + "?" + q.Encode()
}

// Newest is the address of a list's first page, "" when this is it.
func (c *Call) Newest() string {
	q := c.R.URL.Query()
	if q.Get("cursor") == "" {
		return ""
	}
	q.Del("cursor")
	if len(q) == 0 {
		return c.R.URL.Path
	}
	return c.R.URL.Path + "?" + q.Encode()
}
