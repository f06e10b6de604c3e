package csvfile

import (
	"io"
	"unicode/utf8"

	"bareed/internal/errs"
)

// maxRecord is the longest record read, in bytes. One quote that is never
// closed would otherwise make the rest of the file one field.
const maxRecord = 64 << 10

// guard passes a CSV text on and follows it as encoding/csv will read it, to
// stop at the byte where a record becomes too long or the text stops being
// UTF-8, and to name the place. Its memory does not grow with the file.
type guard struct {
	src    io.Reader
	comma  byte
	crOnly bool // lines end in CR alone; they are passed on as LF

	err       error // what stopped it, as a person may see it
	line      int64 // from 1
	records   int64 // ended so far; the header is one
	offset    int64 // bytes taken
	start     int64 // of the character under way, from 1
	size      int   // of the record so far
	state     guardState
	quoteLine int64 // where the open quote is
	partial   []byte

	fields     int // of the record so far
	lastFields int // of the last one that ended

	buf      [32 << 10]byte
	from, to int
}

type guardState uint8

const (
	atRecord guardState = iota // nothing of a record yet
	atField
	inField
	inQuotes
	afterQuote // a quote within quotes: the end of the field, or half of a doubled one
	broken     // encoding/csv found a stray quote and drops the rest of the line
)

func newGuard(src io.Reader, comma byte, crOnly bool) *guard {
	return &guard{src: src, comma: comma, crOnly: crOnly, line: 1, fields: 1}
}

// Read gives at most one line, so that encoding/csv is never ahead of what the
// guard knows; after a fault every call returns it.
func (g *guard) Read(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	if g.from == g.to {
		if err := g.fill(); err != nil {
			return 0, err
		}
	}
	n := 0
	for n < len(p) && g.from < g.to {
		c := g.buf[g.from]
		g.from++
		if g.crOnly && c == '\r' {
			c = '\n'
		}
		if g.err = g.take(c); g.err != nil {
			return n, g.err
		}
		p[n] = c
		if n++; c == '\n' {
			break
		}
	}
	return n, nil
}

func (g *guard) fill() error {
	n, err := g.src.Read(g.buf[:])
	g.from, g.to = 0, n
	if n > 0 || err == nil {
		return nil // an error comes again with the next call
	}
	switch {
	case err == io.EOF && g.state == inQuotes:
		g.err = errs.New("csv.quote_open", "line", g.quoteLine)
	case err == io.EOF && len(g.partial) > 0:
		g.err = g.notUTF8()
	case err == io.EOF && g.state != atRecord:
		g.lastFields = g.fields
		return err
	default:
		return err
	}
	return g.err
}

// take follows one byte and says what is wrong with it.
func (g *guard) take(c byte) error {
	g.follow(c)
	g.offset++
	if g.size > maxRecord {
		return errs.New("csv.record_too_long", "line", g.faultLine(), "limit", maxRecord)
	}
	if !g.valid(c) {
		return g.notUTF8()
	}
	return nil
}

func (g *guard) notUTF8() error {
	return errs.New("csv.encoding", "row", g.records, "line", g.line, "byte", g.start, "encoding", "windows-1256")
}

func (g *guard) faultLine() int64 {
	if g.state == inQuotes || g.state == afterQuote {
		return g.quoteLine
	}
	return g.line
}

// follow takes one byte the way encoding/csv does: a quote opens only as a
// field's first character, and a fault in a quoted field drops the rest of the
// line, which is then as good as plain text.
func (g *guard) follow(c byte) {
	g.size++
	if c == '\n' {
		g.line++
		if g.state != inQuotes {
			if g.state != atRecord {
				g.records++
				g.lastFields = g.fields
			}
			g.state, g.size, g.fields = atRecord, 0, 1
		}
		return
	}
	if c == g.comma && g.state != inQuotes && g.state != broken {
		g.fields++
		g.state = atField
		return
	}
	switch g.state {
	case atRecord, atField:
		switch c {
		case '"':
			g.state, g.quoteLine = inQuotes, g.line
		case '\r':
			if g.state == atField {
				g.state = inField
			}
		default:
			g.state = inField
		}
	case inField:
		if c == '"' {
			g.state = broken
		}
	case inQuotes:
		if c == '"' {
			g.state = afterQuote
		}
	case afterQuote:
		switch c {
		case '"':
			g.state = inQuotes
		case '\r': // of the line's end
		default:
			g.state = broken
		}
	}
}

// valid checks UTF-8 one byte at a time.
func (g *guard) valid(c byte) bool {
	if len(g.partial) == 0 {
		if c < utf8.RuneSelf {
			return true
		}
		g.partial, g.start = append(g.partial, c), g.offset
		return c >= 0xc2 && c <= 0xf4
	}
	if !utf8.RuneStart(c) {
		g.partial = append(g.partial, c)
		if !utf8.FullRune(g.partial) {
			return true
		}
		r, size := utf8.DecodeRune(g.partial)
		ok := r != utf8.RuneError || size == 3
		g.partial = g.partial[:0]
		return ok
	}
	return false
}
