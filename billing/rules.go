package billing

import "time"

// The categories that a price can be for, in Meta's words.
const (
	Marketing      = "marketing"
	MarketingLite  = "marketing_lite" // sent by way of the Marketing Messages API
	Utility        = "utility"
	Authentication = "authentication"
	International  = "authentication_international"
	Service        = "service"
	Referral       = "referral_conversion" // of the free entry point
)

// Categories lists what a rate card may have prices for.
func Categories() []string {
	return []string{Marketing, MarketingLite, Utility, Authentication, International, Service}
}

// Window says what a message meets at the person's side: no open service window,
// an open one, or the 72 hours of the free entry point.
type Window uint8

// The windows; a rule names one or several of them.
const (
	Closed Window = 1 << iota
	Open
	FreeEntry
)

// Rule is what Meta charges for a category from a day on, until a later rule of
// the same category and window takes its place.
type Rule struct {
	From     time.Time // the first day
	Category string    // empty: every one
	Windows  Window
	Charged  bool
	As       string // whose price is charged; empty: the category's own
	Tiers    bool   // the price falls with the month's volume, where a card says so
	Source   string
}

// PerMessage is the first day on which messages are charged, one by one, when
// they are delivered. Before it, conversations of 24 hours were.
var PerMessage = Day(2025, time.July, 1)

// WindowsCharged is the first day on which what is sent in an open service
// window is charged.
var WindowsCharged = Day(2026, time.October, 1)

const (
	sourcePerMessage = "Meta, Pricing on the WhatsApp Business Platform: per-message pricing since 2025-07-01"
	sourceFreeEntry  = "Meta, Pricing: a reply within 24 hours to an ad or Page button opens 72 hours in which every message is free"
	sourceWindows    = "Meta, Pricing updates: non-template messages and utility templates in a service window, from 2026-10-01"
)

// Rules is the one table of what is charged, by date. Later rules stand behind
// earlier ones; where two of one day fit, the first holds.
func Rules() []Rule {
	const both = Closed | Open
	return []Rule{
		{PerMessage, "", FreeEntry, false, "", false, sourceFreeEntry},
		{PerMessage, Marketing, both, true, "", true, sourcePerMessage},
		{PerMessage, MarketingLite, both, true, "", true, sourcePerMessage},
		{PerMessage, Authentication, both, true, "", true, sourcePerMessage},
		{PerMessage, International, both, true, "", true, sourcePerMessage},
		{PerMessage, Utility, Closed, true, "", true, sourcePerMessage},
		{PerMessage, Utility, Open, false, "", true, sourcePerMessage},
		{PerMessage, Service, both, false, Utility, false, sourcePerMessage},
		{PerMessage, Referral, both, false, "", false, sourceFreeEntry},
		{WindowsCharged, Utility, Open, true, "", true, sourceWindows},
		{WindowsCharged, Service, both, true, Utility, false, sourceWindows},
	}
}

// RuleOf finds the rule for a message on a day; false when there is none: a
// category nobody knows, or a day of conversations.
func RuleOf(category string, w Window, day time.Time) (Rule, bool) {
	var best Rule
	for _, r := range Rules() {
		if r.From.After(day) || r.Windows&w == 0 || r.Category != "" && r.Category != category {
			continue
		}
		if best.From.IsZero() || r.From.After(best.From) {
			best = r
		}
	}
	if best.As == "" {
		best.As = category
	}
	return best, !best.From.IsZero()
}

// Receipt is the pricing object of a message's first status that carried one.
type Receipt struct {
	Model    string // PMP: per message, CBP: per conversation; empty: the status told nothing
	Type     string // regular, free_customer_service, free_entry_point
	Category string
	Billable bool
}

// Verdict is what a receipt means for the bill. At most one of Free and Unknown
// is set, and neither when Charged.
type Verdict struct {
	Charged bool
	As      string // whose price
	Tiers   bool
	Free    string // why nothing is charged
	Unknown string // why it cannot be said
}

// Why a delivered message is free, or its price not known.
const (
	FreeWindow   = "free_customer_service"
	FreeEntry72  = "free_entry_point"
	NotBillable  = "not_billable"
	NotTold      = "not_told"      // no status carried a pricing object
	OddModel     = "odd_model"     // a model that Meta did not have on that day
	OddType      = "odd_type"      // a type nobody knows
	OddCategory  = "odd_category"  // a category nobody knows
	NoCard       = "no_card"       // no rate card in force on that day
	NoRate       = "no_rate"       // the card has no price for the market and category
	NoCountry    = "no_country"    // of the recipient: a number of no country, or none kept
	ManyCurrency = "many_currency" // cards in several currencies, and Meta has not told the account's
)

// Judge reads a receipt of a message delivered on a day. Meta's own word
// decides: what a rule would expect is for estimates.
func (r Receipt) Judge(day time.Time) Verdict {
	switch r.Model {
	case "":
		return Verdict{Unknown: NotTold}
	case "PMP":
		return r.perMessage(day)
	case "CBP":
		if !day.Before(PerMessage) {
			return Verdict{Unknown: OddModel}
		}
		if !r.Billable {
			return Verdict{Free: freeType(r.Type)}
		}
		return Verdict{Charged: true, As: r.Category}
	}
	return Verdict{Unknown: OddModel}
}

func (r Receipt) perMessage(day time.Time) Verdict {
	switch r.Type {
	case FreeWindow, FreeEntry72:
		return Verdict{Free: r.Type}
	case "regular":
	case "": // statuses of before the type was told
		if !r.Billable {
			return Verdict{Free: NotBillable}
		}
	default:
		return Verdict{Unknown: OddType}
	}
	rule, ok := RuleOf(r.Category, Closed, later(day, PerMessage))
	if !ok {
		return Verdict{Unknown: OddCategory}
	}
	return Verdict{Charged: true, As: rule.As, Tiers: rule.Tiers}
}

func freeType(t string) string {
	if t == FreeWindow || t == FreeEntry72 {
		return t
	}
	return NotBillable
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
