package whatsapp

import (
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// Stored is one workspace's share of a webhook as it is kept until it has been
// applied: {"changes":[{field, entry_id, time, value}]}, values as they came.
type Stored struct {
	Changes []StoredChange `json:"changes"`
}

// StoredChange is one change. Time is seconds since 1970, 0 when Meta gave none.
type StoredChange struct {
	Field   string          `json:"field"`
	EntryID string          `json:"entry_id"`
	Time    int64           `json:"time,omitempty"`
	Value   json.RawMessage `json:"value"`
}

// Store takes the parts of a change that are kept.
func Store(c Change) StoredChange {
	s := StoredChange{Field: c.Field, EntryID: c.EntryID, Value: c.Raw}
	if !c.EntryTime.IsZero() {
		s.Time = c.EntryTime.Unix()
	}
	if len(s.Value) == 0 {
		s.Value = json.RawMessage("null")
	}
	return s
}

// DecodeStored reads what was kept.
func DecodeStored(raw []byte) (Stored, error) {
	var s Stored
	if err := json.Unmarshal(raw, &s); err != nil {
		return Stored{}, errors.New("a stored webhook must be an object with changes")
	}
	return s, nil
}

// All gives each change its typed value again.
func (s Stored) All() []Change {
	changes := make([]Change, len(s.Changes))
	for i, k := range s.Changes {
		c := Change{EntryID: k.EntryID, Field: k.Field, Raw: k.Value}
		if k.Time > 0 {
			c.EntryTime = time.Unix(k.Time, 0).UTC()
		}
		c.Value = parseValue(c, fields(k.Value))
		changes[i] = c
	}
	return changes
}

// Messages gives the changes of the field "messages": statuses and what people wrote.
func (s Stored) Messages() []Messages {
	var all []Messages
	for _, c := range s.All() {
		if m, ok := c.Value.(Messages); ok {
			all = append(all, m)
		}
	}
	return all
}

// keptOfInbound is what remains of a person's message when its content may not
// be kept: who, when, what kind, and which of our messages it answers.
func keptOfInbound() []string {
	return []string{"from", "from_user_id", "id", "timestamp", "type", "context", "errors", "system"}
}

// WithoutContent removes from a value of the field "messages" what people wrote
// and their names; statuses stay whole. Any other value comes back as it is.
func WithoutContent(c StoredChange) StoredChange {
	v := fields(c.Value)
	if v == nil || v["messages"] == nil {
		return c
	}
	var messages []map[string]json.RawMessage
	for _, raw := range elements(v["messages"]) {
		kept := only(fields(raw), keptOfInbound()...)
		if system := fields(kept["system"]); system != nil {
			kept["system"] = object(only(system, "type", "wa_id", "user_id"))
		}
		messages = append(messages, kept)
	}
	v["messages"] = object(messages)
	var contacts []map[string]json.RawMessage
	for _, raw := range elements(v["contacts"]) {
		contacts = append(contacts, only(fields(raw), "wa_id", "user_id", "parent_user_id"))
	}
	if contacts != nil {
		v["contacts"] = object(contacts)
	}
	c.Value = object(v)
	return c
}

func only(m map[string]json.RawMessage, keys ...string) map[string]json.RawMessage {
	kept := make(map[string]json.RawMessage, len(keys))
	for _, k := range keys {
		if raw, ok := m[k]; ok {
			kept[k] = raw
		}
	}
	return kept
}

// object encodes maps and lists of raw JSON, which cannot fail: their parts were
// parsed before.
func object(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("null")
	}
	return raw
}

// About names the things a change must be routed by: Meta's phone number id for
// what people write and for statuses, else the ids of WABAs or portfolios, the
// most telling first.
func (c Change) About() (phoneNumberID string, accounts []string) {
	add := func(ids ...string) {
		for _, id := range ids {
			if id != "" {
				accounts = append(accounts, id)
			}
		}
	}
	switch v := c.Value.(type) {
	case Messages:
		return v.PhoneNumberID, nil
	case UserPreferences:
		return v.PhoneNumberID, nil
	case AccountUpdate:
		if v.WABAID == "" {
			add(v.PortfolioID)
		}
		add(v.WABAID, c.EntryID)
	case AccountAlert:
		if strings.Contains(v.EntityType, "WABA") || v.EntityType == "BUSINESS" {
			add(v.EntityID)
		}
		add(c.EntryID)
	default:
		add(c.EntryID)
	}
	return "", accounts
}
