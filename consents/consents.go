// Package consents owns what people agreed to and refused: the append-only
// ledger, what it comes to (permission), who must not be messaged whatever is
// recorded (suppression), and the words that mean stop and start.
//
// Imports, the API, the web and the webhook door write through it; the plan and
// the claim read permission and suppression. It must not know campaigns or
// messages.
//
// The rule: the later of opt-in and opt-out by when it occurred decides, and at
// the same instant the opt-out. The order of arrival does not matter. Two kinds
// of entry weigh less than that:
//   - A declared opt-in, said of a whole file and not dated per person, never
//     stands against an opt-out, earlier or later.
//   - What WhatsApp itself reports (user_preferences, error 131050) concerns
//     marketing alone, and its resume takes back its own stop and nothing else:
//     it is no opt-in.
package consents

import (
	"regexp"
	"slices"
	"time"

	"bareed/internal/errs"
	"bareed/internal/id"
)

// Purpose is what a message is for: its template's category in small letters.
type Purpose string

// The purposes.
const (
	Marketing      Purpose = "marketing"
	Utility        Purpose = "utility"
	Authentication Purpose = "authentication"
)

// Purposes lists every purpose.
func Purposes() []Purpose { return []Purpose{Marketing, Utility, Authentication} }

// The two things a person can do.
const (
	ActionOptIn  = "opt_in"
	ActionOptOut = "opt_out"
)

// The methods with a meaning of their own; others are free words.
const (
	MethodKeyword         = "keyword"
	MethodButton          = "button"
	MethodImport          = "import"
	MethodAPI             = "api"
	MethodUserPreferences = "user_preferences" // WhatsApp's own switch (webhook user_preferences)
	MethodMeta131050      = "meta_131050"      // Meta refused: the person stopped marketing messages
)

// fromPlatform tells whether WhatsApp reported it, not the person to the business.
func fromPlatform(method string) bool {
	return method == MethodUserPreferences || method == MethodMeta131050
}

// FromChat tells whether only the webhook door can know of a method: words and
// taps in the chat, and what Meta reports. Programs and files may not claim it.
func FromChat(method string) bool { return slices.Contains(chatMethods(), method) }

func chatMethods() []string {
	return []string{MethodKeyword, MethodButton, MethodUserPreferences, MethodMeta131050}
}

// Entry is one line of the ledger. RecipientKey (p:… or b:…) is the identity it
// was given for and Contact who that is, zero while nobody knows.
type Entry struct {
	Contact      id.Contact
	RecipientKey string
	Purpose      Purpose
	Action       string
	Method       string
	Source       string
	Wording      id.Wording
	Evidence     string
	EvidenceHash []byte
	Policy       string // strict or general, as it was judged
	OccurredAt   time.Time
	Declared     bool
	ExpiresAt    *time.Time
	Actor        string
	Import       id.Import
	ImportRow    int64 // line of the file, the header is 1
}

var reMethod = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// checkCommon refuses what no entry may be. Times ahead of now are refused with
// a minute's grace for a clock that is a little fast.
func checkCommon(purposes []Purpose, method, source, evidence string, at, now time.Time) error {
	for _, p := range purposes {
		if !slices.Contains(Purposes(), p) {
			return errs.New("consent.purpose", "got", errs.Clip(string(p))).At("/purposes", "")
		}
	}
	switch {
	case !reMethod.MatchString(method):
		return errs.New("consent.method", "got", errs.Clip(method)).At("/method", "")
	case len(source) > 500 || len(evidence) > 500:
		return errs.New("consent.source_long").At("/source", "")
	case at.After(now.Add(time.Minute)):
		return errs.New("consent.date_future").At("/occurred_at", "")
	case at.IsZero() || at.Year() < 2009:
		return errs.New("consent.date").At("/occurred_at", "")
	}
	return nil
}

// allOf returns the recipient keys without repeats and empty ones.
func allOf(keys []string) []string {
	var all []string
	for _, k := range keys {
		if k != "" && k != "p:" && k != "b:" && !slices.Contains(all, k) {
			all = append(all, k)
		}
	}
	return all
}

// platformPurposes narrows what WhatsApp reports to marketing.
func platformPurposes(method string, purposes []Purpose) []Purpose {
	if fromPlatform(method) {
		return []Purpose{Marketing}
	}
	if len(purposes) == 0 {
		return Purposes()
	}
	return slices.Compact(slices.Sorted(slices.Values(purposes)))
}
