package codes

import (
	"strconv"
	"strings"
)

// Retried says whether a message is sent again after a code.
type Retried string

const (
	// ByItself: after a pause, without anybody's doing.
	ByItself Retried = "by_itself"
	// AfterStop: when the stop that the code opened is over.
	AfterStop Retried = "after_stop"
	// WhenProven: only when it is proven that Meta did not accept the first
	// request and the campaign's policy is evidence, or by a person's decision.
	WhenProven Retried = "when_proven"
	// NotThisMessage: this one never; a later campaign may reach the person.
	NotThisMessage Retried = "not_this_message"
	// Never: neither it nor the same one later, unless something is changed.
	Never Retried = "never"
)

// Retried says it of an answer with the code, or with failed of a message that
// has ended with it.
func (c Class) Retried(failed bool) Retried {
	switch {
	case !failed && c.Outcome == RefusedForNow:
		return ByItself
	case !failed && c.Outcome == StopSending:
		return AfterStop
	case !failed && c.Outcome == Unknown:
		return WhenProven
	case c.LaterCampaign:
		return NotThisMessage
	}
	return Never
}

// MetaError is one of Meta's codes in words.
type MetaError struct {
	Code    int     `json:"code" doc:"Meta's error code; 0 where a failure named none"`
	Title   string  `json:"title" doc:"Meta's own name of it"`
	Cause   string  `json:"cause"`
	Action  string  `json:"action" doc:"What can be done about it"`
	Retried Retried `json:"retried" enum:"by_itself,after_stop,when_proven,not_this_message,never" doc:"Is this message sent again"`
	Retry   string  `json:"retry" doc:"retried as a sentence"`
}

var retrySentences = map[Retried][2]string{
	ByItself:       {"Yes, by itself", "نعم، تلقائيًا"},
	AfterStop:      {"Yes, when the stop is over", "نعم، بعد انتهاء الإيقاف"},
	WhenProven:     {"Only when it is certain that Meta did not accept it, or by your decision", "فقط إن ثبت أن ميتا لم تقبلها، أو بقرار منك"},
	NotThisMessage: {"Not this message; a later campaign may reach the person", "ليس هذه الرسالة، وقد تصل الشخص حملة لاحقة"},
	Never:          {"No", "لا"},
}

// Sentences of what the table has no row for, English before Arabic.
var (
	unlisted = [2][2]string{
		{"Meta refused with code {code}, which is not known here", "See Meta's documentation of this code, or ask support."},
		{"رفضت ميتا بالرمز {code} وهو غير معروف هنا", "راجع وثائق ميتا لهذا الرمز أو راسل الدعم."},
	}
	notSent = [2][2]string{
		{"The message could not be put into a request, so it was never sent", "Compare the campaign's values with the template, and check the number's token."},
		{"تعذّر إعداد طلب للرسالة فلم تُرسل", "قارن قيم الحملة بالقالب وتحقق من رمز الرقم."},
	}
	withoutCode = [2][2]string{
		{"Meta reported that the message failed, without saying why", "Nothing at once: a later campaign may reach the person."},
		{"أبلغت ميتا بإخفاق الرسالة دون ذكر السبب", "لا شيء الآن: قد تصل الشخص حملة لاحقة."},
	}
)

// Tell words a code in a language ("ar", or English for any other). failed: the
// message has ended with it; else an answer named it and the message may go on.
func Tell(lang string, code int, failed bool) MetaError {
	n := 0
	if lang == "ar" {
		n = 1
	}
	c := Classify(code)
	t := MetaError{Code: code, Title: c.Title, Retried: c.Retried(failed)}
	r, listed := byCode()[code]
	switch {
	case code == 0 && failed:
		t.Title, t.Retried, t.Cause, t.Action = "", NotThisMessage, withoutCode[n][0], withoutCode[n][1]
	case listed:
		t.Cause, t.Action = r.cause[n], r.action[n]
	case code == InvalidBeforeSend:
		t.Cause, t.Action = notSent[n][0], notSent[n][1]
	default:
		t.Cause, t.Action = strings.ReplaceAll(unlisted[n][0], "{code}", strconv.Itoa(code)), unlisted[n][1]
	}
	t.Retry = retrySentences[t.Retried][n]
	return t
}

// OfReason reads the code out of a failed message's reason, meta_131026.
func OfReason(reason string) (code int, ok bool) {
	text, ok := strings.CutPrefix(reason, "meta_")
	if !ok {
		return 0, false
	}
	code, err := strconv.Atoi(text)
	return code, err == nil
}

// OfStop is the code whose words tell of a stop that a code opened: the one that
// the stop's reason names, which can be another than Meta answered (see Syncing).
func OfStop(reason string, answered int) int {
	if code, ok := OfReason(reason); ok {
		return code
	}
	return answered
}

// ErrorCode is a row of the table for those who read all of it.
type ErrorCode struct {
	MetaError
	Last       int      `json:"last,omitempty" doc:"Where a row stands for several codes: the last of them"`
	HTTPStatus int      `json:"http_status,omitempty"`
	Planes     []string `json:"planes" doc:"Where Meta gives it: answer, status, management"`
	Outcome    Outcome  `json:"outcome" enum:"refused_for_now,refused_for_good,stop,unknown" doc:"What becomes of a message that is answered with it"`
	Scope      Scope    `json:"scope" enum:"message,recipient,template,campaign,number,waba,workspace"`
	Stop       string   `json:"stop,omitempty" doc:"Reason of the stop that the first one opens"`
	StopFor    int      `json:"stop_seconds,omitempty" doc:"The stop ends by itself after this; else a person clears it"`
	Rule       Rule     `json:"rule,omitempty" enum:"in_a_row,share" doc:"in_a_row: five one after another stop the campaign. share: more than a twentieth of the last answers stops it"`
	Person     Person   `json:"person,omitempty" enum:"opt_out,undeliverable,blocked,cool_off,window,country" doc:"What follows for the person"`
}

// All lists the whole table in a language, in the order of the table. Retried is
// what it is in the answer plane, except of codes that only a status names.
func All(lang string) []ErrorCode {
	list := make([]ErrorCode, 0, len(rows()))
	for _, r := range rows() {
		c := r.class
		e := ErrorCode{MetaError: Tell(lang, r.code, c.Plane == "async"), HTTPStatus: c.HTTPStatus, Planes: c.Planes(), Outcome: c.Outcome,
			Scope: c.Scope, StopFor: int(c.StopFor.Seconds()), Rule: c.Rule, Person: c.Person}
		if r.last != r.code {
			e.Last = r.last
		}
		if c.Outcome == StopSending {
			e.Stop = c.StopReason
		}
		list = append(list, e)
	}
	return list
}

// Planes spells the plane out: answer, status, management.
func (c Class) Planes() []string {
	switch c.Plane {
	case "sync":
		return []string{"answer"}
	case "async":
		return []string{"status"}
	case "mgmt":
		return []string{"management"}
	}
	return []string{"answer", "status"}
}
