package sandbox

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"bareed/sandbox/asset"
	"bareed/sandbox/hooks"
	"bareed/whatsapp"
)

// TemplateChange is what SetTemplate takes. Status and Quality each send their
// webhook unless Silent; Detail is other_info.title, such as FIRST_PAUSE.
type TemplateChange struct {
	TemplateID string `json:"template_id"`
	Status     string `json:"status,omitempty"`
	Quality    string `json:"quality_score,omitempty"`
	// CorrectCategory announces a move for 24 hours later; Category makes it.
	CorrectCategory string `json:"correct_category,omitempty"`
	Category        string `json:"category,omitempty"`
	Detail          string `json:"detail,omitempty"`
	Silent          bool   `json:"silent,omitempty"`
}

// SetTemplate changes a template as Meta would.
func (s *Server) SetTemplate(c TemplateChange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.findTemplate(c.TemplateID)
	if t == nil {
		return fmt.Errorf("template %s is not known", c.TemplateID)
	}
	w := s.wabas[t.WABAID]
	w.revision++
	if c.Quality != "" {
		old := t.Quality
		t.Quality = strings.ToUpper(c.Quality)
		if !c.Silent {
			s.change(w, w.ID, "message_template_quality_update", t.Event("previous_quality_score", old, "new_quality_score", t.Quality))
		}
	}
	if c.CorrectCategory != "" {
		t.CorrectCategory = strings.ToUpper(c.CorrectCategory)
		if !c.Silent {
			v := t.Event("new_category", t.Category, "correct_category", t.CorrectCategory)
			v["category_update_timestamp"] = s.now().Add(24 * time.Hour).Unix()
			s.change(w, w.ID, "template_category_update", v)
		}
	}
	if c.Category != "" {
		old := t.Category
		t.Category, t.CorrectCategory = strings.ToUpper(c.Category), ""
		if !c.Silent {
			s.change(w, w.ID, "template_category_update", t.Event("previous_category", old, "new_category", t.Category))
		}
	}
	if c.Status != "" && c.Silent {
		t.Status = strings.ToUpper(c.Status)
	} else if c.Status != "" {
		s.templateStatus(t, strings.ToUpper(c.Status), c.Detail)
	}
	return nil
}

// templateStatus needs mu.
func (s *Server) templateStatus(t *template, status, detail string) {
	t.Status = status
	v := t.Event("event", status, "reason", "NONE", "message_template_category", t.Category)
	if detail != "" {
		v["other_info"] = map[string]string{"title": detail, "description": "scripted"}
	}
	s.change(s.wabas[t.WABAID], t.WABAID, "message_template_status_update", v)
}

// Inbound is a message from a person. Text or Button (payload and title) says
// what; both empty sends "hello".
type Inbound struct {
	NumberID      string `json:"phone_number_id"`
	From          string `json:"from"`              // E.164
	UserID        string `json:"user_id,omitempty"` // instead of From, for a person already met
	Text          string `json:"text,omitempty"`
	ButtonPayload string `json:"button_payload,omitempty"`
	ButtonText    string `json:"button_text,omitempty"`
	ContextID     string `json:"context_id,omitempty"` // a wamid of ours
}

// SendInbound lets a person write: the service window opens and the webhook goes
// out. It gives the message's id.
func (s *Server) SendInbound(in Inbound) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, wa, id, err := s.whoWrites(in.NumberID, in.From, in.UserID)
	if err != nil {
		return "", err
	}
	now := s.now()
	n.windows[wa] = now.Add(24 * time.Hour)
	contact := s.contactOf(wa, id)
	wamid := s.newWAMID(wa)
	msg := map[string]any{"id": wamid, "from_user_id": id, "timestamp": seconds(now)}
	if contact.WaID != "" {
		msg["from"] = contact.WaID
	}
	if in.ButtonPayload != "" || in.ButtonText != "" {
		msg["type"], msg["button"] = "button", map[string]string{"payload": in.ButtonPayload, "text": in.ButtonText}
	} else {
		msg["type"], msg["text"] = "text", map[string]string{"body": def(in.Text, "hello")}
	}
	if in.ContextID != "" {
		msg["context"] = map[string]string{"from": asset.Digits(n.DisplayPhone), "id": in.ContextID}
	}
	v := newMessages(n)
	v.Contacts, v.Messages = []hooks.Contact{contact}, []any{msg}
	s.change(n.waba, n.WABAID, "messages", v)
	return wamid, nil
}

// whoWrites needs mu.
func (s *Server) whoWrites(numberID, from, user string) (*number, string, string, error) {
	n := s.numbers[numberID]
	if n == nil {
		return nil, "", "", fmt.Errorf("number %s is not known", numberID)
	}
	if from != "" {
		if !whatsapp.IsE164(from) {
			return nil, "", "", errors.New("from must be E.164")
		}
		wa := asset.WaID(from)
		return n, wa, s.meet(n.waba.PortfolioID, wa), nil
	}
	if wa := s.byUserID[user]; wa != "" {
		return n, wa, user, nil
	}
	return nil, "", "", errors.New("from, or the user_id of somebody already met, is needed")
}

// UserPreference is a person's choice in WhatsApp: stop, resume or signup.
type UserPreference struct {
	NumberID string `json:"phone_number_id"`
	From     string `json:"from"`
	UserID   string `json:"user_id,omitempty"`
	Value    string `json:"value"`
	SignupID string `json:"signup_id,omitempty"`
}

// SendUserPreference sends the user_preferences webhook.
func (s *Server) SendUserPreference(p UserPreference) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, wa, id, err := s.whoWrites(p.NumberID, p.From, p.UserID)
	if err != nil {
		return err
	}
	contact := s.contactOf(wa, id)
	pref := map[string]any{
		"user_id": id, "detail": "scripted", "category": "marketing_messages", "value": p.Value, "timestamp": s.now().Unix(),
	}
	if contact.WaID != "" {
		pref["wa_id"] = contact.WaID
	}
	if p.SignupID != "" {
		pref["signup_id"] = p.SignupID
	}
	v := newMessages(n)
	v.Contacts, v.Prefs = []hooks.Contact{contact}, []any{pref}
	s.change(n.waba, n.WABAID, "user_preferences", v)
	return nil
}

// SetLimit changes a portfolio's limit and sends business_capability_update to
// each of its accounts, as a number, or as the tier's name with AsTier.
func (s *Server) SetLimit(c LimitChange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.portfolios[c.PortfolioID]
	limit, unlimited, ok := whatsapp.ParseTier(c.Limit)
	if p == nil || !ok {
		return errors.New("a known portfolio_id and a limit such as TIER_2K are needed")
	}
	p.Limit = c.Limit
	var value any = limit
	if unlimited {
		value = -1
	}
	if c.AsTier {
		value = c.Limit
	}
	for _, w := range s.wabas {
		if w.PortfolioID == p.ID && !c.Silent {
			s.change(w, w.ID, "business_capability_update", map[string]any{
				"max_daily_conversations_per_business": value, "max_phone_numbers_per_waba": 25,
			})
		}
	}
	return nil
}

// LimitChange is what SetLimit takes.
type LimitChange struct {
	PortfolioID string `json:"portfolio_id"`
	Limit       string `json:"limit"`
	AsTier      bool   `json:"as_tier,omitempty"`
	Silent      bool   `json:"silent,omitempty"`
}

// RawEvent is any change for an account's apps, such as account_update with
// {"event":"ACCOUNT_RESTRICTION",…}. EntryID "" means the WABA.
type RawEvent struct {
	WABAID  string         `json:"waba_id"`
	EntryID string         `json:"entry_id,omitempty"`
	Field   string         `json:"field,omitempty"` // account_update
	Value   map[string]any `json:"value"`
}

// SendEvent sends a change as it is. A DISABLED_UPDATE also changes whether the
// account may send: DISABLE refuses with 131031 until REINSTATE.
func (s *Server) SendEvent(e RawEvent) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.wabas[e.WABAID]
	if w == nil || e.Value == nil {
		return errors.New("a known waba_id and a value are needed")
	}
	if ban, ok := e.Value["ban_info"].(map[string]any); ok {
		switch ban["waba_ban_state"] {
		case "DISABLE":
			w.ReviewStatus = "REJECTED"
		case "REINSTATE":
			w.ReviewStatus = "APPROVED"
		}
	}
	s.change(w, def(e.EntryID, w.ID), def(e.Field, "account_update"), e.Value)
	return nil
}
