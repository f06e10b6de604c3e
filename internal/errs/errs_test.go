package errs_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"bareed/internal/errs"
)

func TestProblem(t *testing.T) {
	t.Parallel()
	e := errs.New("json.syntax", "line", 3, "column", 7).At("/a", "field.too_long", "max", 9)
	e.RetryAfter = 1500 * time.Millisecond
	p := e.Problem("en")
	if p.Status != 400 || p.Code != "json.syntax" || p.Title != "Bad Request" || p.RetryAfter != 2 || p.Type != "/problems/json.syntax" ||
		!strings.Contains(p.Detail, "line 3, column 7") || len(p.Errors) != 1 || p.Errors[0].Detail != "This may have at most 9 characters." {
		t.Errorf("problem %+v", p)
	}
	if ar := e.Problem("ar"); ar.Lang != "ar" || ar.Detail == p.Detail || ar.Title == p.Title {
		t.Errorf("problem %+v", ar)
	}
	if p := errs.New("no.such_code").Problem("en"); p.Status != 500 || p.Code != "internal" {
		t.Errorf("an unknown code shows as %+v", p)
	}
}

func TestAs(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	err := fmt.Errorf("do it: %w", errs.New("not_found").Because(cause))
	if !errs.Is(err, "not_found") || errs.Is(err, "internal") || errs.Is(cause, "not_found") || !errors.Is(err, cause) {
		t.Error("as")
	}
}

func TestClipAndMask(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"a\nb\u202ec": "a b c", strings.Repeat("é", 41): strings.Repeat("é", 40) + "…", "": ""} {
		if got := errs.Clip(in); got != want {
			t.Errorf("clip %q: %q", in, got)
		}
	}
	for in, want := range map[string]string{"+966512345667": "+9665••••••67", "12345": "•••••"} {
		if got := errs.MaskPhone(in); got != want {
			t.Errorf("mask %q: %q", in, got)
		}
	}
}

// A code, an amount or a name in Latin letters keeps its own direction in an Arabic
// sentence; a number alone needs no help, and English takes everything as it is.
func TestArabicSentencesKeepWhatIsForeignApart(t *testing.T) {
	t.Parallel()
	p := errs.Params{"estimate": "8.10 XTS", "budget": "8.00 XTS"}
	if s := errs.Sentence("ar", "budget.over_campaign", p); !strings.Contains(s, "\u20688.10 XTS\u2069") || !strings.Contains(s, "\u20688.00 XTS\u2069") {
		t.Errorf("%q", s)
	}
	if s := errs.Sentence("en", "budget.over_campaign", p); strings.ContainsRune(s, '\u2068') {
		t.Errorf("%q", s)
	}
	if s := errs.Sentence("ar", "caps.range", errs.Params{"got": 3000, "min": 24, "max": 720}); strings.ContainsRune(s, '\u2068') || !strings.Contains(s, "3,000") {
		t.Errorf("%q", s)
	}
}
