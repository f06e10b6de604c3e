package whatsapp

import (
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// ErrNotAWebhook: the body is not a JSON object.
var ErrNotAWebhook = errors.New("a webhook must be a JSON object")

// WebhookObject is what Envelope.Object says for everything meant for us.
const WebhookObject = "whatsapp_business_account"

// Envelope is one webhook POST, its changes in the order they came. Meta sends
// up to 1,000 of them in one body, unordered and at least once.
type Envelope struct {
	Object  string
	Changes []Change
	// Broken counts entries and changes that could not be read at all.
	Broken int
}

// Change is one event. Raw is its value as it came, for storing what we cannot
// read yet.
type Change struct {
	// EntryID is the WABA; for PARTNER_* account updates the portfolio.
	EntryID   string
	EntryTime time.Time // zero when absent
	Field     string
	Raw       json.RawMessage
	// Value is one of the types below; UnknownChange for what we do not know.
	Value Value
}

// Value is the typed content of a change.
type Value interface{ isValue() }

// UnknownChange is a field or form we do not know: store it, count it.
type UnknownChange struct{}

func (UnknownChange) isValue()      {}
func (Messages) isValue()           {}
func (UserPreferences) isValue()    {}
func (TemplateStatus) isValue()     {}
func (TemplateQuality) isValue()    {}
func (TemplateCategory) isValue()   {}
func (TemplateComponents) isValue() {}
func (NumberQuality) isValue()      {}
func (NumberName) isValue()         {}
func (Capability) isValue()         {}
func (AccountUpdate) isValue()      {}
func (AccountAlert) isValue()       {}
func (AccountReview) isValue()      {}
func (Security) isValue()           {}

// ParseWebhook reads a body leniently: field and object may stand at the wrong
// depth (as in some of Meta's own examples) and a bad element never spoils the
// rest. The only error is ErrNotAWebhook. Verify the signature first.
func ParseWebhook(raw []byte) (Envelope, error) {
	if !json.Valid(raw) {
		return Envelope{}, ErrNotAWebhook
	}
	top := fields(raw)
	if top == nil {
		return Envelope{}, ErrNotAWebhook
	}
	env := Envelope{Object: text(top, "object")}
	entries := elements(top["entry"])
	if entries == nil && (top["changes"] != nil || top["value"] != nil) {
		entries = []json.RawMessage{raw} // an entry without its envelope
	}
	for _, e := range entries {
		entry := fields(e)
		if entry == nil {
			env.Broken++
			continue
		}
		if env.Object == "" {
			env.Object = text(entry, "object")
		}
		env.addEntry(entry)
	}
	return env, nil
}

func (env *Envelope) addEntry(entry map[string]json.RawMessage) {
	changes := elements(entry["changes"])
	if changes == nil && entry["value"] != nil {
		both, err := json.Marshal(map[string]json.RawMessage{"value": entry["value"]})
		if err == nil {
			changes = []json.RawMessage{both}
		}
	}
	for _, c := range changes {
		m := fields(c)
		if m == nil {
			env.Broken++
			continue
		}
		if env.Object == "" {
			env.Object = text(m, "object")
		}
		change := Change{EntryID: text(entry, "id"), EntryTime: instant(entry, "time").at, Raw: m["value"]}
		value := fields(m["value"])
		for _, depth := range []map[string]json.RawMessage{m, entry, value} {
			if change.Field == "" {
				change.Field = text(depth, "field")
			}
		}
		change.Value = parseValue(change, value)
		env.Changes = append(env.Changes, change)
	}
}

// parseValue picks the type. Within the template fields the keys decide, because
// Meta's own example of a quality change carries the name of the status field.
func parseValue(c Change, v map[string]json.RawMessage) Value {
	if v == nil {
		return UnknownChange{}
	}
	field := c.Field
	if field == "" || strings.HasPrefix(field, "message_template_") || strings.HasPrefix(field, "template_") {
		field = fieldByKeys(v, field)
	}
	switch field {
	case "messages":
		return readMessages(v)
	case "user_preferences":
		return readUserPreferences(v)
	case "message_template_status_update":
		return readTemplateStatus(v)
	case "message_template_quality_update":
		return TemplateQuality{TemplateRef: readTemplateRef(v), Previous: upper(v, "previous_quality_score"), New: upper(v, "new_quality_score")}
	case "template_category_update":
		return readTemplateCategory(v)
	case "message_template_components_update":
		return TemplateComponents{
			TemplateRef: readTemplateRef(v), Header: text(v, "message_template_title"), Body: text(v, "message_template_element"),
			Footer: text(v, "message_template_footer"), Buttons: v["message_template_buttons"],
		}
	}
	return parseAccountValue(field, c.EntryID, v)
}

func parseAccountValue(field, entryID string, v map[string]json.RawMessage) Value {
	switch field {
	case "phone_number_quality_update":
		return readNumberQuality(v)
	case "phone_number_name_update":
		return NumberName{
			DisplayPhone: text(v, "display_phone_number"), Decision: upper(v, "decision"),
			RequestedName: text(v, "requested_verified_name"), RejectionReason: text(v, "rejection_reason"),
		}
	case "business_capability_update":
		return readCapability(v)
	case "account_update":
		return readAccountUpdate(entryID, v)
	case "account_alerts":
		return readAccountAlert(v)
	case "account_review_update":
		return AccountReview{Decision: upper(v, "decision")}
	case "security":
		return Security{DisplayPhone: text(v, "display_phone_number"), Event: upper(v, "event"), Requester: text(v, "requester")}
	default:
		return UnknownChange{}
	}
}

// fieldByKeys names the field a value's keys speak for; def when none does.
func fieldByKeys(v map[string]json.RawMessage, def string) string {
	has := func(key string) bool { _, ok := v[key]; return ok }
	switch {
	case has("new_quality_score"):
		return "message_template_quality_update"
	case has("new_category"), has("correct_category"):
		return "template_category_update"
	case has("message_template_element"):
		return "message_template_components_update"
	case has("message_template_id") && has("event"):
		return "message_template_status_update"
	case has("user_preferences"):
		return "user_preferences"
	case has("statuses"), has("messages") && has("metadata"):
		return "messages"
	case has("max_daily_conversations_per_business") && !has("event"):
		return "business_capability_update"
	default:
		return def
	}
}

func upper(m map[string]json.RawMessage, key string) string { return strings.ToUpper(text(m, key)) }
