package whatsapp

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Values of SendResult.Status, Meta's message_status.
const (
	StatusAccepted = "accepted"
	// StatusHeld: accepted, but held back until Meta has judged the first ones.
	StatusHeld = "held_for_quality_assessment"
	// StatusPaused: accepted, the template was paused meanwhile.
	StatusPaused = "paused"
)

// SendResult is what is known after one message request.
type SendResult struct {
	Outcome Outcome
	Scope   Scope
	// Code is Meta's error code; 0 for an answer without one (see HTTPStatus and
	// Title), CodeInvalidBeforeSend for a message refused here.
	Code int
	// HasCode tells Meta's code 0 (bad token) from no code.
	HasCode bool
	// HTTPStatus is 0 when no answer came.
	HTTPStatus int
	// Title is our wording of the code or of what happened to the request.
	Title     string
	FBTraceID string
	// RetryAfter is the time Meta named, 0 for none. The longer of Retry-After
	// and estimated_time_to_regain_access (minutes).
	RetryAfter time.Duration
	// Stayed: nothing was written, because MayLeave said no; Outcome is NeverLeft.
	Stayed bool
	// OptOut: the recipient stopped this business's marketing; record it.
	OptOut bool
	// WAMID, WaID (digits, can differ from the number sent to in Brazil and
	// Mexico), UserID (business-scoped id) and Status are set when Accepted.
	WAMID  WAMID
	WaID   string
	UserID string
	Status string
}

// parseSendAnswer turns a complete HTTP answer into an outcome. Whatever is not
// clearly Meta's own yes or no is Unknown: a gateway in between may have
// answered after Meta accepted.
func parseSendAnswer(status int, header http.Header, body []byte, now time.Time) SendResult {
	res := SendResult{HTTPStatus: status, Outcome: Unknown, Scope: ScopeMessage, RetryAfter: retryAfter(header, now)}
	if status >= 200 && status <= 299 {
		readAccepted(body, &res)
		return res
	}
	if status < 400 {
		res.Title = "redirect, not followed"
		return res
	}
	g := parseGraphError(body)
	if g == nil {
		res.Title = "answer without an error code"
		return res
	}
	class := Classify(g.Code.n)
	res.Code, res.HasCode, res.FBTraceID = g.Code.n, true, cleanTrace(string(g.FBTraceID))
	res.Title, res.Scope, res.OptOut = class.Title, class.Scope, class.OptOut
	if !class.Listed && status >= 500 {
		return res // a server error that we cannot read proves nothing
	}
	res.Outcome = class.Outcome
	return res
}

// readAccepted fills res from a 2xx body; without a message id it stays Unknown.
func readAccepted(body []byte, res *SendResult) {
	var list []json.RawMessage
	m := map[string]json.RawMessage{}
	if json.Valid(body) {
		m = fields(body)
		list = elements(m["messages"])
	}
	if len(list) == 0 {
		res.Title = "answer without a message id"
		return
	}
	first := fields(list[0])
	id := text(first, "id")
	if id == "" {
		res.Title = "answer without a message id"
		return
	}
	res.Outcome, res.WAMID = Accepted, WAMID(storable(id))
	res.Status = text(first, "message_status")
	if res.Status == "" { // one Meta page says always present, another only when paced
		res.Status = StatusAccepted
	}
	if contacts := elements(m["contacts"]); len(contacts) > 0 {
		c := fields(contacts[0])
		res.WaID, res.UserID = storable(text(c, "wa_id")), storable(text(c, "user_id"))
	}
}

// longestID is several times what Meta's ids have; a database's index takes no
// entry of more than 2,700 bytes.
const longestID = 512

// storable gives up an id that a database's text or index cannot hold. The message
// was accepted all the same; its statuses find it by the callback data.
func storable(s string) string {
	if len(s) > longestID || strings.ContainsRune(s, 0) || !utf8.ValidString(s) {
		return ""
	}
	return s
}

var traceForm = regexp.MustCompile(`^[A-Za-z0-9_+/=-]{1,64}$`)

// cleanTrace keeps a trace id only in the form Meta gives it, since it is shown
// and logged.
func cleanTrace(s string) string {
	if !traceForm.MatchString(s) {
		return ""
	}
	return s
}

// maxRetryAfter bounds what a header can make us wait.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads Retry-After (seconds or a date, RFC 9110 10.2.3) and
// X-Business-Use-Case-Usage, whose estimate is in minutes; the longer one counts.
func retryAfter(h http.Header, now time.Time) time.Duration {
	wait := time.Duration(0)
	if v := strings.TrimSpace(h.Get("Retry-After")); v != "" {
		if s, err := strconv.Atoi(v); err == nil {
			wait = time.Duration(min(max(s, 0), int(maxRetryAfter/time.Second))) * time.Second
		} else if at, err := http.ParseTime(v); err == nil {
			wait = at.Sub(now)
		}
	}
	var usage map[string][]struct {
		Minutes float64 `json:"estimated_time_to_regain_access"`
	}
	if v := h.Get("X-Business-Use-Case-Usage"); v != "" && json.Unmarshal([]byte(v), &usage) == nil {
		for _, list := range usage {
			for _, u := range list {
				minutes := min(max(u.Minutes, 0), maxRetryAfter.Minutes())
				wait = max(wait, time.Duration(minutes*float64(time.Minute)))
			}
		}
	}
	return min(max(wait, 0), maxRetryAfter)
}
