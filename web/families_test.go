package web_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"bareed/accounts"
)

// column reads the values that the database permits in a column.
func column(t *testing.T, schema, table, name string) (values []string) {
	t.Helper()
	_, after, ok := strings.Cut(schema, "\ncreate table "+table+" (\n")
	body, _, _ := strings.Cut(after, "\n);")
	m := regexp.MustCompile(`CHECK \(\(` + name + ` = ANY \(ARRAY\[([^\]]*)\]`).FindStringSubmatch(body)
	if !ok || m == nil {
		t.Fatalf("%s.%s has no list of values", table, name)
	}
	for _, v := range strings.Split(m[1], ", ") {
		values = append(values, strings.Trim(strings.TrimSuffix(v, "::text"), "'"))
	}
	return values
}

// Every value that a family of texts can be asked for has a text: one without
// shows as itself, in no language.
func TestFamiliesAreWhole(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("../migrations/schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	of := func(table, name string) []string { return column(t, string(file), table, name) }
	var scopes []string
	for _, s := range accounts.ScopeNames() {
		if !strings.HasSuffix(s, ":*") {
			scopes = append(scopes, strings.ReplaceAll(s, ":", "_"))
		}
	}
	all := texts(t).ByLang["en"]
	for family, values := range map[string][]string{
		"settings.scope":     scopes,
		"ui.role":            of("membership", "role"),
		"settings.unknown":   of("workspace", "unknown_policy"),
		"settings.consent":   of("workspace", "consent_policy"),
		"campaigns.state":    of("campaign", "state"),
		"portfolio.priority": of("campaign", "priority"),
		"people.state":       of("message", "state"),
		"audiences.state":    of("import", "state"),
		"contacts.purpose":   of("permission", "purpose"),
		"contacts.action":    of("consent", "action"),
		"stops.scope":        of("stop", "scope"),
	} {
		for _, v := range values {
			if _, ok := all[family+"."+v]; !ok {
				t.Errorf("there is no text %s.%s", family, v)
			}
		}
	}
}
