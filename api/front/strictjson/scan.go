package strictjson

import (
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"bareed/internal/errs"
)

// maxDepth is how many arrays and objects may stand inside each other.
const maxDepth = 32

// maxInteger is the largest whole number that JSON programs agree on, 2^53.
const maxInteger = 1 << 53

// scanner reads one JSON text (RFC 8259) strictly: no key twice, no invalid or
// half characters, no number that loses its value, nothing after the end. Go's
// own decoder repairs or ignores all of these.
type scanner struct {
	b     []byte
	i     int
	depth int
	path  string // JSON pointer of the value being read
}

// Read returns the text as maps, slices, strings, json.Number, bool and nil.
func Read(b []byte) (any, error) {
	s := &scanner{b: b}
	v, err := s.value()
	if err != nil {
		return nil, err
	}
	if s.space(); s.i < len(s.b) {
		return nil, s.fault("json.trailing")
	}
	return v, nil
}

// fault is an error at the present place, by line and column, both from 1.
func (s *scanner) fault(code string) error {
	line, column := 1, 1
	for _, c := range s.b[:min(s.i, len(s.b))] {
		switch {
		case c == '\n':
			line, column = line+1, 1
		case utf8.RuneStart(c):
			column++
		}
	}
	return errs.New(code, "line", line, "column", column)
}

func (s *scanner) faultAt(code string) error {
	return errs.New(code).At(s.path, "")
}

func (s *scanner) space() {
	for s.i < len(s.b) && (s.b[s.i] == ' ' || s.b[s.i] == '\t' || s.b[s.i] == '\n' || s.b[s.i] == '\r') {
		s.i++
	}
}

func (s *scanner) peek() byte {
	s.space()
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

func (s *scanner) value() (any, error) {
	switch c := s.peek(); {
	case c == '{':
		return s.nested(s.object)
	case c == '[':
		return s.nested(s.array)
	case c == '"':
		return s.text()
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	}
	for word, v := range map[string]any{"true": true, "false": false, "null": nil} {
		if len(s.b)-s.i >= len(word) && string(s.b[s.i:s.i+len(word)]) == word {
			s.i += len(word)
			return v, nil
		}
	}
	return nil, s.fault("json.syntax")
}

func (s *scanner) nested(read func() (any, error)) (any, error) {
	if s.depth++; s.depth > maxDepth {
		return nil, errs.New("json.too_deep", "max", maxDepth)
	}
	v, err := read()
	s.depth--
	return v, err
}

func (s *scanner) object() (any, error) {
	out := make(map[string]any)
	parent := s.path
	s.i++
	if s.peek() == '}' {
		s.i++
		return out, nil
	}
	for {
		if s.peek() != '"' {
			return nil, s.fault("json.syntax")
		}
		name, err := s.text()
		if err != nil {
			return nil, err
		}
		s.path = parent + "/" + Token(errs.Clip(name))
		if _, twice := out[name]; twice {
			return nil, s.faultAt("json.duplicate_key")
		}
		if s.peek() != ':' {
			return nil, s.fault("json.syntax")
		}
		s.i++
		if out[name], err = s.value(); err != nil {
			return nil, err
		}
		s.path = parent
		if done, err := s.next('}'); done || err != nil {
			return out, err
		}
	}
}

func (s *scanner) array() (any, error) {
	out := []any{}
	parent := s.path
	s.i++
	if s.peek() == ']' {
		s.i++
		return out, nil
	}
	for {
		s.path = parent + "/" + strconv.Itoa(len(out))
		v, err := s.value()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		s.path = parent
		if done, err := s.next(']'); done || err != nil {
			return out, err
		}
	}
}

// next steps over a comma, or over the end.
func (s *scanner) next(end byte) (done bool, err error) {
	switch s.peek() {
	case ',':
		s.i++
		return false, nil
	case end:
		s.i++
		return true, nil
	}
	return true, s.fault("json.syntax")
}

func (s *scanner) text() (string, error) {
	var out []byte
	for s.i++; s.i < len(s.b); {
		c := s.b[s.i]
		switch {
		case c == '"':
			s.i++
			return string(out), nil
		case c < ' ':
			return "", s.fault("json.syntax")
		case c == '\\':
			r, err := s.escape()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
		default:
			r, n := utf8.DecodeRune(s.b[s.i:])
			if r == utf8.RuneError && n == 1 {
				return "", s.fault("json.encoding")
			}
			out = append(out, s.b[s.i:s.i+n]...)
			s.i += n
		}
	}
	return "", s.fault("json.syntax")
}

// escape reads what follows a backslash; both halves of a surrogate pair must
// be there, and U+0000 is refused because no database text can hold it.
func (s *scanner) escape() (rune, error) {
	if s.i+1 >= len(s.b) {
		return 0, s.fault("json.syntax")
	}
	plain := map[byte]rune{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}
	if r, ok := plain[s.b[s.i+1]]; ok {
		s.i += 2
		return r, nil
	}
	r, ok := s.unit()
	if !ok {
		return 0, s.fault("json.syntax")
	}
	if utf16.IsSurrogate(r) {
		low, ok := s.unit()
		if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
			return 0, s.fault("json.encoding")
		}
	}
	if r == 0 {
		return 0, s.fault("json.encoding")
	}
	return r, nil
}

// unit reads \uXXXX.
func (s *scanner) unit() (rune, bool) {
	if s.i+6 > len(s.b) || s.b[s.i] != '\\' || s.b[s.i+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s.b[s.i+2:s.i+6]), 16, 16)
	if err != nil {
		return 0, false
	}
	s.i += 6
	return rune(n), true
}

func (s *scanner) number() (any, error) {
	start := s.i
	for s.i < len(s.b) && (s.b[s.i] >= '0' && s.b[s.i] <= '9' || s.b[s.i] == '.' || s.b[s.i] == 'e' || s.b[s.i] == 'E' ||
		s.b[s.i] == '+' || s.b[s.i] == '-') {
		s.i++
	}
	word := s.b[start:s.i]
	if !json.Valid(word) {
		s.i = start
		return nil, s.fault("json.syntax")
	}
	f, err := strconv.ParseFloat(string(word), 64)
	if err != nil || math.IsInf(f, 0) || math.Abs(f) >= maxInteger && f == math.Trunc(f) {
		return nil, s.faultAt("json.number")
	}
	return json.Number(word), nil
}
