// Package errs owns every error a person may see: a stable dotted code, its
// HTTP status, one sentence in English and one in Arabic, where in the input it
// is, and what to do next. All other errors show as "internal" with a request id.
//
// Every package makes such errors; api and web print them. It knows no noun:
// each noun's codes stand in a catalogue file of their own.
package errs

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Params fill the {name} places of a sentence. Never a secret or a whole phone number.
type Params map[string]any

// Field says where in the input a fault is. Pointer is a JSON pointer (RFC
// 6901) for JSON; Row, Line and Column are for files. Got is what was there, at
// most 40 runes, masked when it is a phone number.
type Field struct {
	Pointer string
	Row     int64
	Line    int64
	Column  string
	Code    string
	Params  Params
	Got     string
}

// Error is an error a person may see.
type Error struct {
	Code       string
	Params     Params
	Fields     []Field
	RetryAfter time.Duration // zero: not said
	cause      error
}

// New returns the catalogue's error of that code; kv are the sentence's
// parameters, name and value in turn. A code outside the catalogue is a bug: it
// is caught by a test over the source, and shows as "internal".
func New(code string, kv ...any) *Error {
	return &Error{Code: code, Params: params(kv)}
}

func params(kv []any) Params {
	if len(kv) == 0 {
		return nil
	}
	p := make(Params, len(kv)/2)
	for i := 0; i+1 < len(kv); i += 2 {
		p[kv[i].(string)] = kv[i+1]
	}
	return p
}

// At adds the place of a fault in a JSON body; the field's own code is the
// error's when code is empty.
func (e *Error) At(pointer, code string, kv ...any) *Error {
	p := params(kv)
	if code == "" {
		code, p = e.Code, e.Params
	}
	e.Fields = append(e.Fields, Field{Pointer: pointer, Code: code, Params: p})
	return e
}

// Because keeps the cause for the log; it is never shown.
func (e *Error) Because(err error) *Error {
	e.cause = err
	return e
}

// Error is the English sentence, for logs.
func (e *Error) Error() string {
	s := e.Code + ": " + Sentence("en", e.Code, e.Params)
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Status is the HTTP status of the code.
func (e *Error) Status() int {
	if x, ok := Lookup(e.Code); ok {
		return x.Status
	}
	return 500
}

// As finds the error a person may see in err, if there is one.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// Is tells whether err carries that code.
func Is(err error, code string) bool {
	e, ok := As(err)
	return ok && e.Code == code
}

// Sentence fills the code's sentence in a language ("ar", or English for any other).
func Sentence(lang, code string, p Params) string {
	x, ok := Lookup(code)
	if !ok {
		x, _ = Lookup("internal")
	}
	s := x.EN
	if lang == "ar" {
		s = x.AR
	}
	for k, v := range p {
		text := said(v)
		if lang == "ar" && latin.MatchString(text) { // stays in its own direction (Unicode TR 9, first strong isolate)
			text = "\u2068" + text + "\u2069"
		}
		s = strings.ReplaceAll(s, "{"+k+"}", text)
	}
	return s
}

var latin = regexp.MustCompile(`\p{Latin}`)

// said writes a parameter: whole numbers with commas between thousands.
func said(v any) string {
	s := fmt.Sprint(v)
	switch x := v.(type) {
	case int, int32, int64:
	case float64: // as JSON brings it
		if x != math.Trunc(x) || math.Abs(x) > 1<<53 {
			return s
		}
		s = strconv.FormatInt(int64(x), 10)
	default:
		return s
	}
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Clip shortens what was got to 40 runes and takes out control characters.
func Clip(s string) string {
	out := make([]rune, 0, 41)
	for _, r := range s {
		if len(out) == 40 {
			return string(out) + "…"
		}
		if r < ' ' || r == 0x7f || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			r = ' '
		}
		out = append(out, r)
	}
	return string(out)
}

// MaskPhone keeps the country's first digits and the last two: +9665•••••67.
func MaskPhone(s string) string {
	r := []rune(Clip(s))
	if len(r) <= 6 {
		return strings.Repeat("•", len(r))
	}
	for i := 5; i < len(r)-2; i++ {
		r[i] = '•'
	}
	return string(r)
}
