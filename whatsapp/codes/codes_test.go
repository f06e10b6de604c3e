package codes_test

import (
	"encoding/csv"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bareed/whatsapp/codes"
)

var update = flag.Bool("update", false, "write testdata/sentences.golden and docs/ERRORS.md anew")

// lines reads the table as it is written, without its head.
func lines(t *testing.T) [][]string {
	t.Helper()
	raw, err := os.ReadFile("error-codes.csv")
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(strings.NewReader(string(raw))).ReadAll()
	if err != nil || len(all) < 99 {
		t.Fatalf("%d rows, %v", len(all), err)
	}
	return all[1:]
}

// Every row is what Classify says, and no row contradicts itself: only a stop has
// a stop's columns, what is retried by itself is what is proven to be refused
// before processing, and both languages say cause and action.
func TestErrorTable(t *testing.T) {
	t.Parallel()
	resend := []int{}
	for _, l := range lines(t) {
		low, high, many := strings.Cut(l[0], "-")
		from, err := strconv.Atoi(low)
		if err != nil {
			t.Fatal(err)
		}
		to := from
		if many {
			if to, err = strconv.Atoi(high); err != nil {
				t.Fatal(err)
			}
		}
		for code := from; code <= to; code++ {
			c := codes.Classify(code)
			if !c.Listed || c.Title != l[2] || c.Plane != l[3] || c.HandlingClass != l[4] || string(c.Outcome) != l[5] || string(c.Scope) != l[6] {
				t.Errorf("%d: %+v", code, c)
			}
			if c.Outcome == codes.RefusedForNow {
				resend = append(resend, code)
			}
			s := codes.ClassifyStatus(code)
			if (s.Outcome == codes.StopSending) != (c.Outcome == codes.StopSending) || s.Outcome != codes.StopSending && s.Outcome != codes.RefusedForGood {
				t.Errorf("%d as a status: %s", code, s.Outcome)
			}
		}
		for _, fault := range rowFaults(l, codes.Classify(from)) {
			t.Errorf("%s: %s", l[0], fault)
		}
	}
	slices.Sort(resend)
	if !slices.Equal(resend, []int{4, 80007, 130429, 131056}) {
		t.Errorf("safe to resend: %v", resend)
	}
}

var (
	outcomes = []codes.Outcome{codes.RefusedForNow, codes.RefusedForGood, codes.StopSending, codes.Unknown}
	scopes   = []codes.Scope{codes.ScopeMessage, codes.ScopeRecipient, codes.ScopeTemplate, codes.ScopeCampaign, codes.ScopeNumber, codes.ScopeWABA, codes.ScopeWorkspace}
	rules    = []codes.Rule{"", codes.InARow, codes.Share}
	persons  = []codes.Person{"", codes.OptOut, codes.Undeliverable, codes.Blocked, codes.CoolOff, codes.Window, codes.Country}
	reason   = regexp.MustCompile(`^[a-z0-9_]+$`)
	arabic   = regexp.MustCompile(`^[\x{0600}-\x{06ff}0-9 ،.:؟]+$`)
)

func rowFaults(l []string, c codes.Class) (faults []string) {
	wrong := func(is bool, what string) {
		if is {
			faults = append(faults, what)
		}
	}
	wrong(!slices.Contains(outcomes, c.Outcome) || !slices.Contains(scopes, c.Scope) || !slices.Contains(rules, c.Rule) || !slices.Contains(persons, c.Person),
		"a word that is not the table's")
	wrong(c.Outcome != codes.StopSending && (l[7] != "" || l[8] != ""), "a stop's column without a stop")
	wrong(!reason.MatchString(c.StopReason), "its stop's reason")
	wrong((c.Rule == codes.InARow) != (c.HandlingClass == "fix-request"), "fix-request and in_a_row are one")
	wrong(c.Rule != "" && c.Outcome != codes.RefusedForGood, "a rule over many needs messages that fail")
	wrong(c.Person != "" && c.Scope != codes.ScopeRecipient, "something follows for the person, yet the scope is not theirs")
	wrong(c.OptOut != (c.Person == codes.OptOut), "the opt-out is said twice, differently")
	wrong(l[11] != "yes" && l[11] != "no", "later_campaign is yes or no")
	for i, text := range l[12:] {
		action, foreign := i%2 == 1, i > 1
		wrong(text == "" || strings.TrimSpace(text) != text, "an empty or ragged sentence")
		wrong(strings.HasSuffix(text, ".") != action, "an action ends with a full stop, a cause does not: "+text)
		wrong(foreign && !arabic.MatchString(text), "not Arabic: "+text)
	}
	return faults
}

func TestClassifyDecisions(t *testing.T) {
	t.Parallel()
	type want struct {
		outcome codes.Outcome
		scope   codes.Scope
	}
	stop, good, unknown := codes.StopSending, codes.RefusedForGood, codes.Unknown
	groups := map[want][]int{
		{stop, codes.ScopeWABA}:                     {190, 0, 10, 3, 131005, 200, 243, 299, 368, 131031, 131042, 131064},
		{stop, codes.ScopeNumber}:                   {131048, 133010, 131037, 131045, 33},
		{stop, codes.ScopeTemplate}:                 {132001, 132007, 132015, 132016},
		{stop, codes.ScopeCampaign}:                 {132000, 132012, 131053, 131063, 132068, 132069, 134101, 134102},
		{good, codes.ScopeRecipient}:                {131026, 131047, 131049, 131050, 130472, 131021, 130403, 130497},
		{good, codes.ScopeMessage}:                  {100, 131008, 131009, 135000, 132005, 132018, 300, 199, -7, 42, 999999, 131999, 2388300},
		{unknown, codes.ScopeMessage}:               {1, 2, 131000, 131016},
		{unknown, codes.ScopeNumber}:                {131057},
		{codes.RefusedForNow, codes.ScopeRecipient}: {131056},
		{codes.RefusedForNow, codes.ScopeNumber}:    {130429},
	}
	for w, list := range groups {
		for _, code := range list {
			if c := codes.Classify(code); c.Outcome != w.outcome || c.Scope != w.scope {
				t.Errorf("%d: %s %s, want %s %s", code, c.Outcome, c.Scope, w.outcome, w.scope)
			}
		}
	}
	for code, want := range map[int]string{0: "token_invalid", 190: "token_invalid", -1: "token_invalid", 10: "permission_missing", 243: "permission_missing",
		368: "policy_block", 131031: "account_locked", 131042: "payment_problem", 131048: "spam_rate", 132015: "template_paused", 132016: "template_disabled",
		132001: "template_missing", 132000: "template_changed", 132012: "template_changed", 133010: "number_not_registered", 131064: "classification_violation",
		131053: "meta_131053", 777: "meta_777"} {
		if got := codes.Classify(code).StopReason; got != want {
			t.Errorf("%d stops as %s, want %s", code, got, want)
		}
	}
	for code, want := range map[int]time.Duration{134101: 10 * time.Minute, 132069: time.Hour, 132068: 0} {
		if got := codes.Classify(code).StopFor; got != want {
			t.Errorf("%d stops for %v, want %v", code, got, want)
		}
	}
	if c := codes.Classify(999999); c.Listed || c.Rule != codes.InARow {
		t.Errorf("an unknown code is %+v", c)
	}
}

func TestRetried(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		code           int
		answer, failed codes.Retried
	}{
		{130429, codes.ByItself, codes.NotThisMessage},
		{190, codes.AfterStop, codes.Never},
		{131016, codes.WhenProven, codes.NotThisMessage},
		{131026, codes.Never, codes.Never},
		{131049, codes.NotThisMessage, codes.NotThisMessage},
		{777777, codes.Never, codes.Never},
	} {
		if c := codes.Classify(tt.code); c.Retried(false) != tt.answer || c.Retried(true) != tt.failed {
			t.Errorf("%d: %s in an answer, %s when failed", tt.code, c.Retried(false), c.Retried(true))
		}
	}
}

func TestOfReason(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"meta_131026": 131026, "meta_0": 0, "meta_-1": -1} {
		if code, ok := codes.OfReason(text); !ok || code != want {
			t.Errorf("%s: %d %v", text, code, ok)
		}
	}
	for _, text := range []string{"", "render", "meta_", "meta_x", "131026"} {
		if _, ok := codes.OfReason(text); ok {
			t.Errorf("%q is a code", text)
		}
	}
}

// The golden file is every sentence in both languages, also those of what has no
// row, one page to read when words change.
func TestSentencesGolden(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	tell := func(code int, failed bool) {
		en, ar := codes.Tell("en", code, failed), codes.Tell("ar", code, failed)
		fmt.Fprintf(&b, "%d %s %s\n  en %s. %s %s.\n  ar %s. %s %s.\n", code, en.Title, en.Retried, en.Cause, en.Action, en.Retry, ar.Cause, ar.Action, ar.Retry)
	}
	for _, e := range codes.All("en") {
		tell(e.Code, !slices.Contains(e.Planes, "answer"))
	}
	tell(0, true)
	tell(codes.InvalidBeforeSend, true)
	tell(777777, true)
	golden(t, "testdata/sentences.golden", b.String())
}

// docs/ERRORS.md is the table for people.
func TestErrorsPage(t *testing.T) {
	t.Parallel()
	golden(t, "../../docs/ERRORS.md", page())
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s is not the table's any more; read it and run: go test ./whatsapp/codes -update", file)
	}
}
