package whatsapp

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// Outcome says what is known about a message after its request. There are six
// and no others; the text form is stored and logged.
type Outcome string

const (
	// Accepted: Meta answered 2xx with a message id.
	Accepted Outcome = "accepted"
	// NeverLeft: no connection was ever had (DNS, dial, TLS, pool), so Meta cannot have seen it.
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

// Codes that callers name.
const (
	CodeTokenExpired      = 190
	CodeThroughput        = 130429
	CodePairRate          = 131056
	CodeUserStopped       = 131050
	CodeTemplatePaused    = 132015
	CodeInvalidCursor     = 131059
	CodeInvalidBeforeSend = -1 // ours: the message was refused here and never sent
)

// Class is a row of the error table. HandlingClass is one of retry-with-backoff,
// throttle, drop-recipient, suppress-recipient, pause-template, pause-campaign,
// pause-number, halt-workspace, fix-credentials, fix-request, not-applicable.
// Plane is sync, async, both or mgmt. HTTPStatus is 0 where Meta prints none.
type Class struct {
	Outcome       Outcome
	Scope         Scope
	Plane         string
	HandlingClass string
	Title         string
	HTTPStatus    int
	// Listed is false for a code that is not in the table.
	Listed bool
	// OptOut: the recipient stopped this business's marketing (131050); record it.
	OptOut bool
}

//go:embed error-codes.csv
var errorCodesCSV string

var codeTable = sync.OnceValue(func() map[int]Class { return mustParseCodes(errorCodesCSV) })

// Classify gives the class of an error code in the answer to a request. Codes
// that are not in the table are refused for good: the caller opens a stop after
// several in a row.
func Classify(code int) Class {
	if c, ok := codeTable()[code]; ok {
		return c
	}
	if code >= 200 && code <= 299 {
		return codeTable()[200]
	}
	return Class{
		Outcome: RefusedForGood, Scope: ScopeMessage, Plane: "both",
		HandlingClass: "fix-request", Title: "Unlisted error code",
	}
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

// mustParseCodes reads the embedded table; a fault in it is a fault of the build.
func mustParseCodes(text string) map[int]Class {
	table, err := parseCodes(text)
	if err != nil {
		panic("whatsapp: error-codes.csv: " + err.Error())
	}
	return table
}

func parseCodes(text string) (map[int]Class, error) {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, err
	}
	table := make(map[int]Class, len(rows))
	for _, row := range rows[1:] {
		low, _, _ := strings.Cut(row[0], "-") // 200-299 is kept under 200
		code, err := strconv.Atoi(low)
		if err != nil {
			return nil, fmt.Errorf("code %q: %w", row[0], err)
		}
		status := 0
		if row[1] != "" {
			if status, err = strconv.Atoi(row[1]); err != nil {
				return nil, fmt.Errorf("status of %d: %w", code, err)
			}
		}
		if _, double := table[code]; double {
			return nil, fmt.Errorf("code %d twice", code)
		}
		table[code] = Class{
			HTTPStatus: status, Title: row[2], Plane: row[3], HandlingClass: row[4],
			Outcome: Outcome(row[5]), Scope: Scope(row[6]), Listed: true,
			OptOut: code == CodeUserStopped,
		}
	}
	return table, nil
}
