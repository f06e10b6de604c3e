package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/messages"

	"github.com/jackc/pgx/v5"
)

// told is one event of the account plane with what it must do.
type toldEvent struct {
	field string
	value map[string]any
	want  effect
}

func waba(stop, change string) effect {
	return effect{stops: []string{"waba:" + stop}, changes: []string{change}}
}

func onlyTold(changes ...string) effect { return effect{changes: changes} }

// accountEvents is every event that Meta documents for accounts and numbers, and
// the older ones, with its effect.
func accountEvents() []toldEvent {
	var list []toldEvent
	account := func(event string, want effect, more ...any) {
		v := map[string]any{"event": event}
		for i := 0; i+1 < len(more); i += 2 {
			v[more[i].(string)] = more[i+1]
		}
		list = append(list, toldEvent{"account_update", v, want})
	}
	for _, event := range []string{"AD_ACCOUNT_LINKED", "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE", "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE",
		"MM_LITE_TERMS_SIGNED", "PARTNER_CLIENT_CERTIFICATION_NEEDED", "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE", "VERIFIED_ACCOUNT",
		"VOLUME_BASED_PRICING_TIER_UPDATE", "AN_EVENT_OF_TOMORROW"} {
		account(event, onlyTold("alert="+event))
	}
	for _, event := range []string{"ACCOUNT_DELETED", "ACCOUNT_OFFBOARDED"} {
		account(event, waba("account_"+strings.ToLower(event), "account="+event))
	}
	account("ACCOUNT_RECONNECTED", onlyTold("account=ACCOUNT_RECONNECTED"))
	account("ACCOUNT_VIOLATION", onlyTold("violation=WEAPONS"), "violation_info", map[string]string{"violation_type": "WEAPONS"})
	for _, state := range []string{"SCHEDULE_FOR_DISABLE", "DISABLE"} {
		account("DISABLED_UPDATE", waba("ban_"+strings.ToLower(state), "ban="+state), "ban_info", map[string]string{"waba_ban_state": state})
	}
	account("DISABLED_UPDATE", onlyTold("ban=REINSTATE"), "ban_info", map[string]string{"waba_ban_state": "REINSTATE"})
	restrict := func(kind string, want effect) {
		account("ACCOUNT_RESTRICTION", want, "restriction_info", []map[string]any{{"restriction_type": kind, "expiration": 4102444800}})
	}
	for _, kind := range []string{"RESTRICTED_BIZ_INITIATED_MESSAGING", "RESTRICTED_CUSTOMER_INITIATED_MESSAGING", "RESTRICTED_UTILITY_TEMPLATES", "RESTRICTED_SOMETHING_NEW"} {
		restrict(kind, waba("restriction_"+strings.ToLower(kind), "restriction="+kind))
	}
	for _, kind := range []string{"RESTRICTED_ADD_PHONE_NUMBER_ACTION", "RESTRICTED_BUSINESS_INITIATED_CALLING", "RESTRICTED_USER_INITIATED_CALLING",
		"RESTRICTED_USER_INITIATED_CALLING_CALL_BUTTON_HIDDEN", "RESTRICTED_BIZ_INITIATED_AND_USER_INITIATED_CALLING", "RESTRICTED_DIRECT_SEND_UTILITY_TEMPLATES"} {
		restrict(kind, onlyTold("alert="+kind))
	}
	for _, kind := range []string{"INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED", "INCREASED_CAPABILITIES_ELIGIBILITY_FAILED",
		"INCREASED_CAPABILITIES_ELIGIBILITY_NEED_MORE_INFO", "OBA_APPROVED", "OBA_REJECTED", "PROFILE_PICTURE_LOST"} {
		list = append(list, toldEvent{"account_alerts", map[string]any{"entity_type": "BUSINESS", "alert_info": map[string]string{"alert_type": kind}}, onlyTold("alert=" + kind)})
	}
	return append(list, numberEvents()...)
}

func numberEvents() []toldEvent {
	const phone = "15550100101"
	quality := func(event string, want effect, limit string) toldEvent {
		return toldEvent{"phone_number_quality_update", map[string]any{"display_phone_number": phone, "event": event, "current_limit": limit}, want}
	}
	name := func(decision string, want effect) toldEvent {
		return toldEvent{"phone_number_name_update", map[string]any{"display_phone_number": phone, "decision": decision, "requested_verified_name": "Acme"}, want}
	}
	list := []toldEvent{
		quality("ONBOARDING", onlyTold("messaging_limit=250"), "TIER_250"),
		quality("THROUGHPUT_UPGRADE", onlyTold("throughput=1000"), "TIER_UNLIMITED"),
		quality("UPGRADE", onlyTold("messaging_limit=100000"), "TIER_100K"),
		quality("DOWNGRADE", onlyTold("messaging_limit=1000"), "TIER_1K"),
		quality("FLAGGED", effect{stops: []string{"number:number_flagged"}, changes: []string{"status=FLAGGED"}}, ""),
		quality("UNFLAGGED", effect{}, ""),
		name("APPROVED", onlyTold("name_decision=APPROVED", "verified_name=Acme")),
		name("REJECTED", onlyTold("name_decision=REJECTED")),
		name("DEFERRED", onlyTold("name_decision=DEFERRED")),
		{"account_review_update", map[string]any{"decision": "APPROVED"}, effect{}},
	}
	for _, event := range []string{"PIN_CHANGED", "PIN_RESET_REQUEST", "PIN_RESET_SUCCESS"} {
		list = append(list, toldEvent{"security", map[string]any{"display_phone_number": phone, "event": event}, onlyTold("security=" + event)})
	}
	for _, decision := range []string{"REJECTED", "PENDING", "DEFERRED"} {
		list = append(list, toldEvent{"account_review_update", map[string]any{"decision": decision},
			waba("review_status_"+strings.ToLower(decision), "review_status="+decision)})
	}
	for name, value := range map[string]any{"max_daily_conversations_per_business": 10000, "max_daily_conversation_per_phone": 10000} {
		want := onlyTold("messaging_limit=10000")
		if name == "max_daily_conversation_per_phone" {
			want = effect{} // one number's, and the portfolio's is known
		}
		list = append(list, toldEvent{"business_capability_update", map[string]any{name: value}, want})
	}
	return list
}

// templateEvents needs the ids of the mailbox's template.
func templateEvents(ref map[string]any) []toldEvent {
	var list []toldEvent
	add := func(field string, want effect, pairs ...any) {
		v := map[string]any{}
		for key, value := range ref {
			v[key] = value
		}
		for i := 0; i+1 < len(pairs); i += 2 {
			v[pairs[i].(string)] = pairs[i+1]
		}
		list = append(list, toldEvent{field, v, want})
	}
	for _, event := range []string{"APPROVED", "UNARCHIVED", "REINSTATED", "approved"} {
		add("message_template_status_update", effect{}, "event", event)
	}
	for _, event := range []string{"ARCHIVED", "DELETED", "DISABLED", "FLAGGED", "IN_APPEAL", "LIMIT_EXCEEDED", "LOCKED", "PAUSED", "paused", "PENDING",
		"PENDING_DELETION", "REJECTED", "A_STATUS_OF_TOMORROW"} {
		s := strings.ToUpper(event)
		add("message_template_status_update", effect{stops: []string{"template:template_" + strings.ToLower(s)}, changes: []string{"status=" + s}}, "event", event)
	}
	for _, field := range []string{"message_template_quality_update", "message_template_status_update"} { // dispatched on the keys
		for score, want := range map[string]effect{"GREEN": {}, "UNKNOWN": onlyTold("quality=UNKNOWN"),
			"YELLOW": {stops: []string{"template:quality_yellow"}, changes: []string{"quality=YELLOW"}},
			"RED":    {stops: []string{"template:quality_red"}, changes: []string{"quality=RED"}}} {
			add(field, want, "previous_quality_score", "GREEN", "new_quality_score", score)
		}
	}
	add("template_category_update", onlyTold("next_category=UTILITY"), "new_category", "MARKETING", "correct_category", "UTILITY", "category_update_timestamp", 4102444800)
	add("template_category_update", onlyTold("category=UTILITY"), "previous_category", "MARKETING", "new_category", "UTILITY")
	return list
}

// TestAccountPlane: every event of accounts, numbers and templates does what the
// table says and nothing else; told again in another body it changes nothing, and
// opens nothing that a person has cleared.
func TestAccountPlane(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := newMailbox(t, r, "960000000000")
	n := len(accountEvents()) + len(templateEvents(map[string]any{"message_template_id": first.Template.MetaID}))
	for i := range n {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			m := newMailbox(t, r, fmt.Sprintf("96%010d", i+1))
			ref := map[string]any{"message_template_id": json.Number(m.Template.MetaID), "message_template_name": "spring_offer", "message_template_language": "en_US"}
			e := append(accountEvents(), templateEvents(ref)...)[i]
			body := func(space string) []byte {
				b, err := json.Marshal(map[string]any{"object": "whatsapp_business_account", "entry": []any{map[string]any{"id": m.Connection.WABAID, "time": 1798761600,
					"changes": []any{map[string]any{"field": e.field, "value": e.value}}}}})
				if err != nil {
					t.Fatal(err)
				}
				return append(b, space...)
			}
			m.post(t, body("")).ok(t, http.StatusOK)
			m.check(t, e.want)
			m.post(t, body(" ")).ok(t, http.StatusOK)
			m.check(t, e.want)
			if s := m.strays(t); len(s) != 0 {
				t.Errorf("strays %v", s)
			}
			m.clearStops(t)
			m.post(t, body("\n")).ok(t, http.StatusOK)
			if got := m.stops(t); len(got) != 0 {
				t.Errorf("%v %v: cleared by a person and open again: %v", e.field, e.value, got)
			}
		})
	}
}

// TestWebhookFilesInOtherBodies: the files again, in bodies that differ by a space.
func TestWebhookFilesInOtherBodies(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	files, err := filepath.Glob(filepath.Join(webhookFiles, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(path string) bool {
		name := filepath.Base(path)
		return strings.HasPrefix(name, "status_") || strings.HasPrefix(name, "inbound_") || strings.HasPrefix(name, "user_")
	})
	for i, path := range files {
		name := filepath.Base(path)
		m := newMailbox(t, r, fmt.Sprintf("95%010d", i))
		body := m.file(t, name)
		m.post(t, body).ok(t, http.StatusOK)
		m.post(t, append(slices.Clone(body), ' ')).ok(t, http.StatusOK)
		want := effects()[name]
		if got := m.stops(t); !slices.Equal(got, want.stops) {
			t.Errorf("%s: stops %v, want %v", name, got, want.stops)
		}
		if got := m.changes(t); !slices.Equal(got, want.changes) {
			t.Errorf("%s: changes %v, want %v", name, got, want.changes)
		}
	}
}

// clearStops clears every open stop as a person does.
func (m *mailbox) clearStops(t testing.TB) {
	t.Helper()
	fixture.In(t, m.pool, m.Tenant.Workspace, func(tx pgx.Tx) error {
		var scopes [][16]byte
		rows, err := tx.Query(t.Context(), `select scope_id from stop where cleared_at is null`)
		if err != nil {
			return err
		}
		if scopes, err = pgx.CollectRows(rows, pgx.RowTo[[16]byte]); err != nil {
			return err
		}
		for _, s := range scopes {
			if _, err := messages.ClearStops(t.Context(), tx, m.Tenant.Workspace, messages.Clearing{ScopeID: s, By: id.New[id.User]().String()}); err != nil {
				return err
			}
		}
		return nil
	})
}
