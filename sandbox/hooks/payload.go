// Package hooks writes the sandbox's webhooks: bodies in Meta's shape, signed, and
// Meta's handshake with a callback.
//
// The sandbox decides what happens and when; this package only puts it on the
// wire. It never tries twice by itself.
package hooks

import (
	"encoding/json"
	"time"

	"bareed/whatsapp"
)

// envelope, entry and change wrap everything, as Meta writes it.
type envelope struct {
	Object string  `json:"object"`
	Entry  []entry `json:"entry"`
}

type entry struct {
	ID      string   `json:"id"`
	Time    int64    `json:"time,omitempty"`
	Changes []change `json:"changes"`
}

type change struct {
	Field string `json:"field"`
	Value any    `json:"value"`
}

// Messages is the value of the fields messages and user_preferences.
type Messages struct {
	Product  string `json:"messaging_product"`
	Metadata struct {
		Display string `json:"display_phone_number"`
		ID      string `json:"phone_number_id"`
	} `json:"metadata"`
	Contacts []Contact `json:"contacts,omitempty"`
	Messages []any     `json:"messages,omitempty"`
	Statuses []Status  `json:"statuses,omitempty"`
	Prefs    []any     `json:"user_preferences,omitempty"`
}

// Contact is a person; WaID is empty for one who hides the number.
type Contact struct {
	Profile struct {
		Name     string `json:"name"`
		Username string `json:"username,omitempty"`
	} `json:"profile"`
	WaID   string `json:"wa_id,omitempty"`
	UserID string `json:"user_id,omitempty"`
}

// Status is one step of a sent message, Timestamp in seconds as text.
type Status struct {
	ID        string   `json:"id"`
	Status    string   `json:"status"`
	Timestamp string   `json:"timestamp"`
	Recipient string   `json:"recipient_id,omitempty"`
	UserID    string   `json:"recipient_user_id,omitempty"`
	Callback  string   `json:"biz_opaque_callback_data,omitempty"`
	Pricing   *Pricing `json:"pricing,omitempty"`
	Errors    []Error  `json:"errors,omitempty"`
}

// Pricing stands at sent and delivered.
type Pricing struct {
	Billable bool   `json:"billable"`
	Model    string `json:"pricing_model"`
	Type     string `json:"type"`
	Category string `json:"category"`
}

// chargedSince is when Meta began to charge messages inside a service window.
var chargedSince = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)

// Priced is what Meta charges for a message of a category (service for one
// without a template), by the rules of the day it was accepted.
func Priced(category string, inWindow bool, accepted time.Time) *Pricing {
	p := &Pricing{Billable: true, Model: "PMP", Type: "regular", Category: category}
	free := category != "marketing" && category != "marketing_lite" && category != "authentication"
	if inWindow && free && accepted.Before(chargedSince) {
		p.Billable, p.Type = false, "free_customer_service"
	}
	return p
}

// Error is the reason of a failed status.
type Error struct {
	Code    int               `json:"code"`
	Title   string            `json:"title"`
	Message string            `json:"message"`
	Data    map[string]string `json:"error_data"`
}

// NewMessages begins a value for a number, display in digits.
func NewMessages(display, numberID string) Messages {
	m := Messages{Product: "whatsapp"}
	m.Metadata.Display, m.Metadata.ID = display, numberID
	return m
}

// Event is one status of a number, or any other change as Field and Value.
type Event struct {
	EntryID string
	Field   string
	Value   any
	// NumberID, Display and Status are set for a status. Contact is nil for a
	// failed one: Meta leaves the block out.
	NumberID string
	Display  string
	Status   *Status
	Contact  *Contact
}

// Encode puts events into one body: a status joins the others of its number and
// account, failures apart because they have no contacts.
func Encode(events []Event, now time.Time) ([]byte, error) {
	doc := envelope{Object: whatsapp.WebhookObject}
	type slot struct {
		entry, number string
		failed        bool
	}
	groups := map[slot]*Messages{}
	for _, e := range events {
		if e.Status == nil {
			doc.Entry = append(doc.Entry, entry{ID: e.EntryID, Time: e.time(now), Changes: []change{{Field: e.Field, Value: e.Value}}})
			continue
		}
		key := slot{e.EntryID, e.NumberID, e.Contact == nil}
		g := groups[key]
		if g == nil {
			m := NewMessages(e.Display, e.NumberID)
			g = &m
			groups[key] = g
			doc.Entry = append(doc.Entry, entry{ID: e.EntryID, Changes: []change{{Field: "messages", Value: g}}})
		}
		g.Statuses = append(g.Statuses, *e.Status)
		if e.Contact != nil {
			g.Contacts = append(g.Contacts, *e.Contact)
		}
	}
	return json.Marshal(doc)
}

// time stands at account events only, as in Meta's examples.
func (e Event) time(now time.Time) int64 {
	if e.Field == "messages" || e.Field == "user_preferences" {
		return 0
	}
	return now.Unix()
}
