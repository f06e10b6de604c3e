// Package codes owns Meta's error codes: one table that says of each what became
// of the message, how far it reaches, which stop it opens, what follows for the
// person, whether the message is sent again, and what to tell people about it in
// English and Arabic.
//
// whatsapp classifies answers and statuses by it, worker and messages carry out
// what it says, api and web show its sentences. It must not know the ledger or
// HTTP: it reads its table and nothing else.
package codes

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Outcome says what is known about a message after its request. There are six
// and no others; the text form is stored and logged.
type Outcome string

const (
	// Accepted: Meta answered 2xx with a message id.
	Accepted Outcome = "accepted"
	// NeverLeft: no connection was ever had (DNS, dial, TLS, pool), or nothing was
	// written to it, so Meta cannot have seen it.
	NeverLeft Outcome = "never_left"
	// RefusedForNow: Meta refused before processing; the same message may be sent again later.
	RefusedForNow Outcome = "refused_for_now"
	// RefusedForGood: Meta refused this message; sending it again gives the same answer.
	RefusedForGood Outcome = "refused_for_good"
	// StopSending: Meta refused for a reason that holds for everything in the Scope.
	// The message itself was not processed.
	StopSending Outcome = "stop"
	// Unknown: the request may have been accepted. Never resend on this alone.
	Unknown Outcome = "unknown"
)

// Scope says how far an outcome reaches.
type Scope string

// The scopes, from one message to everything of a workspace.
const (
	ScopeMessage   Scope = "message"
	ScopeRecipient Scope = "recipient"
	ScopeTemplate  Scope = "template"
	ScopeCampaign  Scope = "campaign"
	ScopeNumber    Scope = "number"
	ScopeWABA      Scope = "waba"
	ScopeWorkspace Scope = "workspace"
)

// Rule says what many messages with the code come to.
type Rule string

const (
	// InARow: five one after another stop the campaign, because every further
	// message would be refused the same way.
	InARow Rule = "in_a_row"
	// Share: more than a twentieth of the last answers stops the campaign; one
	// alone is that person's data.
	Share Rule = "share"
)

// Person says what follows for the person beyond the message.
type Person string

const (
	// OptOut: they stopped this business's marketing.
	OptOut Person = "opt_out"
	// Undeliverable: a strike; two within 30 days suppress until they write.
	Undeliverable Person = "undeliverable"
	// Blocked: the business blocked them; suppressed until they write, which
	// nobody can who is still blocked.
	Blocked Person = "blocked"
	// CoolOff: Meta wants them left alone for a day; noted.
	CoolOff Person = "cool_off"
	// Window: their service window is not open, whatever was thought.
	Window Person = "window"
	// Country: counts for their country, which the account may not message.
	Country Person = "country"
)

// InvalidBeforeSend is our own: the message was refused here and never sent.
const InvalidBeforeSend = -1

// Class is a row of the table. HandlingClass is one of retry-with-backoff,
// throttle, drop-recipient, suppress-recipient, pause-template, pause-campaign,
// pause-number, halt-workspace, fix-credentials, fix-request, not-applicable.
// Plane is where Meta gives the code: sync (the answer), async (a failed status),
// both, or mgmt (requests other than messages). HTTPStatus is 0 where Meta prints
// none.
type Class struct {
	Outcome       Outcome // in an answer; ClassifyStatus says what it is in a status
	Scope         Scope
	Plane         string
	HandlingClass string
	Title         string
	HTTPStatus    int
	// Listed is false for a code that is not in the table.
	Listed bool
	// StopReason and StopFor are those of the stop that StopSending opens; with a
	// StopFor of 0 it waits for a person.
	StopReason string
	StopFor    time.Duration
	Rule       Rule
	Person     Person
	// LaterCampaign: the same person may be reached at another time.
	LaterCampaign bool
	// OptOut: the recipient stopped this business's marketing (131050); record it.
	OptOut bool
}

//go:embed error-codes.csv
var table string

// row is a code with its class and sentences, English before Arabic.
type row struct {
	class         Class
	code          int
	last          int // of a range; else code
	cause, action [2]string
}

var rows = sync.OnceValue(func() []row { return mustParse(table) })

var byCode = sync.OnceValue(func() map[int]row {
	m := map[int]row{}
	for _, r := range rows() {
		for code := r.code; code <= r.last; code++ {
			m[code] = r
		}
	}
	return m
})

// Classify gives the class of an error code in the answer to a request. Codes
// that are not in the table are refused for good, and stop after several in a row.
func Classify(code int) Class {
	if r, ok := byCode()[code]; ok {
		return r.class
	}
	c := Class{Outcome: RefusedForGood, Scope: ScopeMessage, Plane: "both", HandlingClass: "fix-request",
		Title: "Unlisted error code", StopReason: "meta_" + strconv.Itoa(code), Rule: InARow}
	if code == InvalidBeforeSend {
		c.Title, c.StopReason = "Refused before sending", "token_invalid"
	}
	return c
}

// ClassifyStatus gives the class of the error code of a failed status in a
// webhook. Such a message has definitely ended, so its outcome is StopSending
// (the scope stops, the message has failed) or RefusedForGood, never a resend.
func ClassifyStatus(code int) Class {
	c := Classify(code)
	if c.Outcome != StopSending {
		c.Outcome = RefusedForGood
	}
	return c
}

// Codes of a template that the Marketing Messages API is still preparing.
const (
	stillSyncing = 134101
	badValue     = 131009
)

// Syncing is what a code means in the answer to a message that went by the
// Marketing Messages API with a template of the last ten minutes: 131009 then says
// no more than 134101, that Meta is still preparing the template. ok is false for
// every other code.
func Syncing(code int) (as int, ok bool) { return stillSyncing, code == badValue }

// Waiting is what a code means of a message that is not lost with it.
func Waiting(code int) int {
	if as, ok := Syncing(code); ok {
		return as
	}
	return code
}

// mustParse reads the embedded table; a fault in it is a fault of the build.
func mustParse(text string) []row {
	list, err := parse(text)
	if err != nil {
		panic("codes: error-codes.csv: " + err.Error())
	}
	return list
}

// The columns of the table.
const (
	colCode = iota
	colStatus
	colTitle
	colPlane
	colHandling
	colOutcome
	colScope
	colReason
	colFor
	colRule
	colPerson
	colLater
	colCauseEN
	colActionEN
	colCauseAR
	colActionAR
)

func parse(text string) ([]row, error) {
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, err
	}
	list := make([]row, 0, len(lines))
	for _, line := range lines[1:] {
		r, err := parseRow(line)
		if err != nil {
			return nil, fmt.Errorf("code %q: %w", line[colCode], err)
		}
		if slices.ContainsFunc(list, func(x row) bool { return x.code == r.code }) {
			return nil, fmt.Errorf("code %d twice", r.code)
		}
		list = append(list, r)
	}
	return list, nil
}

func parseRow(line []string) (r row, err error) {
	low, high, many := strings.Cut(line[colCode], "-")
	if r.code, err = strconv.Atoi(low); err != nil {
		return r, err
	}
	if r.last = r.code; many {
		if r.last, err = strconv.Atoi(high); err != nil {
			return r, err
		}
	}
	c := Class{Title: line[colTitle], Plane: line[colPlane], HandlingClass: line[colHandling], Outcome: Outcome(line[colOutcome]),
		Scope: Scope(line[colScope]), StopReason: line[colReason], Rule: Rule(line[colRule]), Person: Person(line[colPerson]),
		LaterCampaign: line[colLater] == "yes", OptOut: Person(line[colPerson]) == OptOut, Listed: true}
	if line[colStatus] != "" {
		if c.HTTPStatus, err = strconv.Atoi(line[colStatus]); err != nil {
			return r, err
		}
	}
	if line[colFor] != "" {
		if c.StopFor, err = time.ParseDuration(line[colFor]); err != nil {
			return r, err
		}
	}
	if c.StopReason == "" {
		c.StopReason = "meta_" + low
	}
	r.class = c
	r.cause, r.action = [2]string{line[colCauseEN], line[colCauseAR]}, [2]string{line[colActionEN], line[colActionAR]}
	return r, nil
}
