package errs

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Problem is an error as it leaves the process (RFC 9457, application/problem+json).
type Problem struct {
	Type       string         `json:"type" doc:"What kind of problem this is: problems/ and the code"`
	Title      string         `json:"title" doc:"The status in words"`
	Status     int            `json:"status"`
	Code       string         `json:"code" doc:"Stable name of the problem, for programs"`
	Detail     string         `json:"detail" doc:"What is wrong and what to do, in the language asked for"`
	Instance   string         `json:"instance,omitempty" doc:"The path that was called"`
	RequestID  string         `json:"request_id" doc:"Give this to support"`
	RetryAfter int            `json:"retry_after_s,omitempty" doc:"Seconds until it makes sense to try again"`
	Errors     []ProblemField `json:"errors,omitempty" doc:"Every fault, with its place in the input"`
	Violated   []string       `json:"violated-policies,omitempty" doc:"Of RateLimit-Policy: the quotas that are used up"`
	Lang       string         `json:"lang" enum:"en,ar"`
}

// ProblemField is one fault and where it is: a JSON pointer (RFC 6901), or the
// row, line and column of a file.
type ProblemField struct {
	Pointer string `json:"pointer,omitempty"`
	Row     int64  `json:"row,omitempty"`
	Line    int64  `json:"line,omitempty"`
	Column  string `json:"column,omitempty"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
	Got     string `json:"got,omitempty"`
}

// Problem renders the error in a language ("en", "ar").
func (e *Error) Problem(lang string) Problem {
	status := e.Status()
	code := e.Code
	if _, ok := Lookup(code); !ok {
		code = "internal"
	}
	p := Problem{
		Type: "/problems/" + code, Title: title(lang, status), Status: status, Code: code,
		Detail: Sentence(lang, code, e.Params), Lang: lang, RetryAfter: seconds(e.RetryAfter),
	}
	for _, f := range e.Fields {
		p.Errors = append(p.Errors, ProblemField{
			Pointer: f.Pointer, Row: f.Row, Line: f.Line, Column: f.Column,
			Code: f.Code, Detail: Sentence(lang, f.Code, f.Params), Got: f.Got,
		})
	}
	return p
}

func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

func title(lang string, status int) string {
	if lang == "ar" {
		switch {
		case status == 401 || status == 403:
			return "غير مسموح"
		case status == 404:
			return "غير موجود"
		case status == 409 || status == 423:
			return "غير ممكن الآن"
		case status == 429:
			return "طلبات كثيرة"
		case status >= 500:
			return "خطأ في الخادم"
		}
		return "طلب غير صالح"
	}
	return http.StatusText(status)
}

// Language picks "en" or "ar" from an Accept-Language header (RFC 9110 section
// 12.5.4): the one with the higher weight, English when neither is asked for.
func Language(header string) string {
	if len(header) > 512 {
		return "en"
	}
	best, weight := "en", 0.0
	for part := range strings.SplitSeq(header, ",") {
		tag, params, _ := strings.Cut(part, ";")
		primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		if !slices.Contains([]string{"en", "ar"}, primary) {
			continue
		}
		q := 1.0
		if value, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			q, _ = strconv.ParseFloat(value, 64)
		}
		if q > weight {
			best, weight = primary, q
		}
	}
	return best
}
