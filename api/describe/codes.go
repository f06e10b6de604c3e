package describe

import (
	"net/http"
	"slices"
	"strings"

	"bareed/accounts"
	"bareed/api/front"
)

// Codes lists every problem an operation may answer with: those of the gates
// that stand before it, by its row, and its own.
func Codes(row front.Route) []string {
	w := byRoute()[row.Route]
	codes := append([]string{"internal", "timeout", "param.duplicate", "param.syntax", "auth.key_in_url"}, w.codes...)
	if strings.HasPrefix(row.Path(), "/v1/") {
		codes = append(codes, "rate.limited", "storage.full", "storage.unavailable")
		codes = append(codes, queryCodes(row)...)
		codes = append(codes, bodyCodes(row)...)
	}
	if !row.Public && !row.Operator {
		codes = append(codes, accessCodes(row)...)
	}
	if strings.Contains(row.Path(), "{") {
		codes = append(codes, "not_found")
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

func accessCodes(row front.Route) []string {
	codes := []string{"auth.missing", "auth.key", "auth.key_revoked", "auth.session"}
	rule, _ := accounts.RuleOf(row.Action)
	switch {
	case rule.Scope == "":
		codes = append(codes, "auth.not_by_key")
	case rule.Scope != accounts.AnyKey:
		codes = append(codes, "auth.scope")
	}
	if row.Action != accounts.ReadSelf {
		codes = append(codes, "auth.role", "auth.operator", "auth.no_workspace")
	}
	if !row.Open {
		codes = append(codes, "workspace.suspended")
	}
	if row.Writes() {
		codes = append(codes, "csrf")
	}
	if row.Method() == http.MethodPost {
		codes = append(codes, "idempotency.key", "idempotency.mismatch", "idempotency.in_progress")
	}
	return codes
}

func queryCodes(row front.Route) []string {
	id := byRoute()[row.Route].id
	if strings.HasPrefix(id, "list") {
		return []string{"invalid", "page.limit", "page.cursor", "not_found"}
	}
	return []string{"invalid"}
}

func bodyCodes(row front.Route) []string {
	if !row.Writes() {
		return []string{"body.unexpected"}
	}
	return []string{"body.missing", "body.too_large", "body.broken_off", "content_type", "json.syntax", "json.trailing", "json.encoding",
		"json.duplicate_key", "json.too_deep", "json.number", "json.type", "json.unknown_field", "field.time", "ref.not_found"}
}
