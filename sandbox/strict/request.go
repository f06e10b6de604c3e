// Package strict is the part of Meta's strictness that needs no state: the form
// of a message request, a template's demands on its parameters, fields= and
// cursors of reads.
//
// The sandbox calls it. It is written from Meta's rules and not from the
// product's client, so that the two are compared and not one with itself.
package strict

import (
	"bytes"
	"encoding/json"
	"io"
	"unicode/utf8"

	"bareed/whatsapp"
)

// Request is everything we let into POST …/messages and …/marketing_messages;
// another name is refused with 100, as Meta does with a misspelled parameter.
type Request struct {
	Product       string  `json:"messaging_product"`
	RecipientType string  `json:"recipient_type"`
	To            string  `json:"to"`
	Recipient     string  `json:"recipient"`
	Type          string  `json:"type"`
	Template      *Filled `json:"template"`
	Text          *struct {
		Body       string `json:"body"`
		PreviewURL bool   `json:"preview_url"`
	} `json:"text"`
	Context *struct {
		MessageID string `json:"message_id"`
	} `json:"context"`
	CallbackData string `json:"biz_opaque_callback_data"`
	IdentityHash string `json:"recipient_identity_key_hash"`

	Policy  *string `json:"product_policy"`
	Sharing *bool   `json:"message_activity_sharing"`
	// Marketing is set for a request to …/marketing_messages.
	Marketing bool `json:"-"`
}

// Filled is a template with its parameters.
type Filled struct {
	Name     string `json:"name"`
	Language struct {
		Code   string `json:"code"`
		Policy string `json:"policy"`
	} `json:"language"`
	Components []Component `json:"components"`
}

// Component fills a header, a body or a button.
type Component struct {
	Type       string          `json:"type"`
	SubType    string          `json:"sub_type"`
	Index      json.RawMessage `json:"index"` // "0" or 0
	Parameters []Parameter     `json:"parameters"`
	Cards      json.RawMessage `json:"cards"`
}

// Parameter fills one variable.
type Parameter struct {
	Type       string          `json:"type"`
	Name       string          `json:"parameter_name"`
	Text       *string         `json:"text"`
	Payload    *string         `json:"payload"`
	CouponCode *string         `json:"coupon_code"`
	Image      json.RawMessage `json:"image"`
	Video      json.RawMessage `json:"video"`
	Document   json.RawMessage `json:"document"`
	Location   json.RawMessage `json:"location"`
	Action     json.RawMessage `json:"action"`
	Limited    json.RawMessage `json:"limited_time_offer"`
	Currency   *struct {
		Fallback string `json:"fallback_value"`
		Code     string `json:"code"`
		Amount   int64  `json:"amount_1000"`
	} `json:"currency"`
	DateTime *struct {
		Fallback string `json:"fallback_value"`
	} `json:"date_time"`
}

// Check checks what needs no state.
func (in *Request) Check(body []byte) *Refusal {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	var again Request
	if err := dec.Decode(&again); err != nil {
		return Refuse(100, "unsupported or misspelled parameter")
	}
	if _, err := dec.Token(); err != io.EOF {
		return Refuse(100, "text after the JSON object")
	}
	switch {
	case in.Product != "whatsapp":
		return Refuse(100, "the parameter messaging_product is required")
	case in.RecipientType != "" && in.RecipientType != "individual":
		return Refuse(100, "recipient_type")
	case in.To == "" && in.Recipient == "":
		return Refuse(100, "the parameter to is required")
	case in.To != "" && !whatsapp.IsE164(in.To):
		// Meta would put the sender's country code in front of a number without a
		// plus and message a stranger; a judge must not let that pass.
		return Refuse(131009, "to must be a plus sign and 7 to 15 digits")
	case in.To == "" && !whatsapp.IsBSUID(in.Recipient):
		return Refuse(131009, "recipient must be a business-scoped user id")
	case utf8.RuneCountInString(in.CallbackData) > 512:
		return Refuse(100, "biz_opaque_callback_data is longer than 512 characters")
	}
	if ref := in.checkType(); ref != nil {
		return ref
	}
	return in.checkWay()
}

func (in *Request) checkType() *Refusal {
	switch in.Type {
	case "template":
		if in.Template == nil || in.Template.Name == "" || in.Template.Language.Code == "" || in.Text != nil {
			return Refuse(131008, "template name and language code are required, and no other content")
		}
	case "text":
		if in.Text == nil || in.Text.Body == "" || in.Template != nil {
			return Refuse(131008, "text body is required, and no other content")
		}
		if utf8.RuneCountInString(in.Text.Body) > 4096 {
			return Refuse(100, "text body is longer than 4096 characters")
		}
	case "":
		return Refuse(100, "the parameter type is required")
	default:
		return Refuse(131051, "message type "+in.Type)
	}
	return nil
}

// Refusal is an error answer in Meta's terms; Status 0 takes the error table's.
type Refusal struct {
	Code       int
	Status     int
	Details    string
	RetryAfter int    // seconds
	Usage      string // the account whose usage header is sent
}

// Refuse makes a refusal with the error table's HTTP status.
func Refuse(code int, details string) *Refusal { return &Refusal{Code: code, Details: details} }

// HTTPStatus is the one given, or the error table's, or 400.
func (r *Refusal) HTTPStatus() int {
	if r.Status != 0 {
		return r.Status
	}
	if c := whatsapp.Classify(r.Code); c.HTTPStatus != 0 {
		return c.HTTPStatus
	}
	return 400
}
