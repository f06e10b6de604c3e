package config_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"bareed/internal/config"
)

var update = flag.Bool("update", false, "rewrite docs/CONFIG.md")

// The page of settings is the table the program reads by.
func TestPageOfSettingsIsTheTable(t *testing.T) {
	t.Parallel()
	const page = "../../docs/CONFIG.md"
	want := "# Settings\n\nEnvironment variables only. A secret may also be given as a file: `NAME_FILE` names it. " +
		"A bad, missing or unknown variable stops the start with one sentence.\n\n" + strings.TrimSpace(config.Markdown()) + "\n"
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || string(got) != want {
		t.Errorf("docs/CONFIG.md is not the table of settings (%v): run go test ./internal/config -run Page -update", err)
	}
}
