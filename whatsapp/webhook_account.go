package whatsapp

import (
	"encoding/json"
	"strings"
	"time"
)

// TemplateRef names the template a webhook is about.
type TemplateRef struct {
	ID       string
	Name     string
	Language string
}

// TemplateStatus: Event in capitals whatever Meta wrote: APPROVED, PAUSED,
// DISABLED, FLAGGED, REJECTED, PENDING_DELETION, ARCHIVED, …
type TemplateStatus struct {
	TemplateRef
	Event    string
	Category string
	// Reason is "" for none.
	Reason string
	// Detail is other_info.title: FIRST_PAUSE, SECOND_PAUSE, RATE_LIMITING_PAUSE, UNPAUSE, DISABLED.
	Detail string
}

// TemplateQuality: scores GREEN, YELLOW, RED or UNKNOWN.
type TemplateQuality struct {
	TemplateRef
	Previous string
	New      string
}

// TemplateCategory is a move between marketing, utility and authentication.
// While it is only announced (Impending), Current is still valid and To comes at
// At; afterwards Current is the new category.
type TemplateCategory struct {
	TemplateRef
	Impending bool
	Previous  string
	Current   string
	To        string
	At        time.Time
}

// TemplateComponents: the content changed; read the template again before trusting this.
type TemplateComponents struct {
	TemplateRef
	Header  string
	Body    string
	Footer  string
	Buttons json.RawMessage
}

// NumberQuality: ONBOARDING and THROUGHPUT_UPGRADE are documented; UPGRADE,
// DOWNGRADE, FLAGGED and UNFLAGGED are from before October 2025 and may still
// come. Limit is the tier named, "" for none or when it speaks of throughput.
type NumberQuality struct {
	DisplayPhone string
	Event        string
	Limit        string
	OldLimit     string
}

// NumberName is the decision about a display name.
type NumberName struct {
	DisplayPhone    string
	Decision        string
	RequestedName   string
	RejectionReason string
}

// Capability is a changed messaging limit of a portfolio.
type Capability struct {
	// Limit is people per rolling 24 hours; meaningful when HasLimit and not Unlimited.
	Limit     int
	Unlimited bool
	HasLimit  bool
	// PerNumber: the figure came under the name used until February 2026.
	PerNumber             bool
	MaxNumbersPerBusiness *int
	MaxNumbersPerWABA     *int
}

// AccountUpdate is an event about a WABA or its partner. Event is Meta's name.
type AccountUpdate struct {
	Event string
	// WABAID is the account concerned; "" when only a portfolio is named.
	WABAID string
	// PortfolioID is the owner if named.
	PortfolioID   string
	PartnerAppID  string
	PhoneNumber   string
	Restrictions  []Restriction
	BanState      string // SCHEDULE_FOR_DISABLE, DISABLE, REINSTATE
	BanDate       time.Time
	ViolationType string
	VolumeTier    *VolumeTier
}

// Restriction: Expires is zero when Meta named no end.
type Restriction struct {
	Type        string
	Expires     time.Time
	Remediation string
}

// VolumeTier is a new price step: Tier is "low:high" in messages of Month (2027-01).
type VolumeTier struct {
	Category string
	Region   string
	Tier     string
	Month    string
	At       time.Time
}

// AccountAlert is Meta's notice about a portfolio, WABA or number.
type AccountAlert struct {
	EntityType string
	EntityID   string
	Severity   string
	Status     string
	Type       string
}

// AccountReview: only APPROVED can use the API.
type AccountReview struct{ Decision string }

// Security: PIN_RESET_REQUEST, PIN_CHANGED, …
type Security struct {
	DisplayPhone string
	Event        string
	Requester    string
}

func readTemplateRef(v map[string]json.RawMessage) TemplateRef {
	return TemplateRef{
		ID: text(v, "message_template_id"), Name: text(v, "message_template_name"),
		Language: text(v, "message_template_language"),
	}
}

func readTemplateStatus(v map[string]json.RawMessage) TemplateStatus {
	t := TemplateStatus{
		TemplateRef: readTemplateRef(v), Event: upper(v, "event"), Category: upper(v, "message_template_category"),
		Reason: upper(v, "reason"), Detail: upper(fields(v["other_info"]), "title"),
	}
	if t.Reason == "NONE" {
		t.Reason = ""
	}
	return t
}

// readTemplateCategory: with correct_category the move is announced and
// new_category is still the present one.
func readTemplateCategory(v map[string]json.RawMessage) TemplateCategory {
	t := TemplateCategory{
		TemplateRef: readTemplateRef(v), Previous: upper(v, "previous_category"), Current: upper(v, "new_category"),
		To: upper(v, "correct_category"), At: instant(v, "category_update_timestamp").at,
	}
	t.Impending = t.To != ""
	if !t.Impending {
		t.To = t.Current
	}
	return t
}

func readNumberQuality(v map[string]json.RawMessage) NumberQuality {
	n := NumberQuality{
		DisplayPhone: text(v, "display_phone_number"), Event: upper(v, "event"),
		Limit: upper(v, "current_limit"), OldLimit: upper(v, "old_limit"),
	}
	if n.Limit == "" {
		n.Limit = upper(v, "max_daily_conversations_per_business")
	}
	if n.Event == "THROUGHPUT_UPGRADE" {
		n.Limit = "" // TIER_UNLIMITED means throughput here, not people
	}
	return n
}

func readCapability(v map[string]json.RawMessage) Capability {
	c := Capability{
		MaxNumbersPerBusiness: number(v, "max_phone_numbers_per_business"),
		MaxNumbersPerWABA:     number(v, "max_phone_numbers_per_waba"),
	}
	key := "max_daily_conversations_per_business"
	if _, ok := v[key]; !ok {
		key, c.PerNumber = "max_daily_conversation_per_phone", true
	}
	if n := number(v, key); n != nil {
		c.Unlimited = *n == -1
		c.HasLimit = c.Unlimited || *n >= 0
		c.Limit = max(*n, 0)
		return c
	}
	c.Limit, c.Unlimited, c.HasLimit = ParseTier(text(v, key))
	c.PerNumber = c.PerNumber && c.HasLimit
	return c
}

func readAccountUpdate(entryID string, v map[string]json.RawMessage) AccountUpdate {
	info, ban := fields(v["waba_info"]), fields(v["ban_info"])
	a := AccountUpdate{
		Event: upper(v, "event"), WABAID: text(info, "waba_id"), PortfolioID: text(info, "owner_business_id"),
		PartnerAppID: text(info, "partner_app_id"), PhoneNumber: text(v, "phone_number"),
		BanState: upper(ban, "waba_ban_state"), ViolationType: upper(fields(v["violation_info"]), "violation_type"),
	}
	if a.WABAID == "" && !strings.HasPrefix(a.Event, "PARTNER_") {
		a.WABAID = entryID // for PARTNER_* the entry is a portfolio
	}
	if at, err := time.Parse("January 2, 2006", text(ban, "waba_ban_date")); err == nil {
		a.BanDate = at
	}
	for _, raw := range elements(v["restriction_info"]) {
		r := fields(raw)
		a.Restrictions = append(a.Restrictions, Restriction{
			Type: upper(r, "restriction_type"), Expires: instant(r, "expiration").at, Remediation: text(r, "remediation"),
		})
	}
	if t := fields(v["volume_tier_info"]); t != nil {
		a.VolumeTier = &VolumeTier{
			Category: upper(t, "pricing_category"), Region: text(t, "region"), Tier: text(t, "tier"),
			Month: text(t, "effective_month"), At: instant(t, "tier_update_time").at,
		}
	}
	return a
}

func readAccountAlert(v map[string]json.RawMessage) AccountAlert {
	info := fields(v["alert_info"])
	if info == nil {
		info = v // some payloads leave the wrapper out
	}
	return AccountAlert{
		EntityType: upper(v, "entity_type"), EntityID: text(v, "entity_id"), Severity: upper(info, "alert_severity"),
		Status: upper(info, "alert_status"), Type: upper(info, "alert_type"),
	}
}
