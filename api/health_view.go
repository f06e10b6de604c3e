package api

import (
	"encoding/json"
	"time"

	"bareed/numbers"
)

// healthView is Meta's health_status of a number or template.
type healthView struct {
	CanSend  string                 `json:"can_send" doc:"AVAILABLE, LIMITED or BLOCKED; the worst of the entities"`
	Entities map[string]string      `json:"entities,omitempty" doc:"PHONE_NUMBER, MESSAGE_TEMPLATE, WABA, BUSINESS, APP"`
	Reasons  []numbers.HealthReason `json:"reasons,omitempty" doc:"In Meta's own English: what is wrong and what to do"`
	AskedAt  time.Time              `json:"asked_at"`
}

// viewHealth is nil before Meta was asked.
func viewHealth(raw json.RawMessage, at *time.Time) *healthView {
	h := numbers.StoredHealth(raw)
	if at == nil || h.CanSend == "" {
		return nil
	}
	return &healthView{h.CanSend, h.Entities, h.Reasons, *at}
}
