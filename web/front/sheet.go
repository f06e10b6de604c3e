package front

import (
	"encoding/csv"
	"net/http"
	"strings"
	"time"
)

// Sheet is a download of rows as CSV (RFC 4180), written a page at a time.
type Sheet struct {
	c   *Call
	out *csv.Writer
}

// Sheet begins a download; from here on no page of faults can be shown.
func (c *Call) Sheet(name string, head ...string) *Sheet {
	c.Wrote()
	h := c.W.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+`.csv"`)
	s := &Sheet{c: c, out: csv.NewWriter(c.W)}
	s.Row(head...)
	return s
}

// Row adds a row; Flush tells what went wrong.
func (s *Sheet) Row(cells ...string) { _ = s.out.Write(cells) }

// Flush sends what was added, with a minute for the reader to take it.
func (s *Sheet) Flush() error {
	_ = http.NewResponseController(s.c.W).SetWriteDeadline(time.Now().Add(time.Minute)) // not every writer can
	s.out.Flush()
	return s.out.Error()
}

// PlainCell keeps a spreadsheet from taking what people wrote for a formula
// (OWASP, "CSV injection").
func PlainCell(s string) string {
	if s != "" && strings.ContainsAny(s[:1], "=+-@\t\r") {
		return "'" + s
	}
	return s
}
