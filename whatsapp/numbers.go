package whatsapp

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
)

// ErrMalformedID: a Graph id must be digits; nothing was sent.
var ErrMalformedID = errors.New("a Graph id must be 1 to 32 digits")

// maxPages bounds every listing, so that a looping cursor ends.
const maxPages = 200

// phoneFields is what GetPhoneNumber and ListPhoneNumbers ask for when the
// caller names no fields.
const phoneFields = "id,display_phone_number,verified_name,status,quality_rating,platform_type,account_mode," +
	"code_verification_status,name_status,throughput,whatsapp_business_manager_messaging_limit,is_on_biz_app,health_status"

// PhoneNumber is a sending number as Meta describes it. Every word is Meta's own
// and may be one we do not know yet; Raw keeps the whole answer.
type PhoneNumber struct {
	ID           string
	DisplayPhone string
	VerifiedName string
	Status       string // only CONNECTED may send
	Quality      string // GREEN, YELLOW, RED, UNKNOWN, NA
	PlatformType string
	AccountMode  string // SANDBOX or LIVE
	NameStatus   string
	Verification string
	Throughput   string // STANDARD (80 a second) or HIGH (1,000)
	// MessagingLimit is the portfolio's tier name; see ParseTier.
	MessagingLimit string
	// OnBizApp: coexistence with the phone app, fixed at 20 messages a second.
	OnBizApp bool
	Health   Health
	Raw      json.RawMessage
}

// UnmarshalJSON reads Meta's object leniently and keeps it in Raw.
func (p *PhoneNumber) UnmarshalJSON(b []byte) error {
	m := fields(b)
	if m == nil {
		return errors.New("a phone number must be an object")
	}
	*p = PhoneNumber{
		ID: text(m, "id"), DisplayPhone: text(m, "display_phone_number"), VerifiedName: text(m, "verified_name"),
		Status: text(m, "status"), Quality: text(m, "quality_rating"), PlatformType: text(m, "platform_type"),
		AccountMode: text(m, "account_mode"), NameStatus: text(m, "name_status"), Verification: text(m, "code_verification_status"),
		Throughput: text(fields(m["throughput"]), "level"), MessagingLimit: limitName(m), OnBizApp: text(m, "is_on_biz_app") == "true",
		Health: readHealth(m["health_status"]), Raw: append(json.RawMessage(nil), b...),
	}
	return nil
}

// limitName prefers the portfolio's limit (v24) over the deprecated field.
func limitName(m map[string]json.RawMessage) string {
	if s := text(m, "whatsapp_business_manager_messaging_limit"); s != "" {
		return s
	}
	return text(m, "messaging_limit_tier")
}

// Health is Meta's own answer to "can this send": AVAILABLE, LIMITED or BLOCKED,
// overall and for each entity. The overall value is the worst one.
type Health struct {
	CanSend  string
	Entities []HealthEntity
}

// HealthEntity is one PHONE_NUMBER, MESSAGE_TEMPLATE, WABA, BUSINESS or APP.
type HealthEntity struct {
	Type    string
	ID      string
	CanSend string
	// Codes are the error codes Meta gives as reasons.
	Codes   []int
	Reasons []HealthReason
}

// HealthReason is why an entity is BLOCKED (a code, what is wrong, what to do) or
// LIMITED (what is said of it alone), in Meta's own English, clipped.
type HealthReason struct {
	Code        int
	Description string
	Solution    string
}

func readHealth(raw json.RawMessage) Health {
	m := fields(raw)
	h := Health{CanSend: text(m, "can_send_message")}
	for _, e := range elements(m["entities"]) {
		em := fields(e)
		entity := HealthEntity{Type: text(em, "entity_type"), ID: text(em, "id"), CanSend: text(em, "can_send_message")}
		for _, item := range elements(em["errors"]) {
			im := fields(item)
			if code := number(im, "error_code"); code != nil {
				entity.Codes = append(entity.Codes, *code)
				entity.Reasons = append(entity.Reasons, HealthReason{*code, clip(text(im, "error_description")), clip(text(im, "possible_solution"))})
			}
		}
		for _, item := range elements(em["additional_info"]) {
			var said string
			if json.Unmarshal(item, &said) == nil && said != "" {
				entity.Reasons = append(entity.Reasons, HealthReason{Description: clip(said)})
			}
		}
		h.Entities = append(h.Entities, entity)
	}
	return h
}

// GetPhoneNumber reads one number; fields "" asks for all we use.
func (c *Client) GetPhoneNumber(ctx context.Context, token Token, numberID, fieldList string) (PhoneNumber, error) {
	if !nodeID.MatchString(numberID) {
		return PhoneNumber{}, ErrMalformedID
	}
	if fieldList == "" {
		fieldList = phoneFields
	}
	var p PhoneNumber
	err := c.get(ctx, token, numberID, "", url.Values{"fields": {fieldList}}, &p)
	return p, err
}

// ListPhoneNumbers reads all numbers of a WABA, in one call unless Meta pages.
func (c *Client) ListPhoneNumbers(ctx context.Context, token Token, wabaID string) ([]PhoneNumber, error) {
	if !nodeID.MatchString(wabaID) {
		return nil, ErrMalformedID
	}
	var all []PhoneNumber
	after := ""
	for range maxPages {
		var page page[PhoneNumber]
		q := url.Values{"fields": {phoneFields}, "limit": {"100"}}
		if after != "" {
			q.Set("after", after)
		}
		if err := c.get(ctx, token, wabaID, "phone_numbers", q, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Data...)
		if after = page.next(after); after == "" {
			return all, nil
		}
	}
	return nil, errors.New("the list of numbers does not end")
}

// page is Graph's cursor paging.
type page[T any] struct {
	Data   []T `json:"data"`
	Paging struct {
		Cursors struct {
			After string `json:"after"`
		} `json:"cursors"`
		Next string `json:"next"`
	} `json:"paging"`
}

// next gives the cursor to go on with; "" at the end. The URL in Next is never
// used: it carries the token.
func (p *page[T]) next(current string) string {
	if p.Paging.Next == "" || p.Paging.Cursors.After == current {
		return ""
	}
	return p.Paging.Cursors.After
}

// HealthStatus reads only the health of a number, WABA or template.
func (c *Client) HealthStatus(ctx context.Context, token Token, id string) (Health, error) {
	if !nodeID.MatchString(id) {
		return Health{}, ErrMalformedID
	}
	var doc struct {
		Health json.RawMessage `json:"health_status"`
	}
	if err := c.get(ctx, token, id, "", url.Values{"fields": {"health_status"}}, &doc); err != nil {
		return Health{}, err
	}
	return readHealth(doc.Health), nil
}

// BusinessProfile is what recipients see of a number; policy asks for a way to
// reach support in it.
type BusinessProfile struct {
	About       string   `json:"about"`
	Address     string   `json:"address"`
	Description string   `json:"description"`
	Email       string   `json:"email"`
	Websites    []string `json:"websites"`
	Vertical    string   `json:"vertical"`
	PictureURL  string   `json:"profile_picture_url"`
}

// GetBusinessProfile reads a number's profile.
func (c *Client) GetBusinessProfile(ctx context.Context, token Token, numberID string) (BusinessProfile, error) {
	if !nodeID.MatchString(numberID) {
		return BusinessProfile{}, ErrMalformedID
	}
	var doc page[BusinessProfile]
	q := url.Values{"fields": {"about,address,description,email,websites,vertical,profile_picture_url"}}
	if err := c.get(ctx, token, numberID, "whatsapp_business_profile", q, &doc); err != nil {
		return BusinessProfile{}, err
	}
	if len(doc.Data) == 0 {
		return BusinessProfile{}, nil
	}
	return doc.Data[0], nil
}
