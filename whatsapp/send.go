package whatsapp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"unicode/utf8"
)

// maxCallbackData is Meta's limit of biz_opaque_callback_data, in characters.
const maxCallbackData = 512

// To names the recipient: a phone number (E.164 with the plus sign) or a
// business-scoped user id. With both, Meta uses the phone.
type To struct {
	Phone string
	BSUID string
}

// TemplateMessage is one filled template for one person.
type TemplateMessage struct {
	To       To
	Name     string
	Language string // exactly the approved language: en_US, ar, pt_BR
	// Components in Meta's form; empty for a template without variables.
	Components []Component
	// CallbackData comes back in every status of this message; at most 512
	// characters, no personal data.
	CallbackData string
	// Marketing sends it by the Marketing Messages API; nil: by the Cloud API.
	Marketing *Marketing
	// MayLeave is asked in the moment the first byte is to be written, behind all the
	// time that a connection took; after false nothing is. nil: it may.
	MayLeave func() bool
}

// What Meta does with a message that the Marketing Messages API cannot take.
const (
	PolicyFallback = "CLOUD_API_FALLBACK" // it goes by the Cloud API
	PolicyStrict   = "STRICT"             // it is refused
)

// Marketing is what a request to POST /{phone number id}/marketing_messages says
// beside the message, which is the same as on the Cloud API.
type Marketing struct {
	Policy string // PolicyFallback or PolicyStrict
	// Sharing lets Meta use what people do with the message to optimise others.
	Sharing bool
}

// TextMessage is free text, allowed only inside an open service window.
type TextMessage struct {
	To           To
	Body         string // at most 4096 characters
	PreviewURL   bool
	ReplyTo      WAMID // quotes a message of the recipient
	CallbackData string
}

// Component is the filled part of a template: header, body or button.
type Component struct {
	Type string `json:"type"` // header, body, button
	// SubType and Index (position, "0" the first) name a button.
	SubType    string      `json:"sub_type,omitempty"`
	Index      string      `json:"index,omitempty"`
	Parameters []Parameter `json:"parameters,omitempty"`
}

// Parameter fills one variable; Type says which of the other fields is used.
type Parameter struct {
	Type       string    `json:"type"` // text, currency, date_time, image, video, document, location, payload, coupon_code
	Name       string    `json:"parameter_name,omitempty"`
	Text       string    `json:"text,omitempty"`
	Payload    string    `json:"payload,omitempty"`
	CouponCode string    `json:"coupon_code,omitempty"`
	Image      *Media    `json:"image,omitempty"`
	Video      *Media    `json:"video,omitempty"`
	Document   *Media    `json:"document,omitempty"`
	Currency   *Currency `json:"currency,omitempty"`
	DateTime   *DateTime `json:"date_time,omitempty"`
	Location   *Location `json:"location,omitempty"`
}

// Media is an uploaded id (valid 30 days) or a link.
type Media struct {
	ID       string `json:"id,omitempty"`
	Link     string `json:"link,omitempty"`
	Filename string `json:"filename,omitempty"` // documents only
}

// Currency is an amount in thousandths of a unit; Fallback is the text shown.
type Currency struct {
	Fallback   string `json:"fallback_value"`
	Code       string `json:"code"`
	Amount1000 int64  `json:"amount_1000"`
}

// DateTime carries only text: Meta does not localise it.
type DateTime struct {
	Fallback string `json:"fallback_value"`
}

// Location fills a location header.
type Location struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name,omitempty"`
	Address   string  `json:"address,omitempty"`
}

// messagePayload is the body of POST /{phone number id}/messages, and with the
// last two fields of …/marketing_messages.
type messagePayload struct {
	Product       string           `json:"messaging_product"`
	RecipientType string           `json:"recipient_type"`
	To            string           `json:"to,omitempty"`
	Recipient     string           `json:"recipient,omitempty"`
	Type          string           `json:"type"`
	Template      *templatePayload `json:"template,omitempty"`
	Text          *textPayload     `json:"text,omitempty"`
	Context       *contextPayload  `json:"context,omitempty"`
	CallbackData  string           `json:"biz_opaque_callback_data,omitempty"`
	Policy        string           `json:"product_policy,omitempty"`
	Sharing       *bool            `json:"message_activity_sharing,omitempty"` // said aloud, or the account's setting counts
}

// edge is where the message goes.
func (p messagePayload) edge() string {
	if p.Policy != "" {
		return "marketing_messages"
	}
	return "messages"
}

type templatePayload struct {
	Name     string `json:"name"`
	Language struct {
		Code string `json:"code"`
	} `json:"language"`
	Components []Component `json:"components,omitempty"`
}

type textPayload struct {
	Body       string `json:"body"`
	PreviewURL bool   `json:"preview_url,omitempty"`
}

type contextPayload struct {
	MessageID string `json:"message_id"` // raw: WAMID itself would be masked
}

// SendTemplate makes exactly one request and says what is known afterwards. The
// context's end counts like a time-out; give it one of its own, not a queue
// library's, so that nothing cuts a request in half.
func (c *Client) SendTemplate(ctx context.Context, token Token, numberID string, m TemplateMessage) SendResult {
	p := newPayload(m.To, "template", m.CallbackData)
	p.Template = &templatePayload{Name: m.Name, Components: m.Components}
	p.Template.Language.Code = m.Language
	if m.Name == "" || m.Language == "" {
		return invalidBeforeSend("template name or language missing")
	}
	if w := m.Marketing; w != nil {
		if w.Policy != PolicyFallback && w.Policy != PolicyStrict {
			return invalidBeforeSend("product policy unknown")
		}
		p.Policy, p.Sharing = w.Policy, &w.Sharing
	}
	return c.send(ctx, token, numberID, p, m.MayLeave)
}

// SendText makes exactly one request with free text; see SendTemplate.
func (c *Client) SendText(ctx context.Context, token Token, numberID string, m TextMessage) SendResult {
	p := newPayload(m.To, "text", m.CallbackData)
	p.Text = &textPayload{Body: m.Body, PreviewURL: m.PreviewURL}
	if m.ReplyTo != "" {
		p.Context = &contextPayload{MessageID: m.ReplyTo.Raw()}
	}
	if n := utf8.RuneCountInString(m.Body); n == 0 || n > 4096 {
		return invalidBeforeSend("text empty or longer than 4096 characters")
	}
	return c.send(ctx, token, numberID, p, nil)
}

func newPayload(to To, kind, callback string) messagePayload {
	return messagePayload{
		Product: "whatsapp", RecipientType: "individual",
		To: to.Phone, Recipient: to.BSUID, Type: kind, CallbackData: callback,
	}
}

func invalidBeforeSend(title string) SendResult {
	return SendResult{Outcome: RefusedForGood, Scope: ScopeMessage, Code: CodeInvalidBeforeSend, Title: title}
}

// check finds what must never reach Meta; "" means fine.
func (p messagePayload) check(numberID string) string {
	switch {
	case !nodeID.MatchString(numberID):
		return "phone number id malformed"
	case p.To == "" && p.Recipient == "":
		return "recipient missing"
	case p.To != "" && !IsE164(p.To):
		return "recipient is not a number with country code"
	case p.Recipient != "" && !IsBSUID(p.Recipient):
		return "recipient is not a business-scoped user id"
	case utf8.RuneCountInString(p.CallbackData) > maxCallbackData:
		return "callback data too long"
	}
	return ""
}

// departure watches whether a request can have left this process.
//
// Only a request that got a connection can be written, and the callbacks run in
// the caller's goroutine, which the later "wrote headers" one does not. net/http
// asks for a second connection for a POST only when not one byte of the first
// try was written, so asking again takes the mark back.
type departure struct {
	left, stayed atomic.Bool
	may          func() bool // nil: it may
	stop         context.CancelFunc
}

func (d *departure) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { d.left.Store(false) },
		GotConn: d.got,
	}
}

// got is the last moment before the request is written. One that may not leave any
// more finds its connection closed, and its context ended, so that no other is tried.
func (d *departure) got(with httptrace.GotConnInfo) {
	if d.may != nil && !d.may() {
		d.stayed.Store(true)
		d.stop()
		with.Conn.Close()
		return
	}
	d.left.Store(true)
}

func (c *Client) send(ctx context.Context, token Token, numberID string, p messagePayload, may func() bool) SendResult {
	if problem := p.check(numberID); problem != "" {
		return invalidBeforeSend(problem)
	}
	if len(token.Raw()) > longestToken || !tokenForm.MatchString(token.Raw()) { // net/http would refuse it each time, as if the network were down
		return SendResult{Outcome: StopSending, Scope: ScopeWABA, Code: CodeInvalidBeforeSend, Title: "access token missing or malformed"}
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return invalidBeforeSend("message cannot be encoded")
	}
	ctx, cancel := context.WithTimeout(ctx, c.sendTimeout)
	defer cancel()
	d := departure{may: may, stop: cancel}
	ctx = httptrace.WithClientTrace(ctx, d.trace())
	req, err := c.request(ctx, http.MethodPost, numberID, p.edge(), nil, bytes.NewReader(raw))
	if err != nil {
		return invalidBeforeSend("request cannot be built")
	}
	status, header, body, err := c.roundTrip(req, token, maxSendAnswer)
	if err == nil {
		return parseSendAnswer(status, header, body, c.now())
	}
	res := SendResult{Outcome: Unknown, Scope: ScopeMessage, HTTPStatus: status, Title: transportTitle(err), Stayed: d.stayed.Load()}
	if !d.left.Load() {
		res.Outcome = NeverLeft
	}
	if res.Stayed {
		res.Title = "too late to leave"
	}
	return res
}

// transportTitle words a transport error without quoting it: it can name hosts.
func transportTitle(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.As(err, &dns):
		return "name not resolved"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timed out"
	case errors.Is(err, errTooLarge):
		return "answer too large"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "answer cut off"
	case errors.As(err, &op) && op.Op == "dial":
		return "no connection"
	default:
		return "connection failed"
	}
}
