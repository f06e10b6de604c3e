package whatsapp

import (
	"bytes"
	"encoding/json"
	"time"
)

// Messages is a change of the field "messages": statuses of what we sent, or
// messages people sent us, or errors of the number.
type Messages struct {
	PhoneNumberID string
	DisplayPhone  string
	Contacts      []Contact
	Inbound       []Inbound
	Statuses      []Status
	Errors        []StatusError
	// Broken counts elements that could not be read.
	Broken int
}

// Contact is a person as Meta names them to this business. WaID (digits) is
// absent for people who hide their number; UserID is the business-scoped id.
type Contact struct {
	WaID     string
	UserID   string
	ParentID string
	Name     string
	Username string
}

// Kinds of Status.Kind that we know; others come through as they are.
const (
	KindSent      = "sent"
	KindDelivered = "delivered"
	KindRead      = "read"
	KindPlayed    = "played"
	KindFailed    = "failed"
)

// Status is a step in a sent message's life. Statuses come unordered, repeated,
// and "delivered" may be missing when "read" comes.
type Status struct {
	ID   WAMID
	Kind string
	// At is Meta's time in seconds; zero when absent or not believable.
	At time.Time
	// BadTime: a time was given and cannot be true (text, 0, from 2100 on).
	BadTime bool
	// RecipientID (digits) and RecipientUserID: either may be absent.
	RecipientID     string
	RecipientUserID string
	// CallbackData is what we sent with the message, unchecked.
	CallbackData string
	// Pricing is nil when the status carries none; keep the first that does.
	Pricing    *Pricing
	PricingRaw json.RawMessage
	// Errors of a failed status; can be empty even then.
	Errors []StatusError
}

// Pricing is what Meta charges for a message by category and type.
type Pricing struct {
	Billable bool
	Model    string // PMP (per message) or CBP (until 2025)
	Type     string // regular, free_customer_service, free_entry_point
	Category string // marketing, utility, authentication, service, …
}

// StatusError is Meta's reason; Meta's sentences are left out on purpose.
type StatusError struct {
	Code  int
	Class Class
}

// Inbound is a message from a person. Raw keeps all of it.
type Inbound struct {
	ID         WAMID
	From       string // digits; empty for a person without a visible number
	FromUserID string
	At         time.Time
	BadTime    bool
	Type       string // text, button, interactive, reaction, system, unsupported, …
	Text       string // body of a text
	// ButtonPayload and ButtonText of a template's quick reply; ReplyID and
	// ReplyTitle of an interactive answer.
	ButtonPayload string
	ButtonText    string
	ReplyID       string
	ReplyTitle    string
	// ContextID is our message this one answers.
	ContextID WAMID
	// ReactionTo and Emoji of a reaction.
	ReactionTo WAMID
	Emoji      string
	// FromAd: it came through an ad and opens a free entry point.
	FromAd bool
	// System is set for a system message such as user_changed_number.
	System *System
	Errors []StatusError
	Raw    json.RawMessage
}

// System is a change Meta tells about a person.
type System struct {
	Type      string
	NewWaID   string
	NewUserID string
}

func readMessages(v map[string]json.RawMessage) Messages {
	meta := fields(v["metadata"])
	m := Messages{
		PhoneNumberID: text(meta, "phone_number_id"), DisplayPhone: text(meta, "display_phone_number"),
		Contacts: readContacts(v["contacts"]), Errors: readErrors(v["errors"]),
	}
	for _, raw := range elements(v["statuses"]) {
		s, ok := readStatus(raw)
		if !ok {
			m.Broken++
			continue
		}
		m.Statuses = append(m.Statuses, s)
	}
	for _, raw := range elements(v["messages"]) {
		in, ok := readInbound(raw)
		if !ok {
			m.Broken++
			continue
		}
		m.Inbound = append(m.Inbound, in)
	}
	return m
}

func readContacts(raw json.RawMessage) []Contact {
	var list []Contact
	for _, c := range elements(raw) {
		m := fields(c)
		if m == nil {
			continue
		}
		profile := fields(m["profile"])
		list = append(list, Contact{
			WaID: text(m, "wa_id"), UserID: text(m, "user_id"), ParentID: text(m, "parent_user_id"),
			Name: text(profile, "name"), Username: text(profile, "username"),
		})
	}
	return list
}

// readStatus needs an id or callback data and a kind; without them there is
// nothing to apply it to.
func readStatus(raw json.RawMessage) (Status, bool) {
	m := fields(raw)
	if m == nil {
		return Status{}, false
	}
	at := instant(m, "timestamp")
	s := Status{
		ID: WAMID(storable(text(m, "id"))), Kind: text(m, "status"), At: at.at, BadTime: at.invalid,
		RecipientID: storable(text(m, "recipient_id")), RecipientUserID: text(m, "recipient_user_id"),
		CallbackData: text(m, "biz_opaque_callback_data"), Errors: readErrors(m["errors"]),
	}
	if s.Kind == "" || s.ID == "" && s.CallbackData == "" {
		return Status{}, false
	}
	// Kept as it came: PostgreSQL refuses some escapes, and Meta's words need none.
	if isObject(m["pricing"]) && bytes.IndexByte(m["pricing"], '\\') < 0 {
		p := fields(m["pricing"])
		s.PricingRaw = m["pricing"]
		s.Pricing = &Pricing{
			Billable: text(p, "billable") == "true", Model: text(p, "pricing_model"),
			Type: text(p, "type"), Category: text(p, "category"),
		}
	}
	return s, true
}

func readErrors(raw json.RawMessage) []StatusError {
	var list []StatusError
	for _, e := range elements(raw) {
		if code := number(fields(e), "code"); code != nil {
			list = append(list, StatusError{Code: *code, Class: ClassifyStatus(*code)})
		}
	}
	return list
}

func readInbound(raw json.RawMessage) (Inbound, bool) {
	m := fields(raw)
	if m == nil {
		return Inbound{}, false
	}
	at := instant(m, "timestamp")
	in := Inbound{
		ID: WAMID(text(m, "id")), From: text(m, "from"), FromUserID: text(m, "from_user_id"),
		At: at.at, BadTime: at.invalid, Type: text(m, "type"), Text: text(fields(m["text"]), "body"),
		ContextID: WAMID(text(fields(m["context"]), "id")), FromAd: isObject(m["referral"]),
		Errors: readErrors(m["errors"]), Raw: raw,
	}
	if in.ID == "" || in.From == "" && in.FromUserID == "" {
		return Inbound{}, false
	}
	button := fields(m["button"])
	in.ButtonPayload, in.ButtonText = text(button, "payload"), text(button, "text")
	interactive := fields(m["interactive"])
	reply := fields(interactive[text(interactive, "type")])
	in.ReplyID, in.ReplyTitle = text(reply, "id"), text(reply, "title")
	reaction := fields(m["reaction"])
	in.ReactionTo, in.Emoji = WAMID(text(reaction, "message_id")), text(reaction, "emoji")
	if s := fields(m["system"]); s != nil {
		in.System = &System{Type: text(s, "type"), NewWaID: text(s, "wa_id"), NewUserID: text(s, "user_id")}
	}
	return in, true
}

// UserPreferences is a person's own choice about marketing, made in WhatsApp.
type UserPreferences struct {
	PhoneNumberID string
	Contacts      []Contact
	Preferences   []Preference
	Broken        int
}

// Preference: Value is stop, resume or signup; it lifts only what it set.
type Preference struct {
	WaID     string
	UserID   string
	Category string // marketing_messages
	Value    string
	SignupID string
	At       time.Time
	BadTime  bool
}

func readUserPreferences(v map[string]json.RawMessage) UserPreferences {
	u := UserPreferences{PhoneNumberID: text(fields(v["metadata"]), "phone_number_id"), Contacts: readContacts(v["contacts"])}
	for _, raw := range elements(v["user_preferences"]) {
		m := fields(raw)
		at := instant(m, "timestamp")
		p := Preference{
			WaID: text(m, "wa_id"), UserID: text(m, "user_id"), Category: text(m, "category"),
			Value: text(m, "value"), SignupID: text(m, "signup_id"), At: at.at, BadTime: at.invalid,
		}
		if p.Value == "" || p.WaID == "" && p.UserID == "" {
			u.Broken++
			continue
		}
		u.Preferences = append(u.Preferences, p)
	}
	return u
}
