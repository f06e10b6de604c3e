package deploy_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"bareed/internal/config"
	"bareed/migrations"
)

var setting = regexp.MustCompile(`\b(BAREED_[A-Z_]+)=`)

// The Procfile starts each long-running process once, in the order in which
// runners stop them, with exec, so that signals reach the program.
func TestProcfile(t *testing.T) {
	t.Parallel()
	var names []string
	for line := range strings.Lines(read(t, root+"Procfile")) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") || line == "" {
			continue
		}
		name, command, ok := strings.Cut(line, ": ")
		if !ok || !strings.HasSuffix(command, "exec ${BAREED:-bin/bareed} "+name) {
			t.Errorf("%q does not end in exec and the program", line)
		}
		for _, m := range setting.FindAllStringSubmatch(command, -1) {
			if !slices.ContainsFunc(config.Table(), func(s config.Setting) bool { return s.Name == m[1] }) {
				t.Errorf("%s is no setting", m[1])
			}
		}
		names = append(names, name)
	}
	if want := []string{"api", "scheduler", "worker", "sandbox"}; !slices.Equal(names, want) {
		t.Errorf("processes %v, want %v", names, want)
	}
}

// The logins' script makes every role that the schema grants to.
func TestLoginsKnowEveryRole(t *testing.T) {
	t.Parallel()
	text := read(t, root+"deploy/postgres/logins.sql")
	for _, role := range []string{migrations.RoleOwner, migrations.RoleApp, migrations.RoleEngine, migrations.RoleBackup} {
		if !strings.Contains(text, "create role "+role+" nologin;") {
			t.Errorf("%s is not made", role)
		}
	}
	if !strings.Contains(text, "alter role bareed_backup nologin bypassrls;") {
		t.Error("dumps would not be complete")
	}
}
